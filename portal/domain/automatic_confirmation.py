"""Automatic confirmation: who is let in without anybody comparing fingerprints, and when.

Of the reference, section 5.13: plain users alone, at addresses of a domain that the organization
has proved to be its own, never somebody of a provider, and only where the policy Single
organization is on. It is an organization's choice, and off by default.
"""

from collections.abc import Collection
from dataclasses import dataclass

from portal.domain.access import Role
from portal.domain.emails import domain_of
from portal.domain.errors import N_, Message, RuleError
from portal.domain.plans import Feature, Plan
from portal.domain.states import MemberState

NO_PLAN = N_("Verified domains need the Enterprise plan.")
NO_DOMAIN = N_("No domain is verified yet.")
NO_POLICY = N_("The policy Single organization is off.")


@dataclass(frozen=True)
class Terms:
    """What an organization has chosen, and what that needs."""

    is_on: bool
    plan: Plan
    domains: Collection[str]
    single_organization: bool

    @property
    def lacking(self) -> list[Message]:
        """What has to be there first; empty where nothing stands in the way."""
        needed = (
            (self.plan.has(Feature.CLAIMED_DOMAINS), NO_PLAN),
            (bool(self.domains), NO_DOMAIN),
            (self.single_organization, NO_POLICY),
        )
        return [Message(told) for is_there, told in needed if not is_there]

    @property
    def holds(self) -> bool:
        """Whether anybody is confirmed by it now."""
        return self.is_on and not self.lacking


@dataclass(frozen=True)
class Waiting:
    """A member as the rule sees them. `key_changed`: somebody was kept from confirming them."""

    role: Role
    state: MemberState
    email: str
    has_keys: bool
    is_of_provider: bool
    key_changed: bool


def check_turning_on(terms: Terms) -> None:
    """Raise `RuleError` with the first thing that lacks."""
    for told in terms.lacking:
        raise RuleError(told)


def is_let_in(person: Waiting, terms: Terms) -> bool:
    """Whether an unlocked browser may confirm this member by itself."""
    return (
        terms.holds
        and person.role is Role.USER
        and person.state is MemberState.ACCEPTED
        and person.has_keys
        and not person.is_of_provider
        and not person.key_changed
        and domain_of(person.email) in terms.domains
    )
