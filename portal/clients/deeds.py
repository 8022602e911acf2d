"""What a change of many clients does to one of them: planned, done, undone.

`portal.clients.bulk` runs them; each kind of change is one class here or in `seat_deed`.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.clients import lifecycle, tagging
from portal.clients.reinviting import CLIENT_CLOSED
from portal.clients.tagging import Annotation, provider_of
from portal.domain.access import Actor, Role
from portal.domain.bulk import BATCH, CHANGED_SINCE, BulkAction, Facts, RowState, plan
from portal.domain.errors import N_, Message, RuleError, refuse
from portal.domain.states import ClientStatus, MemberState
from portal.domain.tags import read, written
from portal.members.service import resend
from portal.models import Member, Tag

NO_SUCH_TAG = N_("The tag is not there any more.")
NO_INVITATION = N_("No invited owner waits for an e-mail.")
_WAITING = (Member.role == Role.OWNER, Member.state == MemberState.INVITED)


@dataclass(frozen=True)
class Planned:
    """What would become of one client. `look` is what the row keeps of it, to be held to."""

    state: RowState
    reason: Message | None = None
    look: str = ""


class Deed(Protocol):
    """One kind of change. `do` and `undo` raise `RuleError`, and then leave no trace."""

    batch: int

    def plan(self, clients: Sequence[Any]) -> list[Planned]:
        """What it would do to each of `clients` (rows of `queries.chosen`); reads only."""
        ...

    def do(self, client: Any, row: Any) -> None:
        """Do it to a client (a row of `queries.client`); `row` is its `ChangeSetRow`, in whose
        `before` it may leave what an undo needs.
        """
        ...

    def seen(self, client: Any, row: Any) -> str:
        """What the change touches, as it is: what an undo is held to."""
        ...

    def undo(self, client: Any, row: Any) -> None:
        """Take it back; whoever calls has compared `seen` with what was left."""
        ...


class _Plain:
    """What the changes share that cost nothing: they look at a client's own columns."""

    batch = BATCH

    def __init__(self, session: Session, actor: Actor, change_set: Any) -> None:
        self.session, self.actor, self.change_set = session, actor, change_set

    def plan(self, clients: Sequence[Any]) -> list[Planned]:
        return [self._planned(client) for client in clients]

    def _planned(self, client: Any) -> Planned:
        tags = read(client.tags_shown)
        tag_id = self.change_set.tag_id
        facts = Facts(client.status, client.owner_confirmed, len(tags), tag_id in tags)
        return Planned(*plan(self.change_set.action, facts))


class Tagging(_Plain):
    """A tag given or taken away."""

    def plan(self, clients: Sequence[Any]) -> list[Planned]:
        try:
            tagging.check_scopes(self.session, self.actor, [self.change_set.tag_id])
        except RuleError as error:
            return [Planned(RowState.REFUSED, error.text) for _client in clients]
        return super().plan(clients)

    def do(self, client: Any, row: Any) -> None:
        tags, tag_id = {*read(client.tags_shown)}, self.change_set.tag_id
        tag_name(self.session, self.actor, tag_id)
        gives = self.change_set.action is BulkAction.TAG
        self._write(client, tags | {tag_id} if gives else tags - {tag_id})

    def undo(self, client: Any, row: Any) -> None:
        self._write(client, set(read(row.before)))

    def seen(self, client: Any, row: Any) -> str:
        return str(client.tags_shown)

    def _write(self, client: Any, tags: set[uuid.UUID]) -> None:
        if written(tags) != client.tags_shown:
            wanted = Annotation(client.note, client.external_reference, frozenset(tags))
            tagging.annotate(self.session, self.actor, client, wanted)


class Suspending(_Plain):
    """Clients suspended or resumed."""

    def do(self, client: Any, row: Any) -> None:
        self._move(client, suspends=self.change_set.action is BulkAction.SUSPEND)

    def undo(self, client: Any, row: Any) -> None:
        self._move(client, suspends=self.change_set.action is BulkAction.RESUME)

    def seen(self, client: Any, row: Any) -> str:
        return f"{client.status.value} {client.version}"

    def _move(self, client: Any, *, suspends: bool) -> None:
        move = lifecycle.suspend if suspends else lifecycle.resume
        move(self.session, self.actor, client)


class Inviting(_Plain):
    """Invitations of owners sent again."""

    def plan(self, clients: Sequence[Any]) -> list[Planned]:
        ids = [client.id for client in clients]
        found = select(Member.organization_id).where(Member.organization_id.in_(ids), *_WAITING)
        self.waiting = set(self.session.scalars(found))
        return super().plan(clients)

    def _planned(self, client: Any) -> Planned:
        planned = super()._planned(client)
        if planned.state is not RowState.PLANNED:
            return planned
        if client.status is not ClientStatus.ACTIVE:
            return Planned(RowState.REFUSED, Message(CLIENT_CLOSED))
        if client.id not in self.waiting:
            return Planned(RowState.SAME, Message(NO_INVITATION))
        return planned

    def do(self, client: Any, row: Any) -> None:
        if client.status is not ClientStatus.ACTIVE:
            raise refuse(CLIENT_CLOSED)
        waiting = select(Member.id).where(Member.organization_id == client.id, *_WAITING)
        owners = self.session.scalars(waiting.order_by(Member.id)).all()
        if not owners:
            raise refuse(NO_INVITATION)
        for member_id in owners:
            resend(self.session, self.actor, organization_id=client.id, member_id=member_id)

    def undo(self, client: Any, row: Any) -> None:
        # Never begun: an e-mail that is sent cannot be taken back (`BulkAction.can_be_undone`).
        raise refuse(CHANGED_SINCE)

    def seen(self, client: Any, row: Any) -> str:
        return f"{client.status.value} {client.version}"


def tag_name(session: Session, actor: Actor, tag_id: uuid.UUID | None) -> str:
    """The name of a tag of the provider; raises `RuleError` where it is not there."""
    found = select(Tag.name).where(Tag.provider_id == provider_of(actor), Tag.id == tag_id)
    name = session.scalars(found).one_or_none()
    if name is None:
        raise refuse(NO_SUCH_TAG, field="tag_id")
    return name
