"""Members come in: invited, accepted, confirmed."""

import datetime as dt
import uuid

from sqlalchemy import update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from portal import events
from portal.domain.access import Actor, Role
from portal.domain.errors import N_, refuse
from portal.domain.states import MemberState
from portal.models import Member, Organization, new_id, utc_now
from portal.organizations.service import streams_in
from portal.outbox import enqueue

VALID = dt.timedelta(days=5)
ALREADY_HERE = N_("This person is a member already, or has been invited.")
NO_SEATS = N_("No seats are left. A provider admin can add seats.")
OWNERS_ONLY = N_("Only an owner or a provider admin can invite an owner.")


def invite(
    session: Session,
    actor: Actor,
    *,
    organization_id: uuid.UUID,
    email: str,
    role: Role,
    locale: str,
) -> Member:
    """Invite an address: takes a seat, makes the row, records the event, queues the mail.

    `email` is in its stored form (`domain.emails.check_email`). Raises `RuleError` on `email` for
    somebody who is there already, on no field where no seat is left; the caller rolls back then.
    """
    if role is Role.OWNER and actor.role not in {Role.OWNER, Role.PROVIDER_ADMIN}:
        raise refuse(OWNERS_ONLY, field="role")
    _take_seat(session, organization_id)
    member = _add_row(session, organization_id, email, role, locale)
    events.record(
        session,
        actor,
        "organization:member:invite",
        streams=streams_in(actor, organization_id),
        subject_id=member.id,
        email=email,
        role=role.value,
    )
    send_invitation(session, member, actor.provider_id)
    return member


def _take_seat(session: Session, organization_id: uuid.UUID) -> None:
    taken = session.execute(
        update(Organization)
        .where(Organization.id == organization_id, Organization.seats_used < Organization.seats)
        .values(seats_used=Organization.seats_used + 1)
        .execution_options(synchronize_session=False)
    )
    if taken.rowcount != 1:  # type: ignore[attr-defined]
        raise refuse(NO_SEATS)


def _add_row(
    session: Session, organization_id: uuid.UUID, email: str, role: Role, locale: str
) -> Member:
    """The row, unless the address is there: the unique constraint decides, not a read before."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    now = utc_now()
    added = (
        dialect.insert(Member)
        .values(
            organization_id=organization_id,
            id=new_id(),
            email=email,
            role=role,
            state=MemberState.INVITED,
            invitation_version=1,
            invitation_locale=locale,
            invitation_expires_at=now + VALID,
            created_at=now,
        )
        .on_conflict_do_nothing()
        .returning(Member)
    )
    member: Member | None = session.scalars(added).one_or_none()
    if member is None:
        raise refuse(ALREADY_HERE, field="email")
    return member


def send_invitation(session: Session, member: Member, provider_id: uuid.UUID | None) -> None:
    """Queue the mail with the link of the row's present version."""
    enqueue(
        session,
        "mail.member_invitation",
        {
            "organization": str(member.organization_id),
            "member": str(member.id),
            "version": member.invitation_version,
            "locale": member.invitation_locale,
        },
        organization_id=member.organization_id,
        provider_id=provider_id,
        subject_id=member.id,
    )
