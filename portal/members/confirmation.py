"""Confirming a member: the organization key, wrapped for that person, changes hands."""

import uuid
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session

from portal import events
from portal.accounts import affiliations
from portal.crypto.envelope import looks_sealed
from portal.crypto.fingerprint import fingerprint_phrase
from portal.crypto.versions import version_of
from portal.domain.access import Actor, Role
from portal.domain.errors import N_, RuleError, refuse
from portal.domain.membership import RANK
from portal.domain.states import MemberState, check_member_move
from portal.members import conditions
from portal.models import Account, Member, Organization, utc_now
from portal.models.writing import rows_changed
from portal.organizations.keys import OrganizationKeys, store_keys
from portal.organizations.service import recount_setup, streams_in
from portal.outbox import enqueue
from portal.providers import attention

NO_KEY = N_("No key arrived from your browser. Confirming needs a browser that runs scripts.")
NO_ACCOUNT_KEYS = N_(
    "This person's account has no keys yet. They make them at their next sign-in in a browser "
    "that runs scripts."
)
ROTATED = N_(
    "The key of this organization was rotated in the meantime. Nothing was handed over. Try again."
)
BY_HAND, AUTOMATIC = "organization:member:confirm", "organization:member:confirm_automatically"
OWNERS_ONLY = N_("Only an owner or a provider admin can confirm an owner.")


class KeyChanged(RuleError):
    """The key that the confirmer saw is not the member's key now; `member` is that row."""

    def __init__(self, member: Row[Any], shown: str) -> None:
        super().__init__(
            N_(
                "This person's key has changed since the page was opened. Nothing was handed over. "
                "Ask them to read you their fingerprint phrase before you try again."
            )
        )
        self.member = member
        self.shown = shown


def confirm(
    session: Session,
    actor: Actor,
    member: Row[Any],
    *,
    public_key: str,
    wrapped_key: str,
    keys: OrganizationKeys | None = None,
    key_version: str = "",
    automatic: bool = False,
) -> None:
    """Confirm `member` (a row of `queries.find`), storing the organization's keys first if given.

    `public_key` is the key that the confirmer's browser showed and wrapped for, `wrapped_key` the
    organization key for it (type 4), `key_version` says which one where that is known. `automatic`
    says that nobody compared fingerprints (see `members.automatic`). Raises `KeyChanged` for
    another key than the member's, and `RuleError` for what else stands against
    it.
    """
    check_member_move(member.state, MemberState.CONFIRMED)
    if member.role is Role.OWNER and actor.role not in {Role.OWNER, Role.PROVIDER_ADMIN}:
        raise refuse(OWNERS_ONLY)
    if member.role is Role.ADMIN and actor.role is Role.CUSTOM:
        raise refuse(RANK)
    if member.public_key is None:
        raise refuse(NO_ACCOUNT_KEYS)
    if not looks_sealed(wrapped_key, 4):
        raise refuse(NO_KEY)
    if public_key != member.public_key:
        raise KeyChanged(member, public_key)
    if keys is not None:
        store_keys(session, actor, member.organization_id, keys, by_owner=False)
    _require_keys(session, member, "" if keys else key_version)
    conditions.let_in(session, conditions.Coming.of(member), conditions.Step.CONFIRM)
    _mark(session, member, public_key, wrapped_key)
    kind = AUTOMATIC if automatic else BY_HAND
    told(session, actor, member, public_key=public_key, by_making_keys=False, kind=kind)
    _send_mail(session, member)


def _require_keys(session: Session, member: Row[Any], key_version: str) -> None:
    """Lock the organization before the member, and see that there is a key to hand over.

    A page may have been opened before the key was rotated: what it wrapped would open nothing.
    """
    confirmed = {"owner_confirmed": True} if member.role is Role.OWNER else {}
    locked = session.execute(
        update(Organization)
        .where(Organization.id == member.organization_id, Organization.public_key.is_not(None))
        .values(version=Organization.version + 1, **confirmed)
        .returning(Organization.protected_private_key)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if locked is None:
        raise refuse(
            N_("This organization has no keys yet. Load the page again, so that they are made.")
        )
    if key_version and key_version != version_of(locked):
        raise refuse(ROTATED)


def _mark(session: Session, member: Row[Any], public_key: str, wrapped_key: str) -> None:
    # The key is compared once more inside the statement: between the look and this it may change.
    holder = select(Account.id).where(
        Account.id == member.account_id, Account.public_key == public_key
    )
    marked = rows_changed(
        session,
        update(Member)
        .where(
            Member.organization_id == member.organization_id,
            Member.id == member.id,
            Member.state == MemberState.ACCEPTED,
            Member.account_id.in_(holder),
        )
        .values(
            state=MemberState.CONFIRMED,
            wrapped_organization_key=wrapped_key,
            confirmed_public_key=public_key,
            confirmed_at=utc_now(),
        )
        .execution_options(synchronize_session=False),
    )
    if marked != 1:
        raise refuse(N_("This member has changed in the meantime. Load the page again."))


def told(
    session: Session,
    actor: Actor,
    member: Any,
    *,
    public_key: str,
    by_making_keys: bool,
    kind: str = BY_HAND,
) -> None:
    """What follows from a confirmed row: affiliation, set-up progress, the event; nobody waits.

    `member` has organization_id, organization_name, id, account_id, email and role.
    """
    affiliations.put(
        session,
        account_id=member.account_id,
        kind="organization",
        tenant_id=member.organization_id,
        name=member.organization_name,
        role=member.role,
        state=MemberState.CONFIRMED,
    )
    attention.member_moved(session, member.id, MemberState.CONFIRMED)
    recount_setup(session, member.organization_id)
    details: dict[str, Any] = {"by_making_keys": by_making_keys} if kind == BY_HAND else {}
    events.record(
        session,
        actor,
        kind,
        streams=streams_in(actor, member.organization_id),
        subject_id=member.id,
        email=member.email,
        fingerprint=fingerprint_phrase(str(member.account_id), public_key),
        **details,
    )


def _send_mail(session: Session, member: Row[Any]) -> None:
    enqueue(
        session,
        "mail.member_confirmed",
        {
            "organization": str(member.organization_id),
            "member": str(member.id),
            "locale": member.invitation_locale,
        },
        organization_id=member.organization_id,
        provider_id=member.provider_id,
        account_id=member.account_id,
        subject_id=member.id,
    )


def raise_alarm(session: Session, actor: Actor, changed: KeyChanged) -> None:
    """Record that a key had changed under the confirmer's eyes; after the rollback."""
    member = changed.member
    events.record(
        session,
        actor,
        "organization:member:key_changed",
        streams=streams_in(actor, member.organization_id),
        subject_id=member.id,
        email=member.email,
        fingerprint=_phrase(member.account_id, member.public_key),
        shown=_phrase(member.account_id, changed.shown),
    )


def _phrase(account_id: uuid.UUID, public_key: str) -> str:
    try:
        return fingerprint_phrase(str(account_id), public_key)
    except ValueError:
        return ""
