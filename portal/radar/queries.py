"""Reads of what ends. Each begins at `_of(reader)`: its provider, its scope, and a date."""

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, or_
from sqlalchemy import select as _select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.attention import ABOUT_SEATS, STUCK, AttentionKind
from portal.domain.expiries import ENDING, Window
from portal.domain.paging import Cursor, Page, page_of
from portal.models import Attention, Organization
from portal.models.grants import opens_to
from portal.models.keyset import seek
from portal.models.reach import within
from portal.radar.listing import PAGE_SIZE, Listing

COUNTED = 99
SORT = "due"
_SHOWN = (
    Attention.id,
    Attention.kind,
    Attention.subject_id,
    Attention.organization_id,
    Attention.label,
    Attention.since,
    Attention.due_at,
    Organization.name.label("client"),
)


@dataclass(frozen=True)
class Reader:
    """Who looks: a confirmed person of a provider.

    `limited_to` is the row of a person who does not reach every client, None for the others.
    Without `sees_hidden` clients that are not live yet are left out.
    `sees_people`: whether what belongs to the provider's own people is theirs to see.
    """

    provider_id: uuid.UUID
    limited_to: uuid.UUID | None
    sees_people: bool
    sees_hidden: bool

    @property
    def scope(self) -> Scope:
        return Scope(self.provider_id, self.limited_to, self.sees_hidden)


@dataclass(frozen=True)
class Counts:
    """How many end in each window (at most `COUNTED` + 1), and the kinds there are."""

    windows: dict[Window, int]
    kinds: tuple[AttentionKind, ...]


def visible(reader: Reader, *columns: Any) -> Select[Any]:
    """What waits or ends, as far as the reader may see it."""
    return (
        _select(*columns)
        .select_from(Attention)
        .outerjoin(
            Organization,
            and_(
                Organization.id == Attention.organization_id,
                Organization.provider_id == Attention.provider_id,
            ),
        )
        .where(
            Attention.provider_id == reader.provider_id,
            or_(and_(*_reached(reader), *_told()), _own(reader)),
        )
    )


def _told() -> Iterator[ColumnElement[bool]]:
    """Nobody's invitation is told of a client whose owners want to be asked first.

    A calendar and a weekly mail have no grant, and the page says what they say.
    """
    yield or_(Attention.kind.not_in(STUCK - ABOUT_SEATS), opens_to(None, Attention.organization_id))


def clients(reader: Reader, *columns: Any) -> Select[Any]:
    """The clients that the reader reaches, in the order of their names."""
    return (
        _select(*columns)
        .select_from(Organization)
        .where(Organization.provider_id == reader.provider_id, *_reached(reader))
        .order_by(Organization.name_ci, Organization.id)
    )


def _reached(reader: Reader) -> Iterator[ColumnElement[bool]]:
    yield Organization.id.is_not(None)
    yield from within(reader.scope, Organization.id)


def _of(reader: Reader, *columns: Any) -> Select[Any]:
    """What ends."""
    return visible(reader, *columns).where(
        Attention.due_at.is_not(None), Attention.kind.in_(ENDING)
    )


def _own(reader: Reader) -> ColumnElement[bool]:
    """Rows about the provider's own people."""
    return Attention.organization_id.is_(None) if reader.sees_people else false()


def _filtered(
    found: Select[Any], listing: Listing, now: dt.datetime, zone: ZoneInfo
) -> Select[Any]:
    if listing.kind:
        found = found.where(Attention.kind == listing.kind)
    if listing.window:
        low, high = listing.window.bounds(now, zone)
        found = found.where(Attention.due_at < high)
        if low is not None:
            found = found.where(Attention.due_at >= low)
    return found


def counts(
    session: Session, reader: Reader, kind: AttentionKind | None, now: dt.datetime, zone: ZoneInfo
) -> Counts:
    """The numbers of all tiles for `kind` (or all kinds), and which kinds there are at all."""
    found = session.execute(
        _select(
            *(
                _number(_filtered(_of(reader, Attention.id), Listing(each, kind), now, zone))
                for each in Window
            ),
            *(exists(_of(reader, Attention.id).where(Attention.kind == each)) for each in ENDING),
        )
    ).one()
    numbers, there = found[: len(Window)], found[len(Window) :]
    return Counts(
        windows=dict(zip(Window, numbers, strict=True)),
        kinds=tuple(each for each, is_there in zip(ENDING, there, strict=True) if is_there),
    )


def _number(found: Select[Any]) -> Any:
    return _select(func.count()).select_from(found.limit(COUNTED + 1).subquery()).scalar_subquery()


def page(
    session: Session,
    reader: Reader,
    listing: Listing,
    cursor: Cursor | None,
    now: dt.datetime,
    zone: ZoneInfo,
) -> Page[Any]:
    """One page, what ends first before all, in one statement."""
    statement = seek(
        _filtered(_of(reader, *_SHOWN), listing, now, zone),
        Attention.due_at,
        Attention.id,
        downwards=cursor is not None and cursor.backwards,
        beside=cursor is not None,
    )
    parameters: dict[str, Any] = {"rows": PAGE_SIZE + 1}
    if cursor:
        beside = dt.datetime.fromisoformat(str(cursor.value))
        parameters |= {"beside": beside, "beside_id": cursor.id}
    return page_of(
        session.execute(statement, parameters).all(),
        size=PAGE_SIZE,
        sort=SORT,
        descending=False,
        cursor=cursor,
        place=lambda row: (row.due_at.isoformat(), row.id),
    )


def ending(
    session: Session,
    reader: Reader,
    *,
    since: dt.datetime,
    until: dt.datetime | None = None,
    limit: int,
) -> list[Any]:
    """What ends from `since` on and before `until`, the first `limit`."""
    found = _of(reader, *_SHOWN).where(Attention.due_at >= since)
    if until is not None:
        found = found.where(Attention.due_at < until)
    return list(session.execute(found.order_by(Attention.due_at, Attention.id).limit(limit)))


def everything(
    session: Session, reader: Reader, listing: Listing, now: dt.datetime, zone: ZoneInfo
) -> Iterator[Any]:
    """All that the filters leave, read while it is used."""
    found = _filtered(_of(reader, *_SHOWN), listing, now, zone)
    ordered = found.order_by(Attention.due_at, Attention.id).execution_options(yield_per=500)
    yield from session.execute(ordered)
