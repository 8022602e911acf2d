"""What the makers of demo data share: chance, ids, time, and rows on their way to the database."""

import datetime as dt
import random
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, insert, update

from portal.domain.access import Actor
from portal.events.chain import anchor, row_hash
from portal.events.compose import compose
from portal.events.record import Stream, organization_in
from portal.models import (
    Account,
    Affiliation,
    Base,
    ClientAccess,
    Collection,
    CollectionGroup,
    CollectionMember,
    Event,
    EventPerson,
    EventStream,
    Group,
    GroupMember,
    Member,
    Organization,
    Outbox,
    Provider,
    ProviderPerson,
    ScopePart,
    ScopeTerm,
    SeatDay,
    SkippedStep,
    Subscription,
    SubscriptionLine,
)

# Parents before children.
_ORDER: tuple[type[Base], ...] = (
    Provider,
    Account,
    ProviderPerson,
    ScopeTerm,
    Organization,
    SeatDay,
    ScopePart,
    ClientAccess,
    Subscription,
    SubscriptionLine,
    Member,
    Collection,
    CollectionMember,
    Group,
    GroupMember,
    CollectionGroup,
    SkippedStep,
    Affiliation,
    Outbox,
    EventStream,
    Event,
    EventPerson,
)
_FLUSH_AT = 20_000


class Ids:
    """UUIDv7s whose time is the row's own and whose random part comes from the seed."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def at(self, moment: dt.datetime) -> uuid.UUID:
        """An id made at `moment` (RFC 9562 section 5.7)."""
        milliseconds, chance = int(moment.timestamp() * 1000), self._rng.getrandbits(74)
        high = milliseconds << 16 | 7 << 12 | chance >> 62
        return uuid.UUID(int=high << 64 | 2 << 62 | chance & (1 << 62) - 1)

    def salt(self, size: int) -> bytes:
        """A salt of `size` bytes; the demo's people have nothing to hide."""
        return self._rng.randbytes(size)


class Rows:
    """Rows gathered by table and inserted in bulk, in an order that foreign keys allow."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._waiting: dict[type[Base], list[dict[str, Any]]] = {}
        self._count = 0

    def add(self, table: type[Base], **columns: Any) -> None:
        """Rows of one table must all name the same columns."""
        self._waiting.setdefault(table, []).append(columns)
        self._count += 1

    def rest(self) -> None:
        """A moment at which all parents of what waits are there: insert if much waits."""
        if self._count >= _FLUSH_AT:
            self.flush()

    def flush(self) -> None:
        for table in _ORDER:
            if rows := self._waiting.pop(table, None):
                self._connection.execute(insert(table), rows)
        self._count = 0

    def update(self, table: type[Base], key: str, rows: list[dict[str, Any]]) -> None:
        """Each row holds `old` (the value of column `key`) and the columns to set."""
        if rows:
            where = getattr(table, key) == bindparam("old")
            names = [name for name in rows[0] if name != "old"]
            values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
            bound = [
                {"old": row["old"], **{f"new_{name}": row[name] for name in names}} for row in rows
            ]
            self._connection.execute(update(table).where(where).values(values), bound)


class Log:
    """Events in gapless numbers; tells no more rows than it was allowed."""

    def __init__(self, rows: Rows, ids: Ids, total: int | None) -> None:
        self._rows = rows
        self._ids = ids
        self._last: dict[uuid.UUID, tuple[int, bytes]] = {}
        self._provider: uuid.UUID | None = None
        self._limit = total
        self.total = total
        self.count = 0

    @contextmanager
    def at_most(self, rows: int) -> Iterator[None]:
        """Inside, only `rows` rows are told if a total was ordered at all."""
        if self.total is not None:
            self._limit = min(self.total, self.count + rows)
        yield
        self._limit = self.total

    @property
    def left(self) -> int | None:
        """Rows that may still be told; None for as many as there are."""
        return None if self._limit is None else self._limit - self.count

    def tell(
        self,
        at: dt.datetime,
        kind: str,
        streams: list[Stream],
        actor: Actor | None,
        subject_id: uuid.UUID,
        **details: Any,
    ) -> bool:
        """One event in all of `streams`, or in none where it would be too much."""
        if self.left is not None and self.left < len(streams):
            return False
        event = compose(
            actor,
            None,
            self._ids.at(at),
            at,
            kind,
            subject_id,
            details,
            organization_id=organization_in(streams),
            salt=self._ids.salt,
        )
        for stream in streams:
            seq, row = self._next(stream, event.payload)
            self._rows.add(
                Event,
                stream_id=stream.id,
                seq=seq,
                id=event.id,
                at=at,
                type=kind,
                actor_id=event.actor_id,
                provider_id=self._provider_of(stream),
                payload=event.payload,
                hash=row,
            )
            self._rows.add(EventPerson, stream_id=stream.id, seq=seq, **event.person)
        self.count += len(streams)
        return True

    def _next(self, stream: Stream, payload: str) -> tuple[int, bytes]:
        """The number and hash of the stream's next row."""
        last = self._last.get(stream.id)
        if last is None:
            self._rows.add(EventStream, stream_id=stream.id, kind=stream.kind, last_seq=0)
            last = (0, anchor(stream.id))
        seq = last[0] + 1
        self._last[stream.id] = (seq, row_hash(last[1], stream.id, seq, payload))
        return self._last[stream.id]

    def _provider_of(self, stream: Stream) -> uuid.UUID | None:
        """The demo has one provider, whose log is the first of its kind."""
        if stream.kind == "provider":
            self._provider = stream.id
        return self._provider if stream.kind == "organization" else None

    def close(self) -> None:
        """Leave each stream's last number in its row."""
        self._rows.flush()
        rows = [
            {"old": stream, "last_seq": seq, "last_hash": row}
            for stream, (seq, row) in self._last.items()
        ]
        self._rows.update(EventStream, "stream_id", rows)


@dataclass(frozen=True)
class Order:
    """How much is wanted. `members` and `events` are totals over all clients.

    There are at least as many members as clients; `events` None is as many as the story has.
    """

    clients: int
    members: int
    events: int | None
    password: str
    locale: str
    seed: int = 1
