"""Members change: revoked, restored, removed, invited again, given another role.

Every change holds the organization's row first, so that two owners who turn on each other take
turns and one of them stays, and so that seats are counted by one at a time.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, exists, func, select, update
from sqlalchemy.orm import Session

from portal import events
from portal.accounts import affiliations
from portal.domain.access import Actor, Role
from portal.domain.custom_roles import Custom, completed
from portal.domain.errors import N_, RuleError, refuse
from portal.domain.membership import (
    LAST_OWNER,
    Manager,
    MemberAction,
    MemberStanding,
    check_member_action,
    check_new_role,
    check_role,
    restored_state,
)
from portal.domain.plans import Plan
from portal.domain.states import MemberState
from portal.members import conditions, queries, service
from portal.models import Member, Organization, utc_now
from portal.models.writing import rows_changed
from portal.organizations.service import recount_setup, streams_in
from portal.outbox import enqueue
from portal.providers import attention

GONE = N_("This person is not here any more.")
CHANGED = N_("This member has changed in the meantime. Load the page again.")


def manager_of(actor: Actor, permissions: Sequence[str] = ()) -> Manager:
    """The actor as the rules of membership see them."""
    return Manager(actor.role, frozenset(Custom(part) for part in permissions))


@dataclass(frozen=True)
class Held:
    """What the organization is while it is held: its plan, and who owns it of its own."""

    plan: Plan
    own_owners: frozenset[uuid.UUID]
    provider_people: frozenset[uuid.UUID]


def hold(session: Session, organization_id: uuid.UUID) -> Held:
    """Keep everybody else from changing the members until the commit, and look who owns it."""
    session.execute(
        update(Organization)
        .where(Organization.id == organization_id)
        .values(seats_used=Organization.seats_used)
        .execution_options(synchronize_session=False)
    )
    return look(session, organization_id)


def look(session: Session, organization_id: uuid.UUID) -> Held:
    """The same without holding it: for a page that only says what would come of a change."""
    plan, provider_id = session.execute(
        select(Organization.plan, Organization.provider_id).where(
            Organization.id == organization_id
        )
    ).one()
    staff = queries.provider_accounts(session, provider_id) if provider_id else frozenset()
    owners = queries.confirmed_owners(session, organization_id)
    own = frozenset(row.id for row in owners if row.account_id not in staff)
    return Held(plan, own, staff)


def standing_of(member: Any, actor: Actor, held: Held) -> MemberStanding:
    """How a row of `queries` stands to the actor."""
    return MemberStanding(
        role=member.role,
        state=member.state,
        is_self=member.account_id == actor.account_id,
        is_own=member.account_id not in held.provider_people,
        other_owners=len(held.own_owners - {member.id}),
    )


def act(
    session: Session,
    actor: Actor,
    action: MemberAction,
    *,
    organization_id: uuid.UUID,
    member_id: uuid.UUID,
    by: Manager,
) -> Row[Any] | None:
    """Do it; returns the member as they were, None if they are gone. Raises `RuleError`.

    Whoever is refused has changed nothing, so several can be done in one transaction.
    """
    held = hold(session, organization_id)
    member = queries.find(session, organization_id, member_id)
    if member is None:
        return None
    check_member_action(action, standing_of(member, actor, held), by)
    _DO[action](session, actor, member)
    if action is not MemberAction.RESEND:
        attention.member_changed(session, organization_id, member_id)
    return member


class Moved(RuleError):
    """Somebody has given the member another role since the page was shown."""

    def __init__(self) -> None:
        super().__init__(N_("This has changed in the meantime. Look again, then decide."))


def role_mark(member: Any) -> str:
    """Role and parts of a custom one, to see whether they are still what a page has shown."""
    return " ".join([member.role.value, *sorted(member.permissions)])


def change_role(
    session: Session,
    actor: Actor,
    *,
    organization_id: uuid.UUID,
    member_id: uuid.UUID,
    role: Role,
    permissions: Sequence[Custom],
    by: Manager,
    seen: str = "",
) -> Row[Any] | None:
    """Give a member another role, or other parts of a custom one; None if they are gone.

    Raises `Moved` where `seen`, if given, is not the `role_mark` of what they have now.
    """
    held = hold(session, organization_id)
    member = queries.find(session, organization_id, member_id)
    if member is None:
        return None
    if seen and seen != role_mark(member):
        raise Moved
    parts = completed(permissions) if role is Role.CUSTOM else frozenset()
    check_new_role(standing_of(member, actor, held), role, by)
    check_role(role, parts, held.plan, by)
    wanted = sorted(part.value for part in parts)
    if role is member.role and wanted == sorted(member.permissions):
        return member
    _write(session, member, role=role, permissions=wanted)
    _follow(session, member, role=role, state=member.state)
    _tell(
        session,
        actor,
        "organization:member:update",
        member,
        before={"role": member.role.value, "permissions": sorted(member.permissions)},
        after={"role": role.value, "permissions": wanted},
    )
    return member


def _resend(session: Session, actor: Actor, member: Row[Any]) -> None:
    service.resend(session, actor, organization_id=member.organization_id, member_id=member.id)


def _invite(session: Session, actor: Actor, member: Row[Any]) -> None:
    service.take_seat(session, member.organization_id)
    _write(session, member, state=MemberState.INVITED)
    service.resend(session, actor, organization_id=member.organization_id, member_id=member.id)


# How the log names it, by the kind of the policy.
_REVOKED_BY = {
    "two_step": "organization:member:revoke_two_step",
    "single_organization": "organization:member:revoke_single_organization",
}


def revoke_for(session: Session, actor: Actor, member: Row[Any], *, because: str) -> None:
    """Revoke a member whom a policy lets in no longer, under `hold`; the caller recounts set-up.

    `because` is the policy's kind, as `Member.revoked_because` keeps it.
    """
    _write_revoked(session, member, because)
    _place(session, member, role=member.role, state=MemberState.REVOKED)
    attention.member_changed(session, member.organization_id, member.id)
    _tell_state(session, actor, _REVOKED_BY[because], member, MemberState.REVOKED)


def _write_revoked(session: Session, member: Row[Any], because: str) -> None:
    _write(
        session,
        member,
        state=MemberState.REVOKED,
        revoked_because=because,
        revoked_at=utc_now(),
        # The link in the mail must not bring anybody back.
        invitation_version=Member.invitation_version + 1,
    )
    if member.state.uses_seat:
        _give_seat_back(session, member.organization_id)


def _revoke(session: Session, actor: Actor, member: Row[Any]) -> None:
    _write_revoked(session, member, "manual")
    _follow(session, member, role=member.role, state=MemberState.REVOKED)
    _mark_key_due(session, member)
    _tell_state(session, actor, "organization:member:revoke", member, MemberState.REVOKED)
    _write_to(session, member, "mail.member_revoked")


def _restore(session: Session, actor: Actor, member: Row[Any]) -> None:
    conditions.let_in(session, conditions.Coming.of(member), conditions.Step.RESTORE)
    service.take_seat(session, member.organization_id)
    state = restored_state(has_account=member.account_id is not None, has_key=member.holds_key)
    _write(session, member, state=state, revoked_because="", revoked_at=None)
    _follow(session, member, role=member.role, state=state)
    _tell_state(session, actor, "organization:member:restore", member, state)
    if state is MemberState.INVITED:
        _resend(session, actor, member)


def _remove(session: Session, actor: Actor, member: Row[Any]) -> None:
    _take_place(session, member)
    before = {"role": member.role.value, "state": member.state.value}
    _tell(session, actor, "organization:member:remove", member, before=before)
    _write_to(session, member, "mail.member_removed")


def leave(session: Session, actor: Actor, organization_id: uuid.UUID) -> None:
    """Give up one's own place; `RuleError` for the last confirmed owner."""
    held = hold(session, organization_id)
    member = queries.find_own(session, organization_id, actor.account_id)
    if member is None:
        raise refuse(GONE)
    if standing_of(member, actor, held).is_last_owner:
        raise refuse(LAST_OWNER)
    _take_place(session, member)
    before = {"role": member.role.value, "state": member.state.value}
    _tell(session, actor, "organization:member:leave", member, before=before)
    attention.member_changed(session, organization_id, member.id)


def _take_place(session: Session, member: Row[Any]) -> None:
    removed = rows_changed(
        session,
        delete(Member)
        .where(
            Member.organization_id == member.organization_id,
            Member.id == member.id,
            Member.state == member.state,
        )
        .execution_options(synchronize_session=False),
    )
    if removed != 1:
        raise refuse(CHANGED)
    if member.state.uses_seat:
        _give_seat_back(session, member.organization_id)
    _follow(session, member, role=member.role, state=None)
    _mark_key_due(session, member)


_DO: dict[MemberAction, Callable[[Session, Actor, Row[Any]], None]] = {
    MemberAction.RESEND: _resend,
    MemberAction.INVITE: _invite,
    MemberAction.REVOKE: _revoke,
    MemberAction.RESTORE: _restore,
    MemberAction.REMOVE: _remove,
}


def _write(session: Session, member: Row[Any], **values: Any) -> None:
    """Change the row, if it still is what was looked at."""
    written = rows_changed(
        session,
        update(Member)
        .where(
            Member.organization_id == member.organization_id,
            Member.id == member.id,
            Member.state == member.state,
            Member.role == member.role,
        )
        .values(**values)
        .execution_options(synchronize_session=False),
    )
    if written != 1:
        raise refuse(CHANGED)


def _give_seat_back(session: Session, organization_id: uuid.UUID) -> None:
    session.execute(
        update(Organization)
        .where(Organization.id == organization_id, Organization.seats_used > 0)
        .values(seats_used=Organization.seats_used - 1)
        .execution_options(synchronize_session=False)
    )


def _mark_key_due(session: Session, member: Row[Any]) -> None:
    """Somebody who could open the organization key has left: another one should be made."""
    if member.state is not MemberState.CONFIRMED or not member.holds_key:
        return
    session.execute(
        update(Organization)
        .where(Organization.id == member.organization_id, Organization.public_key.is_not(None))
        .values(
            key_rotation_due_since=func.coalesce(Organization.key_rotation_due_since, utc_now())
        )
        .execution_options(synchronize_session=False)
    )


def _write_to(session: Session, member: Row[Any], topic: str) -> None:
    """One short mail to who has an account; an address that never accepted is left alone."""
    if member.account_id is None:
        return
    enqueue(
        session,
        topic,
        {
            "organization": str(member.organization_id),
            "account": str(member.account_id),
            "locale": member.invitation_locale,
        },
        organization_id=member.organization_id,
        provider_id=member.provider_id,
        account_id=member.account_id,
    )


def _follow(session: Session, member: Row[Any], *, role: Role, state: MemberState | None) -> None:
    """What follows from a changed row: where the person belongs, who owns, how far set-up is."""
    _place(session, member, role=role, state=state)
    if Role.OWNER in (role, member.role):
        _recount_owner(session, member.organization_id)
    if MemberState.CONFIRMED in (state, member.state):
        recount_setup(session, member.organization_id)


def _place(session: Session, member: Row[Any], *, role: Role, state: MemberState | None) -> None:
    if member.account_id is None:
        return
    place = {
        "account_id": member.account_id,
        "kind": "organization",
        "tenant_id": member.organization_id,
    }
    if state is None:
        affiliations.drop(session, **place)
    else:
        affiliations.put(session, **place, name=member.organization_name, role=role, state=state)


def _recount_owner(session: Session, organization_id: uuid.UUID) -> None:
    owner = exists().where(
        Member.organization_id == organization_id,
        Member.role == Role.OWNER,
        Member.state == MemberState.CONFIRMED,
    )
    session.execute(
        update(Organization)
        .where(Organization.id == organization_id)
        .values(owner_confirmed=owner)
        .execution_options(synchronize_session=False)
    )


def _tell_state(
    session: Session, actor: Actor, kind: str, member: Row[Any], state: MemberState
) -> None:
    before, after = {"state": member.state.value}, {"state": state.value}
    _tell(session, actor, kind, member, before=before, after=after)


def _tell(session: Session, actor: Actor, kind: str, member: Row[Any], **details: Any) -> None:
    events.record(
        session,
        actor,
        kind,
        streams=streams_in(actor, member.organization_id),
        subject_id=member.id,
        email=member.email,
        **details,
    )
