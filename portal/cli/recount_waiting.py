"""Counts anew what waits for providers: the projection of attention against the facts."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, select
from sqlalchemy.orm import Session

from portal.domain.attention import AttentionKind
from portal.models import Attention, Outbox
from portal.providers.attention_facts import READ_OFF, everything, named

NAMED = 5


def recount_waiting(session: Session) -> list[str]:
    """What differs from the facts; few are named."""
    lost, left = missing(session, everything(), NAMED), stale(session, everything(), NAMED)
    return [
        *(f"{row.subject_id}: nothing, counted {row.kind}" for row in lost),
        *(f"{row.subject_id}: {row.kind}, counted nothing" for row in left),
    ][:NAMED]


def _told(found: Any) -> Any:
    """What of a row of attention can be read off the facts at any time."""
    row = found.subquery().c
    return select(
        row.provider_id, row.kind, row.subject_id, row.label, row.due_at, row.organization_id
    )


def _stored(*conditions: ColumnElement[bool]) -> Any:
    row = Attention
    columns = (
        row.provider_id,
        row.kind,
        row.subject_id,
        row.label,
        row.due_at,
        row.organization_id,
    )
    return select(*columns).where(row.kind.in_(READ_OFF), *conditions)


def missing(session: Session, facts: Sequence[Select[Any]], most: int | None = None) -> list[Any]:
    """Rows that wait by the facts, and do not stand there, or not as they are."""
    lost = (_told(named(each)).except_(_stored()) for each in facts)
    return [row for each in lost for row in session.execute(each.limit(most))]


def stale(
    session: Session,
    facts: Sequence[Select[Any]],
    most: int | None = None,
    *conditions: ColumnElement[bool],
) -> list[Any]:
    """Rows that stand there (of those that meet the conditions), and wait for nothing."""
    mail = Attention.kind == AttentionKind.MAIL_FAILED
    known = [_told(named(each)) for each in facts]
    left = _stored(~mail, *conditions).except_(*known)
    # A mail whose job has been tidied away is believed.
    job = exists().where(Outbox.subject_id == Attention.subject_id)
    delivered = _stored(mail, job, *conditions).except_(*known)
    return [row for each in (left, delivered) for row in session.execute(each.limit(most))]
