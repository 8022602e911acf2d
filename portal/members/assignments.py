"""What one member is given: groups, and collections by name."""

import uuid
from collections.abc import Collection as Some
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, and_, delete, insert, select
from sqlalchemy.orm import Session

from portal import events
from portal.domain.access import Actor, Role
from portal.domain.collection_access import Level, settled
from portal.domain.errors import N_, refuse
from portal.members import access
from portal.models import Collection, CollectionMember, Group, GroupMember, Member
from portal.organizations.service import streams_in

NOT_MYSELF = N_(
    "Owners and admins do not reach every collection here, so nobody gives themselves more. Ask "
    "another owner or admin."
)


def _of(organization_id: uuid.UUID, *columns: Any) -> Select[Any]:
    return select(*columns).where(columns[0].class_.organization_id == organization_id)


def groups(
    session: Session, organization_id: uuid.UUID, member_id: uuid.UUID | None
) -> Sequence[Row[Any]]:
    """(id, name, belongs) of every group by name; nobody belongs without a member."""
    inside = and_(
        GroupMember.organization_id == Group.organization_id,
        GroupMember.group_id == Group.id,
        GroupMember.member_id == member_id,
    )
    found = (
        _of(organization_id, Group.id, Group.name)
        .add_columns(GroupMember.member_id.is_not(None).label("belongs"))
        .outerjoin(GroupMember, inside)
        .order_by(Group.name_ci, Group.id)
    )
    return session.execute(found).all()


def collections(
    session: Session, organization_id: uuid.UUID, member_id: uuid.UUID | None
) -> Sequence[Row[Any]]:
    """(id, sealed_name, level) of every collection; `level` is None where nothing is given."""
    given = and_(
        CollectionMember.organization_id == Collection.organization_id,
        CollectionMember.collection_id == Collection.id,
        CollectionMember.member_id == member_id,
    )
    found = (
        _of(organization_id, Collection.id, Collection.sealed_name)
        .add_columns(CollectionMember.level)
        .outerjoin(CollectionMember, given)
        .order_by(Collection.id)
    )
    return session.execute(found).all()


def set_groups(
    session: Session,
    actor: Actor,
    member: Any,
    wanted: Some[uuid.UUID],
    seen: Some[uuid.UUID] | None = None,
) -> bool:
    """Let the member belong to exactly these groups; False where that is so already.

    Raises `Meanwhile` where that is not any more what the choice began with, in `seen`.
    """
    _check_self(session, actor, member)
    rows = groups(session, member.organization_id, member.id)
    before = {row.id for row in rows if row.belongs}
    asked = settled(
        dict.fromkeys(before, True),
        None if seen is None else dict.fromkeys(seen, True),
        dict.fromkeys(wanted, True),
    )
    after = {row.id for row in rows if row.id in asked}
    if before == after:
        return False
    session.execute(
        delete(GroupMember)
        .where(
            GroupMember.organization_id == member.organization_id,
            GroupMember.member_id == member.id,
            GroupMember.group_id.in_(before - after),
        )
        .execution_options(synchronize_session=False)
    )
    _insert(session, GroupMember, member, [{"group_id": each} for each in sorted(after - before)])
    _tell(session, actor, "set_groups", member, sorted(map(str, before)), sorted(map(str, after)))
    return True


def set_collections(
    session: Session,
    actor: Actor,
    member: Any,
    wanted: Mapping[uuid.UUID, Level],
    seen: Mapping[uuid.UUID, Level] | None = None,
) -> bool:
    """Give the member exactly these collections by name; False where that is so already.

    Raises `Meanwhile` where that is not any more what the choice began with, in `seen`.
    """
    _check_self(session, actor, member)
    rows = collections(session, member.organization_id, member.id)
    before = {row.id: row.level for row in rows if row.level}
    asked = settled(before, seen, wanted)
    after = {row.id: asked[row.id] for row in rows if row.id in asked}
    if before == after:
        return False
    session.execute(
        delete(CollectionMember)
        .where(
            CollectionMember.organization_id == member.organization_id,
            CollectionMember.member_id == member.id,
        )
        .execution_options(synchronize_session=False)
    )
    given = [{"collection_id": each, "level": after[each]} for each in sorted(after)]
    _insert(session, CollectionMember, member, given)
    _tell(session, actor, "set_collections", member, _listed(before), _listed(after))
    return True


def _insert(session: Session, table: Any, member: Any, rows: list[dict[str, Any]]) -> None:
    place = {"organization_id": member.organization_id, "member_id": member.id}
    if rows:
        session.execute(insert(table), [{**place, **row} for row in rows])


def _check_self(session: Session, actor: Actor, member: Any) -> None:
    """Nobody widens their own reach, unless their role reaches everything anyway."""
    if member.account_id is None or member.account_id != actor.account_id:
        return
    if actor.role is Role.PROVIDER_ADMIN or actor.via_provider:
        return
    own = _of(member.organization_id, Member.id).where(Member.id == member.id, access.reaches_all())
    if session.execute(own).first() is None:
        raise refuse(NOT_MYSELF)


def _listed(levels: Mapping[uuid.UUID, Level]) -> dict[str, str]:
    return {str(each): Level(levels[each]).value for each in sorted(levels)}


def _tell(
    session: Session, actor: Actor, action: str, member: Any, before: Any, after: Any
) -> None:
    events.record(
        session,
        actor,
        f"organization:member:{action}",
        streams=streams_in(actor, member.organization_id),
        subject_id=member.id,
        email=member.email,
        before=before,
        after=after,
    )
