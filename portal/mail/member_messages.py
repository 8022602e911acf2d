"""What mails say to people who lose their place in an organization."""

import uuid

from sqlalchemy.orm import Session

from portal.mail import queries
from portal.mail.shapes import Letter, Office, Outdated, Payload


def member_revoked(session: Session, office: Office, payload: Payload) -> Letter:
    """Tells somebody that they are locked out for now: `organization`, `account`, `locale`."""
    return _to_person("member_revoked", session, office, payload)


def member_removed(session: Session, office: Office, payload: Payload) -> Letter:
    """Tells somebody that they are no member any more: `organization`, `account`, `locale`."""
    return _to_person("member_removed", session, office, payload)


def _to_person(name: str, session: Session, office: Office, payload: Payload) -> Letter:
    found = queries.organization(session, uuid.UUID(payload["organization"]))
    to = queries.address_of(session, uuid.UUID(payload["account"]))
    if found is None or to is None:
        raise Outdated("The organization or the account is gone.")
    return Letter(
        name=name,
        to=to,
        locale=payload["locale"],
        sender=found.provider or "",
        facts={"organization": found.organization, "url": office.url_for("accounts.home")},
    )
