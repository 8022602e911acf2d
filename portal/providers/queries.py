"""Reads about a provider: every statement is bound to it."""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from portal.domain.access import Role
from portal.domain.paging import Cursor, Page, page_of
from portal.domain.people_lists import PAGE_SIZE, SORT, PeopleList
from portal.domain.scope import Level, Reach
from portal.domain.searching import ESCAPE, contains, escape_like
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


def people_page(
    session: Session,
    provider_id: uuid.UUID,
    wanted: PeopleList,
    cursor: Cursor | None,
    size: int = PAGE_SIZE,
) -> Page[Row[Any]]:
    """One page of those who match, as `staff` has them."""
    found = _staff(provider_id).order_by(None)
    if wanted.words:
        found = found.where(_reads_like(wanted.words))
    if wanted.state is not None:
        found = found.where(ProviderPerson.state == wanted.state)
    if wanted.role is not None:
        found = found.where(ProviderPerson.role == wanted.role)
    backwards = cursor is not None and cursor.backwards
    if cursor is not None:
        here = ProviderPerson.id
        found = found.where(here < cursor.id if backwards else here > cursor.id)
    order = ProviderPerson.id.desc() if backwards else ProviderPerson.id.asc()
    return page_of(
        session.execute(found.order_by(order).limit(size + 1)).all(),
        size=size,
        sort=SORT,
        descending=False,
        cursor=cursor,
        place=lambda row: (0, row.id),
    )


def _reads_like(words: str) -> ColumnElement[bool]:
    """In any spelling of the letters that both databases fold, or exactly as it was typed."""
    return or_(
        ProviderPerson.email.like(contains(words), escape=ESCAPE),
        func.lower(Account.name).like(contains(words), escape=ESCAPE),
        Account.name.like(f"%{escape_like(words)}%", escape=ESCAPE),
    )


def count_waiting(session: Session, provider_id: uuid.UUID) -> int:
    """How many wait as `confirmation.waits_for_key` has it."""
    keyless = and_(
        ProviderPerson.state == ProviderPersonState.CONFIRMED,
        ProviderPerson.wrapped_provider_key.is_(None),
        ProviderPerson.reach == Reach.ALL,
        ProviderPerson.level == Level.MANAGE,
    )
    found = _of(provider_id, ProviderPerson.id).where(
        or_(ProviderPerson.state == ProviderPersonState.ACCEPTED, keyless)
    )
    return session.scalar(select(func.count()).select_from(found.subquery())) or 0


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
