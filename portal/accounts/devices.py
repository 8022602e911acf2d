"""The browsers in which a person is signed in, and signing them out from here."""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.accounts import sessions
from portal.accounts.service import stream
from portal.accounts.sessions import IDLE
from portal.domain.access import Trace
from portal.events.record import record
from portal.models import AuthSession, utc_now


def listed(session: Session, account_id: uuid.UUID) -> Sequence[Any]:
    """(id, method, browser, source, created_at, seen_at) of each live session, the newest first."""
    now = utc_now()
    found = (
        select(
            AuthSession.id,
            AuthSession.method,
            AuthSession.browser,
            AuthSession.source,
            AuthSession.created_at,
            AuthSession.seen_at,
        )
        .where(
            AuthSession.account_id == account_id,
            AuthSession.pending.is_(False),
            AuthSession.expires_at > now,
            AuthSession.seen_at > now - IDLE,
        )
        .order_by(AuthSession.seen_at.desc(), AuthSession.id.desc())
    )
    return session.execute(found).all()


def end(session: Session, account_id: uuid.UUID, session_id: uuid.UUID, trace: Trace) -> bool:
    """Sign one of the account's browsers out; False if it is not there (any more)."""
    ended = session.execute(
        delete(AuthSession)
        .where(AuthSession.account_id == account_id, AuthSession.id == session_id)
        .returning(AuthSession.browser, AuthSession.source)
    ).one_or_none()
    if ended is None:
        return False
    record(
        session,
        None,
        "account:session:revoke",
        streams=[stream(account_id)],
        subject_id=session_id,
        trace=trace,
        browser=ended.browser,
        source=ended.source,
    )
    return True


def end_others(session: Session, account_id: uuid.UUID, keep: uuid.UUID, trace: Trace) -> int:
    """Sign all of the account's browsers out but one; returns how many."""
    count = sessions.end_all(session, account_id, keep=keep)
    if count:
        record(
            session,
            None,
            "account:session:revoke_others",
            streams=[stream(account_id)],
            subject_id=account_id,
            trace=trace,
            sessions=count,
        )
    return count
