"""Reads about one organization: every statement is bound to its id."""

import uuid
from typing import Any

from sqlalchemy import Select, func
from sqlalchemy import select as _select
from sqlalchemy.orm import InstrumentedAttribute, Session

from portal.domain.access import Actor, Role
from portal.domain.plans import Plan
from portal.domain.setup_steps import SetupFacts
from portal.domain.states import MemberState, ProviderPersonState
from portal.models import Account, Collection, Member, Organization, Provider, ProviderPerson
from portal.web.keyring import AccountKey, KeyRing, OrganizationKey, ProviderKeys


def _of(organization_id: uuid.UUID, *columns: InstrumentedAttribute[Any]) -> Select[Any]:
    """Columns of one table, the first one's, for one organization."""
    table = columns[0].class_
    tenant = table.id if table is Organization else table.organization_id
    return _select(*columns).where(tenant == organization_id)


def setup_facts(session: Session, organization_id: uuid.UUID) -> tuple[Plan, SetupFacts] | None:
    """The plan and what exists so far, in one statement; None for an unknown id."""
    confirmed = _of(organization_id, Member.id).where(Member.state == MemberState.CONFIRMED)
    row = session.execute(
        _of(organization_id, Organization.plan).add_columns(
            _count(_of(organization_id, Collection.id)), _count(confirmed)
        )
    ).one_or_none()
    if row is None:
        return None
    plan, collections, members = row
    return plan, SetupFacts(collections=collections, confirmed_members=members)


def _count(found: Select[Any]) -> Any:
    return found.with_only_columns(func.count()).scalar_subquery()


def key_ring(session: Session, actor: Actor, organization_id: uuid.UUID) -> KeyRing:
    """The wrapped keys by which this person's unlocked vault opens the organization."""
    if actor.via_provider:
        return _ring_of_provider(session, actor, organization_id)
    own = _of(organization_id, Member.wrapped_organization_key).where(
        Member.account_id == actor.account_id
    )
    row = session.execute(
        own.add_columns(Account.public_key).join(Account, Account.id == Member.account_id)
    ).one()
    return KeyRing(
        account=AccountKey(actor.account_id, row.public_key),
        organization=OrganizationKey(organization_id, row.wrapped_organization_key, "account"),
    )


def _ring_of_provider(session: Session, actor: Actor, organization_id: uuid.UUID) -> KeyRing:
    row = session.execute(
        _of(organization_id, Organization.provider_wrapped_key)
        .add_columns(
            Provider.id,
            Provider.public_key,
            Provider.protected_private_key,
            ProviderPerson.wrapped_provider_key,
            Account.public_key.label("account_public_key"),
        )
        .join(Provider, Provider.id == Organization.provider_id)
        .join(ProviderPerson, ProviderPerson.provider_id == Provider.id)
        .join(Account, Account.id == ProviderPerson.account_id)
        .where(Account.id == actor.account_id)
    ).one()
    return KeyRing(
        account=AccountKey(actor.account_id, row.account_public_key),
        provider=ProviderKeys(
            row.id, row.wrapped_provider_key, row.protected_private_key, row.public_key
        ),
        organization=OrganizationKey.from_provider(organization_id, row.provider_wrapped_key),
    )


def provider_admins(session: Session, organization_id: uuid.UUID) -> list[str]:
    """The names of those who can confirm a waiting owner, in order."""
    found = (
        _of(organization_id, Organization.id)
        .with_only_columns(Account.name)
        .join(ProviderPerson, ProviderPerson.provider_id == Organization.provider_id)
        .join(Account, Account.id == ProviderPerson.account_id)
        .where(
            ProviderPerson.state == ProviderPersonState.CONFIRMED,
            ProviderPerson.role == Role.PROVIDER_ADMIN,
        )
        .order_by(Account.name)
    )
    return list(session.scalars(found))
