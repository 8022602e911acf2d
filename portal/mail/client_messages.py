"""What mails say of a client: to its owners, to its provider's admins, to who gets its invoices."""

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from portal.domain.emails import shown
from portal.domain.money import Money
from portal.domain.plans import Cadence
from portal.domain.pricing import TaxLine, Terms
from portal.domain.states import ClientStatus
from portal.domain.subscription_changes import rated
from portal.mail import queries
from portal.mail.shapes import Letter, Office, Outdated, Payload


def client_created(session: Session, _office: Office, payload: Payload) -> Letter:
    """Sends the order to the billing e-mail: `organization`, `locale`."""
    found = queries.terms(session, uuid.UUID(payload["organization"]))
    if found is None or not found.provider or found.status is ClientStatus.DELETING:
        raise Outdated("The client is gone, or is to be deleted.")
    return Letter(
        name="client_created",
        to=found.billing_email,
        locale=payload["locale"],
        sender=found.provider,
        facts={
            "organization": found.organization,
            "provider": found.provider,
            "plan": found.plan.label,
            "seats": found.seats,
            "gigabytes": found.extra_storage_gb,
            "cadence": found.cadence.label,
            "yearly": found.cadence is Cadence.ANNUAL,
            "first": found.period_start,
            "last": found.period_end - dt.timedelta(days=1),
            "total": _total(found),
            "address": shown(found.billing_email),
        },
    )


def _total(found: Any) -> Money:
    """One period, with the discount and the tax that were agreed."""
    tax = None
    if found.tax_basis_points:
        tax = TaxLine(found.tax_label, Decimal(found.tax_basis_points) / 100)
    terms = Terms(Decimal(found.discount_basis_points) / 100, tax)
    return rated(Money(int(found.gross_cents or 0), found.currency), terms)[2]


def client_suspended(session: Session, _office: Office, payload: Payload) -> Letter:
    """Tells an owner that nobody gets in: `organization`, `provider`, `account`, `locale`."""
    found, to = _owned(session, payload, {ClientStatus.SUSPENDED})
    return _to_owner("client_suspended", to, payload, found)


def client_resumed(session: Session, office: Office, payload: Payload) -> Letter:
    """Tells an owner that the door is open: `organization`, `provider`, `account`, `locale`."""
    found, to = _owned(session, payload, {ClientStatus.ACTIVE})
    url = office.url_for("collections.index", organization_id=found.id)
    return _to_owner("client_resumed", to, payload, found, url=url)


def client_kept(session: Session, _office: Office, payload: Payload) -> Letter:
    """Tells an owner that nothing is deleted: `organization`, `provider`, `account`, `locale`."""
    found, to = _owned(session, payload, {ClientStatus.ACTIVE, ClientStatus.SUSPENDED})
    suspended = found.status is ClientStatus.SUSPENDED
    return _to_owner("client_kept", to, payload, found, suspended=suspended)


def client_linked(session: Session, office: Office, payload: Payload) -> Letter:
    """Tells an owner who manages it now: `organization`, `provider`, `account`, `by`, `locale`."""
    found, to = _owned(session, payload, set(ClientStatus))
    return _to_owner(
        "client_linked",
        to,
        payload,
        found,
        person=_name(session, payload),
        address=shown(found.billing_email),
        url=office.url_for("logbook.organization_events", organization_id=found.id),
    )


def _owned(session: Session, payload: Payload, states: set[ClientStatus]) -> tuple[Any, str]:
    """The client, which must stand in one of `states`, and the address of its owner."""
    organization_id = uuid.UUID(payload["organization"])
    found = queries.terms(session, organization_id)
    to = queries.owner_address(session, organization_id, uuid.UUID(payload["account"]))
    if found is None or to is None or not found.provider:
        raise Outdated("The client or its owner is gone.")
    if found.status not in states:
        raise Outdated("The client is in another state by now.")
    return found, to


def _to_owner(name: str, to: str, payload: Payload, found: Any, **facts: Any) -> Letter:
    return Letter(
        name=name,
        to=to,
        locale=payload["locale"],
        sender=found.provider,
        facts={"organization": found.organization, "provider": found.provider, **facts},
    )


def client_linked_team(session: Session, office: Office, payload: Payload) -> Letter:
    """Tells an admin of a new client: `organization`, `provider`, `account`, `by`, `locale`."""
    found, admin = _for_admin(session, payload)
    if found.provider_id != admin.provider_id:
        raise Outdated("The organization is not a client any more.")
    return _to_admin("client_linked_team", session, payload, found, admin, _manage(office, found))


def client_unlinked_team(session: Session, office: Office, payload: Payload) -> Letter:
    """Tells an admin that a client is gone: `organization`, `provider`, `account`, `by`."""
    found, admin = _for_admin(session, payload)
    url = office.url_for("clients.index", provider_id=admin.provider_id)
    return _to_admin("client_unlinked_team", session, payload, found, admin, url)


def client_deletion_team(session: Session, office: Office, payload: Payload) -> Letter:
    """Tells an admin until when it can be kept: `organization`, `provider`, `account`, `by`."""
    found, admin = _for_admin(session, payload)
    if found.delete_at is None or found.provider_id != admin.provider_id:
        raise Outdated("The client is kept.")
    return _to_admin("client_deletion_team", session, payload, found, admin, _manage(office, found))


def _for_admin(session: Session, payload: Payload) -> tuple[Any, Any]:
    """The organization, and the admin that is told."""
    provider_id, account_id = uuid.UUID(payload["provider"]), uuid.UUID(payload["account"])
    found = queries.terms(session, uuid.UUID(payload["organization"]))
    admin = queries.provider_admin(session, provider_id, account_id)
    if found is None or admin is None:
        raise Outdated("The organization or the provider admin is gone.")
    return found, admin


def _to_admin(
    name: str, session: Session, payload: Payload, found: Any, admin: Any, url: str
) -> Letter:
    return Letter(
        name=name,
        to=admin.email,
        locale=payload["locale"],
        sender=admin.provider,
        facts={
            "organization": found.organization,
            "provider": admin.provider,
            "person": _name(session, payload),
            "url": url,
        },
        until=found.delete_at,
        time_zone=admin.provider_time_zone,
    )


def _manage(office: Office, found: Any) -> str:
    return office.url_for("clients.manage", provider_id=found.provider_id, organization_id=found.id)


def _name(session: Session, payload: Payload) -> str:
    return queries.name_of(session, uuid.UUID(payload["by"])) or ""
