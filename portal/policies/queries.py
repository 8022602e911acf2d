"""Reads about an organization's policies: every statement is bound to it."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, Select, and_, exists, select
from sqlalchemy.orm import Session, aliased

from portal.domain.policies import DATA, PolicyKind, Subject, read
from portal.domain.policy_data import Data
from portal.domain.policy_effects import Standing
from portal.domain.states import MemberState
from portal.models import Account, Member, Organization, Policy, ProviderPerson, RecoveryEnrolment

INSIDE = (MemberState.ACCEPTED, MemberState.CONFIRMED)


def _of(organization_id: uuid.UUID, *columns: Any) -> Select[Any]:
    """Columns of one table, the first one's, of one organization."""
    return select(*columns).where(columns[0].class_.organization_id == organization_id)


def _of_each(ids: Collection[uuid.UUID], *columns: Any) -> Select[Any]:
    """The same of several organizations."""
    return select(*columns).where(columns[0].class_.organization_id.in_(ids))


@dataclass(frozen=True)
class Stored:
    """A policy as it stands; one that nobody ever saved is off, with defaults, at version 0."""

    kind: PolicyKind
    is_on: bool = False
    data: Data | None = field(default=None)
    version: int = 0


def _stored(kind: PolicyKind, row: Any) -> Stored:
    if row is None:
        return Stored(kind, data=DATA[kind]() if kind in DATA else None)
    return Stored(kind, row.is_on, read(kind, row.data), row.version)


_COLUMNS = (Policy.organization_id, Policy.kind, Policy.is_on, Policy.data, Policy.version)


def stored(
    session: Session, organization_id: uuid.UUID, kinds: Sequence[PolicyKind]
) -> dict[PolicyKind, Stored]:
    """Each of `kinds` as it stands, in that order."""
    found = _of(organization_id, *_COLUMNS).where(Policy.kind.in_(kinds))
    rows = {row.kind: row for row in session.execute(found)}
    return {kind: _stored(kind, rows.get(kind)) for kind in kinds}


def elsewhere(organization_id: Any, account_id: Any) -> Any:
    """Whether an account is accepted or confirmed in another organization."""
    other = aliased(Member)
    return exists().where(
        other.account_id == account_id,
        other.organization_id != organization_id,
        other.state.in_(INSIDE),
    )


def of_provider(organization: Any, account_id: Any) -> Any:
    """Whether an account has a place in the provider that the organization has."""
    return exists().where(
        ProviderPerson.provider_id == organization.provider_id,
        ProviderPerson.account_id == account_id,
    )


def _is_enrolled() -> Any:
    return exists().where(
        RecoveryEnrolment.organization_id == Member.organization_id,
        RecoveryEnrolment.member_id == Member.id,
        RecoveryEnrolment.account_public_key == Account.public_key,
        RecoveryEnrolment.organization_public_key == Organization.public_key,
    )


def people(session: Session, organization_id: uuid.UUID) -> Sequence[Row[Any]]:
    """Every member with what policies ask about: one statement, however many there are."""
    return people_in(session, [organization_id])


def people_in(session: Session, ids: Collection[uuid.UUID]) -> Sequence[Row[Any]]:
    """The same of several organizations."""
    found = (
        _of_each(
            ids,
            Member.organization_id,
            Member.id,
            Member.account_id,
            Member.email,
            Member.role,
            Member.state,
            Member.permissions,
            Member.invitation_locale,
        )
        .add_columns(
            Organization.name.label("organization_name"),
            Organization.provider_id,
            Account.name,
            Account.locale,
            and_(Account.id.is_not(None), Account.totp_secret.is_not(None)).label(
                "has_second_factor"
            ),
            elsewhere(Member.organization_id, Member.account_id).label("belongs_elsewhere"),
            _is_enrolled().label("is_enrolled"),
            of_provider(Organization, Member.account_id).label("is_of_provider"),
        )
        .join(Organization, Organization.id == Member.organization_id)
        .outerjoin(Account, Account.id == Member.account_id)
    )
    return session.execute(found).all()


def standing_of(row: Any) -> Standing:
    """A row of `people` as the rules see it."""
    subject = Subject(row.role, row.state, bool(row.is_of_provider))
    return Standing(
        row.id,
        subject,
        bool(row.has_second_factor),
        bool(row.belongs_elsewhere),
        bool(row.is_enrolled),
    )


def accounts(session: Session, organization_id: uuid.UUID) -> None:
    """Lock the accounts of everybody inside, in one order: nobody joins elsewhere meanwhile."""
    inside = _of(organization_id, Member.account_id).where(Member.account_id.is_not(None))
    locked = select(Account.id).where(Account.id.in_(inside)).order_by(Account.id)
    session.execute(locked.with_for_update(key_share=True)).all()
