"""What members reach in the end: by their role, or by what they are given.

What assignments give is `collections.access.effective`; here the role is added, as
`domain.collection_rules` has it: owners and admins manage every collection where the organization
lets them (`OrganizationSettings.admins_reach_all`, the default).
"""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Subquery, and_, case, literal, select, union_all
from sqlalchemy.orm import Session

from portal.collections.access import effective
from portal.domain.access import Role
from portal.domain.collection_access import Level
from portal.models import (
    Collection,
    CollectionGroup,
    CollectionMember,
    Group,
    GroupMember,
    Member,
    OrganizationSettings,
)


def _of(organization_id: uuid.UUID, table: Any, *columns: Any) -> Select[Any]:
    return select(*columns).where(table.organization_id == organization_id)


def reaches_all() -> ColumnElement[bool]:
    """Whether a member's role alone opens every collection; for a statement that has `Member`."""
    narrowed = (
        select(OrganizationSettings.organization_id)
        .where(
            OrganizationSettings.organization_id == Member.organization_id,
            OrganizationSettings.admins_reach_all.is_(False),
        )
        .exists()
    )
    return and_(Member.role.in_((Role.OWNER, Role.ADMIN)), ~narrowed)


def effective_access(
    organization_id: uuid.UUID,
    *conditions: ColumnElement[bool],
    collection_id: uuid.UUID | None = None,
) -> Subquery:
    """(member_id, collection_id, level, by_role, is_direct) of all that is reached, once each.

    `conditions` are about `Member`, `collection_id` looks at one collection. It counts only for
    confirmed members of an active organization; whoever shows somebody else's says so.
    """
    among = None if collection_id is None else [collection_id]
    given = effective(organization_id, *conditions, ~reaches_all(), among=among)
    by_role = (
        _of(
            organization_id,
            Member,
            Member.id.label("member_id"),
            Collection.id.label("collection_id"),
            literal(Level.MANAGE, CollectionMember.level.type).label("level"),
            literal(1).label("by_role"),
            literal(0).label("is_direct"),
        )
        .join(Collection, Collection.organization_id == Member.organization_id)
        .where(reaches_all(), *conditions)
    )
    if collection_id is not None:
        by_role = by_role.where(Collection.id == collection_id)
    by_assignment = select(
        given.member_id,
        given.collection_id,
        given.level,
        literal(0).label("by_role"),
        _as_number(given.is_direct).label("is_direct"),
    )
    return union_all(by_role, by_assignment).subquery("effective_access")


def _as_number(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """1 or 0: a number that both databases put beside another."""
    return case((condition, 1), else_=0)


def reached_by(
    session: Session, organization_id: uuid.UUID, member_id: uuid.UUID
) -> Sequence[Row[Any]]:
    """(id, sealed_name, level, by_role, is_direct) of each collection that a member reaches."""
    access = effective_access(organization_id, Member.id == member_id)
    found = (
        _of(organization_id, Collection, Collection.id, Collection.sealed_name)
        .add_columns(access.c.level, access.c.by_role, access.c.is_direct)
        .join(access, access.c.collection_id == Collection.id)
        .order_by(Collection.id)
    )
    return session.execute(found).all()


def ways_of(
    session: Session, organization_id: uuid.UUID, member_id: uuid.UUID
) -> Sequence[Row[Any]]:
    """(collection_id, level, group_id, name) of each group that gives the member a collection."""
    found = (
        _of(organization_id, CollectionGroup, CollectionGroup.collection_id, CollectionGroup.level)
        .add_columns(Group.id.label("group_id"), Group.name)
        .join(
            GroupMember,
            and_(
                GroupMember.organization_id == CollectionGroup.organization_id,
                GroupMember.group_id == CollectionGroup.group_id,
            ),
        )
        .join(
            Group,
            and_(
                Group.organization_id == GroupMember.organization_id,
                Group.id == GroupMember.group_id,
            ),
        )
        .where(GroupMember.member_id == member_id)
        .order_by(Group.name_ci, Group.id)
    )
    return session.execute(found).all()
