"""Members come in: invited, accepted, confirmed."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, exists, insert, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from portal import events
from portal.crypto.tokens import Link
from portal.domain.access import Actor, Role, Trace
from portal.domain.collection_access import Level
from portal.domain.custom_roles import Custom
from portal.domain.errors import N_, refuse
from portal.domain.invitations import ASK_EVERY, VALID
from portal.domain.membership import RANK, Manager, check_reach
from portal.domain.states import MemberState
from portal.members import conditions
from portal.models import Collection, CollectionMember, Member, Organization, new_id, utc_now
from portal.models.writing import rows_changed
from portal.organizations.service import streams_in
from portal.outbox import enqueue
from portal.providers import attention

ALREADY_HERE = N_("This person is already a member or has been invited.")
NO_SEATS = N_("No seats are left. A provider admin can add seats.")
OWNERS_ONLY = N_("Only an owner or a provider admin can invite an owner.")
NOT_WAITING = N_(
    "This invitation is no longer waiting: it was accepted or withdrawn in the meantime."
)


def invite(
    session: Session,
    actor: Actor,
    *,
    organization_id: uuid.UUID,
    email: str,
    role: Role,
    locale: str,
    permissions: Sequence[str] = (),
    external_id: str = "",
    seat_is_taken: bool = False,
) -> Member:
    """Invite an address: takes a seat, makes the row, records the event, queues the mail.

    `email` is in its stored form (`domain.emails.check_email`). Raises `RuleError` on `email` for
    somebody who is there already, on no field where no seat is left; the caller rolls back then.
    `permissions` are the parts of a custom role, `external_id` is what a directory calls them.
    `seat_is_taken` is for whoever has taken one already, as for an organization that was made with
    its owner's seat in use.
    """
    _check_rank(actor, role)
    if not seat_is_taken:
        take_seat(session, organization_id)
    member = _add_row(session, organization_id, email, role, locale, permissions, external_id)
    if role is Role.OWNER:
        _give_collections(session, member)
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
    attention.member_invited(session, organization_id, member.id)
    return member


def take_seat(session: Session, organization_id: uuid.UUID, count: int = 1) -> None:
    """Take `count` seats, all or none: `RuleError` where they are not left. The rows follow."""
    after = Organization.seats_used + count
    taken = rows_changed(
        session,
        update(Organization)
        .where(Organization.id == organization_id, after <= Organization.seats)
        .values(seats_used=after)
        .execution_options(synchronize_session=False),
    )
    if taken != 1:
        raise refuse(NO_SEATS)


def _add_row(
    session: Session,
    organization_id: uuid.UUID,
    email: str,
    role: Role,
    locale: str,
    permissions: Sequence[str],
    external_id: str,
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
            permissions=list(permissions),
            external_id=external_id,
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


def _give_collections(session: Session, owner: Member) -> None:
    """An owner manages every collection that is there, which is the first one."""
    given = select(
        Collection.organization_id,
        Collection.id,
        literal(owner.id),
        literal(Level.MANAGE, CollectionMember.level.type),
    ).where(Collection.organization_id == owner.organization_id)
    columns = ["organization_id", "collection_id", "member_id", "level"]
    session.execute(insert(CollectionMember).from_select(columns, given))


def resend(
    session: Session,
    actor: Actor,
    *,
    organization_id: uuid.UUID,
    member_id: uuid.UUID,
    at_most_every: dt.timedelta = dt.timedelta(),
) -> str:
    """Send the invitation once more, by a new link that kills the old one; returns the address.

    Raises `RuleError` for somebody who does not wait to accept, or whose last mail is younger
    than `at_most_every`.
    """
    old_enough = [_is_older_than(at_most_every)] if at_most_every else []
    renewed = _renew(session, organization_id, member_id, *old_enough)
    if renewed is None:
        raise refuse(NOT_WAITING)
    _check_rank(actor, renewed.role)
    _tell_of_renewal(session, actor, organization_id, renewed)
    return str(renewed.email)


def ask_again(session: Session, link: Link, *, trace: Trace) -> bool:
    """The same for whoever holds one of the invitation's links, to the row's address alone.

    Returns False, and does nothing, where nobody waits or the last mail is too young.
    """
    renewed = _renew(session, link.tenant_id, link.row_id, _is_older_than(ASK_EVERY))
    if renewed is None:
        return False
    _tell_of_renewal(session, None, link.tenant_id, renewed, trace)
    return True


def replace_address(
    session: Session,
    actor: Actor,
    *,
    organization_id: uuid.UUID,
    member_id: uuid.UUID,
    before: str,
    email: str,
    by: Manager | None = None,
) -> None:
    """Send the invitation to `email` instead of `before`, whose link dies.

    Raises `RuleError` on `email` for an address that is a member already, on no field for
    somebody who does not wait to accept at `before` any more, and where `by` (with no parts of a
    custom role unless given) could not have invited anybody to this role.
    """
    conditions.hold(session, organization_id)
    other = aliased(Member)
    taken = exists().where(other.organization_id == organization_id, other.email == email)
    if session.scalar(taken.select()):
        raise refuse(ALREADY_HERE, field="email")
    renewed = _renew(session, organization_id, member_id, Member.email == before, email=email)
    if renewed is None:
        raise refuse(NOT_WAITING)
    _check_rank(actor, renewed.role)
    # Whoever chooses the mailbox could choose their own: it is as good as giving the role.
    parts = [Custom(part) for part in renewed.permissions]
    check_reach(renewed.role, parts, by or Manager(actor.role))
    events.record(
        session,
        actor,
        "organization:member:replace_address",
        streams=streams_in(actor, organization_id),
        subject_id=member_id,
        before=before,
        after=email,
    )
    _tell_of_renewal(session, actor, organization_id, renewed)


def _check_rank(actor: Actor, role: Role) -> None:
    """Owners are made by owners; a provider admin stands in for one. Custom roles make no admin."""
    if role is Role.OWNER and actor.role not in {Role.OWNER, Role.PROVIDER_ADMIN}:
        raise refuse(OWNERS_ONLY, field="role")
    if role is Role.ADMIN and actor.role is Role.CUSTOM:
        raise refuse(RANK, field="role")


def _is_older_than(age: dt.timedelta) -> ColumnElement[bool]:
    """Whether the last mail went out longer ago than that; its link's end tells when."""
    return Member.invitation_expires_at <= utc_now() + VALID - age


def _renew(
    session: Session,
    organization_id: uuid.UUID,
    member_id: uuid.UUID,
    *conditions: ColumnElement[bool],
    **changes: Any,
) -> Row[Any] | None:
    """A new version, and so a new link, for somebody who is still invited."""
    renewed: Any = session.execute(
        update(Member)
        .where(
            Member.organization_id == organization_id,
            Member.id == member_id,
            Member.state == MemberState.INVITED,
            *conditions,
        )
        .values(
            invitation_version=Member.invitation_version + 1,
            invitation_expires_at=utc_now() + VALID,
            **changes,
        )
        .returning(*_INVITED, _PROVIDER)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    row: Row[Any] | None = renewed
    return row


def _tell_of_renewal(
    session: Session,
    actor: Actor | None,
    organization_id: uuid.UUID,
    member: Row[Any],
    trace: Trace | None = None,
) -> None:
    events.record(
        session,
        actor,
        "organization:member:reinvite",
        streams=streams_in(actor, organization_id),
        subject_id=member.id,
        trace=trace,
        email=member.email,
    )
    send_invitation(session, member, member.provider_id)
    attention.member_renewed(session, organization_id, member.id)


_INVITED = (
    Member.organization_id,
    Member.id,
    Member.email,
    Member.role,
    Member.permissions,
    Member.invitation_version,
    Member.invitation_locale,
)
_PROVIDER = (
    select(Organization.provider_id)
    .where(Organization.id == Member.organization_id)
    .correlate(Member)
    .scalar_subquery()
    .label("provider_id")
)


def send_invitation(
    session: Session, member: Member | Row[Any], provider_id: uuid.UUID | None
) -> None:
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
