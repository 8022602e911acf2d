"""Keys follow the scope: whoever may not hold one loses it in the transaction that says so.

What somebody held they may have kept. So another provider key becomes due at once, and another
key of each client that they could open is offered (`organizations.key_rotation_due_since`).
"""

import uuid
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, exists, func, select, update
from sqlalchemy.orm import Session

from portal import events
from portal.domain.access import Actor
from portal.domain.scope import Level, Reach, needs_provider_key
from portal.domain.states import ProviderPersonState
from portal.events import Stream
from portal.models import ClientAccess, Event, Organization, Provider, ProviderPerson, utc_now


def needs_key(person: Any) -> bool:
    """Whether a row of `queries.staff` is of somebody to whom the provider key belongs."""
    return needs_provider_key(person.reach, person.level)


def takes_client_keys(person: Any) -> bool:
    """Whether somebody is here who gets keys of clients, one by one."""
    confirmed = person.state is ProviderPersonState.CONFIRMED
    return confirmed and person.reach is not Reach.ALL and person.level is Level.MANAGE


def scope_changed(
    session: Session, actor: Actor, person: Row[Any], *, reach: Reach, level: Level
) -> None:
    """Take back what the new scope of a row of `queries.staff` does not allow.

    To be called in the transaction that changes the scope, once `client_access` is settled:
    a client that stays in the person's hands needs no other key.
    """
    if level is Level.READ_ONLY:
        _take_client_keys(session, person)
    if not person.holds_key or needs_provider_key(reach, level):
        return
    _take_provider_key(session, person)
    kept = [_not_in_hand(person)] if level is Level.MANAGE else []
    _mark_due(session, person.provider_id, _opened(person), *kept)
    events.record(
        session,
        actor,
        "provider:person:take_key",
        streams=[Stream("provider", person.provider_id)],
        subject_id=person.id,
        email=person.email,
    )


def left(session: Session, person: Row[Any]) -> None:
    """Say which keys somebody who loses their place held; before their rows are closed or gone."""
    if person.holds_key:
        _mark_provider_due(session, person.provider_id)
        _mark_due(session, person.provider_id, _opened(person))
    closing(session, person.provider_id, ClientAccess.person_id == person.id)


def closing(session: Session, provider_id: uuid.UUID, *rows: ColumnElement[bool]) -> None:
    """Say which clients lose a key holder; before these open rows of `client_access` are closed.

    Whoever manages every client by now loses nothing.
    """
    manages_all = exists().where(
        ProviderPerson.provider_id == ClientAccess.provider_id,
        ProviderPerson.id == ClientAccess.person_id,
        ProviderPerson.state == ProviderPersonState.CONFIRMED,
        ProviderPerson.reach == Reach.ALL,
        ProviderPerson.level == Level.MANAGE,
    )
    _mark_due(session, provider_id, _held(provider_id, ~manages_all, *rows))


def _held(provider_id: uuid.UUID, *rows: ColumnElement[bool]) -> Select[Any]:
    return select(ClientAccess.organization_id).where(
        ClientAccess.provider_id == provider_id,
        ClientAccess.until_at.is_(None),
        ClientAccess.wrapped_key.is_not(None),
        *rows,
    )


def _opened(person: Row[Any]) -> Select[Any]:
    """The clients that the person has entered, as their logs tell."""
    return select(Event.stream_id).where(
        Event.provider_id == person.provider_id,
        Event.actor_id == person.account_id,
        Event.type == "organization:organization:open",
    )


def _not_in_hand(person: Row[Any]) -> ColumnElement[bool]:
    kept = select(ClientAccess.organization_id).where(
        ClientAccess.provider_id == person.provider_id,
        ClientAccess.person_id == person.id,
        ClientAccess.until_at.is_(None),
    )
    return Organization.id.not_in(kept)


def _mark_due(
    session: Session, provider_id: uuid.UUID, clients: Select[Any], *more: ColumnElement[bool]
) -> None:
    # Since the first of those who left: whoever comes later makes it no younger.
    due = func.coalesce(Organization.key_rotation_due_since, utc_now())
    session.execute(
        update(Organization)
        .where(
            Organization.provider_id == provider_id,
            Organization.public_key.is_not(None),
            Organization.id.in_(clients),
            *more,
        )
        .values(key_rotation_due_since=due)
        .execution_options(synchronize_session=False)
    )


def _mark_provider_due(session: Session, provider_id: uuid.UUID) -> None:
    session.execute(
        update(Provider)
        .where(Provider.id == provider_id)
        .values(rotation_due_since=utc_now())
        .execution_options(synchronize_session=False)
    )


def _take_provider_key(session: Session, person: Row[Any]) -> None:
    session.execute(
        update(ProviderPerson)
        .where(ProviderPerson.provider_id == person.provider_id, ProviderPerson.id == person.id)
        .values(wrapped_provider_key=None, next_wrapped_key=None)
        .execution_options(synchronize_session=False)
    )
    _mark_provider_due(session, person.provider_id)


def _take_client_keys(session: Session, person: Row[Any]) -> None:
    mine = ClientAccess.person_id == person.id
    closing(session, person.provider_id, mine)
    session.execute(
        update(ClientAccess)
        .where(
            ClientAccess.provider_id == person.provider_id, mine, ClientAccess.until_at.is_(None)
        )
        .values(wrapped_key=None)
        .execution_options(synchronize_session=False)
    )
