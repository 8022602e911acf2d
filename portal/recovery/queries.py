"""Reads about account recovery: every statement is bound to one organization."""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from portal.domain.account_recovery import OPEN, OPEN_FOR, Helper, Target, Times
from portal.domain.custom_roles import Custom
from portal.domain.plans import Feature, Plan
from portal.domain.policies import PolicyKind, read
from portal.domain.policy_data import AccountRecovery
from portal.domain.states import MemberState, ProviderPersonState
from portal.models import (
    Account,
    Member,
    Organization,
    Policy,
    ProviderPerson,
    RecoveryEnrolment,
    RecoveryRequest,
    RecoverySettings,
    utc_now,
)

Found = Row[Any]
# Who is revoked may be restored without another look at their key.
BELONGS = (MemberState.ACCEPTED, MemberState.CONFIRMED, MemberState.REVOKED)
PLANS = tuple(plan for plan in Plan if plan.has(Feature.ACCOUNT_RECOVERY))
# How many recoveries that are over a list shows; the event log has them all.
PAST = 50


def _of(organization_id: uuid.UUID, *columns: Any) -> Select[Any]:
    """Columns of one table, the first one's, of one organization."""
    table = columns[0].class_
    tenant = table.id if table is Organization else table.organization_id
    return select(*columns).where(tenant == organization_id)


def policy(session: Session, organization_id: uuid.UUID) -> AccountRecovery | None:
    """What the policy asks while it is on and the plan has it, else None."""
    found = (
        _of(organization_id, Policy.data)
        .join(Organization, Organization.id == Policy.organization_id)
        .where(
            Policy.kind == PolicyKind.ACCOUNT_RECOVERY, Policy.is_on, Organization.plan.in_(PLANS)
        )
    )
    row = session.execute(found).one_or_none()
    data = read(PolicyKind.ACCOUNT_RECOVERY, row.data) if row else None
    return data if isinstance(data, AccountRecovery) else None


def name(session: Session, organization_id: uuid.UUID) -> str | None:
    """What the organization is called."""
    found: str | None = session.scalar(_of(organization_id, Organization.name))
    return found


def public_key(session: Session, organization_id: uuid.UUID) -> str | None:
    """The organization's own public key; None while it has no keys."""
    found: str | None = session.scalar(_of(organization_id, Organization.public_key))
    return found


def provider_may(session: Session, organization_id: uuid.UUID) -> bool:
    """Whether an owner lets the provider's people recover plain users."""
    return bool(session.scalar(_of(organization_id, RecoverySettings.provider_may)))


def is_of_provider(account_id: Any) -> ColumnElement[bool]:
    """Whether an account has a place in the provider of the `Organization` that is asked about."""
    return (
        exists()
        .where(
            ProviderPerson.provider_id == Organization.provider_id,
            ProviderPerson.account_id == account_id,
        )
        .correlate(Organization, Member)
    )


def _belongs_elsewhere() -> ColumnElement[bool]:
    other = aliased(Member)
    return or_(
        exists().where(
            other.account_id == Member.account_id,
            other.organization_id != Member.organization_id,
            other.state.in_(BELONGS),
        ),
        exists().where(ProviderPerson.account_id == Member.account_id),
    )


_MEMBER = (
    Member.organization_id,
    Member.id,
    Member.account_id,
    Member.email,
    Member.role,
    Member.state,
    Member.permissions,
    Member.invitation_locale,
)


def _members(organization_id: uuid.UUID) -> Select[Any]:
    """Members with their account, their enrolment, and what the rules ask about them."""
    return (
        _of(organization_id, *_MEMBER)
        .add_columns(
            Account.name,
            Account.email.label("account_email"),
            Account.locale,
            Account.public_key,
            Account.protected_private_key,
            RecoveryEnrolment.wrapped_user_key,
            RecoveryEnrolment.enrolled_at,
            RecoveryEnrolment.account_public_key,
            RecoveryEnrolment.organization_public_key.label("enrolled_for"),
            Organization.name.label("organization_name"),
            Organization.public_key.label("organization_public_key"),
            Organization.protected_private_key.label("organization_private_key"),
            Organization.provider_id,
            is_of_provider(Member.account_id).label("is_of_provider"),
            _belongs_elsewhere().label("belongs_elsewhere"),
        )
        .join(Organization, Organization.id == Member.organization_id)
        .outerjoin(Account, Account.id == Member.account_id)
        .outerjoin(
            RecoveryEnrolment,
            and_(
                RecoveryEnrolment.organization_id == Member.organization_id,
                RecoveryEnrolment.member_id == Member.id,
            ),
        )
    )


def member(session: Session, organization_id: uuid.UUID, member_id: uuid.UUID) -> Row[Any] | None:
    """One member with all that recovery asks about them."""
    found = _members(organization_id).where(Member.id == member_id)
    return session.execute(found).one_or_none()


def member_of(
    session: Session, organization_id: uuid.UUID, account_id: uuid.UUID
) -> Row[Any] | None:
    """The same for an account's own place."""
    found = _members(organization_id).where(Member.account_id == account_id)
    return session.execute(found).one_or_none()


def helpers(session: Session, organization_id: uuid.UUID) -> Sequence[Row[Any]]:
    """Everybody who might act: the confirmed members whose role is not plain, by name."""
    found = (
        _members(organization_id)
        .where(Member.state == MemberState.CONFIRMED, Member.role != "user")
        .order_by(Account.name, Member.id)
    )
    return session.execute(found).all()


def is_current(row: Any) -> bool:
    """Whether an enrolment fits the keys of today: wrapped with others it opens nothing."""
    return bool(
        row.enrolled_at is not None
        and row.account_public_key == row.public_key
        and row.enrolled_for == row.organization_public_key
    )


def target_of(row: Any) -> Target:
    """A row of `member` as the rules see the one whom it is about."""
    return Target(
        account_id=row.account_id,
        role=row.role,
        state=row.state,
        parts=_parts(row),
        is_enrolled=is_current(row),
        belongs_elsewhere=bool(row.belongs_elsewhere),
    )


def helper_of(row: Any) -> Helper:
    """A row of `member` as the rules see somebody who acts."""
    return Helper(row.account_id, row.role, _parts(row), bool(row.is_of_provider))


def _parts(row: Any) -> frozenset[Custom]:
    return frozenset(Custom(part) for part in row.permissions)


def times_of(found: Any) -> Times:
    """When a row of `request` was asked for, and told."""
    return Times(found.asked_at, found.told_at)


def provider_person_stays(
    session: Session, organization_id: uuid.UUID, account_id: uuid.UUID
) -> bool:
    """Whether somebody is a confirmed person of the provider that the organization has."""
    found = (
        _of(organization_id, Organization.id)
        .join(ProviderPerson, ProviderPerson.provider_id == Organization.provider_id)
        .where(
            ProviderPerson.account_id == account_id,
            ProviderPerson.state == ProviderPersonState.CONFIRMED,
        )
    )
    return session.execute(found).first() is not None


_REQUEST = (
    RecoveryRequest.organization_id,
    RecoveryRequest.id,
    RecoveryRequest.member_id,
    RecoveryRequest.state,
    RecoveryRequest.reason,
    RecoveryRequest.asked_by,
    RecoveryRequest.asked_by_name,
    RecoveryRequest.by_provider,
    RecoveryRequest.asked_at,
    RecoveryRequest.told_at,
    RecoveryRequest.approved_by,
    RecoveryRequest.approved_by_name,
    RecoveryRequest.approved_at,
    RecoveryRequest.closed_at,
    RecoveryRequest.closed_by_name,
)


def _requests(organization_id: uuid.UUID) -> Select[Any]:
    """Recoveries with whom they are about."""
    return (
        _of(organization_id, *_REQUEST)
        .add_columns(Member.email, Account.name)
        .join(
            Member,
            and_(
                Member.organization_id == RecoveryRequest.organization_id,
                Member.id == RecoveryRequest.member_id,
            ),
        )
        .outerjoin(Account, Account.id == Member.account_id)
    )


def request(
    session: Session, organization_id: uuid.UUID, recovery_id: uuid.UUID
) -> Row[Any] | None:
    """One recovery."""
    found = _requests(organization_id).where(RecoveryRequest.id == recovery_id)
    return session.execute(found).one_or_none()


def open_request(
    session: Session, organization_id: uuid.UUID, member_id: uuid.UUID
) -> Row[Any] | None:
    """The one that is open for a member, perhaps past its time."""
    found = _requests(organization_id).where(
        RecoveryRequest.member_id == member_id, RecoveryRequest.state.in_(OPEN)
    )
    return session.execute(found).one_or_none()


def open_for(session: Session, account_id: uuid.UUID) -> Sequence[Any]:
    """What is open for a person's account, perhaps past its time, with the organization's name.

    Bound to the person, whose own account it is.
    """
    columns: tuple[Any, ...] = (*_REQUEST, Member.email, Account.name)
    found = (
        select(*columns, Organization.name.label("organization"))
        .join(
            Member,
            and_(
                Member.organization_id == RecoveryRequest.organization_id,
                Member.id == RecoveryRequest.member_id,
            ),
        )
        .join(Account, Account.id == Member.account_id)
        .join(Organization, Organization.id == Member.organization_id)
        .where(Member.account_id == account_id, RecoveryRequest.state.in_(OPEN))
        .order_by(RecoveryRequest.id)
    )
    return session.execute(found).all()


def requests(
    session: Session, organization_id: uuid.UUID
) -> tuple[Sequence[Row[Any]], Sequence[Row[Any]]]:
    """(those that are open, the newest of those that are over), the newest first."""
    found = _requests(organization_id).order_by(RecoveryRequest.id.desc())
    is_open = RecoveryRequest.state.in_(OPEN)
    running = session.execute(found.where(is_open)).all()
    return running, session.execute(found.where(~is_open).limit(PAST)).all()


def count_open(session: Session, organization_id: uuid.UUID) -> int:
    """How many are open and not past their time."""
    since = utc_now() - OPEN_FOR
    found = _of(organization_id, RecoveryRequest.id).where(
        RecoveryRequest.state.in_(OPEN),
        func.coalesce(RecoveryRequest.told_at, RecoveryRequest.asked_at) > since,
    )
    return int(session.scalar(select(func.count()).select_from(found.subquery())) or 0)


def owing(session: Session, account_id: uuid.UUID) -> uuid.UUID | None:
    """The first organization that enrols everybody and in which this person is not, if any.

    Bound to the person, whose own places they are.
    """
    found = (
        select(Member.organization_id, Policy.data)
        .join(Organization, Organization.id == Member.organization_id)
        .join(
            Policy,
            and_(
                Policy.organization_id == Member.organization_id,
                Policy.kind == PolicyKind.ACCOUNT_RECOVERY,
                Policy.is_on,
            ),
        )
        .join(Account, Account.id == Member.account_id)
        .where(
            Member.account_id == account_id,
            Member.state == MemberState.CONFIRMED,
            Organization.plan.in_(PLANS),
            Organization.public_key.is_not(None),
            Account.public_key.is_not(None),
            ~exists().where(
                RecoveryEnrolment.organization_id == Member.organization_id,
                RecoveryEnrolment.member_id == Member.id,
                RecoveryEnrolment.account_public_key == Account.public_key,
                RecoveryEnrolment.organization_public_key == Organization.public_key,
            ),
        )
        .order_by(Organization.name, Organization.id)
    )
    for row in session.execute(found):
        data = read(PolicyKind.ACCOUNT_RECOVERY, row.data)
        if isinstance(data, AccountRecovery) and data.enrols_all:
            return uuid.UUID(str(row.organization_id))
    return None
