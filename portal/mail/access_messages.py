"""What mails say of the provider's access: to owners, to who has asked, to provider admins."""

import uuid
from typing import Any

from sqlalchemy.orm import Session

from portal.crypto.tokens import Link, LinkSigner
from portal.domain.provider_access import AccessMode, GrantState
from portal.mail import access_queries, queries
from portal.mail.shapes import Letter, Office, Outdated, Payload
from portal.models import utc_now

PURPOSE = "access-request"


def access_asked(session: Session, office: Office, payload: Payload) -> Letter:
    """Asks an owner: `organization`, `provider`, `account`, `grant`, `locale`."""
    found = _grant(session, payload)
    if found.state is not GrantState.REQUESTED or found.lapses_at <= utc_now():
        raise Outdated("The request was answered, withdrawn or lapsed.")
    signer = LinkSigner(office.secret_keys, PURPOSE)
    token = signer.sign(Link(found.organization_id, found.id, 1))
    url = office.url_for("grants.request_link", token=token)
    return _to_owner("access_asked", session, payload, found, url, until=found.lapses_at)


def access_ended(session: Session, office: Office, payload: Payload) -> Letter:
    """Shows an owner what was done: `organization`, `provider`, `account`, `grant`, `locale`."""
    found = _grant(session, payload)
    url = _url(office, found)
    return _to_owner("access_ended", session, payload, found, url)


def _to_owner(
    name: str, session: Session, payload: Payload, found: Any, url: str, **more: Any
) -> Letter:
    account_id = uuid.UUID(payload["account"])
    to = queries.owner_address(session, found.organization_id, account_id)
    if to is None:
        raise Outdated("The owner is gone.")
    facts = {
        "organization": found.organization,
        "provider": found.provider or "",
        "person": found.person_name,
        "reason": found.reason,
        "minutes": found.asked_minutes,
        "url": url,
    }
    zone = access_queries.zone_of(session, account_id) or found.provider_time_zone or "UTC"
    sender = found.provider or ""
    return Letter(name, to, payload["locale"], sender, facts, time_zone=zone, **more)


def access_answered(session: Session, office: Office, payload: Payload) -> Letter:
    """Tells who has asked what came of it: `organization`, `grant`, `account`, `locale`."""
    found = _grant(session, payload)
    to = queries.address_of(session, found.account_id)
    if to is None:
        raise Outdated("Whoever asked is gone.")
    names = {
        GrantState.APPROVED: "access_approved",
        GrantState.DECLINED: "access_declined",
        GrantState.LAPSED: "access_declined",
    }
    if found.state not in names:
        raise Outdated("The access has ended since.")
    return Letter(
        name=names[found.state],
        to=to,
        locale=payload["locale"],
        sender=found.provider or "",
        facts={
            "organization": found.organization,
            "person": found.answered_name,
            "url": office.url_for("collections.index", organization_id=found.organization_id),
        },
        until=found.ends_at,
        time_zone=access_queries.zone_of(session, found.account_id)
        or found.provider_time_zone
        or "UTC",
    )


def access_mode_team(session: Session, office: Office, payload: Payload) -> Letter:
    """Tells a provider admin what an owner has decided: `organization`, `provider`, `account`."""
    provider_id, account_id = uuid.UUID(payload["provider"]), uuid.UUID(payload["account"])
    organization_id = uuid.UUID(payload["organization"])
    found = access_queries.access_mode(session, organization_id)
    admin = queries.provider_admin(session, provider_id, account_id)
    if found is None or admin is None or found.provider_id != provider_id:
        raise Outdated("The organization or the provider admin is gone.")
    mode = found.mode or AccessMode.ALWAYS
    here = {"provider_id": provider_id, "organization_id": organization_id}
    return Letter(
        name="access_mode_team",
        to=admin.email,
        locale=payload["locale"],
        sender=admin.provider,
        facts={
            "organization": found.organization,
            "person": queries.name_of(session, uuid.UUID(payload["by"])) or "",
            "mode": mode.value,
            "url": office.url_for("clients.manage", **here),
        },
    )


def key_withheld(session: Session, office: Office, payload: Payload) -> Letter:
    """Asks an owner for the key again that the provider lost: `organization`, `account`."""
    organization_id = uuid.UUID(payload["organization"])
    found = access_queries.access_mode(session, organization_id)
    to = queries.owner_address(session, organization_id, uuid.UUID(payload["account"]))
    if found is None or to is None or found.provider is None:
        raise Outdated("The organization, the owner or the provider is gone.")
    if found.mode is not AccessMode.ASK or found.provider_holds_key:
        raise Outdated("The key was handed over, or the provider no longer asks for it.")
    here = {"organization_id": organization_id, "mode": AccessMode.ASK.value}
    return Letter(
        name="key_withheld",
        to=to,
        locale=payload["locale"],
        sender=found.provider,
        facts={
            "organization": found.organization,
            "provider": found.provider,
            "url": office.url_for("grants.choose", **here),
        },
    )


def _url(office: Office, found: Any) -> str:
    here = {"organization_id": found.organization_id, "grant_id": found.id}
    return office.url_for("grants.grant", **here)


def _grant(session: Session, payload: Payload) -> Any:
    ids = uuid.UUID(payload["organization"]), uuid.UUID(payload["grant"])
    found = access_queries.access_grant(session, *ids)
    if found is None:
        raise Outdated("The request is gone.")
    return found
