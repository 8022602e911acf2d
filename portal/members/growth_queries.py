"""What the growth of an organization's seats depends on: every statement is bound to its id."""

import uuid
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.models import Organization, Provider, SeatGrowth, SeatRules, Subscription


def standing(session: Session, organization_id: uuid.UUID) -> Any:
    """Seats, status, provider with its bounds, and what was used of them; in one statement.

    All of the provider's are None where no provider has it. Raises NoResultFound for an unknown
    id.
    """
    found = (
        select(
            Organization.provider_id,
            Organization.status,
            Organization.seats,
            Organization.seats_used,
            Organization.seats_grow,
            Organization.seat_limit,
            Subscription.currency,
            Provider.time_zone,
            SeatRules.monthly_ceiling,
            SeatRules.daily_number,
            SeatRules.month,
            SeatRules.grown.label("grown_in_month"),
            SeatGrowth.day,
            SeatGrowth.grown.label("grown_in_day"),
        )
        .outerjoin(Subscription, Subscription.organization_id == Organization.id)
        .outerjoin(Provider, Provider.id == Organization.provider_id)
        .outerjoin(SeatRules, SeatRules.provider_id == Organization.provider_id)
        .outerjoin(SeatGrowth, SeatGrowth.organization_id == Organization.id)
        .where(Organization.id == organization_id)
    )
    return session.execute(found).one()
