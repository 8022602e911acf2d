"""Reads about an organization's domains: every statement is bound to it."""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from portal.domain.access import Role
from portal.domain.policies import PolicyKind
from portal.domain.states import MemberState
from portal.models import Account, ClaimedDomain, Member, OrganizationSettings, Policy

_COLUMNS: tuple[Any, ...] = (
    ClaimedDomain.organization_id,
    ClaimedDomain.id,
    ClaimedDomain.domain,
    ClaimedDomain.token,
    ClaimedDomain.created_at,
    ClaimedDomain.verified_at,
    ClaimedDomain.checked_at,
    ClaimedDomain.answer,
    ClaimedDomain.checks,
    ClaimedDomain.asked_at,
    ClaimedDomain.next_check_at,
    ClaimedDomain.ends_at,
)


def _of(organization_id: uuid.UUID, *columns: Any) -> Select[Any]:
    """Columns of one table, the first one's, of one organization."""
    return select(*columns).where(columns[0].class_.organization_id == organization_id)


def domains(session: Session, organization_id: uuid.UUID) -> Sequence[Row[Any]]:
    """All of them (`domain.claimed_domains.DOMAINS` at most), by name."""
    found = _of(organization_id, *_COLUMNS).order_by(ClaimedDomain.domain)
    return session.execute(found).all()


def domain(
    session: Session, organization_id: uuid.UUID, domain_id: uuid.UUID, *, lock: bool = False
) -> Row[Any] | None:
    """One of them; None for nobody's, and for another organization's."""
    found = _of(organization_id, *_COLUMNS).where(ClaimedDomain.id == domain_id)
    return session.execute(found.with_for_update() if lock else found).one_or_none()


def number_of(session: Session, organization_id: uuid.UUID) -> int:
    """How many there are."""
    found = _of(organization_id, ClaimedDomain.id).with_only_columns(func.count())
    return session.scalar(found) or 0


def depending(session: Session, organization_id: uuid.UUID) -> tuple[bool, bool]:
    """(members are confirmed automatically, accounts from elsewhere are blocked)."""
    confirms = _of(organization_id, OrganizationSettings.confirms_automatically)
    blocks = _of(organization_id, Policy.is_on).where(
        Policy.kind == PolicyKind.BLOCK_ACCOUNT_CREATION
    )
    return bool(session.scalar(confirms)), bool(session.scalar(blocks))


def single_is_on(session: Session, organization_id: uuid.UUID) -> bool:
    """Whether the policy Single organization is on."""
    found = _of(organization_id, Policy.is_on).where(
        Policy.kind == PolicyKind.SINGLE_ORGANIZATION, Policy.is_on
    )
    return session.execute(found).first() is not None


def managers(session: Session, organization_id: uuid.UUID) -> Sequence[Row[Any]]:
    """(account_id, locale) of the confirmed owners and admins, whom mails about domains go to."""
    found = (
        _of(organization_id, Member.account_id)
        .add_columns(Account.locale)
        .join(Account, Account.id == Member.account_id)
        .where(
            Member.state == MemberState.CONFIRMED,
            Member.role.in_((Role.OWNER, Role.ADMIN)),
        )
        .order_by(Account.email)
    )
    return session.execute(found).all()
