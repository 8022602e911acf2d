"""Account recovery: its way from the request to the new password, and who may go it with whom.

Two people of the client act, neither of them the member: one asks and one approves. The member
is told at once and can stop it; nothing is carried out before a day has passed since their mail
went out, and nothing at all where it never did.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from portal.domain.access import Role
from portal.domain.custom_roles import Custom, may_grant
from portal.domain.errors import N_, refuse
from portal.domain.states import MemberState

# How long the member can stop it before anything can happen, counted from when they were told.
WAIT = dt.timedelta(hours=24)
# Who has not carried it out by then asks again.
OPEN_FOR = dt.timedelta(days=7)
REASON_LIMIT = 300


class RecoveryState(StrEnum):
    """What is stored. `EXPIRED` is also what an open one is once its time is over."""

    REQUESTED = "requested"
    APPROVED = "approved"
    DONE = "done"
    STOPPED = "stopped"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"

    @property
    def is_open(self) -> bool:
        return self in OPEN


OPEN = frozenset({RecoveryState.REQUESTED, RecoveryState.APPROVED})


class Stage(StrEnum):
    """What a recovery is at a moment: the closed states, and four kinds of open."""

    NEEDS_APPROVAL = "needs_approval"
    UNTOLD = "untold"
    WAITS = "waits"
    READY = "ready"
    DONE = "done"
    STOPPED = "stopped"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"

    @property
    def label(self) -> str:
        """The stage as a message id."""
        return _LABELS[self]


_LABELS = {
    Stage.NEEDS_APPROVAL: N_("Needs a second person"),
    Stage.UNTOLD: N_("Approved, the member is not told yet"),
    Stage.WAITS: N_("Approved, the 24 hours run"),
    Stage.READY: N_("Ready to be carried out"),
    Stage.DONE: N_("Carried out"),
    Stage.STOPPED: N_("Stopped by the member"),
    Stage.DECLINED: N_("Declined"),
    Stage.WITHDRAWN: N_("Withdrawn"),
    Stage.EXPIRED: N_("Expired"),
}


class Step(StrEnum):
    """What happens to a recovery."""

    APPROVE = "approve"
    DECLINE = "decline"
    WITHDRAW = "withdraw"
    STOP = "stop"
    CARRY_OUT = "carry_out"
    EXPIRE = "expire"


class Times(NamedTuple):
    """When it was asked for, and when the member's mail left; None while it has not."""

    asked_at: dt.datetime
    told_at: dt.datetime | None

    @property
    def ready_at(self) -> dt.datetime | None:
        """From when an approved one can be carried out; None while nobody can say."""
        return self.told_at + WAIT if self.told_at else None

    @property
    def ends_at(self) -> dt.datetime:
        """Until when it can be: a mail that left late takes nothing of that time."""
        return (self.told_at or self.asked_at) + OPEN_FOR


def stage_of(state: RecoveryState, times: Times, now: dt.datetime) -> Stage:
    """What it is at `now`."""
    if not state.is_open:
        return Stage(state.value)
    if now >= times.ends_at:
        return Stage.EXPIRED
    if state is RecoveryState.REQUESTED:
        return Stage.NEEDS_APPROVAL
    ready_at = times.ready_at
    if ready_at is None:
        return Stage.UNTOLD
    return Stage.READY if now >= ready_at else Stage.WAITS


OPEN_STAGES = frozenset({Stage.NEEDS_APPROVAL, Stage.UNTOLD, Stage.WAITS, Stage.READY})
_FROM: Mapping[Step, frozenset[Stage]] = {
    Step.APPROVE: frozenset({Stage.NEEDS_APPROVAL}),
    Step.DECLINE: OPEN_STAGES,
    Step.WITHDRAW: OPEN_STAGES,
    Step.STOP: OPEN_STAGES,
    Step.CARRY_OUT: frozenset({Stage.READY}),
    Step.EXPIRE: frozenset({Stage.EXPIRED}),
}
_AFTER = {
    Step.APPROVE: RecoveryState.APPROVED,
    Step.DECLINE: RecoveryState.DECLINED,
    Step.WITHDRAW: RecoveryState.WITHDRAWN,
    Step.STOP: RecoveryState.STOPPED,
    Step.CARRY_OUT: RecoveryState.DONE,
    Step.EXPIRE: RecoveryState.EXPIRED,
}
OVER = N_("This recovery is over. Load the page again.")
UNKNOWN = N_("Choose what to do with this recovery.")
TOO_EARLY = N_("The 24 hours are not over yet. Until then the member can stop it.")
NOT_APPROVED = N_("A second person has to approve it first.")
NOT_TOLD = N_(
    "The mail that tells the member has not gone out, so the 24 hours have not begun. Nothing can "
    "be carried out before."
)
_TOO_EARLY = {
    Stage.WAITS: TOO_EARLY,
    Stage.NEEDS_APPROVAL: NOT_APPROVED,
    Stage.UNTOLD: NOT_TOLD,
}


def after(step: Step, state: RecoveryState, times: Times, now: dt.datetime) -> RecoveryState:
    """The state that `step` leads to; raises `RuleError` where it cannot be done at `now`."""
    stage = stage_of(state, times, now)
    # An open one whose time is over is closed once; a closed one stays what it is.
    may = stage in _FROM[step] and (step is not Step.EXPIRE or state.is_open)
    if may:
        return _AFTER[step]
    raise refuse(_TOO_EARLY.get(stage, OVER) if step is Step.CARRY_OUT else OVER)


@dataclass(frozen=True)
class Helper:
    """Who acts. `is_of_provider`: somebody of the provider's people, however they came."""

    account_id: UUID
    role: Role
    parts: frozenset[Custom] = frozenset()
    is_of_provider: bool = False


@dataclass(frozen=True)
class Target:
    """Whose account it is about.

    `is_enrolled`: with a recovery key that fits the keys of today. `belongs_elsewhere`: to another
    organization or to a provider, which whoever holds the account would reach as well.
    """

    account_id: UUID | None
    role: Role
    state: MemberState
    parts: frozenset[Custom] = frozenset()
    is_enrolled: bool = False
    belongs_elsewhere: bool = False


MYSELF = N_("Nobody recovers their own account. Ask another owner or admin.")
NOT_HERE = N_("Only somebody who has accepted the invitation can be recovered.")
NOT_ENROLLED = N_(
    "This member is not enrolled in account recovery. Without it nobody can open their account."
)
ELSEWHERE = N_(
    "This member also belongs to another organization or to a provider, and recovering their "
    "account would open that, too."
)
RANK = N_("Your role does not reach that far. An owner can do this.")
NOT_PROVIDER = N_(
    "People of the provider cannot recover accounts here. An owner or admin of the organization "
    "can, or an owner can allow it."
)
NOT_THESE = N_("People of the provider can recover plain users alone, no owners, admins or others.")
SECOND_PERSON = N_("A second person has to approve: whoever asked cannot.")
OF_THE_CLIENT = N_("The second person must be somebody of the organization, not of its provider.")


def check_reach(by: Helper, target: Target, *, provider_may: bool) -> None:
    """Raise `RuleError` where `by` may not recover a member with that role at all."""
    if target.account_id is not None and by.account_id == target.account_id:
        raise refuse(MYSELF)
    if by.is_of_provider:
        if not provider_may:
            raise refuse(NOT_PROVIDER)
        if target.role is not Role.USER:
            raise refuse(NOT_THESE)
        return
    if not _outranks(by, target):
        raise refuse(RANK)


def _outranks(by: Helper, target: Target) -> bool:
    if target.role is Role.OWNER:
        return by.role is Role.OWNER
    if target.role is Role.ADMIN:
        return by.role in (Role.OWNER, Role.ADMIN)
    if by.role in (Role.OWNER, Role.ADMIN):
        return True
    # Whoever recovers an account can use it: nobody gains parts that they do not hold.
    holds = by.role is Role.CUSTOM and Custom.RECOVERY in by.parts
    return holds and may_grant(by.parts, target.parts)


def check_target(target: Target) -> None:
    """Raise `RuleError` where nobody can recover this member as they stand."""
    lives = target.state in (MemberState.ACCEPTED, MemberState.CONFIRMED, MemberState.REVOKED)
    if target.account_id is None or not lives:
        raise refuse(NOT_HERE)
    if not target.is_enrolled:
        raise refuse(NOT_ENROLLED)
    if target.belongs_elsewhere:
        raise refuse(ELSEWHERE)


def check_request(by: Helper, target: Target, *, provider_may: bool) -> None:
    """Raise `RuleError` where `by` cannot ask for the recovery of this member."""
    check_reach(by, target, provider_may=provider_may)
    check_target(target)


def check_approval(by: Helper, target: Target, *, asked_by: UUID) -> None:
    """Raise `RuleError` where `by` cannot be the second person of this recovery."""
    if by.account_id == asked_by:
        raise refuse(SECOND_PERSON)
    if by.is_of_provider:
        raise refuse(OF_THE_CLIENT)
    check_request(by, target, provider_may=False)
