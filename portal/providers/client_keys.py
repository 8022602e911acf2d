"""Keys of clients: handed to people with a limited scope, and due to be changed.

Whoever manages some clients gets the key of each, wrapped for their own public key by an admin's
browser. What is left is whatever row has no key yet, so a closed tab costs nothing.
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, Row, Select, and_, exists, func, select, update
from sqlalchemy.orm import Session

from portal import events
from portal.crypto.envelope import looks_sealed
from portal.crypto.fingerprint import fingerprint_phrase
from portal.crypto.versions import version_of
from portal.domain.access import Actor
from portal.domain.errors import N_, RuleError, refuse
from portal.domain.paging import Cursor, Page, page_of
from portal.domain.provider_access import AccessMode
from portal.domain.scope import Level, Reach
from portal.domain.states import ProviderPersonState
from portal.events import Stream
from portal.models import Account, ClientAccess, Organization, ProviderAccess, ProviderPerson
from portal.models.grants import opens_to
from portal.models.keyset import seek
from portal.models.writing import rows_changed
from portal.providers import queries
from portal.providers.confirmation import KEY_CHANGED, ROTATED, raise_alarm
from portal.providers.service import INCOMPLETE
from portal.providers.staff import check_actor, hold, tenant_of

BATCH = 100
# Beyond this many nobody counts on.
COUNTED = 10_000
Id = uuid.UUID | BindParameter[uuid.UUID]
CHANGED = N_("This person or their scope has changed in the meantime. Load the page again.")


class OtherKey(RuleError):
    """The key was wrapped for another public key than the person's; an event says so."""

    def __init__(self) -> None:
        super().__init__(KEY_CHANGED)


def waiting(provider_id: Id, account_id: Id, *columns: Any) -> Select[Any]:
    """Open rows without a key, of people to whom one belongs, for clients that have one.

    Of clients that want to be asked only while `account_id`, who would hand it over, is let in.
    """
    return (
        select(*columns)
        .select_from(ClientAccess)
        .join(
            ProviderPerson,
            and_(
                ProviderPerson.provider_id == ClientAccess.provider_id,
                ProviderPerson.id == ClientAccess.person_id,
            ),
        )
        .join(
            Organization,
            and_(
                Organization.provider_id == ClientAccess.provider_id,
                Organization.id == ClientAccess.organization_id,
            ),
        )
        .where(
            ClientAccess.provider_id == provider_id,
            ClientAccess.until_at.is_(None),
            ClientAccess.wrapped_key.is_(None),
            ProviderPerson.state == ProviderPersonState.CONFIRMED,
            ProviderPerson.reach != Reach.ALL,
            ProviderPerson.level == Level.MANAGE,
            Organization.provider_wrapped_key.is_not(None),
            opens_to(account_id, Organization.id),
        )
    )


def due_keys(provider_id: Id, *columns: Any) -> Select[Any]:
    """The clients whose key is due to be changed, but for those that keep the provider out."""
    keeps_out = exists().where(
        ProviderAccess.organization_id == Organization.id, ProviderAccess.mode == AccessMode.NEVER
    )
    return select(*columns).where(
        Organization.provider_id == provider_id,
        Organization.key_rotation_due_since.is_not(None),
        ~keeps_out,
    )


def due(
    session: Session, provider_id: uuid.UUID, cursor: Cursor | None, size: int
) -> Page[Row[Any]]:
    """(id, name, since) of the clients whose key is due to be changed, the oldest case first."""
    since = Organization.key_rotation_due_since
    columns: tuple[Any, ...] = (Organization.id, Organization.name, since.label("since"))
    rows = due_keys(provider_id, *columns)
    backwards = cursor is not None and cursor.backwards
    found = seek(rows, since, Organization.id, downwards=backwards, beside=cursor is not None)
    place: dict[str, Any] = {"rows": size + 1}
    if cursor is not None:
        place |= {"beside": dt.datetime.fromisoformat(str(cursor.value)), "beside_id": cursor.id}
    return page_of(
        session.execute(found, place).all(),
        size=size,
        sort="since",
        descending=False,
        cursor=cursor,
        place=lambda row: (row.since.isoformat(), row.id),
    )


def people_waiting(
    session: Session, provider_id: uuid.UUID, account_id: uuid.UUID
) -> list[tuple[Row[Any], int]]:
    """(row of `queries.staff`, number of clients) of everybody who waits, the longest here first.

    The numbers add up to `COUNTED` at most.
    """
    rows = waiting(provider_id, account_id, ClientAccess.person_id).limit(COUNTED).subquery()
    counted = select(rows.c.person_id, func.count()).group_by(rows.c.person_id)
    clients: dict[uuid.UUID, int] = {row[0]: row[1] for row in session.execute(counted)}
    if not clients:
        return []
    found = queries.staff(session, provider_id, list(clients))
    return [(person, clients[person.id]) for person in found]


def work(
    session: Session,
    provider_id: uuid.UUID,
    account_id: uuid.UUID,
    person_id: uuid.UUID,
    after: uuid.UUID,
) -> Sequence[Row[Any]]:
    """(id, key, private_key) of the next rows behind `after`, at most `BATCH`.

    `key` is the organization key as the provider has it.
    """
    found = (
        waiting(
            provider_id,
            account_id,
            ClientAccess.id,
            Organization.provider_wrapped_key.label("key"),
            Organization.protected_private_key.label("private_key"),
        )
        .where(ClientAccess.person_id == person_id, ClientAccess.id > after)
        .order_by(ClientAccess.id)
        .limit(BATCH)
    )
    return session.execute(found).all()


@dataclass(frozen=True)
class Wrapped:
    """An organization key for somebody's public key (type 4), and `version_of` that key."""

    key: str
    version: str


def hand_over(
    session: Session,
    actor: Actor,
    person_id: uuid.UUID,
    keys: Mapping[uuid.UUID, Wrapped],
    *,
    public_key: str,
    provider_public_key: str,
) -> int:
    """Keep what a browser wrapped, by the id of the row; returns how many were still open.

    `public_key` is the person's as the browser showed it, `provider_public_key` the provider's
    that the page had. A row that has a key by now, or whose client has another key, is left out.
    Raises `OtherKey` (its event is to be committed) and `RuleError`.
    """
    if not all(looks_sealed(wrapped.key, 4) for wrapped in keys.values()):
        raise refuse(INCOMPLETE)
    provider_id = tenant_of(actor)
    hold(session, provider_id)
    check_actor(session, actor)
    person = queries.person(session, provider_id, person_id)
    if person is None or person.public_key is None:
        raise refuse(CHANGED)
    if person.public_key != public_key:
        raise_alarm(session, actor, person, public_key)
        raise OtherKey
    if queries.keys(session, provider_id).public_key != provider_public_key:
        raise refuse(ROTATED)
    done = _store(session, actor, person, keys)
    if done:
        events.record(
            session,
            actor,
            "provider:person:hand_over_client_keys",
            streams=[Stream("provider", provider_id)],
            subject_id=person.id,
            email=person.email,
            fingerprint=fingerprint_phrase(str(person.account_id), public_key),
            clients=done,
        )
    return done


def _store(
    session: Session, actor: Actor, person: Row[Any], keys: Mapping[uuid.UUID, Wrapped]
) -> int:
    columns = (ClientAccess.id, Organization.protected_private_key)
    found = waiting(person.provider_id, actor.account_id, *columns).where(
        ClientAccess.person_id == person.id, ClientAccess.id.in_(keys)
    )
    # In one order, so that two browsers never wait for each other.
    return sum(
        _keep(session, person, row_id, keys[row_id].key)
        for row_id, private_key in session.execute(found.order_by(ClientAccess.id)).all()
        if keys[row_id].version == version_of(private_key)
    )


def _keep(session: Session, person: Row[Any], row_id: uuid.UUID, key: str) -> int:
    # The key is compared once more inside the statement: between the look and this it may change.
    holder = (
        select(ProviderPerson.id)
        .join(Account, Account.id == ProviderPerson.account_id)
        .where(
            ProviderPerson.provider_id == person.provider_id,
            ProviderPerson.id == person.id,
            Account.public_key == person.public_key,
        )
    )
    return rows_changed(
        session,
        update(ClientAccess)
        .where(
            ClientAccess.provider_id == person.provider_id,
            ClientAccess.id == row_id,
            ClientAccess.until_at.is_(None),
            ClientAccess.wrapped_key.is_(None),
            ClientAccess.person_id.in_(holder),
        )
        .values(wrapped_key=key)
        .execution_options(synchronize_session=False),
    )
