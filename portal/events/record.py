"""Recording an event: numbered without gaps, in the transaction of its cause."""

import datetime as dt
import json
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Trace
from portal.events.vocabulary import VOCABULARY
from portal.models import Event, EventStream, new_id, utc_now


@dataclass(frozen=True)
class Stream:
    """Whose log: `kind` is organization, provider or account, `id` that row's id."""

    kind: str
    id: uuid.UUID


# What waits for the end of `together`, in the session that records it.
_WAITING = "events waiting to be numbered"


def canonical(payload: dict[str, Any]) -> str:
    """The one JSON text of a payload: keys sorted, no spaces, UTF-8 (RFC 8785 for our types)."""
    return json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def open_stream(session: Session, stream: Stream) -> None:
    """Begin a log; belongs to the transaction that creates its organization or provider."""
    session.add(EventStream(stream_id=stream.id, kind=stream.kind))
    session.flush()


def record(
    session: Session,
    actor: Actor | None,
    kind: str,
    *,
    streams: list[Stream],
    subject_id: uuid.UUID | None = None,
    trace: Trace | None = None,
    **details: Any,
) -> uuid.UUID:
    """Append one event to each of `streams` (the same event id in all) and return that id.

    `kind` and the names of `details` must be in the vocabulary. `actor` is None for what the
    system does by itself and for a visitor; `trace` stands in for the actor's then.
    """
    unknown = set(details) - VOCABULARY[kind]
    if unknown:
        raise KeyError(f"{kind} has no detail named {', '.join(sorted(unknown))}")
    event_id, now = new_id(), utc_now()
    payload = canonical(payload_of(actor, trace, event_id, now, kind, subject_id, details))
    rows = [
        (stream, {"id": event_id, "at": now, "type": kind, "payload": payload})
        for stream in streams
    ]
    if _WAITING in session.info:
        session.info[_WAITING].extend(rows)
    else:
        _append(session, rows)
    return event_id


@contextmanager
def together(session: Session) -> Iterator[None]:
    """What is recorded inside is written at the end, in two statements however much it is.

    For one change that tells several events. An error inside leaves none of them.
    """
    if _WAITING in session.info:
        yield
        return
    session.info[_WAITING] = []
    try:
        yield
        rows = session.info[_WAITING]
    finally:
        del session.info[_WAITING]
    _append(session, rows)


def payload_of(
    actor: Actor | None,
    trace: Trace | None,
    event_id: uuid.UUID,
    now: dt.datetime,
    kind: str,
    subject_id: uuid.UUID | None,
    details: dict[str, Any],
) -> dict[str, Any]:
    """What an event tells, before it is made canonical."""
    where = trace or (actor.trace if actor else Trace())
    payload: dict[str, Any] = {
        "id": str(event_id),
        "at": now.isoformat(timespec="microseconds"),
        "type": kind,
        "subject": str(subject_id) if subject_id else None,
        "source": where.source,
        "browser": where.browser,
        "request": where.request_id,
        "details": details,
    }
    if actor:
        payload["actor"] = {
            "account": str(actor.account_id),
            "name": actor.name,
            "email": actor.email,
            "role": actor.role.value,
            "provider": str(actor.provider_id) if actor.via_provider else None,
        }
    return payload


def _append(session: Session, rows: list[tuple[Stream, dict[str, Any]]]) -> None:
    """Write the rows, each with the next number of its stream."""
    if not rows:
        return
    session.flush()
    numbers = _numbers(session, Counter(stream for stream, _row in rows))
    numbered = [
        {"stream_id": stream.id, "seq": next(numbers[stream.id]), **row} for stream, row in rows
    ]
    session.execute(insert(Event), numbered)


def _numbers(session: Session, wanted: Counter[Stream]) -> dict[uuid.UUID, Iterator[int]]:
    """As many numbers of each stream as wanted, under its row's lock; the first opens it."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    # One order for every transaction, so that two of them never wait for each other.
    asked = sorted(wanted.items(), key=lambda each: each[0].id)
    begun = dialect.insert(EventStream).values(
        [
            {"stream_id": stream.id, "kind": stream.kind, "last_seq": count}
            for stream, count in asked
        ]
    )
    taken = begun.on_conflict_do_update(
        index_elements=[EventStream.stream_id],
        set_={"last_seq": EventStream.last_seq + begun.excluded.last_seq},
    ).returning(EventStream.stream_id, EventStream.last_seq)
    counts = {stream.id: count for stream, count in asked}
    return {
        stream_id: iter(range(last - counts[stream_id] + 1, last + 1))
        for stream_id, last in session.connection().execute(taken)
    }
