"""The demo's first client is set up: nested collections, groups that reach them, a skipped step."""

import datetime as dt
import random
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select, update

from portal.crypto.envelope import seal
from portal.demo.clients import Client
from portal.demo.provider import DemoProvider
from portal.demo.world import Ids, Log, Order, Rows
from portal.domain.collection_access import Level
from portal.domain.names import name_ci
from portal.domain.plans import Feature
from portal.domain.setup_steps import SetupFacts, StepKind, progress, setup_steps
from portal.domain.states import MemberState
from portal.events import Stream
from portal.models import (
    Collection,
    CollectionGroup,
    Group,
    GroupMember,
    Member,
    Organization,
    SkippedStep,
)

_COLLECTIONS = {
    "en": ("Finance", "Finance/Banking", "IT", "IT/Backup", "IT/Servers", "IT/Servers/Mail"),
    "fr": (
        "Comptabilité",
        "Comptabilité/Banques",
        "Informatique",
        "Informatique/Sauvegardes",
        "Informatique/Serveurs",
        "Informatique/Serveurs/Messagerie",
    ),
}
# A group's name, and what it is given of the collections above by their place.
_GROUPS: dict[str, tuple[tuple[str, Mapping[int, Level]], ...]] = {
    "en": (
        ("Accounting", {0: Level.EDIT, 1: Level.MANAGE}),
        ("Administrators", {2: Level.MANAGE, 3: Level.MANAGE, 4: Level.MANAGE, 5: Level.MANAGE}),
        ("Help desk", {2: Level.VIEW, 4: Level.VIEW_HIDDEN}),
    ),
    "fr": (
        ("Comptables", {0: Level.EDIT, 1: Level.MANAGE}),
        ("Administrateurs", {2: Level.MANAGE, 3: Level.MANAGE, 4: Level.MANAGE, 5: Level.MANAGE}),
        ("Assistance", {2: Level.VIEW, 4: Level.VIEW_HIDDEN}),
    ),
}
_WHY = {
    "en": "They keep signing in with their master passwords for now.",
    "fr": "Ils gardent pour le moment leurs mots de passe principaux.",
}


class Structure:
    """Makes it in one client; all rows before are flushed. Chance of its own, as elsewhere."""

    def __init__(self, connection: Connection, rows: Rows, log: Log, order: Order) -> None:
        self._connection, self._rows, self._log = connection, rows, log
        self._locale = order.locale
        self._ids = Ids(random.Random(order.seed + 2))  # noqa: S311 - ids are no secret

    def make(self, client: Client, provider: DemoProvider, at: dt.datetime) -> None:
        """Nothing where the client has no keys: names of collections are sealed with them."""
        if client.keys is None:
            return
        collections = [self._add_collection(client, name, at) for name in self._names]
        members = self._connection.execute(
            select(Member.id, Member.state)
            .where(Member.organization_id == client.id)
            .order_by(Member.id)
        ).all()
        for number, (name, given) in enumerate(_GROUPS[self._locale]):
            inside = [row.id for row in members[number::3] if row.state != MemberState.REVOKED]
            self._add_group(client, name, [(collections[n], given[n]) for n in given], inside, at)
            self._tell(client, provider, at, "organization:group:create", name=name)
        skipped = self._skip(client, provider, at)
        self._rows.flush()
        self._count(client, [row.state for row in members], skipped)

    @property
    def _names(self) -> Sequence[str]:
        return _COLLECTIONS[self._locale]

    def _add_collection(self, client: Client, name: str, at: dt.datetime) -> Any:
        collection_id = self._ids.at(at)
        self._rows.add(
            Collection,
            organization_id=client.id,
            id=collection_id,
            sealed_name=seal(name, client.keys.tenant.key) if client.keys else None,
            created_at=at,
        )
        return collection_id

    def _add_group(
        self,
        client: Client,
        name: str,
        given: Sequence[tuple[Any, Level]],
        members: Sequence[Any],
        at: dt.datetime,
    ) -> None:
        group = {"organization_id": client.id, "group_id": self._ids.at(at)}
        self._rows.add(
            Group,
            organization_id=client.id,
            id=group["group_id"],
            name=name,
            name_ci=name_ci(name),
            created_at=at,
        )
        for member_id in members:
            self._rows.add(GroupMember, **group, member_id=member_id)
        for collection_id, level in given:
            self._rows.add(CollectionGroup, **group, collection_id=collection_id, level=level)

    def _skip(self, client: Client, provider: DemoProvider, at: dt.datetime) -> frozenset[StepKind]:
        if not client.fate.plan.has(Feature.SSO):
            return frozenset()
        self._rows.add(
            SkippedStep,
            organization_id=client.id,
            step=StepKind.SSO,
            note=_WHY[self._locale],
            by_name=provider.admin.name,
            skipped_at=at,
        )
        self._tell(client, provider, at, "organization:setup:skip", step=StepKind.SSO.value)
        return frozenset({StepKind.SSO})

    def _tell(
        self, client: Client, provider: DemoProvider, at: dt.datetime, kind: str, **details: str
    ) -> None:
        """In the client's own log: the provider's is told in the order of its clients."""
        streams = [Stream("organization", client.id)]
        self._log.tell(at, kind, streams, provider.admin, client.id, **details)

    def _count(
        self, client: Client, states: Sequence[MemberState], skipped: frozenset[StepKind]
    ) -> None:
        facts = SetupFacts(
            collections=1 + len(self._names),
            confirmed_members=sum(state is MemberState.CONFIRMED for state in states),
            groups_with_access=len(_GROUPS[self._locale]),
        )
        done = progress(setup_steps(client.fate.plan, facts, skipped))
        self._connection.execute(
            update(Organization)
            .where(Organization.id == client.id)
            .values(setup_done=done.done, setup_total=done.total)
        )
