"""What members reach in the end: the one rule, in SQL, for pages, files and reports alike.

`domain.collection_access.effective` is the same rule for one member and one collection, and the
oracle of its test: an assignment by name replaces what groups give, between groups the widest
wins part by part. Owners, admins and holders of "edit any collection" manage all collections
where the organization lets them (`OrganizationSettings.admins_reach_all`, the default).
"""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Subquery,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from portal.domain.access import Role
from portal.domain.collection_access import Level, level_of
from portal.domain.custom_roles import Custom
from portal.models import (
    Collection,
    CollectionGroup,
    CollectionMember,
    Group,
    GroupMember,
    Member,
    OrganizationSettings,
)

BY_ROLE, BY_NAME, BY_GROUPS = "role", "name", "groups"


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
    edits_any = and_(
        Member.role == Role.CUSTOM,
        cast(Member.permissions, Text).like(f'%"{Custom.EDIT_COLLECTIONS.value}"%'),
    )
    return and_(or_(Member.role.in_((Role.OWNER, Role.ADMIN)), edits_any), ~narrowed)


def effective_access(organization_id: uuid.UUID, member_id: uuid.UUID | None = None) -> Subquery:
    """(member_id, collection_id, level, source) of everything that is reached, once each.

    `source` is BY_ROLE, BY_NAME or BY_GROUPS. It counts only for confirmed members of an active
    organization; whoever shows somebody else's says so.
    """
    parts = [
        _by_role(organization_id, member_id),
        _by_name(organization_id, member_id),
        _by_groups(organization_id, member_id),
    ]
    return union_all(*parts).subquery("effective_access")


def _by_role(organization_id: uuid.UUID, member_id: uuid.UUID | None) -> Select[Any]:
    found = (
        _of(
            organization_id,
            Member,
            Member.id.label("member_id"),
            Collection.id.label("collection_id"),
            literal(Level.MANAGE.value).label("level"),
            literal(BY_ROLE).label("source"),
        )
        .join(Collection, Collection.organization_id == Member.organization_id)
        .where(reaches_all())
    )
    return found if member_id is None else found.where(Member.id == member_id)


def _by_name(organization_id: uuid.UUID, member_id: uuid.UUID | None) -> Select[Any]:
    found = (
        _of(
            organization_id,
            CollectionMember,
            CollectionMember.member_id,
            CollectionMember.collection_id,
            cast(CollectionMember.level, Text).label("level"),
            literal(BY_NAME).label("source"),
        )
        .join(Member, _member_is(CollectionMember))
        .where(~reaches_all())
    )
    return found if member_id is None else found.where(CollectionMember.member_id == member_id)


def _by_groups(organization_id: uuid.UUID, member_id: uuid.UUID | None) -> Select[Any]:
    named = (
        select(CollectionMember.member_id)
        .where(
            CollectionMember.organization_id == GroupMember.organization_id,
            CollectionMember.collection_id == CollectionGroup.collection_id,
            CollectionMember.member_id == GroupMember.member_id,
        )
        .exists()
    )
    found = (
        _of(
            organization_id,
            GroupMember,
            GroupMember.member_id,
            CollectionGroup.collection_id,
            _widest().label("level"),
            literal(BY_GROUPS).label("source"),
        )
        .join(CollectionGroup, _same_group())
        .join(Member, _member_is(GroupMember))
        .where(~named, ~reaches_all())
        .group_by(GroupMember.member_id, CollectionGroup.collection_id)
    )
    return found if member_id is None else found.where(GroupMember.member_id == member_id)


def _widest() -> ColumnElement[Any]:
    """`domain.collection_access.widest` of the levels of a group of rows."""

    def any_with(levels: list[Level]) -> ColumnElement[bool]:
        return func.max(case((CollectionGroup.level.in_(levels), 1), else_=0)) == 1

    edits = any_with([level for level in Level if level.can_edit])
    shows = any_with([level for level in Level if level.shows_passwords])
    return case(
        (any_with([Level.MANAGE]), literal(Level.MANAGE.value)),
        (and_(edits, shows), literal(level_of(can_edit=True, shows_passwords=True).value)),
        (edits, literal(level_of(can_edit=True, shows_passwords=False).value)),
        (shows, literal(level_of(can_edit=False, shows_passwords=True).value)),
        else_=literal(level_of(can_edit=False, shows_passwords=False).value),
    )


def _member_is(table: Any) -> ColumnElement[bool]:
    return and_(Member.organization_id == table.organization_id, Member.id == table.member_id)


def _same_group() -> ColumnElement[bool]:
    return and_(
        CollectionGroup.organization_id == GroupMember.organization_id,
        CollectionGroup.group_id == GroupMember.group_id,
    )


def reached_by(
    session: Session, organization_id: uuid.UUID, member_id: uuid.UUID
) -> Sequence[Row[Any]]:
    """(id, sealed_name, level, source) of each collection that a member reaches."""
    access = effective_access(organization_id, member_id)
    found = (
        _of(organization_id, Collection, Collection.id, Collection.sealed_name)
        .add_columns(access.c.level, access.c.source)
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
        .join(GroupMember, _same_group())
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
