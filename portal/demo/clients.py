"""Client organizations of the demo, with subscription, people, collection and history."""

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from portal.crypto.fingerprint import fingerprint_phrase
from portal.demo.keys import KeySet
from portal.demo.members import Cast, Crowd, Scene, Story
from portal.demo.plot import Fate
from portal.demo.world import Log
from portal.domain.collection_access import Level
from portal.domain.names import name_ci
from portal.domain.pricing import (
    LineKind,
    Period,
    PriceList,
    Quote,
    Selection,
    Terms,
    billing_period,
    quote,
)
from portal.domain.setup_steps import SetupFacts, progress, setup_steps
from portal.domain.states import MemberState
from portal.events import Stream
from portal.models import (
    Collection,
    CollectionMember,
    Organization,
    SeatDay,
    Subscription,
    SubscriptionLine,
)

_SLACK = (0, 1, 2, 2, 3, 5, 8, 15)
_STORAGE = (0, 0, 0, 0, 0, 0, 1, 2, 5, 10, 20, 50)
_NET_DAYS = 30
# Days on which seats changed, at most.
_SEAT_DAYS = 8
_VISITS = 3


@dataclass(frozen=True)
class Client:
    """One client on its way to the database."""

    id: uuid.UUID
    name: str
    domain: str
    fate: Fate
    keys: KeySet | None


class Clients:
    """Makes clients, one after the other."""

    def __init__(self, scene: Scene, log: Log, prices: PriceList) -> None:
        self._rows, self._ids, self._rng = scene.rows, scene.ids, scene.rng
        self._names, self._provider, self._pool = scene.names, scene.provider, scene.pool
        self._now, self._log, self._prices = scene.now, log, prices
        self._crowd = Crowd(scene)

    def make(self, fate: Fate) -> Client:
        """All rows of one client."""
        name = self._names.company()
        client = Client(
            id=self._ids.at(fate.began),
            name=name,
            domain=self._names.domain(name),
            fate=fate,
            keys=self._pool.of_client(fate.number) if fate.with_keys else None,
        )
        cast = self._crowd.gather(client.id, client.name, client.domain, fate, client.keys)
        selection = self._select(fate, cast)
        self._add_organization(client, cast, selection)
        self._add_seat_days(client, cast, selection)
        self._add_subscription(client, selection)
        self._add_collection(client, cast)
        with self._log.at_most(fate.events):
            for story in self._stories(client, cast, selection):
                self._tell(client, story)
        return client

    def _tell(self, client: Client, story: Story) -> None:
        streams = [Stream("organization", client.id)]
        if story.by_provider:
            streams.append(self._provider.stream)
        self._log.tell(
            story.at, story.kind, streams, story.actor, story.subject_id, **story.details
        )

    def _select(self, fate: Fate, cast: Cast) -> Selection:
        """What was bought: room for everybody who uses a seat."""
        used, rng = cast.seats_used, self._rng
        seats = max(used, 1) + (0 if fate.is_full else rng.choice(_SLACK))
        grows = not fate.is_full and rng.random() < 0.7
        limit = seats + rng.choice((5, 10, 50)) if grows and rng.random() < 0.3 else None
        return Selection(
            plan=fate.plan,
            seats=seats,
            cadence=fate.cadence,
            extra_storage_gb=rng.choice(_STORAGE),
            autogrow=grows,
            seat_limit=limit,
            net_days=_NET_DAYS,
        )

    def _add_organization(self, client: Client, cast: Cast, selection: Selection) -> None:
        facts = SetupFacts(collections=1, confirmed_members=cast.confirmed)
        done = progress(setup_steps(selection.plan, facts))
        keys = client.keys
        self._rows.add(
            Organization,
            id=client.id,
            provider_id=self._provider.id,
            name=client.name,
            name_ci=name_ci(client.name),
            billing_email=f"{self._rng.choice(self._names.words.billing)}@{client.domain}",
            status=client.fate.status,
            plan=selection.plan,
            plan_rank=selection.plan.rank,
            seats=selection.seats,
            seats_used=cast.seats_used,
            seats_grow=selection.autogrow,
            seat_limit=selection.seat_limit,
            extra_storage_gb=selection.extra_storage_gb,
            setup_done=done.done,
            setup_total=done.total,
            owner_confirmed=client.fate.owner is MemberState.CONFIRMED,
            public_key=keys.tenant.public_key if keys else None,
            protected_private_key=keys.tenant.protected_private_key if keys else None,
            provider_wrapped_key=keys.provider_wrapped_key if keys else None,
            provider_since=client.fate.began,
            created_at=client.fate.began,
        )

    def _add_seat_days(self, client: Client, cast: Cast, selection: Selection) -> None:
        """People came one by one, so that the report of the seats has something to show."""
        began, ended = client.fate.began.date(), self._now.date()
        steps = min(_SEAT_DAYS, (ended - began).days // 30) + 1
        for step in range(steps):
            used = -(-cast.seats_used * (step + 1) // steps)
            self._rows.add(
                SeatDay,
                organization_id=client.id,
                day=began + (ended - began) * step // steps,
                seats=max(used, -(-selection.seats * (steps + step + 1) // (2 * steps))),
                seats_used=used,
            )

    def _add_subscription(self, client: Client, selection: Selection) -> None:
        zone = ZoneInfo(self._provider.time_zone)
        began = client.fate.began.astimezone(zone).date()
        bill = quote(selection, self._prices, Terms(), began)
        period = _period_of(self._now.astimezone(zone).date(), began, bill)
        subscription_id = self._ids.at(client.fate.began)
        self._rows.add(
            Subscription,
            organization_id=client.id,
            id=subscription_id,
            cadence=selection.cadence,
            currency=bill.currency,
            price_list_version=bill.price_list_version,
            period_start=period.start,
            period_end=period.end,
            net_days=_NET_DAYS,
            **self._provider.billing,
        )
        for line in bill.lines:
            self._rows.add(
                SubscriptionLine,
                organization_id=client.id,
                id=self._ids.at(client.fate.began),
                subscription_id=subscription_id,
                kind=LineKind(line.kind).value,
                price_list_version=bill.price_list_version,
                unit_cents=line.unit.cents,
                quantity=line.quantity,
                months=line.months,
                period_start=period.start,
                period_end=period.end,
            )

    def _add_collection(self, client: Client, cast: Cast) -> None:
        collection_id = self._ids.at(client.fate.began)
        self._rows.add(
            Collection,
            organization_id=client.id,
            id=collection_id,
            sealed_name=client.keys.collection_name if client.keys else None,
            created_at=client.fate.began,
        )
        self._rows.add(
            CollectionMember,
            organization_id=client.id,
            collection_id=collection_id,
            member_id=cast.owner_id,
            level=Level.MANAGE,
        )

    def _stories(self, client: Client, cast: Cast, selection: Selection) -> list[Story]:
        """The client's history, and technicians looking in as often as events are left."""
        fate, admin = client.fate, self._provider.admin
        details = {"name": client.name, "plan": selection.plan.value, "seats": selection.seats}
        details["with_keys"] = client.keys is not None
        kind = "organization:organization:create"
        stories = [Story(fate.began, kind, admin, client.id, details, by_provider=True)]
        if client.keys:
            phrase = fingerprint_phrase(str(client.id), client.keys.tenant.public_key)
            details = {"fingerprint": phrase, "by_owner": False, "wrapped_to": "provider key"}
            kind = "organization:keys:create"
            stories.append(Story(fate.began, kind, admin, client.id, details, by_provider=True))
        stories += cast.stories
        rows = sum(1 + story.by_provider for story in stories)
        visits = _VISITS if self._log.total is None else max(0, fate.events - rows) // 2
        return sorted([*stories, *self._visits(client, visits)], key=lambda story: story.at)

    def _visits(self, client: Client, count: int) -> Iterator[Story]:
        fate, provider = client.fate, self._provider
        for number in range(1, count + 1):
            yield Story(
                at=fate.began + (fate.until - fate.began) * number / (count + 1),
                kind="organization:organization:open",
                actor=replace(provider.technician, via_provider=True, organization_id=client.id),
                subject_id=client.id,
                details={"provider": provider.name},
                by_provider=True,
            )


def _period_of(today: dt.date, began: dt.date, bill: Quote) -> Period:
    """The billing period that `today` lies in."""
    number = (today - began).days // (31 * bill.months)
    while (period := billing_period(began, bill.months, number)).end <= today:
        number += 1
    return period
