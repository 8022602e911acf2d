"""Groups are made, renamed, filled, given collections and deleted."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import UpdateBase

from portal import events
from portal.domain.access import Actor
from portal.domain.collection_access import Level, settled
from portal.domain.errors import N_, RuleError, refuse
from portal.domain.names import check_name, name_ci
from portal.groups import guards
from portal.models import Collection, CollectionGroup, Group, GroupMember, Member, new_id, utc_now
from portal.models.writing import rows_changed
from portal.organizations.service import recount_setup, streams_in

NAME_LIMIT = 100
TAKEN = N_("Another group has this external id already.")


class Changed(RuleError):
    """The group is not what the page showed any more."""

    def __init__(self) -> None:
        super().__init__(
            N_("Somebody else has changed this group in the meantime. Look at it again.")
        )


def check_group_name(text: str) -> str:
    """The name as it is stored, or a `RuleError` on `name`."""
    return check_name(text, missing=N_("Enter a name for the group."), limit=NAME_LIMIT)


def create(
    session: Session, actor: Actor, organization_id: uuid.UUID, *, name: str, external_id: str
) -> uuid.UUID:
    """A group without members; both texts have been checked. `RuleError` for a taken id."""
    group_id = new_id()
    row = {
        "organization_id": organization_id,
        "id": group_id,
        "name": name,
        "name_ci": name_ci(name),
        "external_id": external_id,
        "version": 1,
        "created_at": utc_now(),
    }
    _unless_taken(session, insert(Group).values(**row))
    _tell(session, actor, organization_id, "create", group_id, name=name)
    return group_id


def _unless_taken(session: Session, statement: UpdateBase) -> int:
    """Run it; the unique index of external ids decides, not a read before."""
    try:
        with session.begin_nested():
            return rows_changed(session, statement)
    except IntegrityError as error:
        raise refuse(TAKEN, field="external_id") from error


def rename(
    session: Session, actor: Actor, group: Any, *, name: str, external_id: str, version: int
) -> bool:
    """Store both; False where nothing changes. `Changed` if `version` is not the present one."""
    before = {"name": group.name, "external_id": group.external_id}
    after = {"name": name, "external_id": external_id}
    if before == after:
        return False
    written = _unless_taken(
        session,
        update(Group)
        .where(
            Group.organization_id == group.organization_id,
            Group.id == group.id,
            Group.version == version,
        )
        .values(**after, name_ci=name_ci(name), version=Group.version + 1)
        .execution_options(synchronize_session=False),
    )
    if written != 1:
        raise Changed
    _tell(session, actor, group.organization_id, "update", group.id, before=before, after=after)
    return True


def add_members(session: Session, actor: Actor, group: Any, member_ids: Sequence[uuid.UUID]) -> int:
    """Add those who are members of the organization; returns how many are new in the group.

    Raises `RuleError` for somebody who would widen their own reach.
    """
    guards.check_new_members(session, actor, group, member_ids)
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    wanted = select(Member.organization_id, Group.id, Member.id).where(
        Member.organization_id == group.organization_id,
        Member.id.in_(member_ids),
        Group.organization_id == Member.organization_id,
        Group.id == group.id,
    )
    columns = ["organization_id", "group_id", "member_id"]
    added = session.execute(
        dialect.insert(GroupMember)
        .from_select(columns, wanted)
        .on_conflict_do_nothing()
        .returning(GroupMember.member_id)
    ).all()
    if added:
        _tell_members(session, actor, group, "add_members", [row.member_id for row in added])
    return len(added)


def remove_members(
    session: Session, actor: Actor, group: Any, member_ids: Sequence[uuid.UUID]
) -> int:
    """Take them out of the group; returns how many were in it."""
    removed = session.execute(
        delete(GroupMember)
        .where(
            GroupMember.organization_id == group.organization_id,
            GroupMember.group_id == group.id,
            GroupMember.member_id.in_(member_ids),
        )
        .returning(GroupMember.member_id)
        .execution_options(synchronize_session=False)
    ).all()
    if removed:
        _tell_members(session, actor, group, "remove_members", [row.member_id for row in removed])
    return len(removed)


def _tell_members(
    session: Session, actor: Actor, group: Any, action: str, ids: Sequence[uuid.UUID]
) -> None:
    listed = sorted(str(each) for each in ids)
    _tell(session, actor, group.organization_id, action, group.id, name=group.name, members=listed)


def give_collections(
    session: Session,
    actor: Actor,
    group: Any,
    levels: Mapping[uuid.UUID, Level],
    seen: Mapping[uuid.UUID, Level] | None = None,
) -> bool:
    """Let the group have exactly these collections; False where that is so already.

    `seen` is what the choice began with. Raises `RuleError` where that has changed, and for
    somebody who would widen their own reach.
    """
    found = session.execute(
        select(CollectionGroup.collection_id, CollectionGroup.level).where(
            CollectionGroup.organization_id == group.organization_id,
            CollectionGroup.group_id == group.id,
        )
    )
    given = {row.collection_id: row.level for row in found}
    asked = settled(given, seen, levels)
    known = _known(session, group.organization_id, asked)
    wanted = {each: level for each, level in asked.items() if each in known}
    if wanted == given:
        return False
    guards.check_levels(session, actor, group, given, wanted)
    place = {"organization_id": group.organization_id, "group_id": group.id}
    session.execute(
        delete(CollectionGroup)
        .where(
            CollectionGroup.organization_id == group.organization_id,
            CollectionGroup.group_id == group.id,
        )
        .execution_options(synchronize_session=False)
    )
    rows = [{**place, "collection_id": each, "level": wanted[each]} for each in sorted(wanted)]
    if rows:
        session.execute(insert(CollectionGroup), rows)
    recount_setup(session, group.organization_id)
    before, after = _listed(given), _listed(wanted)
    _tell(session, actor, group.organization_id, "update", group.id, before=before, after=after)
    return True


def _known(
    session: Session, organization_id: uuid.UUID, asked: Iterable[uuid.UUID]
) -> set[uuid.UUID]:
    """Those of the ids that are collections of the organization."""
    found = select(Collection.id).where(
        Collection.organization_id == organization_id, Collection.id.in_(list(asked))
    )
    return set(session.scalars(found))


def _listed(levels: Mapping[uuid.UUID, Level]) -> dict[str, dict[str, str]]:
    return {"collections": {str(each): Level(levels[each]).value for each in sorted(levels)}}


def remove(session: Session, actor: Actor, group: Any) -> None:
    """Delete the group; its members lose what only the group gave them."""
    session.execute(
        delete(Group)
        .where(Group.organization_id == group.organization_id, Group.id == group.id)
        .execution_options(synchronize_session=False)
    )
    recount_setup(session, group.organization_id)
    before = {"members": group.members, "collections": group.collections}
    _tell(session, actor, group.organization_id, "delete", group.id, name=group.name, before=before)


def _tell(
    session: Session,
    actor: Actor,
    organization_id: uuid.UUID,
    action: str,
    group_id: uuid.UUID,
    **details: Any,
) -> None:
    events.record(
        session,
        actor,
        f"organization:group:{action}",
        streams=streams_in(actor, organization_id),
        subject_id=group_id,
        **details,
    )
