"""What mails say when an owner ends an organization: the link, the warning, the day, taken back."""

import uuid
from typing import Any

from sqlalchemy.orm import Session

from portal.crypto.tokens import Link, LinkSigner
from portal.mail import ending_queries, queries
from portal.mail.shapes import Letter, Office, Outdated, Payload
from portal.models import utc_now

PURPOSE = "organization-deletion"


def organization_deletion_link(session: Session, office: Office, payload: Payload) -> Letter:
    """The link that confirms: `organization`, `account`, `request`, `locale`."""
    found, to = _open(session, payload, uuid.UUID(payload["account"]))
    link = Link(uuid.UUID(payload["organization"]), uuid.UUID(payload["request"]), 1)
    token = LinkSigner(office.secret_keys, PURPOSE).sign(link)
    url = office.url_for(
        "console.delete_for_good", organization_id=payload["organization"], token=token
    )
    return _letter("organization_deletion_link", to, payload, found, url=url)


def organization_deletion_asked(session: Session, office: Office, payload: Payload) -> Letter:
    """Warns another owner: `organization`, `account`, `request`, `by`, `locale`."""
    found, to = _open(session, payload, uuid.UUID(payload["by"]))
    url = office.url_for("console.index", organization_id=payload["organization"])
    return _letter("organization_deletion_asked", to, payload, found, url=url)


def _open(session: Session, payload: Payload, asker: uuid.UUID) -> tuple[Any, str]:
    """The request while its link opens, and the address of the owner who is written to."""
    organization_id = uuid.UUID(payload["organization"])
    found = ending_queries.deletion(session, organization_id, uuid.UUID(payload["request"]))
    to = queries.owner_address(session, organization_id, uuid.UUID(payload["account"]))
    still = queries.owner_address(session, organization_id, asker)
    if found is None or to is None or still is None:
        raise Outdated("The request or its owner is gone.")
    if found.used_at is not None or found.expires_at <= utc_now():
        raise Outdated("The link was used, or the hour has passed.")
    return found, to


def _letter(name: str, to: str, payload: Payload, found: Any, **facts: Any) -> Letter:
    return Letter(
        name=name,
        to=to,
        locale=payload["locale"],
        sender=found.provider or "",
        facts={"organization": found.organization, "person": found.asked_by, **facts},
        until=found.expires_at,
        time_zone=found.provider_time_zone or "UTC",
    )


def organization_closed(session: Session, office: Office, payload: Payload) -> Letter:
    """Tells an owner from when all is gone: `organization`, `account`, `by`, `locale`."""
    found, to = _terms(session, payload)
    if found.delete_at is None:
        raise Outdated("The organization is kept.")
    return _told("organization_closed", to, office, session, payload, found)


def organization_kept(session: Session, office: Office, payload: Payload) -> Letter:
    """Tells an owner or a provider admin that nothing is deleted; the same ids."""
    found, to = _terms(session, payload)
    if found.delete_at is not None:
        raise Outdated("The organization is to be deleted again.")
    return _told("organization_kept", to, office, session, payload, found)


def _terms(session: Session, payload: Payload) -> tuple[Any, str]:
    found = queries.terms(session, uuid.UUID(payload["organization"]))
    to = queries.address_of(session, uuid.UUID(payload["account"]))
    if found is None or to is None:
        raise Outdated("The organization or its owner is gone.")
    return found, to


def _told(
    name: str, to: str, office: Office, session: Session, payload: Payload, found: Any
) -> Letter:
    return Letter(
        name=name,
        to=to,
        locale=payload["locale"],
        sender=found.provider or "",
        facts={
            "organization": found.organization,
            "person": queries.name_of(session, uuid.UUID(payload["by"])) or "",
            "url": office.url_for("organizations.closed", organization_id=found.id),
        },
        until=found.delete_at,
        time_zone=found.provider_time_zone or "UTC",
    )
