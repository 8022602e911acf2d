"""Reads about a provider: every statement is bound to it."""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from portal.domain.access import Role
from portal.domain.states import ProviderPersonState
from portal.models import Account, Provider, ProviderPerson


def _of(provider_id: uuid.UUID, *columns: InstrumentedAttribute[Any]) -> Select[Any]:
    """Columns of one table, the first one's: the provider itself, or its people."""
    table = columns[0].class_
    tenant = table.id if table is Provider else table.provider_id
    return select(*columns).where(tenant == provider_id)


def people(session: Session, provider_id: uuid.UUID) -> Sequence[Row[Any]]:
    """Everybody who has a place, the longest here first; `name` is None while invited."""
    found = (
        _of(
            provider_id,
            ProviderPerson.id,
            ProviderPerson.email,
            ProviderPerson.role,
            ProviderPerson.state,
        )
        .add_columns(
            Account.name,
            Account.totp_secret.is_not(None).label("has_second_factor"),
            ProviderPerson.wrapped_provider_key.is_not(None).label("holds_key"),
        )
        .outerjoin(Account, Account.id == ProviderPerson.account_id)
        .order_by(ProviderPerson.id)
    )
    return session.execute(found).all()


def keys(session: Session, provider_id: uuid.UUID) -> Row[Any]:
    """The provider's public key and its wrapped ones, and when a recovery sheet was printed."""
    found = _of(
        provider_id,
        Provider.name,
        Provider.public_key,
        Provider.protected_private_key,
        Provider.recovery_wrapped_key,
        Provider.recovery_saved_at,
    )
    return session.execute(found).one()


def key_holders(session: Session, provider_id: uuid.UUID) -> list[str]:
    """The names of the confirmed provider admins who hold the provider key."""
    found = (
        _of(provider_id, ProviderPerson.id)
        .add_columns(Account.name)
        .join(Account, Account.id == ProviderPerson.account_id)
        .where(
            ProviderPerson.role == Role.PROVIDER_ADMIN,
            ProviderPerson.state == ProviderPersonState.CONFIRMED,
            ProviderPerson.wrapped_provider_key.is_not(None),
        )
        .order_by(Account.name)
    )
    return [row.name for row in session.execute(found)]
