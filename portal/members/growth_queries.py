"""What the growth of an organization's seats depends on: every statement is bound to its id."""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from portal.models import (
    Account,
    Organization,
    Provider,
    SeatGrowth,
    SeatRequest,
    SeatRules,
    Subscription,
)


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


def has_request(session: Session, organization_id: uuid.UUID, request_id: uuid.UUID) -> bool:
    """Whether the organization has ever asked so, whatever came of it."""
    found = select(SeatRequest.id).where(
        SeatRequest.organization_id == organization_id, SeatRequest.id == request_id
    )
    return session.execute(found).first() is not None


def requests(session: Session, organization_id: uuid.UUID, limit: int = 10) -> Sequence[Any]:
    """The newest requests for seats, the one that waits first; with the names of who asked."""
    asker, answerer = aliased(Account), aliased(Account)
    found = (
        select(
            SeatRequest.id,
            SeatRequest.state,
            SeatRequest.seats,
            SeatRequest.note,
            SeatRequest.answer,
            SeatRequest.asked_at,
            SeatRequest.answered_at,
            asker.name.label("asker"),
            answerer.name.label("answerer"),
        )
        .outerjoin(asker, asker.id == SeatRequest.asked_by)
        .outerjoin(answerer, answerer.id == SeatRequest.answered_by)
        .where(SeatRequest.organization_id == organization_id)
        .order_by(SeatRequest.answered_at.is_not(None), SeatRequest.id.desc())
    )
    return session.execute(found.limit(limit)).all()
