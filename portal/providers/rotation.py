"""Rotating the provider key: begun, carried on batch by batch, finished in one transaction.

Until it is finished the old key stays the provider's, and each wrapped string has its next form
beside it. What is left to wrap is whatever has no next form yet, so a closed tab costs nothing
and a client that is created meanwhile is included. A client that wants to be asked is wrapped by
somebody whom it has let in, or not at all: then the provider has no copy until an owner hands one
over.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, case, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from portal import events
from portal.crypto.envelope import SEALED_KEY_LENGTH, looks_sealed
from portal.crypto.fingerprint import fingerprint_phrase
from portal.crypto.versions import version_of
from portal.domain.access import Actor
from portal.domain.errors import N_, RuleError, refuse
from portal.domain.states import ProviderPersonState
from portal.events import Stream
from portal.models import (
    Account,
    Organization,
    Provider,
    ProviderKeyRotation,
    ProviderPerson,
    new_id,
    utc_now,
)
from portal.models.grants import opens_to
from portal.models.writing import rows_changed
from portal.providers import rotation_asked
from portal.providers.service import INCOMPLETE, ProviderKeys
from portal.providers.staff import check_actor, hold, tenant_of

BATCH = 200
NOT_HELD = N_("You do not hold the provider key, so you cannot rotate it.")


@dataclass(frozen=True)
class Wrapped:
    """A client's key under the next provider key (type 2), and `version_of` the client's key."""

    key: str
    version: str


class UnderWay(RuleError):
    """Another browser has begun a rotation that can be carried on."""

    def __init__(self) -> None:
        super().__init__(N_("Another rotation is under way. Carry that one on."))


class NotOver(RuleError):
    """Something was still left to wrap, or the rotation is another one by now."""

    def __init__(self) -> None:
        super().__init__(N_("The rotation has changed in the meantime. Load the page again."))


def _rotations(provider_id: uuid.UUID, *columns: Any) -> Select[Any]:
    return select(*columns).where(
        ProviderKeyRotation.provider_id == provider_id, ProviderKeyRotation.finished_at.is_(None)
    )


def under_way(session: Session, provider_id: uuid.UUID) -> Row[Any] | None:
    """(id, public_key, started_at) of the rotation that is not finished, or None."""
    columns = (
        ProviderKeyRotation.id,
        ProviderKeyRotation.public_key,
        ProviderKeyRotation.started_at,
    )
    return session.execute(_rotations(provider_id, *columns)).one_or_none()


def _holders(provider_id: uuid.UUID, *columns: Any) -> Select[Any]:
    return select(*columns).where(
        ProviderPerson.provider_id == provider_id,
        ProviderPerson.state == ProviderPersonState.CONFIRMED,
        ProviderPerson.wrapped_provider_key.is_not(None),
    )


def holders(session: Session, provider_id: uuid.UUID) -> Sequence[Row[Any]]:
    """(id, account_id, name, email, public_key, has_next) of everybody who gets the next key."""
    found = (
        _holders(
            provider_id,
            ProviderPerson.id,
            ProviderPerson.account_id,
            Account.name,
            Account.email,
            Account.public_key,
            ProviderPerson.next_wrapped_key.is_not(None).label("has_next"),
        )
        .join(Account, Account.id == ProviderPerson.account_id)
        .order_by(ProviderPerson.id)
    )
    return session.execute(found).all()


def next_key(session: Session, actor: Actor) -> str | None:
    """The next provider key for the actor's public key, once somebody has wrapped it."""
    found = _holders(tenant_of(actor), ProviderPerson.next_wrapped_key)
    key: str | None = session.scalar(found.where(ProviderPerson.account_id == actor.account_id))
    return key


def _clients(provider_id: uuid.UUID, *columns: Any) -> Select[Any]:
    return select(*columns).where(
        Organization.provider_id == provider_id, Organization.provider_wrapped_key.is_not(None)
    )


def _at_hand(provider_id: uuid.UUID, account_id: uuid.UUID, *columns: Any) -> Select[Any]:
    """The clients whose keys one admin's browser may have: who asks first lets them in, or not."""
    return _clients(provider_id, *columns).where(opens_to(account_id, Organization.id))


def clients_left(
    session: Session, provider_id: uuid.UUID, account_id: uuid.UUID
) -> Sequence[Row[Any]]:
    """(id, key, private_key) of the next clients for an admin to wrap, at most `BATCH`."""
    found = (
        _at_hand(
            provider_id,
            account_id,
            Organization.id,
            Organization.provider_wrapped_key.label("key"),
            Organization.protected_private_key.label("private_key"),
        )
        .where(Organization.next_wrapped_key.is_(None))
        .order_by(Organization.id)
        .limit(BATCH)
    )
    return session.execute(found).all()


def count_clients(
    session: Session, provider_id: uuid.UUID, account_id: uuid.UUID
) -> tuple[int, int]:
    """How many clients have their next key, and how many there are for this admin to wrap.

    A client that wants to be asked, and has not let them in, is left out: nothing waits for it.
    """
    counted = _clients(provider_id, func.count(Organization.next_wrapped_key), func.count()).where(
        or_(Organization.next_wrapped_key.is_not(None), opens_to(account_id, Organization.id))
    )
    done, total = session.execute(counted).one()
    return done, total


def start(session: Session, actor: Actor, keys: ProviderKeys) -> None:
    """Begin; `keys` are the next ones, wrapped for the actor.

    A rotation whose next key nobody holds any more is begun anew; one that can be carried on is
    `UnderWay`.
    """
    provider_id = tenant_of(actor)
    hold(session, provider_id)
    check_actor(session, actor)
    _drop_orphan(session, provider_id)
    _clear_next(session, provider_id)
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    begun = session.execute(
        dialect.insert(ProviderKeyRotation)
        .values(
            provider_id=provider_id,
            id=new_id(),
            public_key=keys.public_key,
            protected_private_key=keys.protected_private_key,
            started_at=utc_now(),
        )
        .on_conflict_do_nothing()
        .returning(ProviderKeyRotation.id)
    )
    if begun.one_or_none() is None:
        raise UnderWay
    held = rows_changed(
        session,
        _update_holders(provider_id)
        .where(ProviderPerson.account_id == actor.account_id)
        .values(next_wrapped_key=keys.wrapped_provider_key),
    )
    if held != 1:
        raise refuse(NOT_HELD)
    _record(
        session,
        actor,
        "provider:keys:start_rotation",
        fingerprint=fingerprint_phrase(str(provider_id), keys.public_key),
    )


def _update_holders(provider_id: uuid.UUID) -> Any:
    return (
        update(ProviderPerson)
        .where(
            ProviderPerson.provider_id == provider_id,
            ProviderPerson.state == ProviderPersonState.CONFIRMED,
            ProviderPerson.wrapped_provider_key.is_not(None),
        )
        .execution_options(synchronize_session=False)
    )


def _drop_orphan(session: Session, provider_id: uuid.UUID) -> None:
    found = under_way(session, provider_id)
    if found is None:
        return
    if any(person.has_next for person in holders(session, provider_id)):
        raise UnderWay
    session.execute(
        update(ProviderKeyRotation)
        .where(ProviderKeyRotation.provider_id == provider_id, ProviderKeyRotation.id == found.id)
        .values(finished_at=utc_now())
        .execution_options(synchronize_session=False)
    )


def _clear_next(session: Session, provider_id: uuid.UUID) -> None:
    for table in (Organization, ProviderPerson):
        session.execute(
            update(table)
            .where(table.provider_id == provider_id, table.next_wrapped_key.is_not(None))
            .values(next_wrapped_key=None)
            .execution_options(synchronize_session=False)
        )


def wrap(
    session: Session,
    actor: Actor,
    rotation_id: uuid.UUID,
    *,
    people: Mapping[uuid.UUID, str],
    clients: Mapping[uuid.UUID, Wrapped],
) -> None:
    """Keep the next forms that a browser made: type 4 for people, type 2 for clients.

    A client whose own key was rotated meanwhile is left for the next batch. A second browser that
    wraps the same changes nothing. Raises `RuleError` for another shape, `NotOver` where the
    rotation is over.
    """
    right = all(looks_sealed(key, 4) for key in people.values()) and all(
        looks_sealed(each.key, 2, SEALED_KEY_LENGTH) for each in clients.values()
    )
    if not right:
        raise refuse(INCOMPLETE)
    provider_id = _hold_rotation(session, actor, rotation_id)
    for person_id, key in people.items():
        session.execute(
            _update_holders(provider_id)
            .where(ProviderPerson.id == person_id, ProviderPerson.next_wrapped_key.is_(None))
            .values(next_wrapped_key=key)
        )
    _wrap_clients(session, actor, provider_id, clients)


def _wrap_clients(
    session: Session,
    actor: Actor,
    provider_id: uuid.UUID,
    clients: Mapping[uuid.UUID, Wrapped],
) -> None:
    # Whoever rotates a client's own key holds the provider's row, as this transaction does.
    columns = (Organization.id, Organization.protected_private_key)
    found = _at_hand(provider_id, actor.account_id, *columns).where(
        Organization.id.in_(clients), Organization.next_wrapped_key.is_(None)
    )
    # In one order, so that two browsers never wait for each other.
    for client_id, private_key in session.execute(found.order_by(Organization.id)).all():
        if clients[client_id].version != version_of(private_key):
            continue
        session.execute(
            update(Organization)
            .where(
                Organization.provider_id == provider_id,
                Organization.id == client_id,
                Organization.next_wrapped_key.is_(None),
            )
            .values(next_wrapped_key=clients[client_id].key)
            .execution_options(synchronize_session=False)
        )


def _hold_rotation(session: Session, actor: Actor, rotation_id: uuid.UUID) -> uuid.UUID:
    provider_id = tenant_of(actor)
    hold(session, provider_id)
    check_actor(session, actor)
    found = under_way(session, provider_id)
    if found is None or found.id != rotation_id:
        raise NotOver
    return provider_id


def finish(session: Session, actor: Actor, rotation_id: uuid.UUID) -> None:
    """Put every next key in its place at once; `NotOver` while anything at hand has none.

    The recovery sheet dies with the old key, and so does the copy of a client that wants to be
    asked and has let nobody in: its owner's browser hands the key over again.
    """
    provider_id = _hold_rotation(session, actor, rotation_id)
    done, total = count_clients(session, provider_id, actor.account_id)
    people = holders(session, provider_id)
    if done != total or not all(person.has_next for person in people):
        raise NotOver
    before = session.scalar(select(Provider.public_key).where(Provider.id == provider_id)) or ""
    rotation = session.execute(
        _rotations(
            provider_id,
            ProviderKeyRotation.public_key,
            ProviderKeyRotation.protected_private_key,
            ProviderKeyRotation.started_at,
        )
    ).one()
    asked = rotation_asked.clients(session, provider_id)
    _swap(session, provider_id, rotation)
    _record(
        session,
        actor,
        "provider:keys:rotate",
        before=fingerprint_phrase(str(provider_id), before),
        after=fingerprint_phrase(str(provider_id), rotation.public_key),
        clients=total,
        people=len(people),
    )
    for client in asked:
        rotation_asked.tell(session, actor, client, rotation.public_key)


def _swap(session: Session, provider_id: uuid.UUID, rotation: Row[Any]) -> None:
    due = Provider.rotation_due_since
    # Who left after the beginning may have held the next key already.
    still_due = case((or_(due.is_(None), due <= rotation.started_at), None), else_=due)
    session.execute(
        update(Provider)
        .where(Provider.id == provider_id)
        .values(
            public_key=rotation.public_key,
            protected_private_key=rotation.protected_private_key,
            recovery_wrapped_key=None,
            recovery_saved_at=None,
            rotation_due_since=still_due,
        )
        .execution_options(synchronize_session=False)
    )
    session.execute(
        _update_holders(provider_id).values(
            wrapped_provider_key=ProviderPerson.next_wrapped_key, next_wrapped_key=None
        )
    )
    session.execute(
        update(Organization)
        .where(
            Organization.provider_id == provider_id,
            Organization.provider_wrapped_key.is_not(None),
        )
        .values(provider_wrapped_key=Organization.next_wrapped_key, next_wrapped_key=None)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(ProviderKeyRotation)
        .where(
            ProviderKeyRotation.provider_id == provider_id,
            ProviderKeyRotation.finished_at.is_(None),
        )
        .values(finished_at=utc_now())
        .execution_options(synchronize_session=False)
    )


def _record(session: Session, actor: Actor, kind: str, **details: Any) -> None:
    provider_id = tenant_of(actor)
    streams = [Stream("provider", provider_id)]
    events.record(session, actor, kind, streams=streams, subject_id=provider_id, **details)
