"""Reads about what one organization is billed. Each starts from `_of(organization_id)`."""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from portal.invoicing.queries import ADDRESS, PRICED, left_for_the_end
from portal.models import Organization, Provider, Subscription, SubscriptionChange, SubscriptionLine


def _of(organization_id: uuid.UUID, *columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(Organization)
        .join(Subscription, Subscription.organization_id == Organization.id)
        .where(Organization.id == organization_id)
    )


def subscription(session: Session, organization_id: uuid.UUID) -> Any:
    """`PRICED`, `waiting`, terms and address of the organization, and its provider's own.

    Columns of the provider begin with `provider_`; they are None without one.
    """
    left = (
        select(func.coalesce(func.sum(SubscriptionChange.adjustment_cents), 0))
        .where(left_for_the_end())
        .scalar_subquery()
    )
    columns = (
        *PRICED,
        Organization.delete_at,
        Organization.name,
        Organization.seats_used,
        Organization.seats_grow,
        Organization.seat_limit,
        Organization.billing_email,
        Subscription.net_days,
        Subscription.purchase_order,
        *(getattr(Subscription, name) for name in ADDRESS),
        left.label("waiting"),
        Provider.id.label("provider_id"),
        Provider.name.label("provider_name"),
        Provider.time_zone.label("provider_time_zone"),
        *(getattr(Provider, name).label(f"provider_{name}") for name in ADDRESS),
    )
    found = _of(organization_id, *columns).outerjoin(
        Provider, Provider.id == Organization.provider_id
    )
    return session.execute(found).one_or_none()


def lines(session: Session, organization_id: uuid.UUID) -> Sequence[Any]:
    """(kind, unit_cents, months) of the lines as they were ordered."""
    columns = (SubscriptionLine.kind, SubscriptionLine.unit_cents, SubscriptionLine.months)
    found = _of(organization_id, *columns).join(
        SubscriptionLine, SubscriptionLine.organization_id == Organization.id
    )
    return session.execute(found).all()
