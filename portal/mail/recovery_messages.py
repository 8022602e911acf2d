"""What mails say about the recovery of an account."""

import uuid
from typing import Any

from sqlalchemy.orm import Session

from portal.crypto.tokens import Link, LinkSigner
from portal.domain.account_recovery import WAIT, RecoveryState
from portal.domain.emails import shown
from portal.mail import queries
from portal.mail.shapes import Letter, Office, Outdated, Payload
from portal.models import utc_now


def recovery_asked(session: Session, office: Office, payload: Payload) -> Letter:
    """Tells the member, with the link that stops it: `organization`, `recovery`, `account`."""
    found, to = _found(session, payload)
    if not found.state.is_open:
        raise Outdated("The recovery is over.")
    link = Link(found.organization_id, found.id, 1)
    token = LinkSigner(office.secret_keys, "account-recovery-stop").sign(link)
    url = office.url_for("recovery.stop_by_mail", token=token)
    return _letter("recovery_asked", to, payload, found, url)


def recovery_approve(session: Session, office: Office, payload: Payload) -> Letter:
    """Asks somebody to be the second person: `organization`, `recovery`, `account`, `locale`."""
    found, to = _found(session, payload)
    if found.state is not RecoveryState.REQUESTED:
        raise Outdated("Nobody waits for a second person any more.")
    return _letter("recovery_approve", to, payload, found, _page(office, found))


def recovery_stopped(session: Session, office: Office, payload: Payload) -> Letter:
    """Tells who asked or approved that the member said no: the same ids."""
    found, to = _found(session, payload)
    return _letter("recovery_stopped", to, payload, found, _page(office, found))


def recovery_done(session: Session, office: Office, payload: Payload) -> Letter:
    """Tells the member that their master password was replaced: the same ids."""
    found, to = _found(session, payload)
    return _letter("recovery_done", to, payload, found, office.url_for("accounts.sign_in"))


def _page(office: Office, found: Any) -> str:
    return office.url_for(
        "recovery.one", organization_id=found.organization_id, recovery_id=found.id
    )


def _found(session: Session, payload: Payload) -> tuple[Any, str]:
    ids = uuid.UUID(payload["organization"]), uuid.UUID(payload["recovery"])
    found = queries.recovery(session, *ids)
    to = queries.address_of(session, uuid.UUID(payload["account"]))
    if found is None or to is None:
        raise Outdated("The recovery or the account is gone.")
    return found, to


def _letter(name: str, to: str, payload: Payload, found: Any, url: str) -> Letter:
    return Letter(
        name=name,
        to=to,
        locale=payload["locale"],
        sender=found.provider or "",
        facts={
            "organization": found.organization,
            "address": shown(found.email),
            "asked_by": found.asked_by_name,
            "approved_by": found.approved_by_name,
            "reason": found.reason,
            "url": url,
        },
        # The 24 hours begin when the member's mail leaves: for that mail, now.
        until=(found.told_at or utc_now()) + WAIT,
        time_zone=found.time_zone or found.provider_time_zone or "UTC",
    )
