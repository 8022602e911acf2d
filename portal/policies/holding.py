"""Which policies hold for a person, and what keeps somebody from coming in.

A policy holds while its organization's plan includes policies: on a smaller plan it stays stored
and asks nothing.
"""

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from portal.domain.access import Role
from portal.domain.emails import domain_of, shown
from portal.domain.errors import N_, Message, refuse
from portal.domain.password_rules import Demand
from portal.domain.plans import Feature, Plan
from portal.domain.policies import PolicyKind, Subject, holds_for, read
from portal.domain.policy_data import MasterPassword
from portal.domain.states import ClientStatus, MemberState
from portal.members.conditions import Coming, Obstacle, Remedy, Step
from portal.models import Account, ClaimedDomain, Member, Organization, Policy
from portal.policies.queries import INSIDE, elsewhere, of_provider

PLANS = tuple(plan for plan in Plan if plan.has(Feature.POLICIES))
_TWO_STEP, _SINGLE = PolicyKind.TWO_STEP, PolicyKind.SINGLE_ORGANIZATION
_PASSWORD = PolicyKind.MASTER_PASSWORD

_SENTENCES = {
    (_TWO_STEP, Step.ACCEPT): N_(
        "%(organization)s requires two-step sign-in. Set up a second factor first, then accept."
    ),
    (_TWO_STEP, Step.CONFIRM): N_(
        "%(address)s has no second factor, and this organization requires two-step sign-in. They "
        "can set one up in their profile."
    ),
    (_SINGLE, Step.ACCEPT): N_(
        "Members of %(organization)s belong to no other organization. Leave the other one first, "
        "then accept."
    ),
    (_SINGLE, Step.CONFIRM): N_(
        "%(address)s belongs to another organization, and the policy Single organization allows "
        "none. They can leave it first."
    ),
}
_ELSEWHERE = {
    Step.ACCEPT: N_(
        "You belong to %(other)s, whose members belong to no other organization. Leave it first, "
        "then accept."
    ),
    Step.CONFIRM: N_(
        "%(address)s belongs to another organization, which allows its members no second one. "
        "They can leave it first."
    ),
}


_BLOCKED = N_(
    "Accounts at %(domain)s are made only by invitation of the organization that the domain "
    "belongs to. Ask its administrators to invite you first, then open this link again."
)


@dataclass(frozen=True)
class Asking:
    """An organization that asks something of a person, and what; which version of it, too."""

    organization_id: uuid.UUID
    name: str
    data: dict[str, Any]
    version: int


def asking(session: Session, account_id: uuid.UUID, kind: PolicyKind) -> list[Asking]:
    """The organizations whose policy of that kind holds for the person, in one statement."""
    return [each for _kind, each in _asking(session, account_id, Policy.kind == kind)]


def all_asking(session: Session, account_id: uuid.UUID) -> list[tuple[PolicyKind, Asking]]:
    """Everything that holds for the person, whatever its kind, by the organization's name."""
    return _asking(session, account_id, Policy.kind.in_(PolicyKind))


def _asking(session: Session, account_id: uuid.UUID, which: Any) -> list[tuple[PolicyKind, Asking]]:
    found = (
        select(
            Member.organization_id,
            Member.role,
            Member.state,
            Organization.name,
            Policy.kind,
            Policy.data,
            Policy.version,
            of_provider(Organization, Member.account_id).label("is_of_provider"),
        )
        .join(Organization, Organization.id == Member.organization_id)
        .join(Policy, and_(Policy.organization_id == Organization.id, which))
        .where(
            Member.account_id == account_id,
            Member.state.in_(INSIDE),
            Policy.is_on,
            Organization.plan.in_(PLANS),
            Organization.status != ClientStatus.DELETING,
        )
        .order_by(Organization.name, Organization.id, Policy.kind)
    )
    return [
        (row.kind, Asking(row.organization_id, row.name, row.data, row.version))
        for row in session.execute(found)
        if holds_for(row.kind, Subject(row.role, row.state, bool(row.is_of_provider)))
    ]


def check_new_account(session: Session, email: str, invited_by: uuid.UUID | None) -> None:
    """Raise `RuleError` where an organization keeps accounts at its verified domain to itself.

    Its own invitations, and those of the provider that looks after it, make accounts there.
    """
    domain = domain_of(email)
    row = session.execute(
        select(Organization.id, Organization.provider_id)
        .join(ClaimedDomain, ClaimedDomain.organization_id == Organization.id)
        .join(
            Policy,
            and_(
                Policy.organization_id == Organization.id,
                Policy.kind == PolicyKind.BLOCK_ACCOUNT_CREATION,
            ),
        )
        .where(
            ClaimedDomain.domain == domain,
            ClaimedDomain.verified_at.is_not(None),
            Policy.is_on,
            Organization.plan.in_(PLANS),
        )
    ).one_or_none()
    if row is not None and invited_by not in (row.id, row.provider_id):
        raise refuse(_BLOCKED, domain=shown(domain))


def names_asking_second_factor(session: Session, account_id: uuid.UUID) -> list[str]:
    """The names of the organizations that require two-step sign-in of the person."""
    return [each.name for each in asking(session, account_id, _TWO_STEP)]


def demands(session: Session, account_id: uuid.UUID) -> list[Demand]:
    """What the organizations of a person ask of their master password."""
    return [
        Demand(each.organization_id, each.name, each.version, rules)
        for each in asking(session, account_id, _PASSWORD)
        if isinstance(rules := read(_PASSWORD, each.data), MasterPassword)
    ]


def demands_of(session: Session, organization_id: uuid.UUID, role: Role) -> list[Demand]:
    """What an organization will ask of whoever joins it in that role."""
    found = session.execute(
        select(Organization.name, Policy.version, Policy.data)
        .join(Organization, Organization.id == Policy.organization_id)
        .where(
            Policy.organization_id == organization_id,
            Policy.kind == _PASSWORD,
            Policy.is_on,
            Organization.plan.in_(PLANS),
        )
    ).one_or_none()
    rules = read(_PASSWORD, found.data) if found else None
    if found is None or not isinstance(rules, MasterPassword):
        return []
    holds = holds_for(_PASSWORD, Subject(role, MemberState.ACCEPTED))
    return [Demand(organization_id, found.name, found.version, rules)] if holds else []


def kinds_on(session: Session, organization_id: uuid.UUID) -> frozenset[PolicyKind]:
    """What the organization asks now; nothing on a plan without policies."""
    found = (
        select(Policy.kind)
        .join(Organization, Organization.id == Policy.organization_id)
        .where(
            Policy.organization_id == organization_id, Policy.is_on, Organization.plan.in_(PLANS)
        )
    )
    return frozenset(session.scalars(found))


def check_entry(session: Session, coming: Coming, step: Step) -> None:
    """Raise `Obstacle` where a policy, of this organization or of another, keeps them out."""
    if coming.account_id is None:
        return
    person = _person(session, coming, coming.account_id)
    subject = Subject(coming.role, MemberState.ACCEPTED, bool(person.is_of_provider))
    on = {each for each in kinds_on(session, coming.organization_id) if holds_for(each, subject)}
    if _TWO_STEP in on and not person.has_second_factor:
        raise _obstacle(_SENTENCES, coming, step, Remedy.SECOND_FACTOR, _TWO_STEP)
    if not person.belongs_elsewhere:
        return
    if _SINGLE in on:
        raise _obstacle(_SENTENCES, coming, step, Remedy.LEAVE, _SINGLE)
    for other in asking(session, coming.account_id, _SINGLE):
        if other.organization_id != coming.organization_id:
            sentence = _ELSEWHERE[_worded(step)]
            told = Message.of(sentence, other=other.name, address=coming.email)
            raise Obstacle(told, Remedy.LEAVE)


def _person(session: Session, coming: Coming, account_id: uuid.UUID) -> Any:
    return session.execute(
        select(
            Account.totp_secret.is_not(None).label("has_second_factor"),
            elsewhere(coming.organization_id, Account.id).label("belongs_elsewhere"),
            of_provider(Organization, Account.id).label("is_of_provider"),
        )
        .select_from(Account)
        .join(Organization, Organization.id == coming.organization_id)
        .where(Account.id == account_id)
    ).one()


def _worded(step: Step) -> Step:
    """At accepting one reads about oneself; else somebody who may not be told more reads it."""
    return Step.ACCEPT if step is Step.ACCEPT else Step.CONFIRM


def _obstacle(
    sentences: Any, coming: Coming, step: Step, remedy: Remedy, kind: PolicyKind
) -> Obstacle:
    sentence = sentences[kind, _worded(step)]
    told = Message.of(sentence, organization=coming.organization_name, address=coming.email)
    return Obstacle(told, remedy)
