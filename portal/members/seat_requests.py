"""Requests for seats: somebody of a client asks, and takes it back; the provider's answers end it.

At most one waits at a time, and it is answered once: the database decides both.
"""

import uuid
from typing import Any

from sqlalchemy import update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from portal import events
from portal.domain.access import Actor
from portal.domain.errors import N_, refuse
from portal.domain.seat_requests import RequestState, check_wanted
from portal.domain.states import ClientStatus
from portal.events import Stream
from portal.members import conditions, growth_queries
from portal.models import SeatRequest, new_id, utc_now
from portal.organizations.mail import tell_admins
from portal.providers import attention

ONE_WAITS = N_("A request waits for its answer already.")
NO_PROVIDER = N_("No provider manages this organization, so nobody can be asked.")
BEING_DELETED = N_("This organization is being deleted.")
SUSPENDED = N_("This client is suspended. No seats are added before it is resumed.")
OVER = N_("This request was answered or withdrawn in the meantime.")


def ask(
    session: Session, actor: Actor, organization_id: uuid.UUID, seats: int | None, note: str
) -> uuid.UUID:
    """Ask the provider for `seats` more; `note` is checked. Raises `RuleError`."""
    conditions.hold(session, organization_id)
    found = growth_queries.standing(session, organization_id)
    if found.provider_id is None:
        raise refuse(NO_PROVIDER)
    if found.status is ClientStatus.DELETING:
        raise refuse(BEING_DELETED)
    if found.status is ClientStatus.SUSPENDED:
        raise refuse(SUSPENDED)
    wanted = check_wanted(seats, assigned=found.seats)
    request_id = _add(session, actor, organization_id, wanted, note)
    attention.seats_asked(session, organization_id, request_id)
    events.record(
        session,
        actor,
        "organization:seats:ask",
        streams=_streams(organization_id, found.provider_id),
        subject_id=request_id,
        seats=wanted,
    )
    more = {"request": request_id}
    topic = "mail.seats_asked"
    tell_admins(session, topic, organization_id, found.provider_id, more, but={actor.account_id})
    return request_id


def _add(
    session: Session, actor: Actor, organization_id: uuid.UUID, seats: int, note: str
) -> uuid.UUID:
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    added = (
        dialect.insert(SeatRequest)
        .values(
            organization_id=organization_id,
            id=new_id(),
            state=RequestState.OPEN,
            seats=seats,
            note=note,
            asked_by=actor.account_id,
            asked_at=utc_now(),
            answer="",
        )
        .on_conflict_do_nothing()
        .returning(SeatRequest.id)
    )
    request_id: uuid.UUID | None = session.scalar(added)
    if request_id is None:
        raise refuse(ONE_WAITS)
    return request_id


def withdraw(
    session: Session, actor: Actor, organization_id: uuid.UUID, request_id: uuid.UUID
) -> None:
    """Take a request back. Raises `RuleError` where it does not wait any more."""
    conditions.hold(session, organization_id)
    provider_id = growth_queries.standing(session, organization_id).provider_id
    request = end(session, actor, organization_id, request_id, RequestState.WITHDRAWN)
    events.record(
        session,
        actor,
        "organization:seats:withdraw",
        streams=_streams(organization_id, provider_id),
        subject_id=request_id,
        seats=request.seats,
    )


def end(
    session: Session,
    actor: Actor,
    organization_id: uuid.UUID,
    request_id: uuid.UUID,
    state: RequestState,
    answer: str = "",
) -> Any:
    """Let a request wait no more; returns its `seats` and `asked_by`.

    The caller holds the organization's row and records the event. Raises `RuleError` where
    somebody was faster.
    """
    request = session.execute(
        update(SeatRequest)
        .where(
            SeatRequest.organization_id == organization_id,
            SeatRequest.id == request_id,
            SeatRequest.state == RequestState.OPEN,
        )
        .values(state=state, answer=answer, answered_by=actor.account_id, answered_at=utc_now())
        .returning(SeatRequest.seats, SeatRequest.asked_by)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if request is None:
        raise refuse(OVER)
    attention.seats_asked(session, organization_id, request_id)
    return request


def give_up(session: Session, actor: Actor, organization_id: uuid.UUID) -> None:
    """The provider has the organization no more: what was asked of it is withdrawn."""
    session.execute(
        update(SeatRequest)
        .where(
            SeatRequest.organization_id == organization_id,
            SeatRequest.state == RequestState.OPEN,
        )
        .values(state=RequestState.WITHDRAWN, answered_by=actor.account_id, answered_at=utc_now())
        .execution_options(synchronize_session=False)
    )


def _streams(organization_id: uuid.UUID, provider_id: uuid.UUID | None) -> list[Stream]:
    here = [Stream("organization", organization_id)]
    return [*here, Stream("provider", provider_id)] if provider_id else here
