"""Recovering an account: asked for, approved, waited for, carried out; or stopped on the way.

Every step holds the organization's row first, and moves the request by a conditional UPDATE: of
two who decide at once one finds it moved. Whether somebody may is asked again at each step.
"""

import uuid
from typing import Any

from sqlalchemy import Row, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from portal import events
from portal.domain import account_recovery as rules
from portal.domain.access import Actor, Trace
from portal.domain.account_recovery import Helper, RecoveryState, Step
from portal.domain.errors import N_, RuleError, refuse
from portal.models import Organization, RecoveryRequest, RecoverySettings, new_id, utc_now
from portal.models.writing import rows_changed
from portal.organizations.service import streams_in
from portal.outbox import enqueue
from portal.recovery import queries

NOT_ON = N_("The policy Account recovery is off, so nobody's account can be recovered.")
GONE = N_("This person is not here any more.")
ALREADY = N_("A recovery of this account is open already.")
NOT_ASKED_BY_YOU = N_("Only whoever asked can withdraw it. You can decline it.")
NOTHING_OPEN = N_("No recovery of your account is open.")


def hold(session: Session, organization_id: uuid.UUID) -> None:
    """Take turns with whoever changes members, policies or recoveries, until the commit."""
    session.execute(
        update(Organization)
        .where(Organization.id == organization_id)
        .values(seats_used=Organization.seats_used)
        .execution_options(synchronize_session=False)
    )


def helper(session: Session, actor: Actor, organization_id: uuid.UUID) -> Helper:
    """The actor as the rules see them: a member of the provider's people counts as those."""
    if actor.via_provider:
        return Helper(actor.account_id, actor.role, is_of_provider=True)
    row = queries.member_of(session, organization_id, actor.account_id)
    if row is None:
        raise refuse(GONE)
    return queries.helper_of(row)


def ask(
    session: Session,
    actor: Actor,
    organization_id: uuid.UUID,
    member_id: uuid.UUID,
    *,
    reason: str,
) -> uuid.UUID:
    """Open a recovery; mails the member at once, and those who can approve. Returns its id."""
    hold(session, organization_id)
    by, member = look(session, actor, organization_id, member_id)
    may = queries.provider_may(session, organization_id)
    rules.check_request(by, queries.target_of(member), provider_may=may)
    _close_expired(session, actor, organization_id, member)
    recovery_id = _open(session, actor, member, by, reason)
    tell(session, actor, "organization:recovery:request", member)
    mail(session, "mail.recovery_asked", member, recovery_id, member)
    for row in approvers(session, member, asked_by=actor.account_id):
        mail(session, "mail.recovery_approve", member, recovery_id, row)
    return recovery_id


def approvers(session: Session, member: Row[Any], *, asked_by: uuid.UUID) -> list[Row[Any]]:
    """The members who can be the second person for this one."""
    target = queries.target_of(member)
    found = []
    for row in queries.helpers(session, member.organization_id):
        try:
            rules.check_approval(queries.helper_of(row), target, asked_by=asked_by)
        except RuleError:
            continue
        found.append(row)
    return found


def look(
    session: Session, actor: Actor, organization_id: uuid.UUID, member_id: uuid.UUID
) -> tuple[Helper, Row[Any]]:
    if queries.policy(session, organization_id) is None:
        raise refuse(NOT_ON)
    member = queries.member(session, organization_id, member_id)
    if member is None:
        raise refuse(GONE)
    return helper(session, actor, organization_id), member


def _close_expired(
    session: Session, actor: Actor, organization_id: uuid.UUID, member: Row[Any]
) -> None:
    """One that nobody carried out in time makes room for the next."""
    found = queries.open_request(session, organization_id, member.id)
    if found is None:
        return
    try:
        after = rules.after(Step.EXPIRE, found.state, queries.times_of(found), utc_now())
    except RuleError as error:
        raise refuse(ALREADY) from error
    move(session, found, after, closed_at=utc_now())
    tell(session, actor, "organization:recovery:expire", member)


def _open(session: Session, actor: Actor, member: Row[Any], by: Helper, reason: str) -> uuid.UUID:
    """The row, unless one is open: the unique index decides, not a read before."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    opened = session.execute(
        dialect.insert(RecoveryRequest)
        .values(
            organization_id=member.organization_id,
            id=new_id(),
            member_id=member.id,
            state=RecoveryState.REQUESTED,
            reason=reason,
            asked_by=actor.account_id,
            asked_by_name=actor.name[:100],
            by_provider=by.is_of_provider,
            asked_at=utc_now(),
            approved_by_name="",
            closed_by_name="",
        )
        .on_conflict_do_nothing()
        .returning(RecoveryRequest.id)
    ).scalar_one_or_none()
    if opened is None:
        raise refuse(ALREADY)
    return uuid.UUID(str(opened))


def decide(
    session: Session, actor: Actor, organization_id: uuid.UUID, recovery_id: uuid.UUID, step: Step
) -> Row[Any]:
    """Approve, decline or withdraw; returns the request as it was. Raises `RuleError`."""
    hold(session, organization_id)
    found = find(session, organization_id, recovery_id)
    by, member = look(session, actor, organization_id, found.member_id)
    if step is Step.APPROVE:
        rules.check_approval(by, queries.target_of(member), asked_by=found.asked_by)
    elif step is Step.WITHDRAW:
        if found.asked_by != actor.account_id:
            raise refuse(NOT_ASKED_BY_YOU)
    else:
        # Whoever could not ask for it cannot end it either.
        may = queries.provider_may(session, organization_id)
        rules.check_reach(by, queries.target_of(member), provider_may=may)
    now = utc_now()
    after = rules.after(step, found.state, queries.times_of(found), now)
    if step is Step.APPROVE:
        named: dict[str, Any] = {
            "approved_by": actor.account_id,
            "approved_by_name": actor.name[:100],
            "approved_at": now,
        }
    else:
        named = {"closed_at": now, "closed_by_name": actor.name[:100]}
    move(session, found, after, **named)
    tell(session, actor, f"organization:recovery:{step.value}", member)
    return found


def stop_own(session: Session, actor: Actor, organization_id: uuid.UUID) -> None:
    """The member stops what is open for their own account."""
    hold(session, organization_id)
    member = queries.member_of(session, organization_id, actor.account_id)
    found = queries.open_request(session, organization_id, member.id) if member else None
    if member is None or found is None:
        raise refuse(NOTHING_OPEN)
    _stop(session, actor, member, found, None)


def stop_mine(
    session: Session, account_id: uuid.UUID, organization_id: uuid.UUID, *, trace: Trace
) -> None:
    """The same on the person's own pages, whatever they may still do in the organization."""
    hold(session, organization_id)
    member = queries.member_of(session, organization_id, account_id)
    found = queries.open_request(session, organization_id, member.id) if member else None
    if member is None or found is None:
        raise refuse(NOTHING_OPEN)
    _stop(session, None, member, found, trace)


def stop_by_mail(
    session: Session, organization_id: uuid.UUID, recovery_id: uuid.UUID, *, trace: Trace
) -> None:
    """The same for whoever holds the link that was mailed to the member. Raises `RuleError`."""
    hold(session, organization_id)
    found = queries.request(session, organization_id, recovery_id)
    member = found and queries.member(session, organization_id, found.member_id)
    if found is None or member is None:
        raise refuse(rules.OVER)
    _stop(session, None, member, found, trace)


def _stop(
    session: Session, actor: Actor | None, member: Row[Any], found: Row[Any], trace: Trace | None
) -> None:
    now = utc_now()
    after = rules.after(Step.STOP, found.state, queries.times_of(found), now)
    move(session, found, after, closed_at=now, closed_by_name=member.name[:100])
    tell(session, actor, "organization:recovery:stop", member, trace=trace)
    for account_id in {found.asked_by, found.approved_by} - {None}:
        row = queries.member_of(session, member.organization_id, account_id)
        if row is not None:
            mail(session, "mail.recovery_stopped", member, found.id, row)


def let_provider(
    session: Session,
    actor: Actor,
    organization_id: uuid.UUID,
    may: bool,  # noqa: FBT001 - the answer of a checkbox
) -> bool:
    """An owner's switch; returns whether it moved."""
    hold(session, organization_id)
    if queries.provider_may(session, organization_id) == may:
        return False
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    session.execute(
        dialect.insert(RecoverySettings)
        .values(organization_id=organization_id, provider_may=may)
        .on_conflict_do_update(
            index_elements=[RecoverySettings.organization_id], set_={"provider_may": may}
        )
    )
    action = "allow" if may else "limit"
    events.record(
        session,
        actor,
        f"organization:recovery_by_provider:{action}",
        streams=streams_in(actor, organization_id),
        subject_id=organization_id,
    )
    return True


def find(session: Session, organization_id: uuid.UUID, recovery_id: uuid.UUID) -> Row[Any]:
    found = queries.request(session, organization_id, recovery_id)
    if found is None:
        raise refuse(rules.OVER)
    return found


def move(session: Session, found: Row[Any], after: RecoveryState, **values: Any) -> None:
    """Change the request, if it still is what was looked at."""
    moved = rows_changed(
        session,
        update(RecoveryRequest)
        .where(
            RecoveryRequest.organization_id == found.organization_id,
            RecoveryRequest.id == found.id,
            RecoveryRequest.state == found.state,
        )
        .values(state=after, **values)
        .execution_options(synchronize_session=False),
    )
    if moved != 1:
        raise refuse(rules.OVER)


def tell(
    session: Session,
    actor: Actor | None,
    kind: str,
    member: Row[Any],
    *,
    trace: Trace | None = None,
    **details: Any,
) -> None:
    events.record(
        session,
        actor,
        kind,
        streams=streams_in(actor, member.organization_id),
        subject_id=member.id,
        trace=trace,
        email=member.email,
        **details,
    )


def mail(
    session: Session, topic: str, member: Row[Any], recovery_id: uuid.UUID, to: Row[Any]
) -> None:
    enqueue(
        session,
        topic,
        {
            "organization": str(member.organization_id),
            "recovery": str(recovery_id),
            "account": str(to.account_id),
            "locale": to.locale or to.invitation_locale,
        },
        organization_id=member.organization_id,
        provider_id=member.provider_id,
        account_id=to.account_id,
        subject_id=member.id,
    )
