"""Reads about changes of subscriptions. Each starts from `_of(provider_id)`."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from portal.models import Organization, SubscriptionChange


def _of(provider_id: uuid.UUID, organization_id: uuid.UUID, *columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(Organization)
        .join(SubscriptionChange, SubscriptionChange.organization_id == Organization.id)
        .where(Organization.provider_id == provider_id, Organization.id == organization_id)
    )


def pending_cents(
    session: Session, provider_id: uuid.UUID, organization_id: uuid.UUID, invoice_on: dt.date
) -> int:
    """What changes of the subscription have left for the invoice of that day."""
    left = _of(provider_id, organization_id, func.sum(SubscriptionChange.adjustment_cents))
    found = session.scalar(left.where(SubscriptionChange.invoice_on == invoice_on))
    return int(found or 0)


def changes(session: Session, provider_id: uuid.UUID, organization_id: uuid.UUID) -> Sequence[Any]:
    """The newest ten changes of a client's subscription, the newest first."""
    found = _of(
        provider_id,
        organization_id,
        SubscriptionChange.changed_on,
        SubscriptionChange.invoice_on,
        SubscriptionChange.adjustment_cents,
        SubscriptionChange.currency,
        SubscriptionChange.before,
        SubscriptionChange.after,
    )
    return session.execute(found.order_by(SubscriptionChange.id.desc()).limit(10)).all()
