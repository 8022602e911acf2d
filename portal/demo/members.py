"""The people of each client: members, their accounts and places, and how they came in."""

import datetime as dt
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from portal.crypto.fingerprint import fingerprint_phrase
from portal.demo.keys import KeyPool, KeySet
from portal.demo.names import Names, Someone
from portal.demo.plot import Fate
from portal.demo.provider import DemoProvider, Person
from portal.demo.world import Ids, Rows
from portal.domain.access import Actor, Role
from portal.domain.states import SEAT_STATES, ClientStatus, MemberState
from portal.models import Account, Affiliation, Member, Outbox

_INVITATION_LASTS = dt.timedelta(days=5)
_ROLES = ((0.03, Role.OWNER), (0.12, Role.ADMIN), (1.0, Role.USER))
_STATES = (
    (0.03, MemberState.STAGED),
    (0.07, MemberState.REVOKED),
    (0.17, MemberState.INVITED),
    (0.22, MemberState.ACCEPTED),
    (1.0, MemberState.CONFIRMED),
)
_HERE = {MemberState.ACCEPTED, MemberState.CONFIRMED}
_NO_MAILBOX = "550 5.1.1 No mailbox here by that name"


@dataclass(frozen=True)
class Scene:
    """What all clients have in common; `now` is the moment at which the demo is made."""

    rows: Rows
    ids: Ids
    rng: random.Random
    names: Names
    provider: DemoProvider
    pool: KeyPool
    now: dt.datetime


@dataclass(frozen=True)
class Story:
    """One event to be told; `by_provider` puts it into the provider's log too."""

    at: dt.datetime
    kind: str
    actor: Actor | None
    subject_id: uuid.UUID
    details: dict[str, Any]
    by_provider: bool = False


@dataclass(frozen=True)
class Part:
    """One member before it is a row."""

    member_id: uuid.UUID
    who: Someone
    role: Role
    state: MemberState
    invited_at: dt.datetime
    accepted_at: dt.datetime | None
    confirmed_at: dt.datetime | None
    account: Person | None = None


@dataclass
class Cast:
    """The people of one client; the owner comes first."""

    owner_id: uuid.UUID
    states: list[MemberState] = field(default_factory=list)
    stories: list[Story] = field(default_factory=list)

    @property
    def seats_used(self) -> int:
        return sum(state in SEAT_STATES for state in self.states)

    @property
    def confirmed(self) -> int:
        return sum(state is MemberState.CONFIRMED for state in self.states)


class Crowd:
    """Makes the people of one client after the other."""

    def __init__(self, scene: Scene) -> None:
        self._rows, self._ids, self._rng = scene.rows, scene.ids, scene.rng
        self._names, self._provider, self._now = scene.names, scene.provider, scene.now
        self._people_keys = scene.pool.people

    def gather(
        self, client_id: uuid.UUID, name: str, domain: str, fate: Fate, keys: KeySet | None
    ) -> Cast:
        """Rows of the owner and of everybody else."""
        taken: set[str] = set()
        place = Place(client_id, name, keys, fate.status is ClientStatus.ACTIVE)
        owner = self._owner(fate, domain, taken)
        cast = Cast(owner.member_id)
        inviter = self._add(place, owner, self._provider.admin, cast)
        for _number in range(1, fate.people):
            self._add(place, self._somebody(fate, domain, taken), inviter, cast)
        if fate.owner is MemberState.INVITED:
            self._add_mail(place, owner, failed=fate.with_keys)
        return cast

    def _owner(self, fate: Fate, domain: str, taken: set[str]) -> Part:
        wait = (min(fate.until, fate.began + dt.timedelta(days=2)) - fate.began) / 3
        return self._part(
            self._provider.owner if fate.number == 0 else None,
            domain,
            taken,
            Role.OWNER,
            fate.owner,
            (fate.began, fate.began + wait, fate.began + 2 * wait),
        )

    def _somebody(self, fate: Fate, domain: str, taken: set[str]) -> Part:
        rng = self._rng
        state = _pick(_STATES, rng.random())
        # Nobody is invited before the owner is in, nor later than today; most came soon after.
        first = fate.began + min(dt.timedelta(days=3), (self._now - fate.began) / 2)
        invited_at = first + (self._now - first) * rng.random() ** 2
        if state is MemberState.INVITED and rng.random() < 0.7:
            invited_at = self._now - dt.timedelta(hours=rng.randrange(1, 90))
        invited_at = max(invited_at, fate.began)
        wait = (self._now - invited_at) / 50
        return self._part(
            None,
            domain,
            taken,
            _pick(_ROLES, rng.random()),
            state,
            (invited_at, invited_at + wait, invited_at + 2 * wait),
        )

    def _part(
        self,
        account: Person | None,
        domain: str,
        taken: set[str],
        role: Role,
        state: MemberState,
        times: tuple[dt.datetime, dt.datetime, dt.datetime],
    ) -> Part:
        if account:
            who = Someone(account.name, account.email)
            taken.add(who.email)
        else:
            who = self._names.person(domain, taken)
        invited_at, accepted_at, confirmed_at = times
        return Part(
            member_id=self._ids.at(invited_at),
            who=who,
            role=role,
            state=state,
            invited_at=invited_at,
            accepted_at=accepted_at if state in _HERE else None,
            confirmed_at=confirmed_at if state is MemberState.CONFIRMED else None,
            account=account,
        )

    def _add(self, place: "Place", part: Part, inviter: Actor, cast: Cast) -> Actor:
        """The rows and stories of one member; returns the member as an actor."""
        account_id, public_key = None, ""
        if part.accepted_at:
            account_id, public_key = self._account(part)
            self._add_affiliation(place, part, account_id)
        confirmed = part.confirmed_at and place.keys
        self._rows.add(
            Member,
            organization_id=place.client_id,
            id=part.member_id,
            account_id=account_id,
            email=part.who.email,
            role=part.role,
            state=part.state,
            wrapped_organization_key=place.wrapped_for(public_key) if confirmed else None,
            confirmed_public_key=public_key if confirmed else None,
            invitation_locale="en",
            invitation_expires_at=part.invited_at + _INVITATION_LASTS,
            created_at=part.invited_at,
            accepted_at=part.accepted_at,
            confirmed_at=part.confirmed_at,
        )
        member = _actor(place, part, account_id)
        cast.states.append(part.state)
        cast.stories.extend(_stories(part, inviter, member, public_key))
        return member

    def _account(self, part: Part) -> tuple[uuid.UUID, str]:
        if part.account:
            return part.account.id, part.account.keys.public_key
        account_id = self._ids.at(part.accepted_at or part.invited_at)
        keys = self._people_keys[account_id.int % len(self._people_keys)]
        self._rows.add(
            Account,
            id=account_id,
            email=part.who.email,
            name=part.who.name,
            locale=None,
            created_at=part.accepted_at,
            is_demo=True,
            **keys,
        )
        return account_id, keys["public_key"]

    def _add_affiliation(self, place: "Place", part: Part, account_id: uuid.UUID) -> None:
        self._rows.add(
            Affiliation,
            account_id=account_id,
            kind="organization",
            tenant_id=place.client_id,
            name=place.name,
            role=part.role,
            state=part.state.value,
            active=place.is_active,
        )

    def _add_mail(self, place: "Place", owner: Part, *, failed: bool) -> None:
        """How the invitation of an owner who is awaited fared."""
        self._rows.add(
            Outbox,
            id=self._ids.at(owner.invited_at),
            topic="mail.member_invitation",
            payload={
                "organization": str(place.client_id),
                "member": str(owner.member_id),
                "version": 1,
                "locale": "en",
            },
            provider_id=self._provider.id,
            organization_id=place.client_id,
            subject_id=owner.member_id,
            state="failed" if failed else "sent",
            run_at=owner.invited_at,
            attempts=1,
            last_answer=_NO_MAILBOX if failed else "250 2.0.0 Ok",
            created_at=owner.invited_at,
            finished_at=owner.invited_at + dt.timedelta(seconds=2),
        )


@dataclass(frozen=True)
class Place:
    """The client that people are added to."""

    client_id: uuid.UUID
    name: str
    keys: KeySet | None
    is_active: bool

    def wrapped_for(self, public_key: str) -> str | None:
        return self.keys.wrapped_for(public_key) if self.keys else None


def _actor(place: Place, part: Part, account_id: uuid.UUID | None) -> Actor:
    """The member as the event log names them; who has no account yet does nothing."""
    return Actor(
        account_id=account_id or part.member_id,
        session_id=None,
        name=part.who.name,
        email=part.who.email,
        role=part.role,
        permissions=part.role.permissions,
        organization_id=place.client_id,
    )


def _pick(table: tuple[tuple[float, Any], ...], chance: float) -> Any:
    return next(value for upto, value in table if chance <= upto)


def _stories(part: Part, inviter: Actor, member: Actor, public_key: str) -> Iterator[Story]:
    """Invited, accepted, confirmed: as far as this member has come."""
    by_provider = inviter.provider_id is not None
    if part.state is not MemberState.STAGED:
        details = {"email": part.who.email, "role": part.role.value}
        kind = "organization:member:invite"
        yield Story(part.invited_at, kind, inviter, part.member_id, details, by_provider)
    if part.accepted_at:
        details = {"email": part.who.email}
        yield Story(part.accepted_at, "organization:member:accept", member, part.member_id, details)
    if part.confirmed_at:
        proof: dict[str, Any] = {
            "email": part.who.email,
            "fingerprint": fingerprint_phrase(str(member.account_id), public_key),
            "by_making_keys": False,
        }
        kind = "organization:member:confirm"
        yield Story(part.confirmed_at, kind, inviter, part.member_id, proof, by_provider)
