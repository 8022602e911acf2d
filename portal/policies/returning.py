"""Stored policies when a larger plan lets them hold again: nobody is shut out by a plan.

Whoever decides on a plan decides on a bill. They need not be let in by the client, so they are
told how many, never who; who a policy revokes is named on its own page to whoever turns it on.
"""

import hashlib
import hmac
import uuid
from dataclasses import dataclass

from sqlalchemy.orm import Session

from portal.domain.access import Actor
from portal.domain.errors import Changed
from portal.domain.plans import Feature, Plan
from portal.domain.policies import PolicyKind, holds_for
from portal.domain.policy_effects import INSIDE, lacks
from portal.members import conditions
from portal.organizations.service import recount_setup
from portal.policies import queries, service

_SINGLE = PolicyKind.SINGLE_ORGANIZATION


@dataclass(frozen=True)
class Return:
    """What another plan does to the policies that are stored as on.

    `stop`: hold no longer. `again`: hold again. `off`: come back off, *Single organization* first,
    then what needs it. `without_factor` and `elsewhere`: how many members do not meet the policy
    that asks for it.
    """

    stop: tuple[PolicyKind, ...] = ()
    again: tuple[PolicyKind, ...] = ()
    off: tuple[PolicyKind, ...] = ()
    without_factor: int = 0
    elsewhere: int = 0

    @property
    def digest(self) -> str:
        """The same for the same outcome: what was looked at is what is done, or nothing is."""
        return hashlib.sha256(repr(self).encode()).hexdigest()


def look(session: Session, organization_id: uuid.UUID, before: Plan, after: Plan) -> Return:
    """What comes of the stored policies when `after` takes the place of `before`.

    Two-step sign-in comes back as it was: the door asks for a second factor on each page, and who
    has none sets one up there. Nothing asks somebody to leave another organization, so *Single
    organization* would be said and not be so: what needs it, account recovery above all, must be
    able to rely on it.
    """
    if before.has(Feature.POLICIES) == after.has(Feature.POLICIES):
        return Return()
    found = queries.stored(session, organization_id, service.OFFERED)
    are_on = tuple(kind for kind, policy in found.items() if policy.is_on)
    if before.has(Feature.POLICIES) or not are_on:
        return Return(stop=are_on)
    without_factor, elsewhere = _lacking(session, organization_id, are_on)
    off: tuple[PolicyKind, ...] = ()
    if elsewhere:
        off = (_SINGLE, *(kind for kind in are_on if kind.needs is _SINGLE))
    again = tuple(kind for kind in are_on if kind not in off)
    return Return((), again, off, without_factor, elsewhere)


def _lacking(
    session: Session, organization_id: uuid.UUID, are_on: tuple[PolicyKind, ...]
) -> tuple[int, int]:
    asked = [kind for kind in (PolicyKind.TWO_STEP, _SINGLE) if kind in are_on]
    if not asked:
        return 0, 0
    standings = [queries.standing_of(row) for row in queries.people(session, organization_id)]
    lacking = {
        kind: sum(
            each.subject.state in INSIDE and holds_for(kind, each.subject) and lacks(kind, each)
            for each in standings
        )
        for kind in asked
    }
    return lacking.get(PolicyKind.TWO_STEP, 0), lacking.get(_SINGLE, 0)


def hold(
    session: Session, organization_id: uuid.UUID, before: Plan, after: Plan, *, seen: str
) -> Return:
    """The same at the change itself: nobody joins or leaves until the commit.

    `seen` is the digest of the look. Raises `Changed` if it would be something else now.
    """
    if after.has(Feature.POLICIES) and not before.has(Feature.POLICIES):
        conditions.hold(session, organization_id)
        queries.accounts(session, organization_id)
    found = look(session, organization_id, before, after)
    if not hmac.compare_digest(found.digest.encode(), seen.encode()):
        raise Changed
    return found


def turn_off(
    session: Session, actor: Actor, organization_id: uuid.UUID, kinds: tuple[PolicyKind, ...]
) -> None:
    """Turn them off, each with its event; what they were set to is kept."""
    if not kinds:
        return
    stored = queries.stored(session, organization_id, kinds)
    # What needs another goes before it.
    for kind in reversed(kinds):
        service.keep_off(session, actor, organization_id, stored[kind])
    recount_setup(session, organization_id)
