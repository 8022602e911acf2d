"""Reads of clients with all that they are billed by. Each starts from `_of(scope)`."""

import uuid
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.models import Organization, Provider, Subscription
from portal.models.reach import within

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
_CLIENT = (
    Organization.id,
    Organization.provider_id,
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
    Organization.hidden_since,
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


def _of(scope: Scope, *columns: Any) -> Select[Any]:
    found = (
        select(*columns)
        .select_from(Organization)
        .where(Organization.provider_id == scope.provider_id)
    )
    return found.where(*within(scope, Organization.id))


def _provider(provider_id: uuid.UUID, *columns: Any) -> Select[Any]:
    return select(*columns).where(Provider.id == provider_id)


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


def client(session: Session, scope: Scope, organization_id: uuid.UUID) -> Any:
    """A client with its subscription, in one row; None for whatever is outside of the scope."""
    found = clients(session, scope, [organization_id])
    return found[0] if found else None


def clients(
    session: Session, scope: Scope, ids: Collection[uuid.UUID], *, lock: bool = False
) -> Sequence[Any]:
    """The same of several, by id; those outside of the scope are left out.

    With `lock` nobody else changes them before the commit.
    """
    found = (
        _of(scope, *_CLIENT)
        .join(Subscription, Subscription.organization_id == Organization.id)
        .where(Organization.id.in_(ids))
        .order_by(Organization.id)
    )
    return session.execute(found.with_for_update(of=Organization) if lock else found).all()
