"""What mails say of seats: that they grew, that they will not any more, that some are asked for."""

import uuid
from typing import Any

from sqlalchemy.orm import Session

from portal.domain.money import Money
from portal.domain.seat_requests import RequestState
from portal.mail import queries
from portal.mail.shapes import Letter, Office, Outdated, Payload


def seats_grown(session: Session, office: Office, payload: Payload) -> Letter:
    """The first time: `organization`, `provider`, `change`, `account`, `locale`."""
    return _growth("seats_grown", session, office, payload)


def seat_limit_reached(session: Session, office: Office, payload: Payload) -> Letter:
    """No more are added: `organization`, `provider`, `change`, `account`, `locale`."""
    return _growth("seat_limit_reached", session, office, payload)


def _growth(name: str, session: Session, office: Office, payload: Payload) -> Letter:
    organization_id = uuid.UUID(payload["organization"])
    found = queries.subscription_change(session, organization_id, uuid.UUID(payload["change"]))
    if found is None:
        raise Outdated("The organization is gone.")
    to, url = _reader(session, office, payload)
    return Letter(
        name=name,
        to=to,
        locale=payload["locale"],
        sender=found.provider or "",
        facts={
            "organization": found.organization,
            "provider": found.provider or "",
            "before": found.before["seats"],
            "after": found.after["seats"],
            "amount": Money(found.adjustment_cents, found.currency),
            "until": found.period_end,
            "is_owner": not url,
            "url": url,
        },
    )


def _reader(session: Session, office: Office, payload: Payload) -> tuple[str, str]:
    """The address of an owner, or of a provider admin and where that one manages the seats."""
    organization_id, account_id = uuid.UUID(payload["organization"]), uuid.UUID(payload["account"])
    owner = queries.owner_address(session, organization_id, account_id)
    if owner:
        return owner, ""
    provider_id = uuid.UUID(payload["provider"])
    admin = queries.provider_admin(session, provider_id, account_id)
    if admin is None:
        raise Outdated("The reader is neither an owner nor a provider admin any more.")
    here: dict[str, Any] = {"provider_id": provider_id, "organization_id": organization_id}
    return admin.email, office.url_for("clients.subscription", **here)


def seats_asked(session: Session, office: Office, payload: Payload) -> Letter:
    """To a provider admin: `organization`, `provider`, `request`, `account`, `locale`."""
    found = _request(session, payload)
    provider_id = uuid.UUID(payload["provider"])
    admin = queries.provider_admin(session, provider_id, uuid.UUID(payload["account"]))
    if admin is None or found.provider_id != provider_id or found.state is not RequestState.OPEN:
        raise Outdated("Nobody waits for this provider admin's answer any more.")
    here: dict[str, Any] = {"provider_id": provider_id, "organization_id": found.organization_id}
    return _of_request(
        "seats_asked", admin.email, payload, found, office.url_for("clients.seat_request", **here)
    )


def seats_answered(session: Session, office: Office, payload: Payload) -> Letter:
    """To whoever asked: `organization`, `request`, `account`, `locale`."""
    found = _request(session, payload)
    to = queries.address_of(session, uuid.UUID(payload["account"]))
    if to is None or found.state not in {RequestState.APPROVED, RequestState.DECLINED}:
        raise Outdated("There is no answer to tell.")
    url = office.url_for("members.seats", organization_id=found.organization_id)
    return _of_request("seats_answered", to, payload, found, url)


def _request(session: Session, payload: Payload) -> Any:
    organization_id, request_id = uuid.UUID(payload["organization"]), uuid.UUID(payload["request"])
    found = queries.seat_request(session, organization_id, request_id)
    if found is None:
        raise Outdated("The organization is gone.")
    return found


def _of_request(name: str, to: str, payload: Payload, found: Any, url: str) -> Letter:
    return Letter(
        name=name,
        to=to,
        locale=payload["locale"],
        sender=found.provider or "",
        facts={
            "organization": found.organization,
            "provider": found.provider or "",
            "person": found.person or "",
            "seats": found.seats,
            "note": found.note,
            "answer": found.answer,
            "is_approved": found.state is RequestState.APPROVED,
            "url": url,
        },
    )
