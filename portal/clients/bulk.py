"""One change for many clients: planned, confirmed, done a batch at a time, and undone.

Each batch is a transaction of its own, so that a closed tab leaves nothing half done: what is left
stands in the rows, and whoever opens the page again goes on.
"""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from sqlalchemy import Select, delete, insert, select
from sqlalchemy.orm import Session

from portal import events
from portal.clients import lifecycle, queries, tagging
from portal.clients.listing import Listing
from portal.clients.tagging import Annotation, provider_of, streams
from portal.domain.access import Actor, Role
from portal.domain.bulk import (
    BATCH,
    CHANGED_SINCE,
    LIMIT,
    BulkAction,
    BulkState,
    Facts,
    RowState,
    plan,
    stored,
)
from portal.domain.errors import N_, Message, RuleError, refuse
from portal.domain.states import MemberState
from portal.domain.tags import read, written
from portal.members.service import resend
from portal.models import Account, ChangeSet, ChangeSetRow, Member, Tag, new_id, utc_now

UNDO_FOR = dt.timedelta(minutes=10)
NOTHING_CHOSEN = N_("Tick at least one client first.")
TOO_MANY = N_("At most %(limit)s clients can be changed at once. Narrow the list first.")
NO_SUCH_TAG = N_("The tag is not there any more.")
TOO_LATE = N_("This cannot be undone any more.")
NO_INVITATION = N_("No invited owner waits for an e-mail.")


def _of(provider_id: uuid.UUID, *columns: Any) -> Select[Any]:
    return select(*columns).where(ChangeSet.provider_id == provider_id)


def _rows_of(provider_id: uuid.UUID, change_set_id: uuid.UUID, *columns: Any) -> Select[Any]:
    return select(*columns).where(
        ChangeSetRow.provider_id == provider_id, ChangeSetRow.change_set_id == change_set_id
    )


def find(session: Session, actor: Actor, change_set_id: uuid.UUID, *, lock: bool = False) -> Any:
    """The change set, locked for whoever goes on with it; None if it is not the provider's."""
    found = _of(provider_of(actor), ChangeSet).where(ChangeSet.id == change_set_id)
    return session.scalars(found.with_for_update() if lock else found).one_or_none()


def newest(session: Session, actor: Actor, limit: int = 20) -> Sequence[Any]:
    """The newest change sets of the provider and who made each, the newest first."""
    columns = (ChangeSet.id, ChangeSet.action, ChangeSet.tag_name, ChangeSet.state)
    found = (
        _of(provider_of(actor), *columns, ChangeSet.created_at, Account.name.label("who"))
        .join(Account, Account.id == ChangeSet.account_id)
        .order_by(ChangeSet.id.desc())
    )
    return session.execute(found.limit(limit)).all()


def rows(session: Session, actor: Actor, change_set_id: uuid.UUID, limit: int) -> Sequence[Any]:
    """The first rows by name: (organization_id, name, state, reason)."""
    found = _rows_of(
        provider_of(actor),
        change_set_id,
        ChangeSetRow.organization_id,
        ChangeSetRow.name,
        ChangeSetRow.state,
        ChangeSetRow.reason,
    )
    order = found.order_by(ChangeSetRow.name_ci, ChangeSetRow.organization_id)
    return session.execute(order.limit(limit)).all()


def counts(session: Session, actor: Actor, change_set_id: uuid.UUID) -> Mapping[RowState, int]:
    """How many rows are in which state."""
    states = _rows_of(provider_of(actor), change_set_id, ChangeSetRow.state)
    return Counter(session.scalars(states))


def prepare(
    session: Session,
    actor: Actor,
    *,
    action: BulkAction,
    tag_id: uuid.UUID | None,
    ticked: Iterable[uuid.UUID] | None,
    query: str,
) -> uuid.UUID:
    """Look what `action` would do, to the `ticked` clients or (None) to all that `query` leaves.

    Nothing is changed. Raises `RuleError` for no client, too many, or an unknown tag.
    """
    name = _tag_name(session, actor, tag_id) if action.names_a_tag else ""
    change_set = ChangeSet(
        provider_id=provider_of(actor),
        id=new_id(),
        account_id=actor.account_id,
        action=action,
        tag_id=tag_id if action.names_a_tag else None,
        tag_name=name,
        query=query if ticked is None else None,
    )
    found = _look(session, actor, change_set, set(ticked or ()))
    if not found:
        raise refuse(NOTHING_CHOSEN)
    if len(found) > LIMIT:
        raise refuse(TOO_MANY, limit=LIMIT)
    session.add(change_set)
    session.flush()
    session.execute(insert(ChangeSetRow), found)
    return change_set.id


def _tag_name(session: Session, actor: Actor, tag_id: uuid.UUID | None) -> str:
    found = select(Tag.name).where(Tag.provider_id == provider_of(actor), Tag.id == tag_id)
    name = session.scalars(found).one_or_none()
    if name is None:
        raise refuse(NO_SUCH_TAG)
    return name


def _look(
    session: Session, actor: Actor, change_set: Any, ticked: set[uuid.UUID]
) -> list[dict[str, Any]]:
    """The rows as they would be planned now."""
    listing = Listing.read(dict(parse_qsl(change_set.query or "")))
    found = queries.chosen(
        session,
        provider_of(actor),
        listing if change_set.query is not None else None,
        ticked,
        limit=LIMIT + 1,
    )
    return [_planned(change_set, client) for client in found]


def _planned(change_set: Any, client: Any) -> dict[str, Any]:
    tags = read(client.tags_shown)
    facts = Facts(client.status, client.owner_confirmed, len(tags), change_set.tag_id in tags)
    state, reason = plan(change_set.action, facts)
    return {
        "provider_id": change_set.provider_id,
        "change_set_id": change_set.id,
        "organization_id": client.id,
        "name": client.name,
        "name_ci": client.name_ci,
        "state": state,
        "reason": stored(reason),
        "before": "",
        "after": "",
    }


def start(session: Session, actor: Actor, change_set: Any) -> tuple[int, int]:
    """Begin, if the plan is still what was confirmed; else make a new one and begin nothing.

    Returns how many clients (came or look different, went); (0, 0) says that it has begun.
    """
    if change_set.state is not BulkState.PLANNED:
        return 0, 0
    planned = _rows_of(
        change_set.provider_id,
        change_set.id,
        ChangeSetRow.organization_id,
        ChangeSetRow.state,
    )
    before = {row.organization_id: row.state for row in session.execute(planned)}
    now = _look(session, actor, change_set, set(before))
    after = {row["organization_id"]: row["state"] for row in now}
    if before != after:
        _plan_anew(session, change_set, now)
        different = sum(before.get(client) != state for client, state in after.items())
        return different, len(before.keys() - after.keys())
    change_set.state = BulkState.RUNNING
    _record(session, actor, change_set, "start", clients=_number(before))
    return 0, 0


def _number(states: Mapping[uuid.UUID, RowState]) -> int:
    return sum(state is RowState.PLANNED for state in states.values())


def _plan_anew(session: Session, change_set: Any, now: list[dict[str, Any]]) -> None:
    session.execute(
        delete(ChangeSetRow).where(
            ChangeSetRow.provider_id == change_set.provider_id,
            ChangeSetRow.change_set_id == change_set.id,
        )
    )
    if now:
        session.execute(insert(ChangeSetRow), now)


def _record(session: Session, actor: Actor, change_set: Any, action: str, **details: Any) -> None:
    told = {"query": change_set.query} if action == "start" else {}
    events.record(
        session,
        actor,
        f"provider:change_set:{action}",
        streams=streams(actor),
        subject_id=change_set.id,
        action=change_set.action.value,
        tag=change_set.tag_name,
        **told,
        **details,
    )


def work(session: Session, actor: Actor, change_set: Any, *, batch: int = BATCH) -> None:
    """Do (or undo) the next `batch` clients; the last one ends the change set."""
    undoing = change_set.state is BulkState.UNDOING
    if not undoing and change_set.state is not BulkState.RUNNING:
        return
    waiting = RowState.DONE if undoing else RowState.PLANNED
    found = (
        _rows_of(change_set.provider_id, change_set.id, ChangeSetRow)
        .where(ChangeSetRow.state == waiting)
        .order_by(ChangeSetRow.organization_id)
        .limit(batch)
    )
    left = session.scalars(found).all()
    for row in left:
        _one(session, actor, change_set, row, undoing=undoing)
    session.flush()
    if len(left) < batch:
        change_set.state = BulkState.UNDONE if undoing else BulkState.DONE
        change_set.done_at = utc_now()


def _one(session: Session, actor: Actor, change_set: Any, row: Any, *, undoing: bool) -> None:
    """One client; what is refused leaves no trace of itself but the reason."""
    client = queries.client(session, change_set.provider_id, row.organization_id)
    try:
        if client is None:
            raise refuse(CHANGED_SINCE)
        with session.begin_nested():
            if undoing:
                _undo(session, actor, change_set, row, client)
            else:
                _do(session, actor, change_set, client)
    except RuleError as error:
        row.state = RowState.KEPT if undoing else RowState.REFUSED
        row.reason = stored(error.text)
        return
    row.state = RowState.UNDONE if undoing else RowState.DONE
    if not undoing:
        row.before = _image(change_set, client)
        row.after = _image(
            change_set, queries.client(session, change_set.provider_id, row.organization_id)
        )


def _image(change_set: Any, client: Any) -> str:
    """What the change touches, as it is."""
    if change_set.action.names_a_tag:
        return str(client.tags_shown)
    return f"{client.status.value} {client.version}"


def _do(session: Session, actor: Actor, change_set: Any, client: Any) -> None:
    action = change_set.action
    if action.names_a_tag:
        tags = {*read(client.tags_shown)}
        wanted = (
            tags | {change_set.tag_id} if action is BulkAction.TAG else tags - {change_set.tag_id}
        )
        _tag_name(session, actor, change_set.tag_id)
        _set_tags(session, actor, client, wanted)
    elif action is BulkAction.INVITE:
        _invite(session, actor, client)
    elif action is BulkAction.SUSPEND:
        lifecycle.suspend(session, actor, client)
    else:
        lifecycle.resume(session, actor, client)


def _undo(session: Session, actor: Actor, change_set: Any, row: Any, client: Any) -> None:
    if _image(change_set, client) != row.after:
        raise refuse(CHANGED_SINCE)
    if change_set.action.names_a_tag:
        _set_tags(session, actor, client, set(read(row.before)))
    elif change_set.action is BulkAction.SUSPEND:
        lifecycle.resume(session, actor, client)
    else:
        lifecycle.suspend(session, actor, client)


def _set_tags(session: Session, actor: Actor, client: Any, tags: set[uuid.UUID]) -> None:
    if written(tags) != client.tags_shown:
        wanted = Annotation(client.note, client.external_reference, frozenset(tags))
        tagging.annotate(session, actor, client, wanted)


def _invite(session: Session, actor: Actor, client: Any) -> None:
    waiting = select(Member.id).where(
        Member.organization_id == client.id,
        Member.role == Role.OWNER,
        Member.state == MemberState.INVITED,
    )
    owners = session.scalars(waiting.order_by(Member.id)).all()
    if not owners:
        raise refuse(NO_INVITATION)
    for member_id in owners:
        resend(session, actor, organization_id=client.id, member_id=member_id)


def may_undo(change_set: Any) -> bool:
    """Whether it is done, can be taken back, and is young enough."""
    return bool(
        change_set.state is BulkState.DONE
        and change_set.action.can_be_undone
        and utc_now() < change_set.done_at + UNDO_FOR
    )


def undo(session: Session, actor: Actor, change_set: Any) -> None:
    """Begin to take it back; clients that were changed since are left as they are."""
    if not may_undo(change_set):
        raise refuse(TOO_LATE)
    change_set.state = BulkState.UNDOING
    _record(session, actor, change_set, "undo")


def reason(row: Any) -> Message | None:
    """Why nothing was or will be done with a row."""
    return Message(row.reason["text"], row.reason["params"]) if row.reason else None
