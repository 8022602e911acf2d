"""An organization's members: who may do what with whom, and who may not be touched.

Of the product description, members: an owner is made and unmade by an owner alone (a provider
admin stands in for one), the last confirmed owner of the client stays, nobody changes themselves,
and nobody grants what they do not hold.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from portal.domain.access import Role
from portal.domain.custom_roles import Custom, may_grant
from portal.domain.errors import N_, RuleError, refuse
from portal.domain.plans import Feature, Plan
from portal.domain.states import MemberState

MYSELF = N_("You cannot do this to yourself. Ask another owner or admin.")
LAST_OWNER = N_(
    "This is the last confirmed owner of the organization. Make somebody else an owner first."
)
RANK = N_("Your role does not reach that far. An owner can do this.")
NOT_HELD = N_("You can give only the permissions that you hold yourself.")
ENTERPRISE_ONLY = N_("Custom roles need the Enterprise plan.")
_NEEDED = {
    "resend": N_("Only somebody who has not accepted yet can be invited again."),
    "invite": N_("Only somebody who is prepared, and not invited yet, can be invited."),
    "revoke": N_("This person's access is revoked already."),
    "restore": N_("This person's access is not revoked."),
}


class Rank(IntEnum):
    """How far a role reaches inside an organization."""

    NOBODY = 0
    HELPER = 1
    ADMIN = 2
    OWNER = 3


class MemberAction(StrEnum):
    """What is done with one member or with many at once."""

    RESEND = "resend"
    INVITE = "invite"
    REVOKE = "revoke"
    RESTORE = "restore"
    REMOVE = "remove"

    @property
    def takes_away(self) -> bool:
        return self in (MemberAction.REVOKE, MemberAction.REMOVE)


_FROM: dict[MemberAction, frozenset[MemberState]] = {
    MemberAction.RESEND: frozenset({MemberState.INVITED}),
    MemberAction.INVITE: frozenset({MemberState.STAGED}),
    MemberAction.REVOKE: frozenset(MemberState) - {MemberState.REVOKED},
    MemberAction.RESTORE: frozenset({MemberState.REVOKED}),
    MemberAction.REMOVE: frozenset(MemberState),
}


@dataclass(frozen=True)
class Manager:
    """Who acts: the role they stand there with, and the parts of it if it is a custom one."""

    role: Role
    permissions: frozenset[Custom] = frozenset()

    @property
    def rank(self) -> Rank:
        if self.role in (Role.OWNER, Role.PROVIDER_ADMIN):
            return Rank.OWNER
        if self.role in (Role.ADMIN, Role.SERVICE_USER):
            return Rank.ADMIN
        if self.role is Role.CUSTOM and Custom.USERS in self.permissions:
            return Rank.HELPER
        return Rank.NOBODY

    def may_manage(self, role: Role) -> bool:
        """Whether members of `role` are theirs to manage."""
        needed = {Role.OWNER: Rank.OWNER, Role.ADMIN: Rank.ADMIN}.get(role, Rank.HELPER)
        return self.rank >= needed


@dataclass(frozen=True)
class MemberStanding:
    """How a member stands: `other_owners` counts the client's own confirmed owners beside them.

    People of the provider are nobody's own: `is_own` is False for a member who is one.
    """

    role: Role
    state: MemberState
    is_self: bool
    is_own: bool
    other_owners: int

    @property
    def is_last_owner(self) -> bool:
        """Whether the client would have no confirmed owner of its own without this member."""
        owns = self.role is Role.OWNER and self.state is MemberState.CONFIRMED and self.is_own
        return owns and self.other_owners == 0


def check_member_action(action: MemberAction, standing: MemberStanding, by: Manager) -> None:
    """Raise `RuleError` where `by` cannot do `action` with somebody who stands so."""
    if standing.is_self and action is not MemberAction.RESEND:
        raise refuse(MYSELF)
    if not by.may_manage(standing.role):
        raise refuse(RANK)
    if standing.state not in _FROM[action]:
        raise refuse(_NEEDED[action.value])
    if action.takes_away and standing.is_last_owner:
        raise refuse(LAST_OWNER)


def possible_member_actions(standing: MemberStanding, by: Manager) -> list[MemberAction]:
    """What can be done with a member now, in the order of the enumeration."""
    return [action for action in MemberAction if _is_possible(action, standing, by)]


def _is_possible(action: MemberAction, standing: MemberStanding, by: Manager) -> bool:
    try:
        check_member_action(action, standing, by)
    except RuleError:
        return False
    return True


def check_role(role: Role, permissions: Collection[Custom], plan: Plan, by: Manager) -> None:
    """Raise `RuleError` where `by` cannot give that role, or its plan has none such."""
    if role is Role.CUSTOM and not plan.has(Feature.CUSTOM_ROLES):
        raise refuse(ENTERPRISE_ONLY, field="role")
    check_reach(role, permissions, by)


def check_reach(role: Role, permissions: Collection[Custom], by: Manager) -> None:
    """Raise `RuleError` where `by` cannot hand that role to anybody, whatever the plan."""
    if not by.may_manage(role):
        raise refuse(RANK, field="role")
    if by.rank is Rank.HELPER and not may_grant(by.permissions, permissions):
        raise refuse(NOT_HELD, field="permissions")


def check_new_role(standing: MemberStanding, role: Role, by: Manager) -> None:
    """Raise `RuleError` where a member who stands so cannot be given another role by `by`."""
    if standing.is_self:
        raise refuse(MYSELF)
    if not by.may_manage(standing.role):
        raise refuse(RANK)
    if role is not Role.OWNER and standing.is_last_owner:
        raise refuse(LAST_OWNER)


def restored_state(*, has_account: bool, has_key: bool) -> MemberState:
    """What a revoked member is again: what their row still proves."""
    if has_key and has_account:
        return MemberState.CONFIRMED
    return MemberState.ACCEPTED if has_account else MemberState.INVITED
