"""Reads for linking: organizations without a provider, found through their owner."""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from portal.domain.access import Role
from portal.domain.states import ClientStatus, MemberState
from portal.models import LinkRequest, Member, Organization, Provider, Subscription


def _of(account_id: uuid.UUID, *columns: Any) -> Select[Any]:
    """Of the organizations that the account owns, confirmed, those that no provider has."""
    return (
        select(*columns)
        .select_from(Member)
        .join(Organization, Organization.id == Member.organization_id)
        .join(Subscription, Subscription.organization_id == Organization.id)
        .where(
            Member.account_id == account_id,
            Member.role == Role.OWNER,
            Member.state == MemberState.CONFIRMED,
            Organization.provider_id.is_(None),
            Organization.status == ClientStatus.ACTIVE,
            Organization.public_key.is_not(None),
        )
    )


_SHOWN = (
    Organization.id,
    Organization.name,
    Organization.plan,
    Organization.seats,
    Organization.seats_used,
    Organization.billing_email,
    Organization.version,
    Member.wrapped_organization_key,
    Subscription.cadence,
    Subscription.period_start,
    Subscription.period_end,
)


def own_organizations(session: Session, account_id: uuid.UUID) -> Sequence[Any]:
    """What the account could link, by name."""
    return session.execute(_of(account_id, *_SHOWN).order_by(Organization.name_ci)).all()


def own_organization(
    session: Session, account_id: uuid.UUID, organization_id: uuid.UUID
) -> Any | None:
    """One of them; None for any other."""
    found = _of(account_id, *_SHOWN).where(Organization.id == organization_id)
    return session.execute(found).one_or_none()


def provider(session: Session, provider_id: uuid.UUID) -> Any:
    """The provider as a confirmation shows it."""
    columns = (
        Provider.id,
        Provider.name,
        Provider.billing_email,
        Provider.public_key,
        Provider.discount_basis_points,
        Provider.time_zone,
    )
    return session.execute(select(*columns).where(Provider.id == provider_id)).one()


def request(session: Session, provider_id: uuid.UUID, request_id: uuid.UUID) -> Any | None:
    """A link request with its provider's name."""
    found = (
        select(
            LinkRequest.id,
            LinkRequest.provider_id,
            LinkRequest.email,
            LinkRequest.asked_by,
            LinkRequest.expires_at,
            LinkRequest.answer,
            Provider.name.label("provider"),
        )
        .join(Provider, Provider.id == LinkRequest.provider_id)
        .where(LinkRequest.provider_id == provider_id, LinkRequest.id == request_id)
    )
    return session.execute(found).one_or_none()


def open_requests(session: Session, provider_id: uuid.UUID) -> Sequence[Any]:
    """The provider's newest twenty requests, the newest first."""
    found = select(
        LinkRequest.email, LinkRequest.created_at, LinkRequest.expires_at, LinkRequest.answer
    ).where(LinkRequest.provider_id == provider_id)
    return session.execute(found.order_by(LinkRequest.created_at.desc()).limit(20)).all()


def asked_since(session: Session, provider_id: uuid.UUID, email: str, since: Any) -> int:
    """How often the provider has asked this address since then."""
    found = select(func.count()).where(
        LinkRequest.provider_id == provider_id,
        LinkRequest.email == email,
        LinkRequest.created_at >= since,
    )
    return int(session.scalar(found) or 0)
