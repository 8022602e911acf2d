"""Collections are made, renamed, shared and deleted. Their names come and stay sealed."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import UpdateBase

from portal import events
from portal.crypto.envelope import looks_sealed
from portal.crypto.versions import version_of
from portal.domain.access import Actor
from portal.domain.collection_access import Level
from portal.domain.collection_rules import Keeper
from portal.domain.errors import N_, RuleError, refuse
from portal.models import (
    Collection,
    CollectionGroup,
    CollectionMember,
    Group,
    Member,
    Organization,
    new_id,
    utc_now,
)
from portal.models.writing import rows_changed
from portal.organizations.service import recount_setup, streams_in

NO_KEYS = N_("This organization has no keys yet, so no other collection can be named.")
NOT_SEALED = N_("Enter a name. It is sealed in your browser, which needs scripts and your vault.")
ROTATED = N_("The key of the organization was rotated in the meantime. Load this page again.")
TAKEN = N_("Another collection has this external id already.")
NO_MANAGER = N_(
    "Choose somebody who manages the collection: owners and admins do not reach every collection."
)


class Changed(RuleError):
    """The collection is not what the page showed any more."""

    def __init__(self) -> None:
        super().__init__(
            N_("Somebody else has changed this collection in the meantime. Look at it again.")
        )


@dataclass(frozen=True)
class Shares:
    """Who is given which level; None takes the assignment away."""

    groups: Mapping[uuid.UUID, Level | None] = field(default_factory=dict)
    members: Mapping[uuid.UUID, Level | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Naming:
    """A sealed name, which key it was sealed with, and what a directory calls the collection."""

    sealed_name: str = field(repr=False)
    key_version: str
    external_id: str = ""

    def __post_init__(self) -> None:
        if not looks_sealed(self.sealed_name, 2):
            raise refuse(NOT_SEALED, field="sealed_name")


def create(
    session: Session, actor: Actor, keeper: Keeper, organization_id: uuid.UUID, naming: Naming
) -> Any:
    """A collection that nobody reaches yet but its maker, where the role alone would not.

    Answers what `share` wants to know of it. `RuleError` for a taken external id, without keys,
    and where the name was sealed with a key that was rotated since.
    """
    _hold_key(session, organization_id, naming.key_version)
    row: dict[str, Any] = {
        "organization_id": organization_id,
        "id": new_id(),
        "sealed_name": naming.sealed_name,
        "external_id": naming.external_id,
        "version": 1,
        "created_at": utc_now(),
    }
    _unless_taken(session, insert(Collection).values(**row))
    _tell(session, actor, organization_id, "create", row["id"], external_id=naming.external_id)
    made = Made(organization_id, row["id"])
    if keeper.manages_what_it_makes:
        _write(session, made, Shares(members={_own_row(session, actor): Level.MANAGE}))
    recount_setup(session, organization_id)
    return made


@dataclass(frozen=True)
class Made:
    """What `share` needs of a collection that is new."""

    organization_id: uuid.UUID
    id: uuid.UUID
    version: int = 1


def _own_row(session: Session, actor: Actor) -> uuid.UUID:
    found = select(Member.id).where(
        Member.organization_id == actor.organization_id, Member.account_id == actor.account_id
    )
    return session.execute(found).scalar_one()


def _hold_key(session: Session, organization_id: uuid.UUID, key_version: str) -> None:
    """Hold the organization's row: while a name comes in, its key is not rotated."""
    held = session.execute(
        update(Organization)
        .where(Organization.id == organization_id, Organization.public_key.is_not(None))
        .values(setup_done=Organization.setup_done)
        .returning(Organization.protected_private_key)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if held is None:
        raise refuse(NO_KEYS)
    if key_version != version_of(held):
        raise refuse(ROTATED)


def _unless_taken(session: Session, statement: UpdateBase) -> int:
    """Run it; the unique index of external ids decides, not a read before."""
    try:
        with session.begin_nested():
            return rows_changed(session, statement)
    except IntegrityError as error:
        raise refuse(TAKEN, field="external_id") from error


def rename(session: Session, actor: Actor, found: Any, naming: Naming, version: int) -> None:
    """Store name and external id. `Changed` if `version` is not the present one."""
    _hold_key(session, found.organization_id, naming.key_version)
    written = _unless_taken(
        session,
        _touch(found, version).values(
            sealed_name=naming.sealed_name, external_id=naming.external_id
        ),
    )
    if written != 1:
        raise Changed
    before, after = {"external_id": found.external_id}, {"external_id": naming.external_id}
    _tell(
        session,
        actor,
        found.organization_id,
        "update",
        found.id,
        renamed=True,
        before=before,
        after=after,
    )


def _touch(found: Any, version: int) -> Any:
    """The statement that moves the collection on from `version`."""
    return (
        update(Collection)
        .where(
            Collection.organization_id == found.organization_id,
            Collection.id == found.id,
            Collection.version == version,
        )
        .values(version=Collection.version + 1)
        .execution_options(synchronize_session=False)
    )


def share(
    session: Session, actor: Actor, keeper: Keeper, found: Any, shares: Shares, version: int
) -> bool:
    """Give and take what `shares` says; who is not named there keeps what they have.

    False where nothing changes. `Changed` if `version` is not the present one; refused where
    nobody would manage the collection though owners and admins do not reach it by their role.
    """
    with session.begin_nested():
        if rows_changed(session, _touch(found, version)) != 1:
            raise Changed
        before, after = _write(session, found, shares)
        if not keeper.settings.admins_reach_all and not _has_manager(session, found):
            raise refuse(NO_MANAGER)
        if before == after:
            return False
        recount_setup(session, found.organization_id)
    _tell(session, actor, found.organization_id, "update", found.id, before=before, after=after)
    return True


def _write(
    session: Session, found: Any, shares: Shares
) -> tuple[dict[str, dict[str, str]], dict[str, dict[str, str]]]:
    """What was there and what is now, of those who are named."""
    before, after = {}, {}
    kinds: tuple[tuple[str, Any, Any, Any, Mapping[uuid.UUID, Level | None]], ...] = (
        ("groups", CollectionGroup, CollectionGroup.group_id, Group, shares.groups),
        ("members", CollectionMember, CollectionMember.member_id, Member, shares.members),
    )
    for name, table, key, holder, levels in kinds:
        if levels:
            before[name], after[name] = _write_kind(session, found, table, key, holder, levels)
    return before, after


def _write_kind(
    session: Session,
    found: Any,
    table: Any,
    key: Any,
    holder: Any,
    levels: Mapping[uuid.UUID, Level | None],
) -> tuple[dict[str, str], dict[str, str]]:
    here = (
        table.organization_id == found.organization_id,
        table.collection_id == found.id,
        key.in_(levels),
    )
    given = {row[0]: row[1] for row in session.execute(select(key, table.level).where(*here))}
    known = session.scalars(
        select(holder.id).where(
            holder.organization_id == found.organization_id, holder.id.in_(levels)
        )
    )
    wanted = {each: level for each in known if (level := levels[each])}
    if wanted != given:
        session.execute(delete(table).where(*here).execution_options(synchronize_session=False))
        place = {"organization_id": found.organization_id, "collection_id": found.id}
        rows = [{**place, key.key: each, "level": wanted[each]} for each in sorted(wanted)]
        if rows:
            session.execute(insert(table), rows)
    return _listed(given), _listed(wanted)


def _listed(levels: Mapping[uuid.UUID, Level]) -> dict[str, str]:
    return {str(each): levels[each].value for each in sorted(levels)}


def _has_manager(session: Session, found: Any) -> bool:
    for table in (CollectionGroup, CollectionMember):
        manages = select(table.collection_id).where(
            table.organization_id == found.organization_id,
            table.collection_id == found.id,
            table.level == Level.MANAGE,
        )
        if session.execute(manages.limit(1)).first() is not None:
            return True
    return False


def remove(session: Session, actor: Actor, found: Any) -> None:
    """Delete the collection; groups and members lose what it gave them."""
    if found.sealed_name is None:
        raise refuse(N_("The first collection stays until the organization has keys."))
    session.execute(
        delete(Collection)
        .where(Collection.organization_id == found.organization_id, Collection.id == found.id)
        .execution_options(synchronize_session=False)
    )
    recount_setup(session, found.organization_id)
    before = {"groups": found.groups, "members": found.members, "external_id": found.external_id}
    _tell(session, actor, found.organization_id, "delete", found.id, before=before)


def _tell(
    session: Session,
    actor: Actor,
    organization_id: uuid.UUID,
    action: str,
    collection_id: uuid.UUID,
    **details: Any,
) -> None:
    events.record(
        session,
        actor,
        f"organization:collection:{action}",
        streams=streams_in(actor, organization_id),
        subject_id=collection_id,
        **details,
    )
