"""How long the organizations of a person let their vault stay unlocked: part of each visit."""

from typing import Any

from sqlalchemy import and_, case, exists, func, select

from portal.domain.access import Role
from portal.domain.plans import Feature, Plan
from portal.domain.policies import PolicyKind
from portal.domain.policy_data import TimeoutAction, VaultTimeout
from portal.domain.states import ClientStatus, MemberState
from portal.models.members import Member
from portal.models.organization import Organization
from portal.models.policies import Policy
from portal.models.provider import ProviderPerson

_PLANS = tuple(plan for plan in Plan if plan.has(Feature.POLICIES))


def vault_timeout(account_id: Any) -> Any:
    """The shortest time of all that hold for a person, for a statement's columns; null for none.

    One number, so that a request reads it in one scalar: twice the minutes, and one more where
    any organization signs out at the end. For whom the policy holds says `policies.holds_for`.
    """
    data = Policy.data
    signs_out = data["action"].as_string() == TimeoutAction.SIGN_OUT.value
    minutes = func.coalesce(data["minutes"].as_integer(), VaultTimeout().minutes)
    told = func.min(minutes) * 2 + func.max(case((signs_out, 1), else_=0))
    of_provider = exists().where(
        ProviderPerson.provider_id == Organization.provider_id,
        ProviderPerson.account_id == Member.account_id,
    )
    return (
        select(told)
        .select_from(Member)
        .join(Organization, Organization.id == Member.organization_id)
        .join(
            Policy,
            and_(
                Policy.organization_id == Organization.id,
                Policy.kind == PolicyKind.VAULT_TIMEOUT,
            ),
        )
        .where(
            Member.account_id == account_id,
            Member.state.in_((MemberState.ACCEPTED, MemberState.CONFIRMED)),
            Member.role.not_in((Role.OWNER, Role.ADMIN)),
            Policy.is_on,
            Organization.plan.in_(_PLANS),
            Organization.status != ClientStatus.DELETING,
            ~of_provider,
        )
        .scalar_subquery()
    )


def read_timeout(told: int | None) -> tuple[int | None, bool]:
    """(minutes, whether to sign out then) of such a number."""
    return (None, False) if told is None else (told // 2, bool(told % 2))
