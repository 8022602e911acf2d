"""A provider's answer to a client that asks for seats: approved as priced, or declined."""

import uuid
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from portal import events
from portal.accounts import service as accounts
from portal.billing import subscriptions
from portal.billing.subscriptions import World
from portal.domain.access import Actor
from portal.domain.pricing import Selection
from portal.domain.seat_requests import RequestState, check_wanted
from portal.domain.seats import check_seats
from portal.members import conditions, seat_requests
from portal.organizations.service import streams_in
from portal.outbox import enqueue


def wanted(world: World, seats: int) -> Selection:
    """What the client has with `seats` more; a seat limit below that moves along.

    Raises `RuleError` beyond what a client may have.
    """
    here = world.selection
    number = check_seats(check_wanted(seats) + here.seats)
    limit = None if here.seat_limit is None else max(here.seat_limit, number)
    return replace(here, seats=number, seat_limit=limit)


def approve(session: Session, actor: Actor, world: World, request_id: uuid.UUID) -> None:
    """Buy the seats that were asked for, by the very function that bills.

    Raises `Changed` where the client is not what `world` says any more, `RuleError` where the
    request does not wait.
    """
    conditions.hold(session, world.client.id)
    request = _end(session, actor, world.client, request_id, RequestState.APPROVED)
    subscriptions.commit(session, actor, world, world.preview(wanted(world, request.seats)))


def decline(
    session: Session, actor: Actor, client: Any, request_id: uuid.UUID, answer: str
) -> None:
    """Say no, in a few (checked) words. Raises `RuleError` where the request does not wait."""
    conditions.hold(session, client.id)
    _end(session, actor, client, request_id, RequestState.DECLINED, answer)


def _end(
    session: Session,
    actor: Actor,
    client: Any,
    request_id: uuid.UUID,
    state: RequestState,
    answer: str = "",
) -> Any:
    request = seat_requests.end(session, actor, client.id, request_id, state, answer)
    kind = "approve" if state is RequestState.APPROVED else "decline"
    events.record(
        session,
        actor,
        f"organization:seats:{kind}",
        streams=streams_in(actor, client.id),
        subject_id=request_id,
        seats=request.seats,
    )
    _tell_asker(session, actor, client, request_id, request.asked_by)
    return request


def _tell_asker(
    session: Session, actor: Actor, client: Any, request_id: uuid.UUID, account_id: uuid.UUID
) -> None:
    locale = accounts.locale_of(session, account_id)
    if locale is None:
        # The account was erased in the meantime.
        return
    enqueue(
        session,
        "mail.seats_answered",
        {
            "organization": str(client.id),
            "request": str(request_id),
            "account": str(account_id),
            "locale": locale,
        },
        organization_id=client.id,
        provider_id=actor.provider_id,
        account_id=account_id,
        subject_id=client.id,
    )
