"""Sending many invitations again: what would happen to each, and what did."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from portal.clients import stuck_queries
from portal.clients.stuck_listing import StuckListing
from portal.domain.access import Actor, Role
from portal.domain.attention import STUCK, AttentionKind
from portal.domain.errors import N_, Message, RuleError
from portal.domain.invitations import ASK_EVERY, VALID
from portal.domain.states import ClientStatus, MemberState
from portal.members import service
from portal.models import utc_now
from portal.providers.staff import hold, tenant_of

AT_ONCE = 100
_WRITTEN_TO = frozenset({AttentionKind.INVITED, AttentionKind.MAIL_FAILED})
OWN_PEOPLE = N_("Invitations of the provider's own people are sent on Manage → People.")
NOT_INVITED = N_("No invitation waits for this person.")
CLIENT_CLOSED = N_("The client is suspended or being deleted.")
LATELY = N_("An invitation went to this address a few minutes ago.")
SAME_ADDRESS = N_("This address gets another invitation in the same go. Send this one later.")


@dataclass(frozen=True)
class Wanted:
    """One ticked row and what stands against sending, None where nothing does."""

    row: Any
    refusal: Message | None


def plan(
    session: Session,
    actor: Actor,
    listing: StuckListing,
    ids: Collection[uuid.UUID] | None,
) -> list[Wanted]:
    """What sending again would come to for each, the oldest `AT_ONCE`; nothing is sent."""
    kinds = _WRITTEN_TO if ids is None else STUCK
    found = stuck_queries.chosen(session, actor, listing, ids, kinds, limit=AT_ONCE)
    after = utc_now() + VALID - ASK_EVERY
    mailed = stuck_queries.lately_mailed(session, actor, {row.label for row in found}, after)
    answers, taken = [], set[str]()
    for row in found:
        refusal = _refusal(actor, row, mailed, taken)
        if refusal is None:
            taken.add(row.label)
        answers.append(Wanted(row, Message(refusal) if refusal else None))
    return answers


def _refusal(actor: Actor, row: Any, mailed: set[str], taken: set[str]) -> str | None:
    if row.organization_id is None:
        return OWN_PEOPLE
    if row.state is not MemberState.INVITED:
        return NOT_INVITED
    if row.status is not ClientStatus.ACTIVE:
        return CLIENT_CLOSED
    if row.role is Role.OWNER and actor.role is not Role.PROVIDER_ADMIN:
        return service.OWNERS_ONLY
    if row.label in mailed:
        return LATELY
    return SAME_ADDRESS if row.label in taken else None


def send(session: Session, actor: Actor, ids: Collection[uuid.UUID]) -> Sequence[Wanted]:
    """Send what `plan` finds to be sent; whatever is refused meanwhile says so and stops nobody."""
    # One after the other: two who send at once must not wait for each other in a circle.
    hold(session, tenant_of(actor))
    wanted = plan(session, actor, StuckListing(), ids)
    return [each if each.refusal else _send(session, actor, each) for each in wanted]


def _send(session: Session, actor: Actor, wanted: Wanted) -> Wanted:
    try:
        with session.begin_nested():
            service.resend(
                session,
                actor,
                organization_id=wanted.row.organization_id,
                member_id=wanted.row.subject_id,
                at_most_every=ASK_EVERY,
            )
    except RuleError as error:
        return Wanted(wanted.row, error.text)
    return wanted
