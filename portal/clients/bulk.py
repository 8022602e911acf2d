"""One change for many clients: planned, confirmed, done a batch at a time, and undone.

Each batch is a transaction of its own, so that a closed tab leaves nothing half done: what is left
stands in the rows, and whoever opens the page again goes on.
"""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from sqlalchemy import ColumnElement, Select, delete, exists, func, insert, or_, select
from sqlalchemy.orm import Session

from portal import events
from portal.billing import client_queries
from portal.clients import baseline_deed, queries
from portal.clients.deeds import Deed, Inviting, Planned, Suspending, Tagging, tag_name
from portal.clients.listing import Listing
from portal.clients.seat_deed import ChangingSeats
from portal.clients.tagging import provider_of, streams
from portal.domain.access import Actor, Scope
from portal.domain.bulk import (
    CHANGED_SINCE,
    LIMIT,
    BulkAction,
    BulkState,
    RowState,
    restored,
    stored,
)
from portal.domain.errors import N_, Changed, Message, RuleError, refuse
from portal.domain.price_list import PriceList
from portal.domain.seat_moves import SeatMove
from portal.models import Account, ChangeSet, ChangeSetRow, Organization, new_id, utc_now
from portal.models.reach import within
from portal.providers import reach

UNDO_FOR = dt.timedelta(minutes=10)
NOTHING_CHOSEN = N_("Tick at least one client first.")
TOO_MANY = N_("At most %(limit)s clients can be changed at once. Narrow the list first.")
TOO_LATE = N_("This cannot be undone any more.")


@dataclass(frozen=True)
class Wish:
    """What shall be done: the action, and the tag, the seats or the baseline that it is about."""

    action: BulkAction
    tag_id: uuid.UUID | None = None
    move: SeatMove | None = None
    baseline_id: uuid.UUID | None = None


def _of(actor: Actor, *columns: Any) -> Select[Any]:
    """The provider's change sets; of somebody with a limited scope their own alone.

    Others' change sets of a client that is hidden from the actor are hidden too.
    """
    found = select(*columns).where(ChangeSet.provider_id == provider_of(actor))
    mine = ChangeSet.account_id == actor.account_id
    if actor.limited_to:
        return found.where(mine)
    return found if actor.scope.sees_hidden else found.where(or_(mine, ~_has_hidden()))


def _has_hidden() -> ColumnElement[bool]:
    return exists().where(
        ChangeSetRow.provider_id == ChangeSet.provider_id,
        ChangeSetRow.change_set_id == ChangeSet.id,
        Organization.id == ChangeSetRow.organization_id,
        Organization.hidden_since.is_not(None),
    )


def _rows_of(scope: Scope, change_set_id: uuid.UUID, *columns: Any) -> Select[Any]:
    found = select(*columns).where(
        ChangeSetRow.provider_id == scope.provider_id, ChangeSetRow.change_set_id == change_set_id
    )
    return found.where(*within(scope, ChangeSetRow.organization_id))


def _everything(change_set: Any) -> Scope:
    """Its rows, also those that have left the scope since: they are refused, not forgotten."""
    return Scope(change_set.provider_id)


def find(session: Session, actor: Actor, change_set_id: uuid.UUID, *, lock: bool = False) -> Any:
    """The change set, locked for whoever goes on with it; None if it is not the actor's to see."""
    found = _of(actor, ChangeSet).where(ChangeSet.id == change_set_id)
    return session.scalars(found.with_for_update() if lock else found).one_or_none()


def newest(session: Session, actor: Actor, limit: int = 20) -> Sequence[Any]:
    """The newest change sets of the provider and who made each, the newest first."""
    columns = (
        ChangeSet.id,
        ChangeSet.action,
        ChangeSet.tag_name,
        ChangeSet.details,
        ChangeSet.state,
    )
    found = (
        _of(actor, *columns, ChangeSet.created_at, Account.name.label("who"))
        .join(Account, Account.id == ChangeSet.account_id)
        .order_by(ChangeSet.id.desc())
    )
    return session.execute(found.limit(limit)).all()


def rows(session: Session, actor: Actor, change_set_id: uuid.UUID, limit: int) -> Sequence[Any]:
    """The first rows by name: (organization_id, name, state, reason, before)."""
    found = _rows_of(
        actor.scope,
        change_set_id,
        ChangeSetRow.organization_id,
        ChangeSetRow.name,
        ChangeSetRow.state,
        ChangeSetRow.reason,
        ChangeSetRow.before,
    )
    order = found.order_by(ChangeSetRow.name_ci, ChangeSetRow.organization_id)
    return session.execute(order.limit(limit)).all()


def counts(session: Session, actor: Actor, change_set_id: uuid.UUID) -> Mapping[RowState, int]:
    """How many rows are in which state."""
    found = _rows_of(actor.scope, change_set_id, ChangeSetRow.state, func.count())
    grouped = session.execute(found.group_by(ChangeSetRow.state)).all()
    return Counter(dict(grouped))


def looks(session: Session, actor: Actor, change_set_id: uuid.UUID) -> Sequence[str]:
    """What each row keeps of its preview, of those that are or were changed."""
    changed = (RowState.PLANNED, RowState.DONE, RowState.KEPT)
    found = _rows_of(actor.scope, change_set_id, ChangeSetRow.before)
    return session.scalars(found.where(ChangeSetRow.state.in_(changed))).all()


def prepare(
    session: Session,
    actor: Actor,
    wish: Wish,
    *,
    ticked: Iterable[uuid.UUID] | None,
    query: str,
    prices: PriceList,
) -> uuid.UUID:
    """Look what `wish` would do, to the `ticked` clients or (None) to all that `query` leaves.

    Nothing is changed. Raises `RuleError` for no client, too many, or an unknown tag.
    """
    tagged = wish.action.names_a_tag
    change_set = ChangeSet(
        provider_id=provider_of(actor),
        id=new_id(),
        account_id=actor.account_id,
        action=wish.action,
        tag_id=wish.tag_id if tagged else None,
        tag_name=tag_name(session, actor, wish.tag_id) if tagged else "",
        details=_details(session, actor, wish),
        query=query if ticked is None else None,
    )
    deed = _deed(session, actor, change_set, prices)
    found = _look(session, actor, change_set, deed, set(ticked or ()))
    if not found:
        raise refuse(NOTHING_CHOSEN)
    session.add(change_set)
    session.flush()
    session.execute(insert(ChangeSetRow), found)
    return change_set.id


def _details(session: Session, actor: Actor, wish: Wish) -> dict[str, Any]:
    if wish.action is BulkAction.BASELINE:
        return baseline_deed.chosen(session, actor, wish.baseline_id)
    return dict(wish.move.details) if wish.move else {}


def _deed(session: Session, actor: Actor, change_set: Any, prices: PriceList) -> Deed:
    action = change_set.action
    if action is BulkAction.SEATS:
        return ChangingSeats(session, actor, change_set, prices)
    if action is BulkAction.BASELINE:
        return baseline_deed.ApplyingBaseline(session, actor, change_set)
    if action.names_a_tag:
        return Tagging(session, actor, change_set)
    kind = Inviting if action is BulkAction.INVITE else Suspending
    return kind(session, actor, change_set)


def _look(
    session: Session, actor: Actor, change_set: Any, deed: Deed, ticked: set[uuid.UUID]
) -> list[dict[str, Any]]:
    """The rows as they would be planned now; raises `RuleError` for too many."""
    listing = Listing.read(dict(parse_qsl(change_set.query or "")))
    found = queries.chosen(
        session,
        actor.scope,
        listing if change_set.query is not None else None,
        ticked,
        limit=LIMIT + 1,
    )
    if len(found) > LIMIT:
        raise refuse(TOO_MANY, limit=LIMIT)
    return [
        _row(change_set, client, planned)
        for client, planned in zip(found, deed.plan(found), strict=True)
    ]


def _row(change_set: Any, client: Any, planned: Planned) -> dict[str, Any]:
    return {
        "provider_id": change_set.provider_id,
        "change_set_id": change_set.id,
        "organization_id": client.id,
        "name": client.name,
        "name_ci": client.name_ci,
        "state": planned.state,
        "reason": stored(planned.reason),
        "before": planned.look,
        "after": "",
    }


def start(session: Session, actor: Actor, change_set: Any, *, prices: PriceList) -> tuple[int, int]:
    """Begin, if the plan is still what was confirmed; else make a new one and begin nothing.

    Returns how many clients (came or look different, went); (0, 0) says that it has begun.
    """
    if change_set.state is not BulkState.PLANNED:
        return 0, 0
    planned = _rows_of(
        _everything(change_set),
        change_set.id,
        ChangeSetRow.organization_id,
        ChangeSetRow.state,
        ChangeSetRow.before,
    )
    before = {row.organization_id: (row.state, row.before) for row in session.execute(planned)}
    deed = _deed(session, actor, change_set, prices)
    now = _look(session, actor, change_set, deed, set(before))
    after = {row["organization_id"]: (row["state"], row["before"]) for row in now}
    if before != after:
        _plan_anew(session, change_set, now)
        different = sum(before.get(client) != seen for client, seen in after.items())
        return different, len(before.keys() - after.keys())
    change_set.state = BulkState.RUNNING
    number = sum(state is RowState.PLANNED for state, _look_ in before.values())
    _record(session, actor, change_set, "start", clients=number)
    return 0, 0


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
        **_told(change_set),
        **told,
        **details,
    )


def _told(change_set: Any) -> dict[str, Any]:
    if not change_set.details:
        return {}
    is_baseline = change_set.action is BulkAction.BASELINE
    return {"baseline" if is_baseline else "seats": change_set.details}


def work(session: Session, actor: Actor, change_set: Any, *, prices: PriceList) -> None:
    """Do (or undo) the next clients, a batch of them; the last one ends the change set."""
    undoing = change_set.state is BulkState.UNDOING
    if not undoing and change_set.state is not BulkState.RUNNING:
        return
    deed = _deed(session, actor, change_set, prices)
    waiting = RowState.DONE if undoing else RowState.PLANNED
    found = (
        _rows_of(_everything(change_set), change_set.id, ChangeSetRow)
        .where(ChangeSetRow.state == waiting)
        .order_by(ChangeSetRow.organization_id)
        .limit(deed.batch)
    )
    left = session.scalars(found).all()
    # All at once and in the order of ids, before any log: whoever has one of them waits for no
    # other of them, so that nobody waits in a circle.
    ids = [row.organization_id for row in left]
    clients = _locked(session, actor, change_set, ids)
    for row in left:
        _one(session, deed, row, clients.get(row.organization_id), undoing=undoing)
    session.flush()
    _leave(session, change_set, deed, [row for row in left if row.state is RowState.DONE])
    if len(left) < deed.batch:
        change_set.state = BulkState.UNDONE if undoing else BulkState.DONE
        change_set.done_at = utc_now()


def _locked(
    session: Session, actor: Actor, change_set: Any, ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, Any]:
    """The clients that the actor reaches, by id: as they are, and stay until the commit."""
    reach.hold_still(session, change_set.provider_id)
    found = client_queries.clients(session, _everything(change_set), ids, lock=True)
    if not actor.scope.is_whole:
        # Asked once they are locked: what somebody has closed in the meantime is seen.
        found = client_queries.clients(session, actor.scope, ids)
    return {client.id: client for client in found}


def _one(session: Session, deed: Deed, row: Any, client: Any, *, undoing: bool) -> None:
    """One client; what is refused leaves no trace of itself but the reason."""
    try:
        if client is None:
            raise refuse(CHANGED_SINCE)
        with session.begin_nested():
            if not undoing:
                before = row.before or deed.seen(client, row)
                deed.do(client, row)
            elif deed.seen(client, row) != row.after:
                raise refuse(CHANGED_SINCE)
            else:
                deed.undo(client, row)
    except RuleError as error:
        row.state = RowState.KEPT if undoing else RowState.REFUSED
        row.reason = stored(Message(CHANGED_SINCE) if isinstance(error, Changed) else error.text)
        return
    if undoing:
        row.state = RowState.UNDONE
    else:
        row.state, row.before = RowState.DONE, row.before or before


def _leave(session: Session, change_set: Any, deed: Deed, done: Sequence[Any]) -> None:
    """Write down how the clients were left: an undo compares that with what it finds."""
    ids = [row.organization_id for row in done]
    found = client_queries.clients(session, _everything(change_set), ids) if ids else []
    clients = {client.id: client for client in found}
    for row in done:
        row.after = deed.seen(clients[row.organization_id], row)


def for_good(session: Session, actor: Actor, change_set_id: uuid.UUID) -> int:
    """How many of the clients that are done cannot be undone."""
    found = _rows_of(actor.scope, change_set_id, func.count()).where(
        ChangeSetRow.state == RowState.DONE, ChangeSetRow.before.in_(baseline_deed.FINAL)
    )
    return int(session.scalar(found) or 0)


def may_undo(change_set: Any) -> bool:
    """Whether it is done, can be taken back, and is young enough."""
    return bool(
        change_set.state is BulkState.DONE
        and change_set.action.can_be_undone
        and utc_now() < change_set.done_at + UNDO_FOR
    )


def undo(session: Session, actor: Actor, change_set: Any) -> None:
    """Begin to take it back; clients that were changed since are left as they are.

    Asked a second time it is begun already. Raises `RuleError` where it is too late.
    """
    if change_set.state in {BulkState.UNDOING, BulkState.UNDONE}:
        return
    if not may_undo(change_set):
        raise refuse(TOO_LATE)
    change_set.state = BulkState.UNDOING
    _record(session, actor, change_set, "undo")


def reason(row: Any) -> Message | None:
    """Why nothing was or will be done with a row."""
    return restored(row.reason)
