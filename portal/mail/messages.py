"""What each mail says: one function a message, from the ids of its outbox row.

A message that has nothing to say any more (the link was replaced, the code used) is `Outdated`.
Links are made here, of the configured base URL alone, and never stored.
"""

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from portal.crypto.tokens import Link, LinkSigner, mail_codes
from portal.domain.access import Role
from portal.domain.emails import shown
from portal.domain.invitations import Purpose
from portal.domain.plans import Cadence, Plan
from portal.domain.policies import PolicyKind
from portal.domain.states import ClientStatus, MemberState, ProviderPersonState
from portal.mail import domain_messages, queries, seat_messages
from portal.mail.access_messages import (
    access_answered,
    access_asked,
    access_ended,
    access_mode_team,
    key_withheld,
)
from portal.mail.client_messages import (
    client_created,
    client_deletion_team,
    client_kept,
    client_linked,
    client_linked_team,
    client_resumed,
    client_suspended,
    client_unlinked_team,
)
from portal.mail.digest_message import weekly_digest
from portal.mail.ending_messages import (
    organization_closed,
    organization_deletion_asked,
    organization_deletion_link,
    organization_kept,
)
from portal.mail.member_messages import member_removed, member_revoked
from portal.mail.people_messages import (
    address_confirm,
    address_notice,
    password_changed,
    provider_confirmed,
    provider_removed,
    provider_resumed,
    provider_role_changed,
    provider_suspended,
)
from portal.mail.recovery_messages import (
    recovery_approve,
    recovery_asked,
    recovery_done,
    recovery_stopped,
)
from portal.mail.shapes import Letter, Office, Outdated, Payload
from portal.models import utc_now

__all__ = ["MESSAGES", "Letter", "Office", "Outdated"]


def sign_in_code(session: Session, office: Office, payload: Payload) -> Letter:
    """The code that signs in: `challenge`, `locale`."""
    challenge_id = uuid.UUID(payload["challenge"])
    found = queries.sign_in_code(session, challenge_id)
    if found is None:
        raise Outdated("The request for this code is gone.")
    if found.used_at is not None:
        raise Outdated("The code was used.")
    if found.expires_at <= utc_now():
        raise Outdated("The code has expired.")
    return Letter(
        name="sign_in_code",
        to=found.email,
        locale=payload["locale"],
        sender="",
        facts={"code": mail_codes(office.secret_keys, challenge_id)[0]},
        until=found.expires_at,
        time_zone=found.time_zone or "UTC",
    )


def member_invitation(session: Session, office: Office, payload: Payload) -> Letter:
    """The link by which a member comes in: `organization`, `member`, `version`, `locale`."""
    organization_id, member_id = _member_ids(payload)
    found = queries.member(session, organization_id, member_id)
    if found is None or found.status is ClientStatus.DELETING:
        raise Outdated("The organization or the member is gone.")
    _check_invitation(found, payload, found.state is MemberState.INVITED)
    link = Link(organization_id, member_id, payload["version"])
    return Letter(
        name="member_invitation",
        to=found.email,
        locale=payload["locale"],
        sender=found.provider or "",
        facts={
            "organization": found.organization,
            "provider": found.provider or "",
            "address": shown(found.email),
            "is_owner": found.role is Role.OWNER,
            "url": _invitation_url(office, Purpose.MEMBER, link),
        },
        until=found.invitation_expires_at,
        time_zone=found.time_zone or found.provider_time_zone or "UTC",
    )


def member_accepted(session: Session, office: Office, payload: Payload) -> Letter:
    """Tells a provider admin who waits: `organization`, `member`, `account`, `locale`."""
    organization_id, member_id = _member_ids(payload)
    found = queries.member(session, organization_id, member_id)
    to = queries.address_of(session, uuid.UUID(payload["account"]))
    if found is None or to is None or found.state is not MemberState.ACCEPTED:
        raise Outdated("Nobody waits to be confirmed any more.")
    return Letter(
        name="member_accepted",
        to=to,
        locale=payload["locale"],
        sender=found.provider or "",
        facts={
            "organization": found.organization,
            "address": shown(found.email),
            "url": office.url_for(
                "members.confirm", organization_id=organization_id, member_id=member_id
            ),
        },
    )


def member_confirmed(session: Session, office: Office, payload: Payload) -> Letter:
    """Tells a member that the organization is open: `organization`, `member`, `locale`."""
    organization_id, member_id = _member_ids(payload)
    found = queries.member(session, organization_id, member_id)
    if found is None or found.state is not MemberState.CONFIRMED:
        raise Outdated("The member is not confirmed any more.")
    return Letter(
        name="member_confirmed",
        to=found.email,
        locale=payload["locale"],
        sender=found.provider or "",
        facts={
            "organization": found.organization,
            "url": office.url_for("collections.index", organization_id=organization_id),
        },
    )


def policy_revoked(session: Session, office: Office, payload: Payload) -> Letter:
    """Tells a member whom a policy has revoked: `organization`, `member`, `policy`, `locale`."""
    found = queries.member(session, *_member_ids(payload))
    if found is None or found.state is not MemberState.REVOKED:
        raise Outdated("The member is gone, or was restored.")
    return Letter(
        name="policy_revoked",
        to=found.email,
        locale=payload["locale"],
        sender=found.provider or "",
        facts={
            "organization": found.organization,
            "two_step": payload["policy"] == PolicyKind.TWO_STEP,
            "url": office.url_for("accounts.profile"),
        },
    )


def provider_invitation(session: Session, office: Office, payload: Payload) -> Letter:
    """The link by which a provider's person comes in: `provider`, `person`, `version`, `locale`."""
    provider_id, person_id = uuid.UUID(payload["provider"]), uuid.UUID(payload["person"])
    found = queries.provider_person(session, provider_id, person_id)
    if found is None:
        raise Outdated("The provider or the person is gone.")
    _check_invitation(found, payload, found.state is ProviderPersonState.INVITED)
    link = Link(provider_id, person_id, payload["version"])
    return Letter(
        name="provider_invitation",
        to=found.email,
        locale=payload["locale"],
        sender=found.provider,
        facts={
            "provider": found.provider,
            "address": shown(found.email),
            "role": found.role.label,
            "url": _invitation_url(office, Purpose.PROVIDER, link),
        },
        until=found.invitation_expires_at,
        time_zone=found.time_zone or found.provider_time_zone,
    )


def subscription_changed(session: Session, office: Office, payload: Payload) -> Letter:
    """Tells an owner what the provider changed: `organization`, `provider`, `change`, `account`.

    `off`, where it is there: the policies that came back turned off, with spaces between.
    """
    organization_id = uuid.UUID(payload["organization"])
    found = queries.subscription_change(session, organization_id, uuid.UUID(payload["change"]))
    to = queries.address_of(session, uuid.UUID(payload["account"]))
    if found is None or to is None:
        raise Outdated("The organization or its owner is gone.")
    return Letter(
        name="subscription_changed",
        to=to,
        locale=payload["locale"],
        sender=found.provider or "",
        facts={
            "organization": found.organization,
            "provider": found.provider or "",
            "changes": [(name, found.before[name], found.after[name]) for name in found.after],
            "off": [PolicyKind(kind).label for kind in payload.get("off", "").split()],
            "plans": {plan.value: plan.label for plan in Plan},
            "cadences": {cadence.value: cadence.label for cadence in Cadence},
        },
    )


def client_unlinked(session: Session, office: Office, payload: Payload) -> Letter:
    """Tells an owner that they take over: `organization`, `provider`, `account`, `locale`."""
    organization_id = uuid.UUID(payload["organization"])
    found = queries.terms(session, organization_id)
    to = queries.address_of(session, uuid.UUID(payload["account"]))
    provider = queries.provider_name(session, uuid.UUID(payload["provider"]))
    if found is None or to is None or provider is None:
        raise Outdated("The organization or its owner is gone.")
    return Letter(
        name="client_unlinked",
        to=to,
        locale=payload["locale"],
        sender=provider,
        facts={
            "organization": found.organization,
            "provider": provider,
            "plan": found.plan.label,
            "seats": found.seats,
            "billing_email": shown(found.billing_email),
            "url": office.url_for("collections.index", organization_id=organization_id),
        },
        until=dt.datetime.combine(found.period_end, dt.time(), dt.UTC),
    )


def client_deletion(session: Session, _office: Office, payload: Payload) -> Letter:
    """Tells an owner from when all is gone: `organization`, `provider`, `account`, `locale`."""
    found = queries.terms(session, uuid.UUID(payload["organization"]))
    to = queries.address_of(session, uuid.UUID(payload["account"]))
    if found is None or to is None or found.delete_at is None:
        raise Outdated("The organization is kept, or gone already.")
    return Letter(
        name="client_deletion",
        to=to,
        locale=payload["locale"],
        sender=found.provider or "",
        facts={"organization": found.organization, "provider": found.provider or ""},
        until=found.delete_at,
        time_zone=found.provider_time_zone or "UTC",
    )


def link_request(session: Session, office: Office, payload: Payload) -> Letter:
    """Asks an owner whether a provider may look after it: `provider`, `request`, `locale`."""
    provider_id, request_id = uuid.UUID(payload["provider"]), uuid.UUID(payload["request"])
    found = queries.link_request(session, provider_id, request_id)
    if found is None or found.answer or found.expires_at <= utc_now():
        raise Outdated("The request is answered or has expired.")
    if not found.owns:
        raise Outdated("Nobody at this address owns an organization without a provider.")
    token = LinkSigner(office.secret_keys, "link-request").sign(Link(provider_id, request_id, 1))
    return Letter(
        name="link_request",
        to=found.email,
        locale=payload["locale"],
        sender=found.provider,
        facts={
            "provider": found.provider,
            "person": found.asked_by,
            "url": office.url_for("clients.link_request", token=token),
        },
        until=found.expires_at,
        time_zone=found.time_zone or "UTC",
    )


def provider_entered(session: Session, office: Office, payload: Payload) -> Letter:
    """Tells an owner who entered: `organization`, `account`, `technician`, `locale`."""
    organization_id = uuid.UUID(payload["organization"])
    watcher_id, technician_id = uuid.UUID(payload["account"]), uuid.UUID(payload["technician"])
    found = queries.entry(session, organization_id, watcher_id, technician_id)
    if found is None:
        raise Outdated("The mail was turned off, or somebody of it is gone.")
    return Letter(
        name="provider_entered",
        to=found.email,
        locale=payload["locale"],
        sender=found.provider or "",
        facts={
            "organization": found.organization,
            "provider": found.provider or "",
            "technician": found.technician,
            "url": office.url_for("logbook.organization_events", organization_id=organization_id),
        },
    )


MESSAGES: Mapping[str, Callable[[Session, Office, Payload], Letter]] = {
    "mail.sign_in_code": sign_in_code,
    "mail.member_invitation": member_invitation,
    "mail.member_accepted": member_accepted,
    "mail.member_confirmed": member_confirmed,
    "mail.member_removed": member_removed,
    "mail.member_revoked": member_revoked,
    "mail.access_answered": access_answered,
    "mail.access_asked": access_asked,
    "mail.access_ended": access_ended,
    "mail.access_mode_team": access_mode_team,
    "mail.key_withheld": key_withheld,
    "mail.address_confirm": address_confirm,
    "mail.address_notice": address_notice,
    "mail.domain_verified": domain_messages.domain_verified,
    "mail.domain_not_found": domain_messages.domain_not_found,
    "mail.domain_missing": domain_messages.domain_missing,
    "mail.domain_lost": domain_messages.domain_lost,
    "mail.password_changed": password_changed,
    "mail.policy_revoked": policy_revoked,
    "mail.provider_entered": provider_entered,
    "mail.recovery_approve": recovery_approve,
    "mail.recovery_asked": recovery_asked,
    "mail.recovery_done": recovery_done,
    "mail.recovery_stopped": recovery_stopped,
    "mail.provider_invitation": provider_invitation,
    "mail.seat_limit_reached": seat_messages.seat_limit_reached,
    "mail.seats_answered": seat_messages.seats_answered,
    "mail.seats_asked": seat_messages.seats_asked,
    "mail.seats_grown": seat_messages.seats_grown,
    "mail.subscription_changed": subscription_changed,
    "mail.client_created": client_created,
    "mail.client_suspended": client_suspended,
    "mail.client_resumed": client_resumed,
    "mail.client_deletion": client_deletion,
    "mail.client_deletion_team": client_deletion_team,
    "mail.client_kept": client_kept,
    "mail.client_linked": client_linked,
    "mail.client_linked_team": client_linked_team,
    "mail.client_unlinked": client_unlinked,
    "mail.client_unlinked_team": client_unlinked_team,
    "mail.link_request": link_request,
    "mail.organization_closed": organization_closed,
    "mail.organization_deletion_asked": organization_deletion_asked,
    "mail.organization_deletion_link": organization_deletion_link,
    "mail.organization_kept": organization_kept,
    "mail.provider_confirmed": provider_confirmed,
    "mail.provider_removed": provider_removed,
    "mail.provider_role_changed": provider_role_changed,
    "mail.provider_suspended": provider_suspended,
    "mail.provider_resumed": provider_resumed,
    "mail.weekly_digest": weekly_digest,
}


def _member_ids(payload: Payload) -> tuple[uuid.UUID, uuid.UUID]:
    return uuid.UUID(payload["organization"]), uuid.UUID(payload["member"])


def _check_invitation(found: Any, payload: Payload, is_invited: bool) -> None:  # noqa: FBT001
    if not is_invited:
        raise Outdated("The invitation was accepted or withdrawn.")
    if found.invitation_version != payload["version"]:
        raise Outdated("A newer invitation has replaced this one.")
    if found.invitation_expires_at is None or found.invitation_expires_at <= utc_now():
        raise Outdated("The invitation has expired.")


def _invitation_url(office: Office, purpose: Purpose, link: Link) -> str:
    token = LinkSigner(office.secret_keys, purpose).sign(link)
    return office.url_for("members.invitation", token=token)
