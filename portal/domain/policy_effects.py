"""What a change of a policy would do to each member: the same rule for the look and the deed."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from portal.domain.policies import PolicyKind, Subject, holds_for
from portal.domain.states import MemberState


class Effect(StrEnum):
    """What comes to a member, the hardest first."""

    REVOKED = "revoked"
    AT_SIGN_IN = "at_sign_in"
    AT_CHANGE = "at_change"
    FROM_NOW = "from_now"
    AT_ACCEPT = "at_accept"
    AT_UNLOCK = "at_unlock"


@dataclass(frozen=True)
class Standing:
    """A member as a change of a policy finds them.

    `belongs_elsewhere`: accepted or confirmed in another organization of this portal.
    `is_enrolled`: in account recovery.
    """

    member_id: UUID
    subject: Subject
    has_second_factor: bool
    belongs_elsewhere: bool
    is_enrolled: bool = False


_WAITING = (MemberState.INVITED, MemberState.STAGED)
INSIDE = (MemberState.ACCEPTED, MemberState.CONFIRMED)
# Nobody comes in who does not meet these, and who is in is shut out.
AT_THE_DOOR = (PolicyKind.TWO_STEP, PolicyKind.SINGLE_ORGANIZATION)


def lacks(kind: PolicyKind, standing: Standing) -> bool:
    """Whether a policy that lets nobody in without it finds this wanting."""
    if kind is PolicyKind.TWO_STEP:
        return not standing.has_second_factor
    return kind is PolicyKind.SINGLE_ORGANIZATION and standing.belongs_elsewhere


def effect_of(kind: PolicyKind, standing: Standing, *, turns_on: bool) -> Effect | None:
    """What turning the policy on does to a member; None for nothing."""
    if not turns_on or not holds_for(kind, standing.subject):
        return None
    state = standing.subject.state
    if state in INSIDE and lacks(kind, standing):
        return Effect.REVOKED
    # Nobody knows whose account an invited address will be, so all of them are asked.
    return Effect.AT_ACCEPT if kind in AT_THE_DOOR and state in _WAITING else None


def effects(
    kind: PolicyKind, standings: Iterable[Standing], *, turns_on: bool
) -> dict[UUID, Effect]:
    """What turning it on does, by member; who is not touched is not in it."""
    found = ((each.member_id, effect_of(kind, each, turns_on=turns_on)) for each in standings)
    return {member_id: effect for member_id, effect in found if effect}


def enrolling(standings: Iterable[Standing]) -> dict[UUID, Effect]:
    """What enrolling everybody in account recovery does: who is not yet is asked."""
    return {
        each.member_id: Effect.AT_UNLOCK
        for each in standings
        if each.subject.state in INSIDE and not each.is_enrolled
    }


def holding(
    kind: PolicyKind, standings: Iterable[Standing], *, at_sign_in: bool = False
) -> dict[UUID, Effect]:
    """Of whom a policy asks something that shuts nobody out: everybody inside whom it holds for.

    `at_sign_in`: a master password is looked at whenever somebody signs in.
    """
    # Accounts that are there already are asked nothing by who may make new ones.
    if kind in AT_THE_DOOR or kind.needs_domain or kind is PolicyKind.ACCOUNT_RECOVERY:
        return {}
    effect = Effect.FROM_NOW
    if kind is PolicyKind.MASTER_PASSWORD:
        effect = Effect.AT_SIGN_IN if at_sign_in else Effect.AT_CHANGE
    return {
        each.member_id: effect
        for each in standings
        if each.subject.state in INSIDE and holds_for(kind, each.subject)
    }


def digest(found: dict[UUID, Effect]) -> str:
    """The same for the same effects: what was looked at is what is done, or nothing is."""
    text = "\n".join(f"{member_id} {found[member_id]}" for member_id in sorted(found))
    return hashlib.sha256(text.encode()).hexdigest()
