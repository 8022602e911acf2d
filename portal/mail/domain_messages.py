"""What mails say of an organization's domains: to its confirmed owners and admins."""

import uuid
from collections.abc import Collection

from sqlalchemy.orm import Session

from portal.domain.claimed_domains import PREFIX, Claim, DomainState
from portal.domain.emails import shown
from portal.mail import domain_queries
from portal.mail.shapes import Letter, Office, Outdated, Payload

_VERIFIED = (DomainState.VERIFIED, DomainState.MISSING)
_NOT = (DomainState.NOT_FOUND, DomainState.TAKEN)


def domain_verified(session: Session, office: Office, payload: Payload) -> Letter:
    """It is the organization's own now: `organization`, `domain`, `account`, `locale`."""
    return _letter("domain_verified", session, office, payload, _VERIFIED)


def domain_not_found(session: Session, office: Office, payload: Payload) -> Letter:
    """The search has ended: the same ids."""
    return _letter("domain_not_found", session, office, payload, _NOT)


def domain_missing(session: Session, office: Office, payload: Payload) -> Letter:
    """The record is gone, and the domain counts until `until`: the same ids."""
    return _letter("domain_missing", session, office, payload, (DomainState.MISSING,))


def domain_lost(session: Session, office: Office, payload: Payload) -> Letter:
    """It counts no more: the same ids."""
    return _letter("domain_lost", session, office, payload, _NOT)


def _letter(
    name: str, session: Session, office: Office, payload: Payload, states: Collection[DomainState]
) -> Letter:
    organization_id = uuid.UUID(payload["organization"])
    domain_id, account_id = uuid.UUID(payload["domain"]), uuid.UUID(payload["account"])
    row = domain_queries.domain(session, organization_id, domain_id)
    reader = domain_queries.manager(session, organization_id, account_id)
    if row is None or reader is None:
        raise Outdated("The domain was removed, or the reader is no owner or admin any more.")
    claim = Claim(row.verified_at, row.answer, row.checks, row.ends_at, row.next_check_at)
    if claim.state not in states:
        raise Outdated("The domain stands otherwise by now.")
    here = {"organization_id": organization_id, "domain_id": domain_id}
    return Letter(
        name=name,
        to=reader.email,
        locale=payload["locale"],
        sender=row.provider or "",
        facts={
            "organization": row.organization,
            "domain": shown(row.domain),
            "record_name": row.domain,
            "record_value": PREFIX + row.token,
            "answer": row.answer.sentence,
            "single_is_on": bool(row.single_is_on),
            "url": office.url_for("domains.domain", **here),
        },
        until=row.ends_at if claim.state is DomainState.MISSING else None,
        time_zone=reader.time_zone or row.time_zone or "UTC",
    )
