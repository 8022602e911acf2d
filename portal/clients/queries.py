"""Reads. Each starts from `_of(provider_id)`, so no filter can lose the tenant."""

import uuid
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, String, exists, func, literal, null, or_, type_coerce
from sqlalchemy import select as _select
from sqlalchemy.orm import InstrumentedAttribute, Session

from portal.clients.listing import FEW_SEATS, Listing, SeatsLeft, Sort
from portal.domain.names import name_ci
from portal.domain.paging import Cursor, Page, page_of
from portal.domain.searching import ESCAPE, contains
from portal.models import (
    Idempotency,
    Organization,
    OrganizationTag,
    Provider,
    Subscription,
    SubscriptionLine,
)
from portal.models.keyset import seek

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
# Stored is what is still to do; people read what is done.
_REVERSED = {Sort.SETUP}
_SHOWN = (
    Organization.id,
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
)


def _of(provider_id: uuid.UUID, *columns: Any) -> Select[Any]:
    return (
        _select(*columns).select_from(Organization).where(Organization.provider_id == provider_id)
    )


def _provider(provider_id: uuid.UUID, *columns: Any) -> Select[Any]:
    return _select(*columns).where(Provider.id == provider_id)


def clients_page(
    session: Session,
    provider_id: uuid.UUID,
    listing: Listing,
    cursor: Cursor | None,
    *,
    with_keyless: bool = False,
) -> Page[Any]:
    """One page of the table, in one statement.

    Rows carry the columns of the table, `at` (the value sorted by), `found` (how many clients the
    filters leave, at most `COUNTED` + 1; NULL unfiltered) and `keyless` (how many have no keys, at
    most `KEYLESS_COUNTED` + 1; NULL unless asked for).
    """
    column = _COLUMNS[listing.sort]
    found = _at_most(_filtered(_of(provider_id, literal(1)), listing), COUNTED)
    keyless = _at_most(_keyless(provider_id, literal(1)), KEYLESS_COUNTED)
    statement = _filtered(
        _of(
            provider_id,
            *_SHOWN,
            column.label("at"),
            (found if listing.is_filtered else null()).label("found"),
            (keyless if with_keyless else null()).label("keyless"),
        ),
        listing,
    )
    descending = listing.descending != (listing.sort in _REVERSED)
    rows = session.execute(
        seek(
            statement,
            column,
            Organization.id,
            descending=descending,
            cursor=cursor,
            size=listing.size,
        )
    ).all()
    return page_of(
        rows,
        size=listing.size,
        sort=listing.sort,
        descending=listing.descending,
        cursor=cursor,
        place=lambda row: (row.at, row.id),
    )


def all_clients(
    session: Session, provider_id: uuid.UUID, listing: Listing, *, batch: int = 500
) -> Iterator[Any]:
    """Every client that the filters leave, in the table's order, read `batch` at a time."""
    column = _COLUMNS[listing.sort]
    descending = listing.descending != (listing.sort in _REVERSED)
    columns = (*_SHOWN, Organization.external_reference, column.label("at"))
    statement = _filtered(_of(provider_id, *columns), listing)
    cursor: Cursor | None = None
    while True:
        rows = session.execute(
            seek(
                statement,
                column,
                Organization.id,
                descending=descending,
                cursor=cursor,
                size=batch - 1,
            )
        ).all()
        yield from rows
        if len(rows) < batch:
            return
        cursor = Cursor(listing.sort, listing.descending, rows[-1].at, rows[-1].id)


def _filtered(statement: Select[Any], listing: Listing) -> Select[Any]:
    return statement.where(*_of_words(listing), *_of_kind(listing), *_of_numbers(listing))


def chosen(
    session: Session,
    provider_id: uuid.UUID,
    listing: Listing | None,
    ids: Collection[uuid.UUID],
    *,
    limit: int,
) -> Sequence[Any]:
    """What a change of many clients looks at: all that `listing` leaves, or those of `ids`."""
    statement = _of(
        provider_id,
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
        statement = _filtered(statement, listing)
    return session.execute(statement.order_by(Organization.id).limit(limit)).all()


def _of_words(listing: Listing) -> Iterator[ColumnElement[bool]]:
    if listing.search and name_ci(listing.search):
        words = contains(listing.search)
        yield or_(
            Organization.name_ci.like(words, escape=ESCAPE),
            Organization.reference_ci.like(words, escape=ESCAPE),
        )
    if listing.tag:
        yield exists().where(
            OrganizationTag.provider_id == Organization.provider_id,
            OrganizationTag.tag_id == listing.tag,
            OrganizationTag.organization_id == Organization.id,
        )


def _of_kind(listing: Listing) -> Iterator[ColumnElement[bool]]:
    if listing.plan:
        yield Organization.plan_rank == listing.plan.rank
    if listing.status:
        yield Organization.status == listing.status


def _of_numbers(listing: Listing) -> Iterator[ColumnElement[bool]]:
    if listing.seats_left is SeatsLeft.NONE:
        yield Organization.seats_remaining == 0
    if listing.seats_left is SeatsLeft.FEW:
        yield Organization.seats_remaining < FEW_SEATS
    if listing.setup_open:
        yield Organization.setup_open > 0
    if listing.no_owner:
        yield Organization.owner_confirmed.is_(False)


def _keyless(provider_id: uuid.UUID, *columns: Any) -> Select[Any]:
    return _of(provider_id, *columns).where(Organization.public_key.is_(None))


def _at_most(found: Select[Any], number: int) -> Any:
    """How many rows, but never more work than for one beyond `number`."""
    return _select(func.count()).select_from(found.limit(number + 1).subquery()).scalar_subquery()


def name_exists(
    session: Session, provider_id: uuid.UUID, name: str, *, but: uuid.UUID | None = None
) -> bool:
    """Whether the provider has a client of that name (other than `but`), however it is written."""
    same = _of(provider_id, Organization.id).where(Organization.name_ci == name_ci(name))
    if but:
        same = same.where(Organization.id != but)
    return session.execute(same.limit(1)).first() is not None


def keyless_clients(
    session: Session, provider_id: uuid.UUID, *, limit: int = KEYLESS_COUNTED
) -> Sequence[Any]:
    """(id, name) of clients without keys, the oldest first."""
    oldest = _keyless(provider_id, Organization.id, Organization.name)
    return session.execute(oldest.order_by(Organization.id).limit(limit)).all()


def billing_profile(session: Session, provider_id: uuid.UUID) -> Any:
    """What a new client's form is filled from and priced by: the provider's own details."""
    columns = (
        Provider.name,
        Provider.time_zone,
        Provider.discount_basis_points,
        Provider.tax_label,
        Provider.tax_basis_points,
        Provider.net_days,
        *(getattr(Provider, name) for name in ADDRESS),
    )
    return session.execute(_provider(provider_id, *columns)).one()


def created_by(session: Session, account_id: uuid.UUID, token: str) -> Any:
    """(fingerprint, result_id) of what a form's token has created; None for nothing yet."""
    return session.execute(
        _select(Idempotency.fingerprint, Idempotency.result_id).where(
            Idempotency.account_id == account_id, Idempotency.token == token
        )
    ).one_or_none()


def client(session: Session, provider_id: uuid.UUID, organization_id: uuid.UUID) -> Any:
    """A client with its subscription, in one row; None for whoever is not this provider's."""
    columns = (
        Organization.id,
        Organization.name,
        Organization.status,
        Organization.plan,
        Organization.seats,
        Organization.seats_used,
        Organization.seats_remaining,
        Organization.seats_grow,
        Organization.seat_limit,
        Organization.extra_storage_gb,
        Organization.owner_confirmed,
        Organization.billing_email,
        Organization.created_at,
        Organization.version,
        Organization.delete_at,
        Organization.status_before_deletion,
        Organization.note,
        Organization.external_reference,
        Organization.tags_shown,
        Organization.public_key.is_not(None).label("has_keys"),
        Subscription.id.label("subscription_id"),
        Subscription.cadence,
        Subscription.currency,
        Subscription.discount_basis_points,
        Subscription.tax_label,
        Subscription.tax_basis_points,
        Subscription.price_list_version,
        Subscription.period_start,
        Subscription.period_end,
        Subscription.net_days,
        Subscription.purchase_order,
        *(getattr(Subscription, name) for name in ADDRESS),
    )
    return session.execute(
        _of(provider_id, *columns)
        .join(Subscription, Subscription.organization_id == Organization.id)
        .where(Organization.id == organization_id)
    ).one_or_none()


def subscription_lines(
    session: Session, provider_id: uuid.UUID, organization_id: uuid.UUID
) -> Sequence[Any]:
    """The priced lines of a client's subscription, seats first."""
    lines = (
        _of(
            provider_id,
            SubscriptionLine.kind,
            SubscriptionLine.price_list_version,
            SubscriptionLine.unit_cents,
            SubscriptionLine.quantity,
            SubscriptionLine.months,
            SubscriptionLine.period_start,
            SubscriptionLine.period_end,
        )
        .join(SubscriptionLine, SubscriptionLine.organization_id == Organization.id)
        .where(Organization.id == organization_id)
        .order_by(SubscriptionLine.kind, SubscriptionLine.id)
    )
    return session.execute(lines).all()
