"""What mails need to know, found by the ids in their outbox row."""

import uuid
from typing import Any

from sqlalchemy import Row, Select, and_, func, select
from sqlalchemy.orm import Session, aliased

from portal.domain.access import Role
from portal.domain.states import MemberState, ProviderPersonState
from portal.models import (
    Account,
    AddressChange,
    EntryWatcher,
    LinkRequest,
    Member,
    Organization,
    Provider,
    ProviderPerson,
    RecoveryRequest,
    SeatRequest,
    SignInCode,
    Subscription,
    SubscriptionChange,
    SubscriptionLine,
)


def _of(tenant: Any, tenant_id: uuid.UUID | None, *columns: Any) -> Select[Any]:
    return select(*columns).where(tenant == tenant_id)


def sign_in_code(session: Session, challenge_id: uuid.UUID) -> Row[Any] | None:
    """The challenge, and where its reader lives; None where its account is gone."""
    found = _of(
        SignInCode.id,
        challenge_id,
        SignInCode.email,
        SignInCode.expires_at,
        SignInCode.used_at,
        Account.time_zone,
    ).join(Account, Account.id == SignInCode.account_id)
    return session.execute(found).one_or_none()


def member(session: Session, organization_id: uuid.UUID, member_id: uuid.UUID) -> Row[Any] | None:
    """A member, the organization, the provider if it has one, and the reader's own zone."""
    found = (
        _of(
            Member.organization_id,
            organization_id,
            Member.email,
            Member.role,
            Member.state,
            Member.invitation_version,
            Member.invitation_expires_at,
            Organization.name.label("organization"),
            Organization.status,
            Provider.name.label("provider"),
            Provider.time_zone.label("provider_time_zone"),
            Account.time_zone,
        )
        .join(Organization, Organization.id == Member.organization_id)
        .outerjoin(Provider, Provider.id == Organization.provider_id)
        .outerjoin(Account, Account.email == Member.email)
        .where(Member.id == member_id)
    )
    return session.execute(found).one_or_none()


def recovery(
    session: Session, organization_id: uuid.UUID, recovery_id: uuid.UUID
) -> Row[Any] | None:
    """A recovery of an account, whose it is, and the reader's own zone."""
    found = (
        _of(
            RecoveryRequest.organization_id,
            organization_id,
            RecoveryRequest.organization_id,
            RecoveryRequest.id,
            RecoveryRequest.state,
            RecoveryRequest.reason,
            RecoveryRequest.told_at,
            RecoveryRequest.asked_by_name,
            RecoveryRequest.approved_by_name,
            Member.email,
            Organization.name.label("organization"),
            Provider.name.label("provider"),
            Provider.time_zone.label("provider_time_zone"),
            Account.time_zone,
        )
        .join(
            Member,
            and_(
                Member.organization_id == RecoveryRequest.organization_id,
                Member.id == RecoveryRequest.member_id,
            ),
        )
        .join(Organization, Organization.id == RecoveryRequest.organization_id)
        .outerjoin(Provider, Provider.id == Organization.provider_id)
        .outerjoin(Account, Account.id == Member.account_id)
        .where(RecoveryRequest.id == recovery_id)
    )
    return session.execute(found).one_or_none()


def organization(session: Session, organization_id: uuid.UUID) -> Row[Any] | None:
    """(organization, provider): what it is called, and its provider if it has one."""
    found = _of(
        Organization.id,
        organization_id,
        Organization.name.label("organization"),
        Provider.name.label("provider"),
    ).outerjoin(Provider, Provider.id == Organization.provider_id)
    return session.execute(found).one_or_none()


def owner_address(
    session: Session, organization_id: uuid.UUID, account_id: uuid.UUID
) -> str | None:
    """Where mail to a confirmed owner goes; None for whoever is none."""
    found = (
        _of(Member.organization_id, organization_id, Account.email)
        .select_from(Member)
        .join(Account, Account.id == Member.account_id)
        .where(
            Member.account_id == account_id,
            Member.role == Role.OWNER,
            Member.state == MemberState.CONFIRMED,
        )
    )
    email: str | None = session.scalar(found)
    return email


def provider_admin(
    session: Session, provider_id: uuid.UUID, account_id: uuid.UUID
) -> Row[Any] | None:
    """Mail to a confirmed provider admin and what it tells of the provider; None for others."""
    found = (
        _of(
            ProviderPerson.provider_id,
            provider_id,
            ProviderPerson.provider_id,
            Account.email,
            Provider.name.label("provider"),
            Provider.time_zone.label("provider_time_zone"),
        )
        .join(Provider, Provider.id == ProviderPerson.provider_id)
        .join(Account, Account.id == ProviderPerson.account_id)
        .where(
            ProviderPerson.account_id == account_id,
            ProviderPerson.role == Role.PROVIDER_ADMIN,
            ProviderPerson.state == ProviderPersonState.CONFIRMED,
        )
    )
    return session.execute(found).one_or_none()


def name_of(session: Session, account_id: uuid.UUID) -> str | None:
    """What the person of an account is called."""
    name: str | None = session.scalar(_of(Account.id, account_id, Account.name))
    return name


def address_of(session: Session, account_id: uuid.UUID) -> str | None:
    """Where mail to an account goes."""
    email: str | None = session.scalar(_of(Account.id, account_id, Account.email))
    return email


def link_request(
    session: Session, provider_id: uuid.UUID, request_id: uuid.UUID
) -> Row[Any] | None:
    """A provider's question to an owner; `owns` says whether the addressee can answer yes."""
    owns = (
        select(Member.id)
        .join(Organization, Organization.id == Member.organization_id)
        .where(
            Member.account_id == Account.id,
            Member.role == Role.OWNER,
            Member.state == MemberState.CONFIRMED,
            Organization.provider_id.is_(None),
        )
        .exists()
    )
    found = (
        _of(
            LinkRequest.provider_id,
            provider_id,
            LinkRequest.email,
            LinkRequest.asked_by,
            LinkRequest.answer,
            LinkRequest.expires_at,
            Provider.name.label("provider"),
            Account.time_zone,
            owns.label("owns"),
        )
        .join(Provider, Provider.id == LinkRequest.provider_id)
        .join(Account, Account.email == LinkRequest.email)
        .where(LinkRequest.id == request_id)
    )
    return session.execute(found).one_or_none()


def terms(session: Session, organization_id: uuid.UUID) -> Row[Any] | None:
    """What an organization has ordered, its provider if it has one, and when it is deleted.

    `gross_cents` is the sum of the lines for one period, before discount and tax.
    """
    line_cents = SubscriptionLine.unit_cents * SubscriptionLine.quantity * SubscriptionLine.months
    lines = _of(SubscriptionLine.organization_id, organization_id, func.sum(line_cents))
    found = (
        _of(
            Organization.id,
            organization_id,
            Organization.id,
            Organization.provider_id,
            Organization.name.label("organization"),
            Organization.plan,
            Organization.seats,
            Organization.billing_email,
            Organization.extra_storage_gb,
            Organization.status,
            Organization.delete_at,
            Subscription.cadence,
            Subscription.currency,
            Subscription.discount_basis_points,
            Subscription.tax_label,
            Subscription.tax_basis_points,
            Subscription.period_start,
            Subscription.period_end,
            lines.scalar_subquery().label("gross_cents"),
            Provider.name.label("provider"),
            Provider.time_zone.label("provider_time_zone"),
        )
        .join(Subscription, Subscription.organization_id == Organization.id)
        .outerjoin(Provider, Provider.id == Organization.provider_id)
    )
    return session.execute(found).one_or_none()


def subscription_change(
    session: Session, organization_id: uuid.UUID, change_id: uuid.UUID
) -> Row[Any] | None:
    """What changed (`before`, `after`), its price until `period_end`, organization and provider."""
    found = (
        _of(
            SubscriptionChange.organization_id,
            organization_id,
            SubscriptionChange.before,
            SubscriptionChange.after,
            SubscriptionChange.adjustment_cents,
            SubscriptionChange.currency,
            SubscriptionChange.period_end,
            Organization.name.label("organization"),
            Provider.name.label("provider"),
        )
        .join(Organization, Organization.id == SubscriptionChange.organization_id)
        .outerjoin(Provider, Provider.id == Organization.provider_id)
        .where(SubscriptionChange.id == change_id)
    )
    return session.execute(found).one_or_none()


def seat_request(
    session: Session, organization_id: uuid.UUID, request_id: uuid.UUID
) -> Row[Any] | None:
    """Who asks for how many seats, what came of it, and the provider that is asked."""
    found = (
        _of(
            SeatRequest.organization_id,
            organization_id,
            SeatRequest.organization_id,
            SeatRequest.seats,
            SeatRequest.state,
            SeatRequest.note,
            SeatRequest.answer,
            Organization.name.label("organization"),
            Organization.provider_id,
            Provider.name.label("provider"),
            Account.name.label("person"),
        )
        .join(Organization, Organization.id == SeatRequest.organization_id)
        .outerjoin(Provider, Provider.id == Organization.provider_id)
        .outerjoin(Account, Account.id == SeatRequest.asked_by)
        .where(SeatRequest.id == request_id)
    )
    return session.execute(found).one_or_none()


def provider_person(
    session: Session, provider_id: uuid.UUID, person_id: uuid.UUID
) -> Row[Any] | None:
    """A provider's person, the provider, and the reader's own zone."""
    found = (
        _of(
            ProviderPerson.provider_id,
            provider_id,
            ProviderPerson.email,
            ProviderPerson.role,
            ProviderPerson.state,
            ProviderPerson.invitation_version,
            ProviderPerson.invitation_expires_at,
            Provider.name.label("provider"),
            Provider.time_zone.label("provider_time_zone"),
            Account.time_zone,
        )
        .join(Provider, Provider.id == ProviderPerson.provider_id)
        .outerjoin(Account, Account.email == ProviderPerson.email)
        .where(ProviderPerson.id == person_id)
    )
    return session.execute(found).one_or_none()


def provider_name(session: Session, provider_id: uuid.UUID) -> str | None:
    """What a provider is called."""
    name: str | None = session.scalar(_of(Provider.id, provider_id, Provider.name))
    return name


def brand(
    session: Session, provider_id: uuid.UUID | None, organization_id: uuid.UUID | None
) -> Row[Any] | None:
    """A provider's name, colour and logo; of the organization's one where none is named."""
    columns = Provider.id, Provider.name, Provider.accent, Provider.logo_id
    if provider_id is not None:
        found = _of(Provider.id, provider_id, *columns)
    else:
        joined = Organization.provider_id == Provider.id
        found = _of(Organization.id, organization_id, *columns).join(Organization, joined)
    return session.execute(found).one_or_none()


def address_change(
    session: Session, account_id: uuid.UUID, change_id: uuid.UUID
) -> Row[Any] | None:
    """A change of address with both, and the reader's own zone."""
    found = (
        _of(
            AddressChange.account_id,
            account_id,
            AddressChange.old_email,
            AddressChange.new_email,
            AddressChange.expires_at,
            AddressChange.confirmed_at,
            AddressChange.cancelled_at,
            Account.time_zone,
        )
        .join(Account, Account.id == AddressChange.account_id)
        .where(AddressChange.id == change_id)
    )
    return session.execute(found).one_or_none()


def entry(
    session: Session,
    organization_id: uuid.UUID,
    watcher_id: uuid.UUID,
    technician_id: uuid.UUID,
) -> Row[Any] | None:
    """An owner who still wants to know who entered, and whom they are told of."""
    technician = aliased(Account)
    found = (
        _of(
            EntryWatcher.organization_id,
            organization_id,
            Account.email,
            Organization.name.label("organization"),
            Provider.name.label("provider"),
            technician.name.label("technician"),
        )
        .select_from(EntryWatcher)
        .join(Account, Account.id == EntryWatcher.account_id)
        .join(
            Member,
            and_(
                Member.organization_id == EntryWatcher.organization_id,
                Member.account_id == EntryWatcher.account_id,
                Member.role == Role.OWNER,
                Member.state == MemberState.CONFIRMED,
            ),
        )
        .join(Organization, Organization.id == EntryWatcher.organization_id)
        .outerjoin(Provider, Provider.id == Organization.provider_id)
        .join(technician, technician.id == technician_id)
        .where(EntryWatcher.account_id == watcher_id)
    )
    return session.execute(found).one_or_none()
