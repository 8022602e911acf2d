"""A log as the records that the verifier reads: JSON Lines, read while they are sent."""

import datetime as dt
import json
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session, aliased

from portal.events import checkpoints, signing
from portal.events.chain import anchor
from portal.events.codes import code_of
from portal.models import Event, EventCheckpoint, EventPerson, EventStream, utc_now

VERSION = 1
AT_ONCE = 1000
Record = dict[str, Any]
Told = Callable[[Record], Record]


def of_stream(session: Session, stream_id: uuid.UUID, about: Record) -> Iterator[Record]:
    """A whole log: header, keys, checkpoints, rows in their order, end. Constant memory.

    `about` says in the header whose log it is.
    """
    first = checkpoints.first_row(session, stream_id)
    signed = checkpoints.of_stream(session, stream_id, first)
    # Read after the checkpoints: what they sign is there by now.
    last = _end_of(session, stream_id)
    yield _header(about | {"first": first}, whole=True)
    yield from key_records(session)
    for each in signed:
        yield _checkpoint(each)
    count = 0
    for row in rows(session, stream_id, first, last["last_seq"]):
        count += 1
        yield event_record(row)
    yield {"record": "stream_end", "stream": str(stream_id), **last}
    yield {"record": "end", "rows": count}


def of_part(
    session: Session, stream_id: uuid.UUID, about: Record, *, first: int, cut: EventCheckpoint
) -> Iterator[Record]:
    """The rows from `first` to the checkpoint `cut`, as an archive that can be checked alone."""
    yield _header(about | {"first": first}, whole=True)
    yield from key_records(session)
    before = [
        each for each in checkpoints.of_stream(session, stream_id, first) if each.seq < cut.seq
    ]
    for each in before:
        yield _checkpoint(each)
    # To the archive it is the signature of its end.
    yield _checkpoint(cut)
    count = 0
    for row in rows(session, stream_id, first, cut.seq):
        count += 1
        yield event_record(row)
    yield {
        "record": "stream_end",
        "stream": str(stream_id),
        "last_seq": cut.seq,
        "last_hash": cut.hash.hex(),
    }
    yield {"record": "end", "rows": count}


def of_some(session: Session, pages: Iterable[Iterable[Any]], about: Record) -> Iterator[Record]:
    """Rows that filters leave, each with the hash before it; `pages` yields rows of `shown`."""
    yield _header(about, whole=False)
    yield from key_records(session)
    count = 0
    for page in pages:
        for row in page:
            count += 1
            previous = row.previous or _before(session, row.stream_id, row.seq)
            yield event_record(row) | {"previous": previous.hex()}
    yield {"record": "end", "rows": count}


def shown() -> Any:
    """Rows with their personal parts and the hash of the row before."""
    before = aliased(Event)
    return (
        _columns()
        .add_columns(before.hash.label("previous"))
        .outerjoin(before, and_(before.stream_id == Event.stream_id, before.seq == Event.seq - 1))
    )


def rows(session: Session, stream_id: uuid.UUID, first: int, last: int) -> Iterator[Any]:
    """The rows of a stream from `first` to `last` in their order, read a thousand at a time."""
    while first <= last:
        some = _columns().where(Event.stream_id == stream_id, Event.seq.between(first, last))
        page = session.execute(some.order_by(Event.seq).limit(AT_ONCE)).all()
        yield from page
        if len(page) < AT_ONCE:
            return
        first = page[-1].seq + 1


def event_record(row: Any) -> Record:
    """One row as the verifier reads it, with what helps a person or a program to read it too."""
    personal = {}
    if row.actor is not None:
        personal["actor"] = {"salt": row.actor_salt.hex(), "text": row.actor}
    if row.about is not None:
        personal["about"] = {"salt": row.about_salt.hex(), "text": row.about}
    return {
        "record": "event",
        "stream": str(row.stream_id),
        "seq": row.seq,
        "hash": row.hash.hex(),
        "payload": row.payload,
        "personal": personal,
        "columns": {
            "id": str(row.id),
            "at": row.at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
            "type": row.type,
            "actor_id": str(row.actor_id) if row.actor_id else None,
        },
        "code": code_of(row.type),
    }


def line(record: Record) -> str:
    """A record as one line of text."""
    return json.dumps(record, ensure_ascii=False) + "\n"


def key_records(session: Session) -> Iterator[Record]:
    """The keys that sign, the oldest first."""
    for key in signing.keys(session):
        yield {
            "record": "key",
            "id": key.id,
            "public_key": key.public_key.hex(),
            "previous": key.previous_id,
            "endorsement": key.endorsement.hex() if key.endorsement else None,
        }


def _header(about: Record, *, whole: bool) -> Record:
    at = utc_now().isoformat(timespec="seconds")
    return {"record": "header", "version": VERSION, "exported_at": at, "whole": whole, **about}


def _checkpoint(each: EventCheckpoint) -> Record:
    return {
        "record": "checkpoint",
        "stream": str(each.stream_id),
        "seq": each.seq,
        "hash": each.hash.hex(),
        "purpose": each.purpose,
        "at": checkpoints.told_at(each.at),
        "key": each.key_id,
        "signature": each.signature.hex(),
    }


def _end_of(session: Session, stream_id: uuid.UUID) -> Record:
    end = session.get(EventStream, stream_id, populate_existing=True)
    if end is None or end.last_hash is None:
        return {"last_seq": 0, "last_hash": anchor(stream_id).hex()}
    return {"last_seq": end.last_seq, "last_hash": end.last_hash.hex()}


def _before(session: Session, stream_id: uuid.UUID, seq: int) -> bytes:
    """The hash before the oldest row that is left."""
    archived = session.get(EventCheckpoint, (stream_id, seq - 1, "archive"))
    return archived.hash if archived else anchor(stream_id)


def _columns() -> Any:
    return select(
        Event.stream_id,
        Event.seq,
        Event.id,
        Event.at,
        Event.type,
        Event.actor_id,
        Event.provider_id,
        Event.payload,
        Event.hash,
        EventPerson.actor,
        EventPerson.actor_salt,
        EventPerson.about,
        EventPerson.about_salt,
    ).outerjoin(
        EventPerson,
        and_(EventPerson.stream_id == Event.stream_id, EventPerson.seq == Event.seq),
    )
