"""Recording an event: numbered without gaps and chained, in the transaction of its cause."""

import uuid
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased, make_transient_to_detached

from portal.domain.access import Actor, Trace
from portal.events.chain import anchor, row_hash
from portal.events.compose import Composed, check, compose
from portal.models import Event, EventPerson, EventStream, Organization, new_id, utc_now
from portal.models.writing import rows_changed


@dataclass(frozen=True)
class Stream:
    """Whose log: `kind` is organization, provider or account, `id` that row's id."""

    kind: str
    id: uuid.UUID


@dataclass(frozen=True)
class _End:
    """The locked end of a stream, and the provider that an organization has."""

    row: EventStream
    provider_id: uuid.UUID | None


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

    `kind` and the names of `details` must be in the vocabulary (KeyError), their values plain and
    public (ValueError). `actor` is None for what the system does by itself and for a visitor;
    `trace` stands in for the actor's then. The streams stay locked until the transaction ends.
    """
    check(kind, details)
    ends = _lock(session, streams)
    # The clock is read under the lock, so that in one log times and numbers run the same way.
    event = compose(
        actor,
        trace,
        new_id(),
        utc_now(),
        kind,
        subject_id,
        details,
        organization_id=organization_in(streams),
    )
    for stream in streams:
        append(session, ends[stream.id], event)
    return event.id


def organization_in(streams: list[Stream]) -> uuid.UUID | None:
    """The client that an event happens in, which its row in the provider's log tells too."""
    return next((stream.id for stream in streams if stream.kind == "organization"), None)


def append(session: Session, end: _End, event: Composed) -> None:
    """Put the event behind the last one of a locked stream."""
    row = end.row
    previous = row.last_hash or anchor(row.stream_id)
    row.last_seq += 1
    row.last_hash = row_hash(previous, row.stream_id, row.last_seq, event.payload)
    place = {"stream_id": row.stream_id, "seq": row.last_seq}
    session.add(
        Event(
            **place,
            id=event.id,
            at=event.at,
            type=event.type,
            actor_id=event.actor_id,
            provider_id=end.provider_id,
            payload=event.payload,
            hash=row.last_hash,
        )
    )
    session.add(EventPerson(**place, **event.person))


def _lock(session: Session, streams: list[Stream]) -> dict[uuid.UUID, _End]:
    """The ends of the streams, their rows locked; a first event opens its stream."""
    held = _held(session)
    wanted = sorted((each for each in streams if each.id not in held), key=_place_in_lock_order)
    if not wanted:
        return held
    held.update(_look(session, wanted))
    # Some may be new: one at a time, so that nobody holds a later one while waiting for an earlier.
    for stream in wanted:
        if stream.id not in held:
            opened = _open(session, stream)
            held.update({stream.id: opened} if opened else _look(session, [stream]))
    return held


def _place_in_lock_order(stream: Stream) -> tuple[int, bytes]:
    """The lock order of the house: provider, organization, account."""
    return ("provider", "organization", "account").index(stream.kind), stream.id.bytes


def _look(session: Session, streams: list[Stream]) -> dict[uuid.UUID, _End]:
    """Lock the streams where all of them have begun; else lock and find none."""
    ids = [stream.id for stream in streams]
    begun = select(func.count()).where(aliased(EventStream).stream_id.in_(ids))
    found = (
        select(EventStream, Organization.provider_id)
        .outerjoin(Organization, Organization.id == EventStream.stream_id)
        .where(EventStream.stream_id.in_(ids), begun.scalar_subquery() == len(ids))
        .order_by(EventStream.kind.desc(), EventStream.stream_id)
        .with_for_update(of=EventStream)
        .execution_options(populate_existing=True)
    )
    return {row.stream_id: _End(row, owner) for row, owner in session.execute(found)}


def _open(session: Session, stream: Stream) -> _End | None:
    """Begin a log; None where another transaction has begun it meanwhile."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    columns: dict[str, Any] = {"stream_id": stream.id, "kind": stream.kind, "last_seq": 0}
    added = dialect.insert(EventStream).values(columns).on_conflict_do_nothing()
    if rows_changed(session, added) != 1:
        return None
    row = EventStream(**columns, last_hash=None)
    make_transient_to_detached(row)
    session.add(row)
    client = session.get(Organization, stream.id) if stream.kind == "organization" else None
    return _End(row, client.provider_id if client else None)


def _held(session: Session) -> dict[uuid.UUID, _End]:
    """The streams that the innermost transaction has locked: a later event needs no look."""
    known: WeakKeyDictionary[Any, dict[uuid.UUID, _End]] = session.info.setdefault(
        "event streams", WeakKeyDictionary()
    )
    if not session.in_transaction():
        session.begin()
    return known.setdefault(session.get_nested_transaction() or session.get_transaction(), {})
