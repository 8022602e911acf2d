"""What another plan does to a client's policies: none is lost, but a smaller plan asks none."""

import uuid
from collections.abc import Iterator

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from portal.domain.plans import Feature, Plan
from portal.domain.policies import PolicyKind, holds_for
from portal.domain.policy_effects import AT_THE_DOOR, INSIDE, lacks
from portal.policies import queries
from portal.policies.service import OFFERED
from portal.web.formats import number


def plan_words(
    session: Session, organization_id: uuid.UUID, before: Plan, after: Plan
) -> list[str]:
    """Which policies stop holding with the plan, or hold again and who does not meet them."""
    if before.has(Feature.POLICIES) == after.has(Feature.POLICIES):
        return []
    found = queries.stored(session, organization_id, OFFERED)
    are_on = [kind for kind, policy in found.items() if policy.is_on]
    if not are_on:
        return []
    names = ", ".join(_(kind.label) for kind in are_on)
    if before.has(Feature.POLICIES):
        stop = _("These policies stay stored and hold no longer: %(policies)s.", policies=names)
        return [str(stop)]
    again = str(_("These policies hold again: %(policies)s.", policies=names))
    return [again, *_lacking(session, organization_id, are_on)]


def _lacking(
    session: Session, organization_id: uuid.UUID, kinds: list[PolicyKind]
) -> Iterator[str]:
    standings = [queries.standing_of(row) for row in queries.people(session, organization_id)]
    for kind in AT_THE_DOOR:
        many = sum(
            each.subject.state in INSIDE and holds_for(kind, each.subject) and lacks(kind, each)
            for each in standings
        )
        if kind in kinds and many:
            yield _sentence(kind, many)


def _sentence(kind: PolicyKind, many: int) -> str:
    if kind is PolicyKind.TWO_STEP:
        text = ngettext(
            "%(count)s member has no second factor, and sets one up before going on.",
            "%(count)s members have no second factor, and set one up before going on.",
            many,
            count=number(many),
        )
    else:
        text = ngettext(
            "%(count)s member belongs to another organization, and stays until somebody revokes "
            "them.",
            "%(count)s members belong to another organization, and stay until somebody revokes "
            "them.",
            many,
            count=number(many),
        )
    return str(text)
