"""What mails say to people about their own account, and about their place in a provider."""

import uuid
from typing import Any

from sqlalchemy.orm import Session

from portal.crypto.tokens import Link, LinkSigner
from portal.domain.emails import shown
from portal.domain.states import ProviderPersonState
from portal.mail import queries
from portal.mail.shapes import Letter, Office, Outdated, Payload
from portal.models import utc_now


def provider_confirmed(session: Session, office: Office, payload: Payload) -> Letter:
    """Tells a provider's person that they are in: `provider`, `person`, `account`, `locale`."""
    provider_id, person_id = _person_ids(payload)
    found = queries.provider_person(session, provider_id, person_id)
    to = queries.address_of(session, uuid.UUID(payload["account"]))
    if found is None or to is None or found.state is not ProviderPersonState.CONFIRMED:
        raise Outdated("The person is not confirmed any more.")
    return _to_person(
        "provider_confirmed", to, payload, found.provider, _provider_url(office, provider_id)
    )


def provider_role_changed(session: Session, office: Office, payload: Payload) -> Letter:
    """Tells a provider's person their new role: `provider`, `person`, `account`, `locale`."""
    provider_id, person_id = _person_ids(payload)
    found = queries.provider_person(session, provider_id, person_id)
    to = queries.address_of(session, uuid.UUID(payload["account"]))
    if found is None or to is None:
        raise Outdated("The provider or the person is gone.")
    url = _provider_url(office, provider_id)
    return _to_person(
        "provider_role_changed", to, payload, found.provider, url, role=found.role.label
    )


def provider_suspended(session: Session, office: Office, payload: Payload) -> Letter:
    """Tells a provider's person that they are locked out: `provider`, `person`, `account`."""
    found, to = _person_in(session, payload, ProviderPersonState.SUSPENDED)
    url = office.url_for("accounts.home")
    return _to_person("provider_suspended", to, payload, found.provider, url)


def provider_resumed(session: Session, office: Office, payload: Payload) -> Letter:
    """Tells a provider's person that they are in again: `provider`, `person`, `account`."""
    found, to = _person_in(session, payload, ProviderPersonState.CONFIRMED)
    url = _provider_url(office, uuid.UUID(payload["provider"]))
    return _to_person("provider_resumed", to, payload, found.provider, url, role=found.role.label)


def _person_in(session: Session, payload: Payload, state: ProviderPersonState) -> tuple[Any, str]:
    """The person, who must stand in `state`, and their address."""
    found = queries.provider_person(session, *_person_ids(payload))
    to = queries.address_of(session, uuid.UUID(payload["account"]))
    if found is None or to is None or found.state is not state:
        raise Outdated("The person is gone, or stands elsewhere by now.")
    return found, to


def provider_removed(session: Session, office: Office, payload: Payload) -> Letter:
    """Tells somebody that they left a provider: `provider`, `account`, `locale`."""
    provider = queries.provider_name(session, uuid.UUID(payload["provider"]))
    to = queries.address_of(session, uuid.UUID(payload["account"]))
    if provider is None or to is None:
        raise Outdated("The provider or the account is gone.")
    return _to_person("provider_removed", to, payload, provider, office.url_for("accounts.home"))


def _to_person(
    name: str, to: str, payload: Payload, provider: str, url: str, **facts: str
) -> Letter:
    return Letter(
        name=name,
        to=to,
        locale=payload["locale"],
        sender=provider,
        facts={"provider": provider, "url": url, **facts},
    )


def _provider_url(office: Office, provider_id: uuid.UUID) -> str:
    return office.url_for("clients.index", provider_id=provider_id)


def _person_ids(payload: Payload) -> tuple[uuid.UUID, uuid.UUID]:
    return uuid.UUID(payload["provider"]), uuid.UUID(payload["person"])


def password_changed(session: Session, office: Office, payload: Payload) -> Letter:
    """Tells a person that their master password is another one: `account`, `locale`."""
    to = queries.address_of(session, uuid.UUID(payload["account"]))
    if to is None:
        raise Outdated("The account is gone.")
    return Letter(
        name="password_changed",
        to=to,
        locale=payload["locale"],
        sender="",
        facts={"url": office.url_for("accounts.devices")},
    )


def address_confirm(session: Session, office: Office, payload: Payload) -> Letter:
    """The link that confirms a new address, to that address: `account`, `change`, `locale`."""
    found, link = _address_change(session, payload)
    if found.confirmed_at or found.cancelled_at or found.expires_at <= utc_now():
        raise Outdated("The change of address is over.")
    token = LinkSigner(office.secret_keys, "address-change").sign(link)
    return _of_address(
        "address_confirm",
        found.new_email,
        payload,
        found,
        office.url_for("accounts.confirm_address", token=token),
    )


def address_notice(session: Session, office: Office, payload: Payload) -> Letter:
    """Tells the old address, whatever has become of the change: `account`, `change`, `locale`."""
    found, link = _address_change(session, payload)
    token = LinkSigner(office.secret_keys, "address-change-cancel").sign(link)
    return _of_address(
        "address_notice",
        found.old_email,
        payload,
        found,
        office.url_for("accounts.cancel_address", token=token),
    )


def _address_change(session: Session, payload: Payload) -> tuple[Any, Link]:
    link = Link(uuid.UUID(payload["account"]), uuid.UUID(payload["change"]), 1)
    found = queries.address_change(session, link.tenant_id, link.row_id)
    if found is None:
        raise Outdated("The change of address is gone.")
    return found, link


def _of_address(name: str, to: str, payload: Payload, found: Any, url: str) -> Letter:
    return Letter(
        name=name,
        to=to,
        locale=payload["locale"],
        sender="",
        facts={"old": shown(found.old_email), "new": shown(found.new_email), "url": url},
        until=found.expires_at,
        time_zone=found.time_zone or "UTC",
    )
