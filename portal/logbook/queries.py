"""Reads of the logs. Each begins at `_of(scope)`, so no filter can lose the tenant.

A page costs the same at any depth: rows are found by an index in the order of their ids, which are
in the order of time. Where a filter has no index of its own (words; a type of one person's acts),
a page looks through at most `WINDOW` rows and says how far it came.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, func, null, union_all
from sqlalchemy import select as _select
from sqlalchemy.orm import Session, aliased

from portal.domain.searching import ESCAPE, contains
from portal.models import Event, EventPerson, Organization
from portal.models.grants import opens_to

WINDOW = 5_000
MOST_CLIENTS = 20


@dataclass(frozen=True)
class Scope:
    """Whose rows: one log, or with `clients` those of all clients that a provider had then.

    Of these the logs of clients are left out whose owners have not let `account_id` in.
    """

    id: uuid.UUID
    clients: bool = False
    account_id: uuid.UUID | None = None


@dataclass(frozen=True)
class Filter:
    """What is looked for. Empty means all; `low` and `high` bound the ids (high excluded)."""

    kinds: tuple[str, ...] = ()
    person: uuid.UUID | None = None
    streams: tuple[uuid.UUID, ...] = ()
    words: str = ""
    low: uuid.UUID | None = None
    high: uuid.UUID | None = None


@dataclass(frozen=True)
class Found:
    """Rows in the order they were looked for. `reached` is where a search had to pause, or None."""

    rows: Sequence[Any]
    reached: uuid.UUID | None = None


def _of(scope: Scope, *columns: Any) -> Select[Any]:
    if not scope.clients:
        return _select(*columns).where(Event.stream_id == scope.id)
    seen = opens_to(scope.account_id, Event.stream_id)
    return _select(*columns).where(Event.provider_id == scope.id, seen)


def _within(scope: Scope, *columns: Any) -> Select[Any]:
    """The same for a walk down the index of one log: the provider's is hidden from the planner,
    which else reads all of a provider's rows for one client's.
    """
    if not scope.clients:
        return _of(scope, *columns)
    owner = func.coalesce(Event.provider_id, null())
    return _select(*columns).where(owner == scope.id, opens_to(scope.account_id, Event.stream_id))


def find(
    session: Session,
    scope: Scope,
    wanted: Filter,
    *,
    beside: uuid.UUID | None = None,
    upwards: bool = False,
    limit: int,
) -> Found:
    """Up to `limit` rows below `beside` (from the newest on), or above it when `upwards`."""
    branches = _branches(scope, wanted, beside, upwards=upwards, limit=limit)
    places = _merge(branches).subquery()
    chosen = _select(places.c.id, places.c.stream_id, places.c.seq)
    if wanted.words:
        chosen = chosen.join(
            EventPerson,
            and_(EventPerson.stream_id == places.c.stream_id, EventPerson.seq == places.c.seq),
        ).where(EventPerson.words.like(contains(wanted.words), escape=ESCAPE))
    if _has_rest(wanted):
        chosen = chosen.where(*_rest(wanted, places))
    chosen = chosen.order_by(places.c.id if upwards else places.c.id.desc()).limit(limit)
    rows = session.execute(_shown(chosen.subquery(), upwards=upwards)).all()
    if len(rows) == limit or not _is_bounded(wanted):
        return Found(rows)
    reached = _reached(session, branches, upwards=upwards)
    if reached is not None:
        # Beyond that place some branch has not been looked through.
        rows = [row for row in rows if (row.id <= reached if upwards else row.id >= reached)]
    return Found(rows, reached)


def _branches(
    scope: Scope, wanted: Filter, beside: uuid.UUID | None, *, upwards: bool, limit: int
) -> list[Select[Any]]:
    """One walk down an index for each value of the filter that has one."""
    columns = (Event.id, Event.stream_id, Event.seq, Event.type, Event.actor_id)
    walk = _within(scope, *columns) if wanted.streams else _of(scope, *columns)
    for bound in _bounds(wanted, beside, upwards=upwards):
        walk = walk.where(bound)
    walk = walk.order_by(Event.id if upwards else Event.id.desc())
    walk = walk.limit(WINDOW if _is_bounded(wanted) else limit)
    if wanted.streams:
        return [walk.where(Event.stream_id == each) for each in wanted.streams]
    if wanted.person:
        return [walk.where(Event.actor_id == wanted.person)]
    if wanted.kinds:
        return [walk.where(Event.type == each) for each in wanted.kinds]
    return [walk]


def _bounds(
    wanted: Filter, beside: uuid.UUID | None, *, upwards: bool
) -> Iterator[ColumnElement[bool]]:
    if wanted.low:
        yield Event.id >= wanted.low
    if wanted.high:
        yield Event.id < wanted.high
    if beside:
        yield Event.id > beside if upwards else Event.id < beside


def _merge(branches: list[Select[Any]]) -> Any:
    parts = [_select(branch.subquery()) for branch in branches]
    return parts[0] if len(parts) == 1 else union_all(*parts)


def _has_rest(wanted: Filter) -> bool:
    """Whether a filter is left that the walk down the index did not use."""
    if wanted.streams:
        return bool(wanted.person or wanted.kinds)
    return bool(wanted.person and wanted.kinds)


def _is_bounded(wanted: Filter) -> bool:
    return bool(wanted.words) or _has_rest(wanted)


def _rest(wanted: Filter, places: Subquery) -> Iterator[ColumnElement[bool]]:
    if wanted.kinds:
        yield places.c.type.in_(wanted.kinds)
    if wanted.person and wanted.streams:
        yield places.c.actor_id == wanted.person


def _reached(session: Session, branches: list[Select[Any]], *, upwards: bool) -> uuid.UUID | None:
    """The first place at which a branch had more rows than it may look through."""
    ends: list[uuid.UUID] = []
    for branch in branches:
        # The last row of a full window; the offset is within the window's bound.
        last = session.execute(branch.offset(WINDOW - 1).limit(1)).first()
        if last is not None:
            ends.append(last.id)
    if not ends:
        return None
    return min(ends) if upwards else max(ends)


def _shown(chosen: Subquery, *, upwards: bool) -> Any:
    before = aliased(Event)
    return (
        _select(
            Event.stream_id,
            Event.seq,
            Event.id,
            Event.at,
            Event.type,
            Event.actor_id,
            Event.payload,
            Event.hash,
            before.hash.label("previous"),
            EventPerson.actor,
            EventPerson.actor_salt,
            EventPerson.about,
            EventPerson.about_salt,
        )
        .join(chosen, and_(chosen.c.stream_id == Event.stream_id, chosen.c.seq == Event.seq))
        .outerjoin(
            EventPerson,
            and_(EventPerson.stream_id == Event.stream_id, EventPerson.seq == Event.seq),
        )
        .outerjoin(before, and_(before.stream_id == Event.stream_id, before.seq == Event.seq - 1))
        .order_by(Event.id if upwards else Event.id.desc())
    )


def one(session: Session, scope: Scope, event_id: uuid.UUID) -> Any:
    """One row by its id; None where the scope has none."""
    chosen = _of(scope, Event.stream_id, Event.seq).where(Event.id == event_id).limit(1)
    return session.execute(_shown(chosen.subquery(), upwards=False)).first()


def clients_called(session: Session, provider_id: uuid.UUID, words: str) -> list[uuid.UUID]:
    """Clients of the provider whose name has these words, one more than `MOST_CLIENTS` at most."""
    found = (
        _select(Organization.id)
        .where(
            Organization.provider_id == provider_id,
            Organization.name_ci.like(contains(words), escape=ESCAPE),
        )
        .order_by(Organization.name_ci, Organization.id)
        .limit(MOST_CLIENTS + 1)
    )
    return list(session.scalars(found))


def names_of_clients(
    session: Session, provider_id: uuid.UUID, ids: Iterable[uuid.UUID]
) -> dict[uuid.UUID, str]:
    """The names of those that are the provider's clients now."""
    wanted = list(set(ids))
    if not wanted:
        return {}
    found = _select(Organization.id, Organization.name).where(
        Organization.provider_id == provider_id, Organization.id.in_(wanted)
    )
    return {row.id: row.name for row in session.execute(found)}


def name_of_person(session: Session, scope: Scope, account_id: uuid.UUID) -> str:
    """What the newest act of a person in this log says of them, as JSON; empty for none."""
    newest = (
        _of(scope, EventPerson.actor)
        .select_from(Event)
        .join(
            EventPerson,
            and_(EventPerson.stream_id == Event.stream_id, EventPerson.seq == Event.seq),
        )
        .where(Event.actor_id == account_id)
        .order_by(Event.id.desc())
        .limit(1)
    )
    return session.scalar(newest) or ""


def id_at(moment: dt.datetime) -> uuid.UUID:
    """The smallest id that an event of this moment can have (RFC 9562 section 5.7)."""
    milliseconds = max(0, int(moment.timestamp() * 1000))
    return uuid.UUID(int=min(milliseconds << 80, (1 << 128) - 1))
