"""Recording an event: numbered without gaps, in the transaction of its cause."""

import datetime as dt
import json
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Trace
from portal.events.vocabulary import VOCABULARY
from portal.models import Event, EventStream, new_id, utc_now


@dataclass(frozen=True)
class Stream:
    """Whose log: `kind` is organization, provider or account, `id` that row's id."""

    kind: str
    id: uuid.UUID


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
    # One order for every transaction, so that two of them never wait for each other.
    for stream in sorted(streams, key=lambda each: each.id):
        session.add(
            Event(
                stream_id=stream.id,
                seq=_next_number(session, stream),
                id=event_id,
                at=now,
                type=kind,
                payload=payload,
            )
        )
    session.flush()
    return event_id


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


def _next_number(session: Session, stream: Stream) -> int:
    """The next number of the stream, under its row's lock; the first event opens the stream."""
    taken = (
        update(EventStream)
        .where(EventStream.stream_id == stream.id)
        .values(last_seq=EventStream.last_seq + 1)
        .returning(EventStream.last_seq)
    )
    number = session.execute(taken).scalar_one_or_none()
    if number is None:
        session.add(EventStream(stream_id=stream.id, kind=stream.kind, last_seq=1))
        session.flush()
        return 1
    return int(number)
