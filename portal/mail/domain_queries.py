"""What the mails on domains need to know, by the ids in their outbox row."""

import uuid
from typing import Any

from sqlalchemy import Row, Select, exists, select
from sqlalchemy.orm import Session

from portal.domain.access import Role
from portal.domain.policies import PolicyKind
from portal.domain.states import MemberState
from portal.models import Account, ClaimedDomain, Member, Organization, Policy, Provider


def _of(tenant: Any, tenant_id: uuid.UUID, *columns: Any) -> Select[Any]:
    return select(*columns).where(tenant == tenant_id)


def domain(session: Session, organization_id: uuid.UUID, domain_id: uuid.UUID) -> Row[Any] | None:
    """A domain as it stands, and the names around it."""
    single = exists().where(
        Policy.organization_id == Organization.id,
        Policy.kind == PolicyKind.SINGLE_ORGANIZATION,
        Policy.is_on,
    )
    found = (
        _of(
            ClaimedDomain.organization_id,
            organization_id,
            ClaimedDomain.domain,
            ClaimedDomain.token,
            ClaimedDomain.verified_at,
            ClaimedDomain.answer,
            ClaimedDomain.checks,
            ClaimedDomain.ends_at,
            ClaimedDomain.next_check_at,
            Organization.name.label("organization"),
            Provider.name.label("provider"),
            Provider.time_zone,
            single.label("single_is_on"),
        )
        .join(Organization, Organization.id == ClaimedDomain.organization_id)
        .outerjoin(Provider, Provider.id == Organization.provider_id)
        .where(ClaimedDomain.id == domain_id)
    )
    return session.execute(found).one_or_none()


def manager(session: Session, organization_id: uuid.UUID, account_id: uuid.UUID) -> Row[Any] | None:
    """(email, time_zone) of a confirmed owner or admin; None for whoever is none."""
    found = (
        _of(Member.organization_id, organization_id, Account.email, Account.time_zone)
        .select_from(Member)
        .join(Account, Account.id == Member.account_id)
        .where(
            Member.account_id == account_id,
            Member.role.in_((Role.OWNER, Role.ADMIN)),
            Member.state == MemberState.CONFIRMED,
        )
    )
    return session.execute(found).one_or_none()
