"""A person's scope and the end of their work here, changed."""

import hashlib
from typing import Any

from sqlalchemy import delete, insert, update
from sqlalchemy.orm import Session

from portal import events
from portal.domain.access import Actor
from portal.domain.errors import N_, refuse
from portal.domain.scope import Reach
from portal.domain.scope_changes import Wanted, check_wanted
from portal.events import Stream
from portal.models import ProviderPerson, ScopePart, new_id, utc_now
from portal.providers import attention, queries, reach, scope_keys, scope_queries
from portal.providers.staff import GONE, check_actor, hold, standing_of, tenant_of

CHANGED = N_("Somebody else has changed this in the meantime. Look again, then confirm.")


def seal(person: Any, before: Wanted) -> str:
    """What a page recognises the state by in which it saw a person's scope."""
    seen = [
        person.role,
        person.state,
        before.reach,
        before.level,
        sorted(before.clients),
        sorted(before.tags),
        before.ends_at,
    ]
    return hashlib.sha256(repr(seen).encode()).hexdigest()[:32]


def known(session: Session, actor: Actor, wanted: Wanted) -> Wanted:
    """`wanted` with the provider's own clients and tags alone; none where the reach is all."""
    provider_id = tenant_of(actor)
    if wanted.reach is Reach.ALL:
        return Wanted(wanted.reach, wanted.level, ends_at=wanted.ends_at)
    clients = scope_queries.clients_of(session, provider_id, wanted.clients)
    tags = scope_queries.tags_of(session, provider_id)
    return Wanted(
        wanted.reach,
        wanted.level,
        frozenset(client.id for client in clients),
        frozenset(tag.id for tag in tags if tag.id in wanted.tags),
        wanted.ends_at,
    )


def check(session: Session, actor: Actor, person: Any, wanted: Wanted) -> None:
    """Raise `RuleError` where the person (a row of `queries.staff`) cannot get this scope."""
    admins = queries.count_admins(session, tenant_of(actor))
    check_wanted(wanted, standing_of(person, actor, admins), utc_now())


def change(session: Session, actor: Actor, person_id: Any, wanted: Wanted, seen: str) -> bool:
    """Give a person the scope that is `wanted` (known); False if they have it already.

    Raises `RuleError` where it cannot be, or where it is not any more what the page saw.
    """
    provider_id = tenant_of(actor)
    hold(session, provider_id)
    check_actor(session, actor)
    person = queries.person(session, provider_id, person_id)
    if person is None:
        raise refuse(GONE)
    before = scope_queries.wanted_of(session, person)
    if seen != seal(person, before):
        raise refuse(CHANGED)
    check(session, actor, person, wanted)
    if wanted == before:
        return False
    _write(session, person, wanted)
    attention.person_ends(session, provider_id, person.id)
    reach.settle(session, provider_id, people=[person.id])
    scope_keys.scope_changed(session, actor, person, reach=wanted.reach, level=wanted.level)
    events.record(
        session,
        actor,
        "provider:person:change_scope",
        streams=[Stream("provider", provider_id)],
        subject_id=person.id,
        email=person.email,
        before=_told(before),
        after=_told(wanted),
    )
    return True


def _write(session: Session, person: Any, wanted: Wanted) -> None:
    here = {"provider_id": person.provider_id, "person_id": person.id}
    session.execute(
        update(ProviderPerson)
        .where(ProviderPerson.provider_id == person.provider_id, ProviderPerson.id == person.id)
        .values(reach=wanted.reach, level=wanted.level, access_ends_at=wanted.ends_at)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        delete(ScopePart).where(
            ScopePart.provider_id == person.provider_id, ScopePart.person_id == person.id
        )
    )
    parts = [{"organization_id": client, "tag_id": None} for client in sorted(wanted.clients)]
    parts += [{"organization_id": None, "tag_id": tag} for tag in sorted(wanted.tags)]
    if parts:
        session.execute(insert(ScopePart), [here | {"id": new_id()} | part for part in parts])


def _told(wanted: Wanted) -> dict[str, Any]:
    """Ids and numbers alone: what they are called is not the log's to keep."""
    return {
        "reach": wanted.reach.value,
        "level": wanted.level.value,
        "clients": len(wanted.clients),
        "tags": len(wanted.tags),
        "client_ids": [str(client) for client in sorted(wanted.clients)],
        "tag_ids": [str(tag) for tag in sorted(wanted.tags)],
        "ends_at": wanted.ends_at.isoformat() if wanted.ends_at else None,
    }
