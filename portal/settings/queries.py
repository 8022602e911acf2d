"""Reads about a provider's settings: every statement is bound to it."""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from portal.domain.states import ProviderPersonState
from portal.models import Account, Provider, ProviderLogo, ProviderPerson, SeatRules


def _of(provider_id: uuid.UUID, *columns: InstrumentedAttribute[Any]) -> Select[Any]:
    """Columns of one table, the first one's: the provider itself, or what belongs to it."""
    table = columns[0].class_
    tenant = table.id if table is Provider else table.provider_id
    return select(*columns).where(tenant == provider_id)


def settings(session: Session, provider_id: uuid.UUID) -> Row[Any]:
    """Everything that the pages show and change."""
    found = _of(
        provider_id,
        Provider.id,
        Provider.name,
        Provider.locale,
        Provider.time_zone,
        Provider.net_days,
        Provider.billing_email,
        Provider.billing_name,
        Provider.address_line1,
        Provider.address_line2,
        Provider.postal_code,
        Provider.city,
        Provider.country,
        Provider.vat_number,
        Provider.discount_basis_points,
        Provider.tax_label,
        Provider.tax_basis_points,
        Provider.events_kept_months,
        Provider.second_factor_required,
        Provider.clients_count,
        Provider.accent,
        Provider.logo_id,
    )
    return session.execute(found).one()


def seat_rules(session: Session, provider_id: uuid.UUID) -> tuple[str, Row[Any] | None]:
    """The provider's time zone, and its bounds of growth with what is used; None without a row."""
    rules = _of(
        provider_id,
        SeatRules.monthly_ceiling,
        SeatRules.daily_number,
        SeatRules.month,
        SeatRules.grown,
    )
    zone = session.scalars(_of(provider_id, Provider.time_zone)).one()
    return zone, session.execute(rules).one_or_none()


def without_second_factor(session: Session, provider_id: uuid.UUID) -> Sequence[Row[Any]]:
    """Name, address and role of the people who can sign in but have no second factor."""
    found = (
        _of(
            provider_id,
            ProviderPerson.id,
            ProviderPerson.account_id,
            ProviderPerson.role,
            Account.name,
            Account.email,
        )
        .join(Account, Account.id == ProviderPerson.account_id)
        .where(
            ProviderPerson.state.in_([ProviderPersonState.ACCEPTED, ProviderPersonState.CONFIRMED]),
            Account.totp_secret.is_(None),
        )
        .order_by(Account.name, ProviderPerson.id)
    )
    return session.execute(found).all()


def logo(session: Session, provider_id: uuid.UUID, logo_id: uuid.UUID) -> Row[Any] | None:
    """One of the provider's own pictures: what it is, and its bytes."""
    found = _of(provider_id, ProviderLogo.media_type, ProviderLogo.content)
    return session.execute(found.where(ProviderLogo.id == logo_id)).one_or_none()


def accent(session: Session, provider_id: uuid.UUID) -> str:
    """The provider's colour; empty without one, and for nobody's id."""
    return session.scalar(_of(provider_id, Provider.accent)) or ""


def people_count(session: Session, provider_id: uuid.UUID) -> int:
    """How many have a place, in whatever state."""
    found = _of(provider_id, ProviderPerson.id).with_only_columns(func.count())
    return session.scalar(found) or 0
