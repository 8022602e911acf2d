"""A provider's person asks to come in; an owner answers; it ends. Each move is one UPDATE.

The row of `provider_access` is held first: whoever changes the rules for all waits, or is waited
for, so that nobody is let in under rules that are over.
"""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import ColumnElement, Row, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, sessionmaker

from portal import events
from portal.domain.access import Actor
from portal.domain.errors import N_, refuse
from portal.domain.provider_access import (
    ANSWER_WITHIN,
    ASKS_PER_HOUR,
    AccessMode,
    GrantMove,
    GrantState,
    Over,
    closing,
    is_due,
)
from portal.domain.states import ClientStatus
from portal.events import Stream
from portal.grants import queries
from portal.models import AccessGrant, Account, ProviderAccess, new_id, utc_now
from portal.models.writing import rows_changed
from portal.organizations.mail import tell_owners
from portal.outbox import enqueue

BATCH = 200
NOT_ASKED = N_("Nobody has to ask here at present. Load the page again.")
ASKED_ALREADY = N_("You have asked already, or have access.")
TOO_OFTEN = N_("You have asked five times in the last hour. Call the owner, or wait a while.")
CLOSED = N_("The organization is suspended or being deleted, so its owners cannot answer.")
NOT_OWNER = N_("You are not an owner of this organization any more.")


def ask(
    session: Session, actor: Actor, organization_id: uuid.UUID, *, reason: str, minutes: int
) -> uuid.UUID:
    """Ask the owners to be let in (both checked by the domain); returns the request's id.

    Raises `RuleError` where nobody has to ask, or this person has asked already or too often.
    """
    if hold(session, organization_id) is not AccessMode.ASK:
        raise refuse(NOT_ASKED)
    _check_status(session, organization_id)
    now = utc_now()
    for row in queries.open_grants(session, organization_id):
        if row.account_id == actor.account_id:
            close_if_due(session, row, now)
    asked = queries.asked_since(
        session, organization_id, actor.account_id, now - dt.timedelta(hours=1)
    )
    if asked >= ASKS_PER_HOUR:
        raise refuse(TOO_OFTEN)
    grant_id = _insert(session, actor, organization_id, reason, minutes, now)
    if grant_id is None:
        raise refuse(ASKED_ALREADY)
    row = _row(session, organization_id, grant_id)
    _record(session, actor, "ask", row, minutes=minutes)
    _tell_owners(session, "mail.access_asked", row)
    return grant_id


def _check_status(session: Session, organization_id: uuid.UUID) -> None:
    if queries.place(session, organization_id).status is not ClientStatus.ACTIVE:
        raise refuse(CLOSED)


def _insert(
    session: Session,
    actor: Actor,
    organization_id: uuid.UUID,
    reason: str,
    minutes: int,
    now: dt.datetime,
) -> uuid.UUID | None:
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    added = (
        dialect.insert(AccessGrant)
        .values(
            organization_id=organization_id,
            id=new_id(),
            provider_id=actor.provider_id,
            account_id=actor.account_id,
            person_name=actor.name[:100],
            reason=reason,
            asked_minutes=minutes,
            asked_at=now,
            lapses_at=now + ANSWER_WITHIN,
            state=GrantState.REQUESTED,
            answered_name="",
            closed_name="",
        )
        # One that waits or lets in is enough for a person: the partial index says so.
        .on_conflict_do_nothing()
        .returning(AccessGrant.id)
    )
    found: uuid.UUID | None = session.scalar(added)
    return found


def hold(session: Session, organization_id: uuid.UUID) -> AccessMode:
    """The mode as it stays until the commit."""
    found: AccessMode | None = session.scalar(
        select(ProviderAccess.mode)
        .where(ProviderAccess.organization_id == organization_id)
        .with_for_update()
    )
    return found or AccessMode.ALWAYS


def approve(
    session: Session, actor: Actor, organization_id: uuid.UUID, grant_id: uuid.UUID, minutes: int
) -> None:
    """Let the person in for `minutes`, from now on. Raises `Over` where it was answered."""
    _check_owner(session, actor, organization_id)
    now = utc_now()
    _move(
        session,
        organization_id,
        grant_id,
        GrantMove.APPROVE,
        AccessGrant.lapses_at > now,
        AccessGrant.asked_minutes >= minutes,
        minutes=minutes,
        ends_at=now + dt.timedelta(minutes=minutes),
        **_answer(actor, now),
    )
    row = _row(session, organization_id, grant_id)
    _record(session, actor, "approve", row, minutes=minutes, person=row.person_name)
    _tell_asker(session, row)


def decline(
    session: Session, actor: Actor, organization_id: uuid.UUID, grant_id: uuid.UUID
) -> None:
    """Say no. Raises `Over` where it was answered."""
    _check_owner(session, actor, organization_id)
    now = utc_now()
    _move(
        session,
        organization_id,
        grant_id,
        GrantMove.DECLINE,
        AccessGrant.lapses_at > now,
        closed_at=now,
        **_answer(actor, now),
    )
    row = _row(session, organization_id, grant_id)
    _record(session, actor, "decline", row, person=row.person_name)
    _tell_asker(session, row)


def withdraw(
    session: Session, actor: Actor, organization_id: uuid.UUID, grant_id: uuid.UUID
) -> None:
    """Take one's own question back. Raises `Over` where it was answered."""
    mine = AccessGrant.account_id == actor.account_id
    _move(session, organization_id, grant_id, GrantMove.WITHDRAW, mine, **_close(actor))
    _record(session, actor, "withdraw", _row(session, organization_id, grant_id))


def leave(session: Session, actor: Actor, organization_id: uuid.UUID, grant_id: uuid.UUID) -> None:
    """End one's own access early. Raises `Over` where it has ended."""
    _end(session, actor, organization_id, grant_id, AccessGrant.account_id == actor.account_id)


def end(session: Session, actor: Actor, organization_id: uuid.UUID, grant_id: uuid.UUID) -> None:
    """End somebody's access at once. Raises `Over` where it has ended."""
    _check_owner(session, actor, organization_id)
    _end(session, actor, organization_id, grant_id)


def _end(
    session: Session,
    actor: Actor,
    organization_id: uuid.UUID,
    grant_id: uuid.UUID,
    *conditions: ColumnElement[bool],
) -> None:
    still = AccessGrant.ends_at > utc_now()
    closes = _close(actor)
    _move(session, organization_id, grant_id, GrantMove.END, still, *conditions, **closes)
    _over(session, actor, _row(session, organization_id, grant_id))


def close_all(session: Session, actor: Actor | None, organization_id: uuid.UUID) -> None:
    """End and drop whatever is open: the rules change, or the provider goes."""
    now = utc_now()
    for row in queries.open_grants(session, organization_id):
        if close_if_due(session, row, now):
            continue
        move = closing(row.state)
        if move is None:
            continue
        _move(session, organization_id, row.id, move, **_close(actor))
        after = _row(session, organization_id, row.id)
        if move is GrantMove.END:
            _over(session, actor, after)
        else:
            _record(session, actor, "lapse", after, person=after.person_name)


def close_if_due(session: Session, row: Row[Any], now: dt.datetime) -> bool:
    """Write down what time has done to a row; False where its time is not up."""
    move = is_due(row.state, row.lapses_at, row.ends_at, now)
    if move is None:
        return False
    ended_at = row.ends_at if move is GrantMove.EXPIRE else row.lapses_at
    _move(session, row.organization_id, row.id, move, closed_at=ended_at)
    after = _row(session, row.organization_id, row.id)
    if move is GrantMove.EXPIRE:
        _over(session, None, after)
    else:
        _record(session, None, "lapse", after, person=after.person_name)
        _tell_asker(session, after)
    return True


def close_due(sessions: sessionmaker[Session]) -> int:
    """For the worker: close what is over, each row in a transaction of its own."""
    with sessions() as session:
        found = queries.due(session, utc_now(), BATCH)
    count = 0
    for row in found:
        with sessions.begin() as session:
            count += _close_one(session, row.organization_id, row.id)
    return count


def chore(sessions: sessionmaker[Session]) -> None:
    """What the worker does between its jobs."""
    close_due(sessions)


def _close_one(session: Session, organization_id: uuid.UUID, grant_id: uuid.UUID) -> bool:
    hold(session, organization_id)
    row = queries.grant(session, organization_id, grant_id)
    if row is None or not row.state.is_open:
        return False
    if close_if_due(session, row, utc_now()):
        return True
    # Their time is not up, so they have left the provider.
    move = closing(row.state)
    if move is None:
        return False
    _move(session, organization_id, grant_id, move, **_close(None))
    after = _row(session, organization_id, grant_id)
    if move is GrantMove.END:
        _over(session, None, after)
    else:
        _record(session, None, "lapse", after, person=after.person_name)
    return True


def _check_owner(session: Session, actor: Actor, organization_id: uuid.UUID) -> None:
    """Hold the rules, and look again: the actor's place may be gone by now."""
    if hold(session, organization_id) is not AccessMode.ASK:
        raise Over
    if not queries.is_own_owner(session, organization_id, actor.account_id):
        raise refuse(NOT_OWNER)


def _answer(actor: Actor, now: dt.datetime) -> dict[str, Any]:
    return {
        "answered_by": actor.account_id,
        "answered_name": actor.name[:100],
        "answered_at": now,
    }


def _close(actor: Actor | None) -> dict[str, Any]:
    by = {"closed_by": actor.account_id, "closed_name": actor.name[:100]} if actor else {}
    return {"closed_at": utc_now(), **by}


def _move(
    session: Session,
    organization_id: uuid.UUID,
    grant_id: uuid.UUID,
    move: GrantMove,
    *conditions: ColumnElement[bool],
    **values: Any,
) -> None:
    """Whoever comes second finds another state: `Over`."""
    before, after = move.leads
    moved = rows_changed(
        session,
        update(AccessGrant)
        .where(
            AccessGrant.organization_id == organization_id,
            AccessGrant.id == grant_id,
            AccessGrant.state == before,
            *conditions,
        )
        .values(state=after, **values)
        .execution_options(synchronize_session=False),
    )
    if moved != 1:
        raise Over


def _row(session: Session, organization_id: uuid.UUID, grant_id: uuid.UUID) -> Row[Any]:
    row = queries.grant(session, organization_id, grant_id)
    if row is None:
        raise LookupError(f"no grant {grant_id}")
    return row


def _over(session: Session, actor: Actor | None, row: Row[Any]) -> None:
    """A grant has ended: the owners are shown what was done under it."""
    _record(session, actor, "end" if actor else "expire", row, person=row.person_name)
    by = actor.account_id if actor else None
    _tell_owners(session, "mail.access_ended", row, but=by)


def _record(
    session: Session, actor: Actor | None, action: str, row: Row[Any], **details: Any
) -> None:
    events.record(
        session,
        actor,
        f"organization:provider_access:{action}",
        streams=[Stream("organization", row.organization_id), Stream("provider", row.provider_id)],
        subject_id=row.id,
        **details,
    )


def _tell_owners(
    session: Session, topic: str, row: Row[Any], *, but: uuid.UUID | None = None
) -> None:
    ids = {"grant": row.id}
    tell_owners(session, topic, row.organization_id, row.provider_id, ids, but=but, own=True)


def _tell_asker(session: Session, row: Row[Any]) -> None:
    locale = session.scalar(select(Account.locale).where(Account.id == row.account_id))
    enqueue(
        session,
        "mail.access_answered",
        {
            "organization": str(row.organization_id),
            "grant": str(row.id),
            "account": str(row.account_id),
            "locale": locale or "en",
        },
        organization_id=row.organization_id,
        provider_id=row.provider_id,
        account_id=row.account_id,
        subject_id=row.id,
    )
