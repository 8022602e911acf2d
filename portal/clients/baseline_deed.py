"""A baseline applied to many clients: each exactly as it was looked at."""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from portal.baselines import queries as baselines
from portal.baselines import service, undoing
from portal.clients.deeds import Planned
from portal.clients.tagging import provider_of
from portal.configuration import service as configurations
from portal.configuration.service import Look
from portal.domain.access import Actor
from portal.domain.bulk import BEING_DELETED, IS_SO, RowState
from portal.domain.errors import N_, NN_, Message, RuleError, refuse
from portal.domain.seat_moves import LOOK_AGAIN
from portal.domain.states import ClientStatus

FINAL = frozenset(undoing.FINAL)
CLOSED = N_("Its owners let you in only when they agree to it.")
WOULD_REVOKE = NN_(
    "%(count)s member loses access and gets an e-mail.",
    "%(count)s members lose access and get an e-mail.",
)
DELETES_GROUPS = N_("Groups are deleted.")
WITHOUT_POLICIES = N_("Policies are left out: they are part of Enterprise.")
WAITS = N_("Collections wait to be made in a browser.")


def chosen(session: Session, actor: Actor, baseline_id: uuid.UUID | None) -> dict[str, Any]:
    """What a change set keeps of a baseline: its newest version. `RuleError` if there is none."""
    found = baselines.find(session, provider_of(actor), baseline_id) if baseline_id else None
    if found is None:
        raise refuse(service.GONE)
    return {"id": str(found.id), "name": found.name, "number": found.newest}


class ApplyingBaseline:
    """A version of a baseline. A row keeps the digest of its look, and is held to it."""

    # A client may take a hundred statements, and each of them may revoke people.
    batch = 10

    def __init__(self, session: Session, actor: Actor, change_set: Any) -> None:
        self.session, self.actor = session, actor
        known = change_set.details
        self.number: int = known["number"]
        place = (session, provider_of(actor), uuid.UUID(known["id"]))
        self.place = (place[2], self.number)
        self.baseline = baselines.find(*place)
        self.wanted = baselines.content(*place, self.number)

    def plan(self, clients: Sequence[Any]) -> list[Planned]:
        ids = [client.id for client in clients]
        given = baselines.assigned(self.session, self.actor, ids)
        looks = self._looks([each for each in ids if each in given and given[each].is_open])
        closed = refuse(CLOSED)
        return [
            self._planned(client, given.get(client.id), looks.get(client.id, closed))
            for client in clients
        ]

    def _looks(self, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Look | RuleError]:
        if self.wanted is None:
            return dict.fromkeys(ids, refuse(service.GONE))
        return configurations.looks(self.session, self.actor, ids, self.wanted)

    def _planned(self, client: Any, given: Any, look: Look | RuleError) -> Planned:
        if client.status is ClientStatus.DELETING:
            return Planned(RowState.REFUSED, Message(BEING_DELETED))
        if isinstance(look, RuleError):
            return Planned(RowState.REFUSED, look.text)
        has_it = given is not None and self.baseline is not None
        is_given = has_it and (given.baseline_id, given.number) == self.place
        if is_given and not look.changes:
            return Planned(RowState.SAME, Message(WAITS if look.missing else IS_SO))
        return Planned(RowState.PLANNED, _told(look), look.digest)

    def do(self, client: Any, row: Any) -> None:
        if self.baseline is None:
            raise refuse(service.GONE)
        self._check_open(client)
        try:
            row.before = undoing.apply(
                self.session, self.actor, client.id, self.baseline, self.number, seen=row.before
            )
        except configurations.Moved as error:
            raise refuse(LOOK_AGAIN) from error

    def _check_open(self, client: Any) -> None:
        if client.status is ClientStatus.DELETING:
            raise refuse(BEING_DELETED)
        present = baselines.client(self.session, self.actor, client.id)
        if present is None or not present.is_open:
            raise refuse(CLOSED)

    def seen(self, client: Any, row: Any) -> str:
        # What is done for good is refused with its reason, whatever has happened since.
        if row.before in FINAL:
            return ""
        return undoing.state(self.session, self.actor, client.id)

    def undo(self, client: Any, row: Any) -> None:
        self._check_open(client)
        undoing.take_back(self.session, self.actor, client.id, row.before, row.after)


def _told(look: Look) -> Message | None:
    """The one thing of a look that nobody should overlook."""
    if look.revoked:
        return Message.counted(WOULD_REVOKE, len(look.revoked))
    if undoing.final(look):
        return Message(DELETES_GROUPS)
    if look.missing:
        return Message(WAITS)
    return Message(WITHOUT_POLICIES) if look.skips_policies else None
