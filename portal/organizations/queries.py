"""Reads about one organization: every statement is bound to its id."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, and_, func
from sqlalchemy import select as _select
from sqlalchemy.orm import InstrumentedAttribute, Session

from portal.domain.access import Role
from portal.domain.plans import Plan
from portal.domain.setup_steps import SetupFacts, StepKind
from portal.domain.states import MemberState, ProviderPersonState
from portal.models import (
    Account,
    ClientAccess,
    Collection,
    CollectionGroup,
    Member,
    Organization,
    OrganizationDeletion,
    OrganizationSettings,
    Policy,
    Provider,
    ProviderPerson,
    SkippedStep,
)


def _of(organization_id: uuid.UUID, *columns: InstrumentedAttribute[Any]) -> Select[Any]:
    """Columns of one table, the first one's, for one organization."""
    table = columns[0].class_
    tenant = table.id if table is Organization else table.organization_id
    return _select(*columns).where(tenant == organization_id)


def setup_facts(
    session: Session, organization_id: uuid.UUID
) -> tuple[Plan, SetupFacts, Mapping[StepKind, Row[Any]]] | None:
    """The plan, what exists so far, and what was skipped (`note`, `by_name`, `skipped_at`).

    Two statements; None for an unknown id.
    """
    confirmed = _of(organization_id, Member.id).where(Member.state == MemberState.CONFIRMED)
    row = session.execute(
        _of(organization_id, Organization.plan).add_columns(
            _count(_of(organization_id, Collection.id)),
            _count(confirmed),
            _count(_of(organization_id, CollectionGroup.group_id).distinct()),
            _count(_of(organization_id, Policy.organization_id).where(Policy.is_on)),
        )
    ).one_or_none()
    if row is None:
        return None
    plan, collections, members, groups, policies = row
    facts = SetupFacts(
        collections=collections,
        confirmed_members=members,
        groups_with_access=groups,
        policies_on=policies,
    )
    return plan, facts, skipped_steps(session, organization_id)


def hidden_since(session: Session, organization_id: uuid.UUID) -> dt.datetime | None:
    """Since when the provider's service users do not see it."""
    found: dt.datetime | None = session.scalar(_of(organization_id, Organization.hidden_since))
    return found


def chosen_locale(session: Session, organization_id: uuid.UUID | None) -> str:
    """The language that the organization has chosen for its invitations; empty where none."""
    if organization_id is None:
        return ""
    return session.scalar(_of(organization_id, OrganizationSettings.locale)) or ""


def skipped_steps(session: Session, organization_id: uuid.UUID) -> Mapping[StepKind, Row[Any]]:
    """What was skipped on purpose, why and by whom."""
    columns = (SkippedStep.step, SkippedStep.note, SkippedStep.by_name, SkippedStep.skipped_at)
    return {row.step: row for row in session.execute(_of(organization_id, *columns))}


def _count(found: Select[Any]) -> Any:
    return _select(func.count()).select_from(found.subquery()).scalar_subquery()


_KEY = (Organization.protected_private_key, Organization.key_rotation_due_since)


def keys_of_member(session: Session, organization_id: uuid.UUID, account_id: uuid.UUID) -> Row[Any]:
    """`wrapped_organization_key` of a member, and the public key it is wrapped for.

    `protected_private_key` stands for the key, and says which one it is.
    """
    own = _of(organization_id, Member.wrapped_organization_key)
    return session.execute(
        own.add_columns(Account.public_key, *_KEY)
        .join(Organization, Organization.id == Member.organization_id)
        .join(Account, Account.id == Member.account_id)
        .where(Member.account_id == account_id)
    ).one()


def keys_of_provider_person(
    session: Session, organization_id: uuid.UUID, account_id: uuid.UUID
) -> Row[Any]:
    """The organization key as the provider has it, and what opens it for one of its people.

    `own_key` is the one that was handed to a person whose scope is limited.
    """
    return session.execute(
        _of(organization_id, Organization.provider_wrapped_key)
        .add_columns(
            *_KEY,
            Provider.id.label("provider_id"),
            Provider.public_key.label("provider_public_key"),
            Provider.protected_private_key.label("protected_provider_key"),
            ProviderPerson.wrapped_provider_key,
            ProviderPerson.reach,
            ProviderPerson.level,
            ClientAccess.wrapped_key.label("own_key"),
            Account.public_key,
        )
        .join(Provider, Provider.id == Organization.provider_id)
        .join(ProviderPerson, ProviderPerson.provider_id == Provider.id)
        .join(Account, Account.id == ProviderPerson.account_id)
        .outerjoin(
            ClientAccess,
            and_(
                ClientAccess.provider_id == Provider.id,
                ClientAccess.person_id == ProviderPerson.id,
                ClientAccess.organization_id == Organization.id,
                ClientAccess.until_at.is_(None),
            ),
        )
        .where(Account.id == account_id)
    ).one()


def owners(session: Session, organization_id: uuid.UUID) -> Sequence[Row[Any]]:
    """The owners, as the rows of `organizations.people` want them."""
    found = (
        _of(
            organization_id,
            Member.organization_id,
            Member.id,
            Member.email,
            Member.role,
            Member.state,
            Member.invitation_expires_at,
            Member.created_at,
            Member.accepted_at,
            Member.confirmed_at,
        )
        .add_columns(Account.name)
        .outerjoin(Account, Account.id == Member.account_id)
        .where(Member.role == Role.OWNER)
        .order_by(Member.id)
    )
    return session.execute(found).all()


def closing(session: Session, organization_id: uuid.UUID) -> Row[Any]:
    """The name, whether and when it is deleted, and the provider's name (None without one).

    `by_owner` says that an owner has decided it, by a mailed link.
    """
    found = (
        _of(organization_id, Organization.name, Organization.delete_at)
        .add_columns(
            Provider.name.label("provider"),
            OrganizationDeletion.used_at.is_not(None).label("by_owner"),
            OrganizationDeletion.asked_by,
        )
        .outerjoin(Provider, Provider.id == Organization.provider_id)
        .outerjoin(OrganizationDeletion, OrganizationDeletion.organization_id == Organization.id)
    )
    return session.execute(found).one()


def confirmed_owners(session: Session, organization_id: uuid.UUID) -> Sequence[Row[Any]]:
    """(account_id, email, name, locale, is_of_provider) of the confirmed owners, by address."""
    found = (
        _of(organization_id, Member.account_id)
        .add_columns(
            Account.email,
            Account.name,
            Account.locale,
            ProviderPerson.id.is_not(None).label("is_of_provider"),
        )
        .join(Account, Account.id == Member.account_id)
        .join(Organization, Organization.id == Member.organization_id)
        .outerjoin(
            ProviderPerson,
            and_(
                ProviderPerson.provider_id == Organization.provider_id,
                ProviderPerson.account_id == Member.account_id,
            ),
        )
        .where(Member.role == Role.OWNER, Member.state == MemberState.CONFIRMED)
        .order_by(Account.email)
    )
    return session.execute(found).all()


def provider_admins(session: Session, organization_id: uuid.UUID) -> list[str]:
    """The names of those who can confirm a waiting owner, in order."""
    found = (
        _of(organization_id, Organization.id)
        .add_columns(Account.name)
        .join(ProviderPerson, ProviderPerson.provider_id == Organization.provider_id)
        .join(Account, Account.id == ProviderPerson.account_id)
        .where(
            ProviderPerson.state == ProviderPersonState.CONFIRMED,
            ProviderPerson.role == Role.PROVIDER_ADMIN,
        )
        .order_by(Account.name)
    )
    return [row.name for row in session.execute(found)]
