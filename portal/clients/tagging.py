"""Writes of tags, notes and references; told in the provider's log alone, for they are its own."""

import hashlib
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, delete, func, insert, select, update
from sqlalchemy.orm import Session

from portal import events
from portal.clients import mark_queries
from portal.domain.access import Actor, Permission
from portal.domain.errors import N_, Changed, refuse
from portal.domain.names import name_ci
from portal.domain.scope import Reach
from portal.domain.tags import (
    TAGS_A_PROVIDER,
    TOO_MANY_OF_ALL,
    check_number,
    next_colour,
    read,
    written,
)
from portal.events import Stream
from portal.models import (
    Organization,
    OrganizationTag,
    Provider,
    ProviderPerson,
    ScopePart,
    Tag,
    new_id,
)
from portal.models.writing import rows_changed
from portal.providers import reach

TAKEN = N_("There is a tag with this name already.")
OF_A_SCOPE = N_(
    "The tag “%(tag)s” says what somebody reaches. Only a provider admin gives it to a client, or "
    "takes it away."
)
LEAVES_OUT = N_(
    "This tag leaves clients out of somebody's scope. Change that scope first: without the tag "
    "they would reach these clients."
)


@dataclass(frozen=True)
class Annotation:
    """What stands beside a client, cleaned."""

    note: str
    external_reference: str
    tag_ids: frozenset[uuid.UUID]


def seal(client: Any) -> str:
    """What a form recognises the state of a client by that it was filled from."""
    seen = f"{client.note}\0{client.external_reference}\0{client.tags_shown}"
    return hashlib.sha256(seen.encode()).hexdigest()[:32]


def check_seal(client: Any, seen: str | None) -> None:
    """Raise `Changed` where the client is not as the form saw it."""
    if seen != seal(client):
        raise Changed


def streams(actor: Actor) -> list[Stream]:
    """The provider's log alone."""
    return [Stream("provider", provider_of(actor))]


def provider_of(actor: Actor) -> uuid.UUID:
    if actor.provider_id is None:
        raise LookupError("tags belong to a provider")
    return actor.provider_id


def may_change_tags(actor: Actor) -> bool:
    """Whether tags themselves are the actor's to change: they are on clients of every scope."""
    return actor.limited_to is None


def scopes_with(session: Session, actor: Actor, tag_id: uuid.UUID) -> dict[Reach, int]:
    """How many people's scopes name the tag, by their reach."""
    found = (
        select(ProviderPerson.reach, func.count().label("people"))
        .join(ScopePart, ScopePart.person_id == ProviderPerson.id)
        .where(
            ProviderPerson.provider_id == provider_of(actor),
            ScopePart.provider_id == ProviderPerson.provider_id,
            ScopePart.tag_id == tag_id,
        )
        .group_by(ProviderPerson.reach)
    )
    return {row.reach: row.people for row in session.execute(found)}


def create_tag(session: Session, actor: Actor, name: str, colour: int | None = None) -> uuid.UUID:
    """A new tag with a checked `name`; without a colour the one that is used least."""
    _lock_provider(session, actor)
    known = mark_queries.tags(session, actor.scope)
    if len(known) >= TAGS_A_PROVIDER:
        raise refuse(TOO_MANY_OF_ALL, limit=TAGS_A_PROVIDER)
    if any(tag.name_ci == name_ci(name) for tag in known):
        raise refuse(TAKEN, field="name")
    tag = Tag(
        provider_id=provider_of(actor),
        id=new_id(),
        name=name,
        name_ci=name_ci(name),
        colour=colour or next_colour(tag.colour for tag in known),
    )
    session.add(tag)
    session.flush()
    events.record(
        session,
        actor,
        "provider:tag:create",
        streams=streams(actor),
        subject_id=tag.id,
        name=name,
        colour=tag.colour,
    )
    return tag.id


def _lock_provider(session: Session, actor: Actor) -> None:
    """Two people who make a tag of the same name do so one after the other."""
    mine = select(Provider.id).where(Provider.id == actor.provider_id)
    session.execute(mine.with_for_update()).all()


def tags_named(session: Session, actor: Actor, names: Iterable[str]) -> list[uuid.UUID]:
    """The tags with these checked names; those that are not there yet are made."""
    _lock_provider(session, actor)
    known = {tag.name_ci: tag.id for tag in mark_queries.tags(session, actor.scope)}
    return [known.get(name_ci(name)) or create_tag(session, actor, name) for name in names]


def change_tag(session: Session, actor: Actor, tag: Any, *, name: str, colour: int) -> bool:
    """Another name or colour for a tag (a row of `mark_queries.tags`); False if nothing differs."""
    if (tag.name, tag.colour) == (name, colour):
        return False
    _lock_provider(session, actor)
    known = mark_queries.tags(session, actor.scope)
    if any(other.name_ci == name_ci(name) and other.id != tag.id for other in known):
        raise refuse(TAKEN, field="name")
    session.execute(
        update(Tag)
        .where(Tag.provider_id == actor.provider_id, Tag.id == tag.id)
        .values(name=name, name_ci=name_ci(name), colour=colour)
    )
    reach.rename_tag(session, provider_of(actor), before=tag.name, after=name)
    events.record(
        session,
        actor,
        "provider:tag:update",
        streams=streams(actor),
        subject_id=tag.id,
        before={"name": tag.name, "colour": tag.colour},
        after={"name": name, "colour": colour},
    )
    return True


def delete_tag(session: Session, actor: Actor, tag: Any) -> int:
    """Take a tag away from every client, and then altogether; returns from how many.

    Raises `RuleError` where somebody would reach more without it.
    """
    provider_id = provider_of(actor)
    _lock_provider(session, actor)
    if Reach.ALL_BUT in scopes_with(session, actor, tag.id):
        raise refuse(LEAVES_OUT)
    mine = select(Tag.id).where(Tag.provider_id == provider_id, Tag.id == tag.id).with_for_update()
    session.execute(mine).all()
    tagged = select(OrganizationTag.organization_id).where(
        OrganizationTag.provider_id == provider_id, OrganizationTag.tag_id == tag.id
    )
    # In the order of ids, as every other transaction locks clients.
    here = select(Organization.id).where(
        Organization.provider_id == provider_id, Organization.id.in_(tagged)
    )
    count = len(session.execute(here.order_by(Organization.id).with_for_update()).all())
    session.execute(
        update(Organization)
        .where(Organization.provider_id == provider_id, Organization.id.in_(tagged))
        .values(tags_shown=func.replace(Organization.tags_shown, written([tag.id]), ""))
        .execution_options(synchronize_session=False)
    )
    session.execute(delete(Tag).where(Tag.provider_id == provider_id, Tag.id == tag.id))
    reach.settle(session, provider_id)
    events.record(
        session,
        actor,
        "provider:tag:delete",
        streams=streams(actor),
        subject_id=tag.id,
        name=tag.name,
        clients=count,
    )
    return count


def annotate(session: Session, actor: Actor, client: Any, wanted: Annotation) -> bool:
    """Write what is `wanted` beside `client` (a row of `queries.client`); False if it is there.

    Raises `Changed` where somebody else has written in the meantime, `RuleError` for too many
    tags. Tags that are not the provider's are left out.
    """
    reach.hold_still(session, provider_of(actor))
    names = _lock_tags(session, provider_of(actor), {*wanted.tag_ids, *read(client.tags_shown)})
    tag_ids = wanted.tag_ids & set(names)
    check_number(len(tag_ids), field="tags")
    had = {tag_id for tag_id in read(client.tags_shown) if tag_id in names}
    check_scopes(session, actor, had ^ tag_ids)
    before = _told(client.note, client.external_reference, had, names)
    after = _told(wanted.note, wanted.external_reference, tag_ids, names)
    changed = [key for key in before if before[key] != after[key]]
    if not changed:
        return False
    _write(session, provider_of(actor), client, wanted, tag_ids)
    set_tags(session, provider_of(actor), client.id, before=had, after=tag_ids)
    events.record(
        session,
        actor,
        "provider:client:annotate",
        streams=streams(actor),
        subject_id=client.id,
        name=client.name,
        before={key: before[key] for key in changed},
        after={key: after[key] for key in changed},
    )
    return True


def check_scopes(session: Session, actor: Actor, tag_ids: Iterable[uuid.UUID]) -> None:
    """Raise `RuleError` where one of these tags is in a scope, and scopes are not the actor's.

    Whoever gives such a tag, or takes it away, says what somebody else reaches.
    """
    if actor.can(Permission.PROVIDER_PEOPLE_MANAGE):
        return
    named = (
        select(Tag.name)
        .join(ScopePart, and_(ScopePart.provider_id == Tag.provider_id, ScopePart.tag_id == Tag.id))
        .where(Tag.provider_id == provider_of(actor), Tag.id.in_(list(tag_ids)))
    )
    name = session.scalar(named.order_by(Tag.name_ci).limit(1))
    if name is not None:
        raise refuse(OF_A_SCOPE, field="tags", tag=name)


def _lock_tags(
    session: Session, provider_id: uuid.UUID, tag_ids: set[uuid.UUID]
) -> dict[uuid.UUID, str]:
    """Name by id of those that are there; none of them is deleted before the commit."""
    found = (
        select(Tag.id, Tag.name)
        .where(Tag.provider_id == provider_id, Tag.id.in_(tag_ids))
        .order_by(Tag.id)
        .with_for_update(read=True, key_share=True)
    )
    return {row.id: row.name for row in session.execute(found)}


def _told(
    note: str, reference: str, tag_ids: Iterable[uuid.UUID], names: dict[uuid.UUID, str]
) -> dict[str, Any]:
    tags: Sequence[str] = sorted(names[tag_id] for tag_id in tag_ids)
    return {"note": note, "external_reference": reference, "tags": tags}


def _write(
    session: Session,
    provider_id: uuid.UUID,
    client: Any,
    wanted: Annotation,
    tag_ids: frozenset[uuid.UUID],
) -> None:
    kept = rows_changed(
        session,
        update(Organization)
        .where(
            Organization.provider_id == provider_id,
            Organization.id == client.id,
            Organization.note == client.note,
            Organization.external_reference == client.external_reference,
            Organization.tags_shown == client.tags_shown,
        )
        .values(
            note=wanted.note,
            external_reference=wanted.external_reference,
            reference_ci=name_ci(wanted.external_reference),
            tags_shown=written(tag_ids),
        )
        .execution_options(synchronize_session=False),
    )
    if kept != 1:
        raise Changed


def set_tags(
    session: Session,
    provider_id: uuid.UUID,
    organization_id: uuid.UUID,
    *,
    before: Iterable[uuid.UUID],
    after: Iterable[uuid.UUID],
) -> None:
    """The rows of a client's tags, for whoever has written its `tags_shown`."""
    gone, come = set(before) - set(after), sorted(set(after) - set(before))
    if gone:
        session.execute(
            delete(OrganizationTag).where(
                OrganizationTag.provider_id == provider_id,
                OrganizationTag.organization_id == organization_id,
                OrganizationTag.tag_id.in_(gone),
            )
        )
    if come:
        here = {"provider_id": provider_id, "organization_id": organization_id}
        session.execute(insert(OrganizationTag), [here | {"tag_id": tag_id} for tag_id in come])
    if gone or come:
        reach.settle(session, provider_id, organizations=[organization_id])
