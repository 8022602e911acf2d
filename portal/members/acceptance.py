"""Accepting an invitation: the link is spent, the person stands in the organization."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, update
from sqlalchemy.orm import Session

from portal import events
from portal.accounts import affiliations
from portal.crypto.envelope import looks_sealed
from portal.crypto.tokens import Link
from portal.domain.access import Actor, Role, Trace
from portal.domain.errors import refuse
from portal.domain.invitations import Invitation, Purpose, Spent, standing
from portal.domain.provider_access import AccessMode
from portal.domain.states import ClientStatus, MemberState
from portal.events import Stream
from portal.grants import queries as grants
from portal.members import conditions, confirmation, queries
from portal.models import Account, Member, Organization, utc_now
from portal.models.writing import rows_changed
from portal.organizations import queries as organizations
from portal.organizations.keys import INCOMPLETE, KeysExist, OrganizationKeys, store_keys
from portal.outbox import enqueue
from portal.providers import attention
from portal.recovery import enrolment
from portal.recovery.enrolment import RecoveryKey

_WITHDRAWN = {MemberState.REVOKED, MemberState.STAGED}


@dataclass(frozen=True)
class OwnersKeys:
    """The organization's keys from an accepting owner's browser, and the owner's own copy."""

    organization: OrganizationKeys
    member_wrapped_key: str

    def __post_init__(self) -> None:
        if not looks_sealed(self.member_wrapped_key, 4):
            raise refuse(INCOMPLETE)


@dataclass(frozen=True)
class _Joined:
    """A member's row as the events and the mails need it."""

    organization_id: uuid.UUID
    organization_name: str
    id: uuid.UUID
    account_id: uuid.UUID
    email: str
    role: Role


def find(session: Session, link: Link) -> Invitation | None:
    """The invitation behind a link; None where its row is gone."""
    row = queries.find_invitation(session, link.tenant_id, link.row_id)
    if row is None:
        return None
    stands = standing(
        invited=row.state is MemberState.INVITED,
        withdrawn=row.state in _WITHDRAWN,
        is_newest=row.invitation_version == link.version,
        expires_at=row.invitation_expires_at,
        now=utc_now(),
        is_open=row.organization_status is ClientStatus.ACTIVE,
    )
    can_make = row.role is Role.OWNER and row.provider_public_key is not None
    return Invitation(
        purpose=Purpose.MEMBER,
        standing=stands,
        tenant_id=link.tenant_id,
        row_id=link.row_id,
        version=link.version,
        place=row.organization_name,
        inviter=row.provider_name or row.organization_name,
        email=row.email,
        role=row.role,
        expires_at=row.invitation_expires_at,
        account_id=row.account_id,
        is_confirmed=row.state is MemberState.CONFIRMED,
        has_account=row.addressee_id is not None,
        provider_id=row.provider_id,
        provider_public_key=row.provider_public_key,
        makes_keys=can_make and not row.has_keys,
    )


def accept(
    session: Session,
    invitation: Invitation,
    find_account: Callable[[], Account],
    *,
    trace: Trace,
    keys: OwnersKeys | None = None,
    recovery: RecoveryKey | None = None,
) -> Account:
    """Spend the link and link the account, made only now if it is a new one.

    With `keys`, an owner who was the first to make them is confirmed at once; if somebody was
    faster, the keys are dropped. `recovery` enrols them where the organization enrols everybody.
    Raises `Spent` for whoever comes second with the same link, and
    `conditions.Obstacle` for whom the organization does not let in.
    """
    # The organization's row before the member's: one lock order everywhere.
    conditions.hold(session, invitation.tenant_id)
    made = bool(keys) and _store_keys(session, invitation, keys, trace)
    _claim(session, invitation)
    account = find_account()
    if account.email != invitation.email:
        raise Spent
    conditions.let_in(session, coming_by(invitation, account.id), conditions.Step.ACCEPT)
    _link(session, invitation, account)
    joined = _Joined(
        invitation.tenant_id,
        invitation.place,
        invitation.row_id,
        account.id,
        account.email,
        invitation.role,
    )
    actor = _actor(account, invitation, trace)
    _tell(session, joined, actor)
    if keys and made and account.public_key:
        _confirm_at_once(session, joined, actor, account.public_key, keys.member_wrapped_key)
    else:
        attention.member_moved(session, joined.id, MemberState.ACCEPTED)
        _call_admins(session, invitation)
    if recovery:
        enrolment.enrol_on_joining(session, actor, invitation.tenant_id, recovery)
    return account


def coming_by(invitation: Invitation, account_id: uuid.UUID | None) -> conditions.Coming:
    """Whoever accepts with that account, as the organization's conditions see them."""
    return conditions.Coming(
        invitation.tenant_id, invitation.place, account_id, invitation.email, invitation.role
    )


def _store_keys(
    session: Session, invitation: Invitation, keys: OwnersKeys | None, trace: Trace
) -> bool:
    if keys is None or not invitation.makes_keys:
        return False
    try:
        store_keys(
            session,
            None,
            invitation.tenant_id,
            keys.organization,
            by_owner=True,
            trace=trace,
        )
    except KeysExist:
        return False
    return True


def _claim(session: Session, invitation: Invitation) -> None:
    """Take the row so that nobody else can: of eight who come at once, seven find it taken."""
    now = utc_now()
    claimed = rows_changed(
        session,
        update(Member)
        .where(
            Member.organization_id == invitation.tenant_id,
            Member.id == invitation.row_id,
            Member.state == MemberState.INVITED,
            Member.invitation_version == invitation.version,
            Member.invitation_expires_at > now,
            exists().where(
                Organization.id == Member.organization_id,
                Organization.status == ClientStatus.ACTIVE,
            ),
        )
        .values(accepted_at=now)
        .execution_options(synchronize_session=False),
    )
    if claimed != 1:
        raise Spent


def _link(session: Session, invitation: Invitation, account: Account) -> None:
    session.execute(
        update(Member)
        .where(Member.organization_id == invitation.tenant_id, Member.id == invitation.row_id)
        .values(state=MemberState.ACCEPTED, account_id=account.id)
        .execution_options(synchronize_session=False)
    )


def _actor(account: Account, invitation: Invitation, trace: Trace) -> Actor:
    """Who accepts, as the event log names them."""
    return Actor(
        account_id=account.id,
        session_id=None,
        name=account.name,
        email=account.email,
        role=invitation.role,
        permissions=frozenset(),
        organization_id=invitation.tenant_id,
        trace=trace,
    )


def _tell(session: Session, joined: _Joined, actor: Actor) -> None:
    affiliations.put(
        session,
        account_id=joined.account_id,
        kind="organization",
        tenant_id=joined.organization_id,
        name=joined.organization_name,
        role=joined.role,
        state=MemberState.ACCEPTED,
    )
    events.record(
        session,
        actor,
        "organization:member:accept",
        streams=[Stream("organization", joined.organization_id)],
        subject_id=joined.id,
        email=joined.email,
    )


def _confirm_at_once(
    session: Session, joined: _Joined, actor: Actor, public_key: str, wrapped_key: str
) -> None:
    """Whoever made the key has it already: there is nothing left to hand over."""
    session.execute(
        update(Organization)
        .where(Organization.id == joined.organization_id)
        .values(owner_confirmed=True)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(Member)
        .where(Member.organization_id == joined.organization_id, Member.id == joined.id)
        .values(
            state=MemberState.CONFIRMED,
            wrapped_organization_key=wrapped_key,
            confirmed_public_key=public_key,
            confirmed_at=utc_now(),
        )
        .execution_options(synchronize_session=False)
    )
    confirmation.told(session, actor, joined, public_key=public_key, by_making_keys=True)


def _call_admins(session: Session, invitation: Invitation) -> None:
    """Tell each provider admin that somebody waits to be confirmed.

    Where the provider's people may not come in as they like, the organization's own owners.
    """
    if invitation.provider_id is None:
        return
    for admin in _confirmers(session, invitation.tenant_id, invitation.provider_id):
        enqueue(
            session,
            "mail.member_accepted",
            {
                "organization": str(invitation.tenant_id),
                "member": str(invitation.row_id),
                "account": str(admin.account_id),
                "locale": admin.locale or "en",
            },
            organization_id=invitation.tenant_id,
            provider_id=invitation.provider_id,
            account_id=admin.account_id,
            subject_id=invitation.row_id,
        )


def _confirmers(
    session: Session, organization_id: uuid.UUID, provider_id: uuid.UUID
) -> Sequence[Any]:
    if grants.mode(session, organization_id) is AccessMode.ALWAYS:
        return queries.provider_admins(session, provider_id)
    owners = organizations.confirmed_owners(session, organization_id)
    return [owner for owner in owners if not owner.is_of_provider]
