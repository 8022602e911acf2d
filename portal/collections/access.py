"""The one place where the database decides who reaches which collection.

The rule is that of `domain.collection_access.effective`: a direct assignment replaces what groups
give, between groups the widest wins, part by part. Pages, exports and the API join these selects
instead of repeating it.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    Subquery,
    and_,
    case,
    false,
    func,
    literal,
    select,
    true,
    type_coerce,
    union,
    union_all,
)

from portal.domain.collection_access import Level
from portal.domain.states import MemberState
from portal.models import CollectionGroup, CollectionMember, GroupMember, Member
from portal.models.base import EnumText


@dataclass(frozen=True)
class Reached:
    """The columns of `effective`: who reaches which collection, how far, and by name or not."""

    rows: Subquery

    @property
    def collection_id(self) -> ColumnElement[uuid.UUID]:
        return self.rows.c.collection_id

    @property
    def member_id(self) -> ColumnElement[uuid.UUID]:
        return self.rows.c.member_id

    @property
    def level(self) -> ColumnElement[Level]:
        return self.rows.c.level

    @property
    def is_direct(self) -> ColumnElement[bool]:
        return self.rows.c.is_direct


def effective(
    organization_id: uuid.UUID,
    *conditions: ColumnElement[bool],
    among: Sequence[uuid.UUID] | None = None,
) -> Reached:
    """What assignments give each member of one organization, one row for each that is reached.

    `conditions` are about `Member`, to look at some alone; `among` looks at some
    collections. Members of every state are here: what
    somebody is given waits for them until they are confirmed. Owners and admins may reach more by
    their role (`domain.collection_rules`).
    """
    direct = _direct(organization_id, conditions)
    by_groups = _by_groups(organization_id, conditions)
    if among is not None:
        # Inside of both: from outside PostgreSQL would work through the whole organization.
        direct = direct.where(CollectionMember.collection_id.in_(among))
        by_groups = by_groups.where(CollectionGroup.collection_id.in_(among))
    both = union_all(direct, by_groups)
    return Reached(both.subquery("reached"))


def _direct(organization_id: uuid.UUID, conditions: tuple[ColumnElement[bool], ...]) -> Any:
    return (
        select(
            CollectionMember.collection_id,
            CollectionMember.member_id,
            CollectionMember.level,
            true().label("is_direct"),
        )
        .join(Member, _is_member(CollectionMember))
        .where(CollectionMember.organization_id == organization_id, *conditions)
    )


def _by_groups(organization_id: uuid.UUID, conditions: tuple[ColumnElement[bool], ...]) -> Any:
    return (
        select(
            CollectionGroup.collection_id,
            GroupMember.member_id,
            _widest().label("level"),
            false().label("is_direct"),
        )
        .join(GroupMember, _in_group())
        .join(Member, _is_member(GroupMember))
        .where(CollectionGroup.organization_id == organization_id, ~_named(), *conditions)
        .group_by(CollectionGroup.collection_id, GroupMember.member_id)
    )


def _in_group() -> ColumnElement[bool]:
    return and_(
        GroupMember.organization_id == CollectionGroup.organization_id,
        GroupMember.group_id == CollectionGroup.group_id,
    )


def _named() -> ColumnElement[bool]:
    """Whether the member of a group is assigned by name, which replaces what the group gives."""
    return (
        select(CollectionMember.member_id)
        .where(
            CollectionMember.organization_id == CollectionGroup.organization_id,
            CollectionMember.collection_id == CollectionGroup.collection_id,
            CollectionMember.member_id == GroupMember.member_id,
        )
        .correlate(CollectionGroup, GroupMember)
        .exists()
    )


def _is_member(table: Any) -> ColumnElement[bool]:
    return and_(Member.organization_id == table.organization_id, Member.id == table.member_id)


def _widest() -> ColumnElement[Level]:
    """Each part of a level by itself: who edits by one group and sees by another does both."""
    edits = _any(level for level in Level if level.can_edit)
    sees = _any(level for level in Level if level.shows_passwords)
    level = case(
        (_any([Level.MANAGE]), literal(Level.MANAGE.value, String)),
        (and_(edits, sees), literal(Level.EDIT.value, String)),
        (edits, literal(Level.EDIT_HIDDEN.value, String)),
        (sees, literal(Level.VIEW.value, String)),
        else_=literal(Level.VIEW_HIDDEN.value, String),
    )
    return type_coerce(level, EnumText(Level))


def _any(levels: Any) -> ColumnElement[bool]:
    given = case((CollectionGroup.level.in_(list(levels)), 1), else_=0)
    return func.max(given) == 1


def managed(organization_id: uuid.UUID) -> Select[Any]:
    """(collection_id,) of the collections that a confirmed member manages by an assignment.

    `effective` would say the same. Here only what gives *Manage* is looked at, each assignment of
    a group until its first such member: a list asks it for every collection at once.
    """
    confirmed = Member.state == MemberState.CONFIRMED
    direct = (
        select(CollectionMember.collection_id)
        .join(Member, _is_member(CollectionMember))
        .where(
            CollectionMember.organization_id == organization_id,
            CollectionMember.level == Level.MANAGE,
            confirmed,
        )
    )
    somebody = (
        select(GroupMember.member_id)
        .join(Member, _is_member(GroupMember))
        .where(_in_group(), ~_named(), confirmed)
        .correlate(CollectionGroup)
        .exists()
    )
    by_groups = select(CollectionGroup.collection_id).where(
        CollectionGroup.organization_id == organization_id,
        CollectionGroup.level == Level.MANAGE,
        somebody,
    )
    both = union(direct, by_groups).subquery("managed")
    return select(both.c.collection_id)
