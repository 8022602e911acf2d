"""Reads about an organization's members: every statement is bound to its tenant."""

import uuid
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, Select, func, or_, select
from sqlalchemy.orm import Session, aliased

from portal.domain.access import Role
from portal.domain.states import MemberState, ProviderPersonState
from portal.models import Account, Member, Organization, Provider, ProviderPerson

Found = Row[Any]


def _of(tenant_id: uuid.UUID, *columns: Any) -> Select[Any]:
    """Columns of one table, the first one's: members of an organization, people of a provider."""
    table = columns[0].class_
    tenant = table.provider_id if table is ProviderPerson else table.organization_id
    return select(*columns).where(tenant == tenant_id)


COLUMNS = (
    Member.organization_id,
    Member.id,
    Member.account_id,
    Member.email,
    Member.role,
    Member.state,
    Member.invitation_version,
    Member.invitation_locale,
    Member.invitation_expires_at,
    Member.created_at,
    Member.accepted_at,
    Member.confirmed_at,
    Member.permissions,
    Member.revoked_because,
    Member.revoked_at,
    Member.wrapped_organization_key.is_not(None).label("holds_key"),
)


def _with_accounts(organization_id: uuid.UUID) -> Select[Any]:
    return (
        _of(organization_id, *COLUMNS)
        .add_columns(Account.name, Account.public_key)
        .outerjoin(Account, Account.id == Member.account_id)
    )


def listed(session: Session, organization_id: uuid.UUID) -> Sequence[Row[Any]]:
    """All members, the oldest first, with the name and public key of who has an account."""
    found = _with_accounts(organization_id).order_by(Member.id)
    return session.execute(found).all()


def find(session: Session, organization_id: uuid.UUID, member_id: uuid.UUID) -> Row[Any] | None:
    """One member as `listed` has it, also `organization_name` and the billing e-mail."""
    found = _in_organization(organization_id).where(Member.id == member_id)
    return session.execute(found).one_or_none()


def waiting_users(
    session: Session,
    organization_id: uuid.UUID,
    domains: Collection[str],
    *,
    after: uuid.UUID | None,
    size: int,
) -> Sequence[Row[Any]]:
    """Plain users with keys who have accepted, at an address of `domains`, as `find` has them."""
    found = _in_organization(organization_id).where(
        Member.state == MemberState.ACCEPTED,
        Member.role == Role.USER,
        Account.public_key.is_not(None),
        or_(*(Member.email.endswith(f"@{each}", autoescape=True) for each in sorted(domains))),
    )
    if after is not None:
        found = found.where(Member.id > after)
    return session.execute(found.order_by(Member.id).limit(size)).all()


def find_own(
    session: Session, organization_id: uuid.UUID, account_id: uuid.UUID
) -> Row[Any] | None:
    """Somebody's own place, as `find` has it."""
    found = _in_organization(organization_id).where(Member.account_id == account_id)
    return session.execute(found).one_or_none()


def _in_organization(organization_id: uuid.UUID) -> Select[Any]:
    return (
        _with_accounts(organization_id)
        .add_columns(
            Organization.name.label("organization_name"),
            Organization.billing_email,
            Organization.provider_id,
        )
        .join(Organization, Organization.id == Member.organization_id)
    )


def find_invitation(
    session: Session, organization_id: uuid.UUID, member_id: uuid.UUID
) -> Row[Any] | None:
    """The row behind a mailed link, with what its page shows, in one statement."""
    addressee = aliased(Account)
    found = (
        _of(organization_id, *COLUMNS)
        .add_columns(
            Organization.name.label("organization_name"),
            Organization.status.label("organization_status"),
            Organization.public_key.is_not(None).label("has_keys"),
            Provider.id.label("provider_id"),
            Provider.name.label("provider_name"),
            Provider.public_key.label("provider_public_key"),
            addressee.id.label("addressee_id"),
        )
        .join(Organization, Organization.id == Member.organization_id)
        .outerjoin(Provider, Provider.id == Organization.provider_id)
        .outerjoin(addressee, addressee.email == Member.email)
        .where(Member.id == member_id)
    )
    return session.execute(found).one_or_none()


def provider_admins(session: Session, provider_id: uuid.UUID) -> Sequence[Row[Any]]:
    """`account_id` and `locale` of each confirmed admin: who can confirm, and gets the mail."""
    found = (
        _of(provider_id, ProviderPerson.account_id)
        .add_columns(func.coalesce(Account.locale, Provider.locale).label("locale"))
        .join(Account, Account.id == ProviderPerson.account_id)
        .join(Provider, Provider.id == ProviderPerson.provider_id)
        .where(
            ProviderPerson.role == Role.PROVIDER_ADMIN,
            ProviderPerson.state == ProviderPersonState.CONFIRMED,
        )
        .order_by(ProviderPerson.id)
    )
    return session.execute(found).all()


def provider_accounts(session: Session, provider_id: uuid.UUID) -> frozenset[uuid.UUID]:
    """The accounts of everybody who has a place in the provider: no owners of the client's own."""
    found = _of(provider_id, ProviderPerson.account_id).where(
        ProviderPerson.account_id.is_not(None)
    )
    return frozenset(session.scalars(found))


def confirmed_owners(session: Session, organization_id: uuid.UUID) -> Sequence[Row[Any]]:
    """(id, account_id) of the confirmed owners."""
    found = _of(organization_id, Member.id, Member.account_id).where(
        Member.role == Role.OWNER, Member.state == MemberState.CONFIRMED
    )
    return session.execute(found).all()
