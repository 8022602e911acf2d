"""Reads about what all clients of a provider are billed. Each starts from `_of(provider_id)`."""

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Select, String, and_, func, literal, null, or_, type_coerce
from sqlalchemy import select as _select
from sqlalchemy.orm import InstrumentedAttribute, Session

from portal.domain.names import name_ci
from portal.domain.paging import Cursor, Page, page_of
from portal.domain.searching import ESCAPE, contains
from portal.invoicing.listing import PAGE_SIZE, Listing, Sort
from portal.models import Organization, Provider, Subscription, SubscriptionChange, SubscriptionLine
from portal.models.keyset import seek

COUNTED = 1000
# The billing address of a provider and of a client, column by column.
ADDRESS = (
    "billing_name",
    "address_line1",
    "address_line2",
    "postal_code",
    "city",
    "country",
    "vat_number",
)
_COLUMNS: dict[Sort, InstrumentedAttribute[Any]] = {
    Sort.NAME: Organization.name_ci,
    Sort.PLAN: Organization.plan_rank,
    Sort.SEATS: Organization.seats,
}
# What the price of a whole period follows from, and the days on which one begins. As plain text:
# ten thousand rows need no enumerations.
PRICED = (
    type_coerce(Organization.plan, String).label("plan"),
    type_coerce(Subscription.cadence, String).label("cadence"),
    Organization.seats,
    Organization.extra_storage_gb,
    Subscription.discount_basis_points,
    Subscription.tax_label,
    Subscription.tax_basis_points,
    Subscription.currency,
    Subscription.period_start,
    Subscription.period_end,
)


def _of(provider_id: uuid.UUID, *columns: Any) -> Select[Any]:
    return (
        _select(*columns)
        .select_from(Organization)
        .join(Subscription, Subscription.organization_id == Organization.id)
        .where(Organization.provider_id == provider_id)
    )


def priced(session: Session, provider_id: uuid.UUID) -> Sequence[Any]:
    """One row of `PRICED`, `status` and `seats_used` for each client, in no order."""
    # Without the day of deletion: it lies behind the keys, and reading past those takes longer
    # than all else.
    status = type_coerce(Organization.status, String)
    return (
        session.connection()
        .execute(_of(provider_id, *PRICED, status, Organization.seats_used))
        .all()
    )


def deleting(session: Session, provider_id: uuid.UUID, currency: str) -> Sequence[Any]:
    """Rows of `PRICED` and `delete_at` for clients that end, in the price list's currency."""
    found = (
        _select(*PRICED, Organization.delete_at)
        .select_from(Organization)
        .join(Subscription, Subscription.organization_id == Organization.id)
        .where(
            # Hidden from the planner, which else reads all clients instead of the few that end.
            func.coalesce(Organization.provider_id, null()) == provider_id,
            Organization.delete_at.is_not(None),
            Subscription.currency == currency,
        )
    )
    return session.execute(found).all()


def in_another_currency(session: Session, provider_id: uuid.UUID, currency: str) -> Sequence[Any]:
    """Rows of `PRICED` for clients whose currency is not that of the price list, with `delete_at`
    and one line of each: `kind`, `unit_cents`, `months`. A client comes as often as it has lines.
    """
    found = (
        _of(
            provider_id,
            *PRICED,
            Organization.delete_at,
            Organization.id,
            SubscriptionLine.kind,
            SubscriptionLine.unit_cents,
            SubscriptionLine.months,
        )
        .outerjoin(SubscriptionLine, SubscriptionLine.organization_id == Organization.id)
        .where(Subscription.currency != currency)
        .order_by(Organization.id)
    )
    return session.connection().execute(found).all()


def waiting(
    session: Session, provider_id: uuid.UUID, today: dt.date, last: dt.date
) -> Sequence[Any]:
    """(currency, invoice_on, delete_at, cents) of what changes have left for the days ahead."""
    columns = (Subscription.currency, SubscriptionChange.invoice_on, Organization.delete_at)
    found = (
        _of(provider_id, *columns)
        .add_columns(func.sum(SubscriptionChange.adjustment_cents).label("cents"))
        .join(SubscriptionChange, left_for_the_end())
        .where(SubscriptionChange.invoice_on > today, SubscriptionChange.invoice_on <= last)
        .group_by(*columns)
    )
    return session.execute(found).all()


def left_for_the_end() -> Any:
    """Changes of a subscription that are on the invoice at the end of its stored period."""
    return and_(
        SubscriptionChange.organization_id == Subscription.organization_id,
        SubscriptionChange.subscription_id == Subscription.id,
        SubscriptionChange.invoice_on == Subscription.period_end,
    )


def lines_page(
    session: Session, provider_id: uuid.UUID, listing: Listing, cursor: Cursor | None
) -> Page[Any]:
    """One page of the lines per client, in one statement.

    Rows have `PRICED`, `delete_at`, `status`, `id`, `name`, `at` (the value sorted by), `waiting`
    (cents that changes have left for the end of the stored period) and `found` (how many clients
    the words leave, at most `COUNTED` + 1; NULL without words).
    """
    return page_of(
        _lines(session, provider_id, listing, cursor, PAGE_SIZE),
        size=PAGE_SIZE,
        sort=listing.sort,
        descending=listing.descending,
        cursor=cursor,
        place=lambda row: (row.at, row.id),
    )


def all_lines(
    session: Session, provider_id: uuid.UUID, listing: Listing, *, batch: int = 500
) -> Iterator[Sequence[Any]]:
    """Every line that the words leave, in the table's order, `batch` at a time."""
    cursor: Cursor | None = None
    while True:
        rows = _lines(session, provider_id, listing, cursor, batch - 1)
        yield rows
        if len(rows) < batch:
            return
        cursor = Cursor(listing.sort, listing.descending, rows[-1].at, rows[-1].id)


def _lines(
    session: Session,
    provider_id: uuid.UUID,
    listing: Listing,
    cursor: Cursor | None,
    size: int,
) -> Sequence[Any]:
    column = _COLUMNS[listing.sort]
    left = (
        _select(func.coalesce(func.sum(SubscriptionChange.adjustment_cents), 0))
        .where(left_for_the_end())
        .scalar_subquery()
    )
    columns = (
        *PRICED,
        Organization.delete_at,
        Organization.status,
        Organization.id,
        Organization.name,
        column.label("at"),
    )
    statement = _matching(_of(provider_id, *columns, left.label("waiting")), listing)
    statement = statement.add_columns(_found(provider_id, listing).label("found"))
    # Walking back through an ascending list is walking on through a descending one.
    downwards = listing.descending != (cursor is not None and cursor.backwards)
    statement = seek(
        statement, column, Organization.id, downwards=downwards, beside=cursor is not None
    )
    values = {
        "rows": size + 1,
        "beside": cursor.value if cursor else None,
        "beside_id": cursor.id if cursor else None,
    }
    return session.connection().execute(statement, values).all()


def _matching(statement: Select[Any], listing: Listing) -> Select[Any]:
    if not name_ci(listing.search):
        return statement
    words = contains(listing.search)
    return statement.where(
        or_(
            Organization.name_ci.like(words, escape=ESCAPE),
            Organization.reference_ci.like(words, escape=ESCAPE),
        )
    )


def _found(provider_id: uuid.UUID, listing: Listing) -> Any:
    if not name_ci(listing.search):
        return literal(None)
    some = _matching(_of(provider_id, literal(1)), listing).limit(COUNTED + 1)
    return _select(func.count()).select_from(some.subquery()).scalar_subquery()


def lines_of(session: Session, provider_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> Sequence[Any]:
    """(organization_id, kind, unit_cents, months) of these clients' lines as they were ordered."""
    found = (
        _of(
            provider_id,
            SubscriptionLine.organization_id,
            SubscriptionLine.kind,
            SubscriptionLine.unit_cents,
            SubscriptionLine.months,
        )
        .join(SubscriptionLine, SubscriptionLine.organization_id == Organization.id)
        .where(Organization.id.in_(ids))
    )
    return session.execute(found).all()


def provider(session: Session, provider_id: uuid.UUID) -> Any:
    """The provider's own billing details and what was agreed with it."""
    columns = (
        Provider.name,
        Provider.billing_email,
        Provider.time_zone,
        Provider.discount_basis_points,
        Provider.tax_label,
        Provider.tax_basis_points,
        Provider.net_days,
        Provider.clients_count,
        *(getattr(Provider, name) for name in ADDRESS),
    )
    return session.execute(_select(*columns).where(Provider.id == provider_id)).one()
