"""Rows that have served: removed little by little, so that nobody waits for it."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, tuple_
from sqlalchemy.orm import Session, aliased, sessionmaker

from portal.accounts.sessions import IDLE
from portal.domain.attention import AttentionKind
from portal.models import (
    AddressChange,
    Attention,
    AuthSession,
    Base,
    ChangeSet,
    ClientImport,
    Idempotency,
    MemberImport,
    Notice,
    Outbox,
    RateLimit,
    SignInCode,
    utc_now,
)
from portal.models.writing import rows_changed
from portal.organizations.deletion import delete_due
from portal.providers.endings import end_due

AT_ONCE = 500
KEPT = dt.timedelta(hours=24)
JOBS_KEPT = dt.timedelta(days=30)
NEVER_BEGUN = dt.timedelta(days=7)


def _served(now: dt.datetime) -> Iterator[tuple[type[Base], ColumnElement[bool]]]:
    yield AuthSession, or_(AuthSession.expires_at < now, AuthSession.seen_at < now - IDLE)
    # A day longer than they count, because the limit of codes an hour counts them too.
    yield SignInCode, SignInCode.expires_at < now - KEPT
    yield AddressChange, AddressChange.created_at < now - JOBS_KEPT
    yield RateLimit, RateLimit.expires_at < now
    yield Notice, Notice.created_at < now - KEPT
    yield Idempotency, Idempotency.created_at < now - KEPT
    for work in (ChangeSet, ClientImport, MemberImport):
        # What was begun and left can be gone on with as long as what is done can be looked at.
        yield (
            work,
            or_(
                and_(work.state == "planned", work.created_at < now - NEVER_BEGUN),
                and_(work.done_at.is_(None), work.created_at < now - JOBS_KEPT),
                work.done_at < now - JOBS_KEPT,
            ),
        )
    yield Outbox, and_(Outbox.state != "queued", Outbox.finished_at < now - JOBS_KEPT)
    yield Attention, _forgotten_mail(now)


def _forgotten_mail(now: dt.datetime) -> ColumnElement[bool]:
    """A failed mail nobody waits for: the one with news, a month after it; not an invitation."""
    person = aliased(Attention)
    waits = exists().where(
        person.provider_id == Attention.provider_id,
        person.subject_id == Attention.subject_id,
        person.kind == AttentionKind.INVITED,
    )
    return and_(
        Attention.kind == AttentionKind.MAIL_FAILED, Attention.since < now - JOBS_KEPT, ~waits
    )


def tidy(sessions: sessionmaker[Session]) -> dict[str, int]:
    """Remove what has served, in small transactions; returns how many rows by table."""
    removed = {}
    for table, served in _served(utc_now()):
        count = 0
        while (gone := _some(sessions, table, served)) > 0:
            count += gone
        if count:
            removed[table.__tablename__] = count
    deleted, ended = delete_due(sessions), end_due(sessions)
    done = {"organizations": deleted, "provider_people": ended}
    return removed | {name: count for name, count in done.items() if count}


def _some(sessions: sessionmaker[Session], table: type[Base], served: ColumnElement[bool]) -> int:
    keys: tuple[Any, ...] = tuple(table.__table__.primary_key)
    chosen = select(*keys).where(served).limit(AT_ONCE)
    with sessions.begin() as session:
        return rows_changed(session, delete(table).where(tuple_(*keys).in_(chosen)))
