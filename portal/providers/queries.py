"""Reads about a provider: every statement is bound to it."""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from portal.domain.access import Role
from portal.domain.states import ProviderPersonState
from portal.models import Account, Provider, ProviderPerson


def _of(provider_id: uuid.UUID, *columns: InstrumentedAttribute[Any]) -> Select[Any]:
    """Columns of one table, the first one's: the provider itself, or its people."""
    table = columns[0].class_
    tenant = table.id if table is Provider else table.provider_id
    return select(*columns).where(tenant == provider_id)


def _staff(provider_id: uuid.UUID) -> Select[Any]:
    return (
        _of(
            provider_id,
            ProviderPerson.provider_id,
            ProviderPerson.id,
            ProviderPerson.account_id,
            ProviderPerson.email,
            ProviderPerson.role,
            ProviderPerson.state,
            ProviderPerson.reach,
            ProviderPerson.level,
            ProviderPerson.access_ends_at,
            ProviderPerson.invitation_expires_at,
            ProviderPerson.created_at,
            ProviderPerson.accepted_at,
            ProviderPerson.confirmed_at,
        )
        .add_columns(
            Account.name,
            Account.public_key,
            Account.totp_secret.is_not(None).label("has_second_factor"),
            ProviderPerson.wrapped_provider_key.is_not(None).label("holds_key"),
            Provider.name.label("provider_name"),
            func.coalesce(Account.locale, Provider.locale).label("locale"),
        )
        .join(Provider, Provider.id == ProviderPerson.provider_id)
        .outerjoin(Account, Account.id == ProviderPerson.account_id)
        .order_by(ProviderPerson.id)
    )


def staff(
    session: Session, provider_id: uuid.UUID, ids: Sequence[uuid.UUID] | None = None
) -> Sequence[Row[Any]]:
    """Everybody who has a place, or those of `ids`, the longest here first.

    `name` and `public_key` are None while invited; `locale` is the one for mails.
    """
    found = _staff(provider_id)
    if ids is not None:
        found = found.where(ProviderPerson.id.in_(ids))
    return session.execute(found).all()


def person(session: Session, provider_id: uuid.UUID, person_id: uuid.UUID) -> Row[Any] | None:
    """One person as `staff` has them."""
    found = _staff(provider_id).where(ProviderPerson.id == person_id)
    return session.execute(found).one_or_none()


def person_of(session: Session, provider_id: uuid.UUID, account_id: uuid.UUID) -> Row[Any] | None:
    """The person with this account as `staff` has them."""
    found = _staff(provider_id).where(ProviderPerson.account_id == account_id)
    return session.execute(found).one_or_none()


def _admins(provider_id: uuid.UUID, *columns: InstrumentedAttribute[Any]) -> Select[Any]:
    return _of(provider_id, *columns).where(
        ProviderPerson.role == Role.PROVIDER_ADMIN,
        ProviderPerson.state == ProviderPersonState.CONFIRMED,
    )


def admins_to_tell(session: Session, provider_id: uuid.UUID) -> Sequence[Row[Any]]:
    """(account_id, locale) of the confirmed provider admins, the longest here first."""
    found = (
        _admins(provider_id, ProviderPerson.account_id)
        .add_columns(Account.locale)
        .join(Account, Account.id == ProviderPerson.account_id)
        .order_by(ProviderPerson.id)
    )
    return session.execute(found).all()


def count_admins(session: Session, provider_id: uuid.UUID) -> int:
    """How many confirmed provider admins there are."""
    return len(session.execute(_admins(provider_id, ProviderPerson.id)).all())


def is_confirmed_admin(session: Session, provider_id: uuid.UUID, account_id: uuid.UUID) -> bool:
    """Whether the account is one of them."""
    found = _admins(provider_id, ProviderPerson.id).where(ProviderPerson.account_id == account_id)
    return session.execute(found).first() is not None


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
        _admins(provider_id, ProviderPerson.id)
        .add_columns(Account.name)
        .join(Account, Account.id == ProviderPerson.account_id)
        .where(ProviderPerson.wrapped_provider_key.is_not(None))
        .order_by(Account.name)
    )
    return [row.name for row in session.execute(found)]
