"""Reads. Each starts from `_of(scope)`, so no filter can lose the tenant or the person's scope.

The clients that somebody with a limited scope reaches are looked up in the statement itself.
"""

import uuid
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Select,
    String,
    Uuid,
    and_,
    bindparam,
    cast,
    exists,
    func,
    literal,
    null,
    or_,
    type_coerce,
)
from sqlalchemy import select as _select
from sqlalchemy.orm import InstrumentedAttribute, Session

from portal.clients.listing import FEW_SEATS, Listing, SeatsLeft, Sort
from portal.clients.shape import Shape, shape_of
from portal.domain.access import Scope
from portal.domain.names import name_ci
from portal.domain.paging import Cursor, Page, page_of
from portal.domain.searching import ESCAPE, contains
from portal.models import (
    Baseline,
    BaselineAssignment,
    Organization,
    OrganizationTag,
    ProviderAccess,
)
from portal.models.grants import opens_to
from portal.models.keyset import seek
from portal.models.reach import within
from portal.providers.stuck import Bound
from portal.providers.waiting import Wanted, columns

COUNTED = 1000
KEYLESS_COUNTED = 100
_COLUMNS: dict[Sort, InstrumentedAttribute[Any]] = {
    Sort.NAME: Organization.name_ci,
    Sort.ASSIGNED: Organization.seats,
    Sort.USED: Organization.seats_used,
    Sort.REMAINING: Organization.seats_remaining,
    Sort.PLAN: Organization.plan_rank,
    Sort.SETUP: Organization.setup_open,
}
_GIVEN = and_(
    BaselineAssignment.provider_id == Organization.provider_id,
    BaselineAssignment.organization_id == Organization.id,
)
# As it was when the client was last looked at; nobody is told of one that asks before it lets in.
_DEVIATES = exists().where(_GIVEN, BaselineAssignment.drift > 0)
_SHOWN = (
    # 32 digits, the same on both databases: a hundred UUID objects are a tenth of a page's work.
    func.replace(cast(Organization.id, String), "-", "").label("hex"),
    Organization.name,
    # As plain text: a table of a hundred needs no enumerations.
    type_coerce(Organization.status, String).label("status"),
    type_coerce(Organization.plan, String).label("plan"),
    Organization.seats,
    Organization.seats_used,
    Organization.seats_remaining,
    Organization.setup_done,
    Organization.setup_total,
    Organization.owner_confirmed,
    Organization.public_key.is_not(None).label("has_keys"),
    Organization.tags_shown,
    Organization.hidden_since.is_not(None).label("is_hidden"),
    # NULL where the provider's people come and go.
    _select(type_coerce(ProviderAccess.mode, String))
    .where(ProviderAccess.organization_id == Organization.id)
    .scalar_subquery()
    .label("access"),
    _DEVIATES.label("deviates"),
)


def _of(scope: Scope | Bound, *columns: Any) -> Select[Any]:
    found = (
        _select(*columns)
        .select_from(Organization)
        .where(Organization.provider_id == scope.provider_id)
    )
    return found.where(*within(scope, Organization.id))


def clients_page(
    session: Session,
    scope: Scope,
    listing: Listing,
    cursor: Cursor | None,
    waiting: Wanted | None = None,
) -> Page[Any]:
    """One page of the table, in one statement.

    Rows carry the columns of the table, `hex` (the id's 32 digits), `at` (the value sorted by),
    `found` (how many clients the filters and the scope leave, at most `COUNTED` + 1; NULL with
    neither) and `keyless` (how many have no keys, at most `KEYLESS_COUNTED` + 1, and NULL for
    whoever makes none). With `waiting` they carry what waits at the provider as well.
    """
    statement = _page_of(shape_of(scope, listing, cursor, waiting))
    return page_of(
        _read(session, statement, scope, listing, cursor, listing.size),
        size=listing.size,
        sort=listing.sort,
        descending=listing.descending,
        cursor=cursor,
        place=lambda row: (row.at, uuid.UUID(row.hex)),
    )


def all_clients(
    session: Session, scope: Scope, listing: Listing, *, batch: int = 500
) -> Iterator[Any]:
    """Every client that the filters leave, in the table's order, read `batch` at a time."""
    cursor: Cursor | None = None
    while True:
        statement = _lines_of(shape_of(scope, listing, cursor))
        rows = _read(session, statement, scope, listing, cursor, batch - 1)
        yield from rows
        if len(rows) < batch:
            return
        last = rows[-1]
        cursor = Cursor(listing.sort, listing.descending, last.at, uuid.UUID(last.hex))


def chosen(
    session: Session,
    scope: Scope,
    listing: Listing | None,
    ids: Collection[uuid.UUID],
    *,
    limit: int,
) -> Sequence[Any]:
    """What a change of many clients looks at: all that `listing` leaves, or those of `ids`."""
    statement = _of(
        shape_of(scope, Listing(), None).scope,
        Organization.id,
        Organization.name,
        Organization.name_ci,
        Organization.status,
        Organization.owner_confirmed,
        Organization.tags_shown,
    )
    if listing is None:
        statement = statement.where(Organization.id.in_(list(ids)[:limit]))
    else:
        statement = _filtered(statement, shape_of(scope, listing, None))
    values = _values(scope, listing or Listing())
    return session.execute(statement.order_by(Organization.id).limit(limit), values).all()


def _read(
    session: Session,
    statement: Select[Any],
    scope: Scope,
    listing: Listing,
    cursor: Cursor | None,
    size: int,
) -> Sequence[Any]:
    values = {
        **_values(scope, listing),
        "beside": cursor.value if cursor else None,
        "beside_id": cursor.id if cursor else None,
        "rows": size + 1,
    }
    # On the connection: rows without entities need none of the session's own work.
    return session.connection().execute(statement, values).all()


def _values(scope: Scope, listing: Listing) -> dict[str, Any]:
    """The parameters of `_of` a bound scope, and of `_filtered`."""
    return {
        "provider_id": scope.provider_id,
        "person_id": scope.person_id,
        "account_id": scope.account_id,
        "words": contains(listing.search) if listing.search else "",
        "plan_rank": listing.plan.rank if listing.plan else 0,
        "status": listing.status,
        "tag_id": listing.tag,
    }


# A statement is put together once; making it anew takes longer than its rows.
@lru_cache(maxsize=256)
def _page_of(shape: Shape) -> Select[Any]:
    found = _at_most(_filtered(_of(shape.scope, literal(1)), shape), COUNTED)
    # In the order of the small index: without a reason to take it SQLite reads every client.
    oldest = _keyless(shape.scope, literal(1)).order_by(Organization.id)
    keyless = _at_most(oldest, KEYLESS_COUNTED)
    return _rows_of(shape).add_columns(
        (found if shape.is_counted else null()).label("found"),
        (keyless if shape.waiting and shape.waiting.keys else null()).label("keyless"),
        *(columns(shape.waiting) if shape.waiting else ()),
    )


@lru_cache(maxsize=256)
def _rows_of(shape: Shape) -> Select[Any]:
    column = _COLUMNS[shape.sort]
    rows = _filtered(_of(shape.scope, *_SHOWN, column.label("at")), shape)
    return seek(rows, column, Organization.id, downwards=shape.downwards, beside=shape.beside)


@lru_cache(maxsize=256)
def _lines_of(shape: Shape) -> Select[Any]:
    baseline = (
        _select(Baseline.name)
        .join(
            BaselineAssignment,
            and_(
                BaselineAssignment.provider_id == Baseline.provider_id,
                BaselineAssignment.baseline_id == Baseline.id,
            ),
        )
        .where(_GIVEN)
        .correlate(Organization)
        .scalar_subquery()
    )
    return _rows_of(shape).add_columns(Organization.external_reference, baseline.label("baseline"))


def _filtered(statement: Select[Any], shape: Shape) -> Select[Any]:
    conditions = {
        "words": or_(
            Organization.name_ci.like(bindparam("words"), escape=ESCAPE),
            Organization.reference_ci.like(bindparam("words"), escape=ESCAPE),
        ),
        "plan": Organization.plan_rank == bindparam("plan_rank"),
        "status": Organization.status == bindparam("status", type_=Organization.status.type),
        "tag": exists().where(
            OrganizationTag.provider_id == Organization.provider_id,
            OrganizationTag.tag_id == bindparam("tag_id", type_=Uuid()),
            OrganizationTag.organization_id == Organization.id,
        ),
        "seats_left": (
            Organization.seats_remaining == 0
            if shape.seats_left is SeatsLeft.NONE
            else Organization.seats_remaining < FEW_SEATS
        ),
        "setup_open": Organization.setup_open > 0,
        "no_owner": Organization.owner_confirmed.is_(False),
        "deviates": and_(_DEVIATES, opens_to(None, Organization.id)),
    }
    return statement.where(*(each for name, each in conditions.items() if getattr(shape, name)))


def _keyless(scope: Scope | Bound, *columns: Any) -> Select[Any]:
    return _of(scope, *columns).where(Organization.public_key.is_(None))


def _at_most(found: Select[Any], number: int) -> Any:
    """How many rows, but never more work than for one beyond `number`."""
    return _select(func.count()).select_from(found.limit(number + 1).subquery()).scalar_subquery()


def name_exists(session: Session, scope: Scope, name: str, *, but: uuid.UUID | None = None) -> bool:
    """Whether the scope has a client of that name (other than `but`), however it is written."""
    same = _of(scope, Organization.id).where(Organization.name_ci == name_ci(name))
    if but:
        same = same.where(Organization.id != but)
    return session.execute(same.limit(1)).first() is not None


def keyless_clients(
    session: Session, scope: Scope, *, limit: int = KEYLESS_COUNTED
) -> Sequence[Any]:
    """(id, name) of clients without keys, the oldest first."""
    oldest = _keyless(scope, Organization.id, Organization.name)
    return session.execute(oldest.order_by(Organization.id).limit(limit)).all()
