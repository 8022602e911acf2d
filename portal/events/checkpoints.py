"""Signed checkpoints: after one, nobody can cut rows off the end of a log unnoticed."""

import datetime as dt
import uuid
from collections.abc import Sequence

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, sessionmaker

from portal.database import reading
from portal.events.chain import checkpoint_message
from portal.events.signing import Signer, reseal, signer
from portal.models import EventCheckpoint, EventStream, utc_now

EVERY = dt.timedelta(hours=1)
AT_ONCE = 200


def sign_tip(session: Session, signing: Signer, stream_id: uuid.UUID) -> EventCheckpoint | None:
    """Sign the last row of a stream; None where it has none or is signed already."""
    last = select(EventStream.last_seq, EventStream.last_hash).where(
        EventStream.stream_id == stream_id
    )
    found = session.execute(last).one_or_none()
    if found is None or found.last_hash is None:
        return None
    if session.get(EventCheckpoint, (stream_id, found.last_seq, "tip")):
        return None
    return add(session, signing, stream_id, found.last_seq, found.last_hash, "tip")


def add(
    session: Session,
    signing: Signer,
    stream_id: uuid.UUID,
    seq: int,
    row_hash: bytes,
    purpose: str,
) -> EventCheckpoint:
    """Sign the hash of row `seq`, for a purpose."""
    now = utc_now()
    message = checkpoint_message(stream_id, seq, row_hash, purpose, told_at(now))
    made = EventCheckpoint(
        stream_id=stream_id,
        seq=seq,
        purpose=purpose,
        hash=row_hash,
        at=now,
        key_id=signing.key_id,
        signature=signing.sign(message),
    )
    session.add(made)
    session.flush()
    return made


def told_at(at: dt.datetime) -> str:
    """The instant as a checkpoint signs it."""
    return at.astimezone(dt.UTC).isoformat(timespec="microseconds")


def sign_all(sessions: sessionmaker[Session], secret_keys: tuple[str, ...]) -> int:
    """Sign each stream that has moved since its last checkpoint, if that is an hour old.

    Looks without a lock and signs in small transactions; returns how many were signed.
    """
    count = 0
    with reading(), sessions() as session:
        waiting = moved(session, utc_now() - EVERY)
    for at in range(0, len(waiting), AT_ONCE):
        with sessions.begin() as session:
            reseal(session, secret_keys)
            signing = signer(session, secret_keys)
            for stream_id in waiting[at : at + AT_ONCE]:
                count += sign_tip(session, signing, stream_id) is not None
    return count


def moved(session: Session, before: dt.datetime) -> Sequence[uuid.UUID]:
    """Streams with rows after their last checkpoint, where that is older than `before`."""
    last = (
        select(
            EventCheckpoint.stream_id,
            func.max(EventCheckpoint.seq).label("seq"),
            func.max(EventCheckpoint.at).label("at"),
        )
        .group_by(EventCheckpoint.stream_id)
        .subquery()
    )
    found = (
        select(EventStream.stream_id)
        .outerjoin(last, last.c.stream_id == EventStream.stream_id)
        .where(
            EventStream.last_seq > func.coalesce(last.c.seq, 0),
            or_(last.c.at.is_(None), last.c.at < before),
        )
    )
    return session.scalars(found).all()


def of_stream(session: Session, stream_id: uuid.UUID, first: int = 1) -> list[EventCheckpoint]:
    """The checkpoints of a stream that matter for its rows from `first` on, in their order.

    Of the archives only the one that stands for the rows before `first`.
    """
    found = (
        select(EventCheckpoint)
        .where(EventCheckpoint.stream_id == stream_id)
        .order_by(EventCheckpoint.seq, EventCheckpoint.purpose)
    )
    kept: list[EventCheckpoint] = []
    for each in session.scalars(found):
        if each.purpose == "archive":
            if each.seq == first - 1:
                kept.insert(0, each)
        elif each.seq >= first - 1:
            kept.append(each)
    return kept


def first_row(session: Session, stream_id: uuid.UUID) -> int:
    """The number with which the log begins: after what is archived, else 1."""
    archived = select(func.max(EventCheckpoint.seq)).where(
        EventCheckpoint.stream_id == stream_id, EventCheckpoint.purpose == "archive"
    )
    return int(session.scalar(archived) or 0) + 1
