"""Reads of the API: every statement but the one that finds the key is bound to an organization.

A list goes on after the id of its last row; it is read in the order of ids, which is that in
which the rows were made.
"""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, and_, func, select
from sqlalchemy.orm import Session

from portal.domain.states import MemberState
from portal.members.access import effective_access
from portal.models import (
    Account,
    ApiKey,
    Collection,
    CollectionGroup,
    CollectionMember,
    Group,
    GroupMember,
    Member,
    Organization,
)

Found = Sequence[Row[Any]]


def _of(organization_id: uuid.UUID, *columns: Any) -> Select[Any]:
    """Columns of one table, the first one's, of one organization."""
    table = columns[0].class_
    tenant = table.id if table is Organization else table.organization_id
    return select(*columns).where(tenant == organization_id)


def _page(
    session: Session, statement: Select[Any], key: Any, after: uuid.UUID | None, limit: int
) -> Found:
    """`limit` rows behind `after`, and one more if there are more."""
    if after is not None:
        statement = statement.where(key > after)
    return session.execute(statement.order_by(key).limit(limit + 1)).all()


def key(session: Session, key_id: uuid.UUID) -> Row[Any] | None:
    """What a key opens, as far as its name says: its secret is not compared here."""
    columns: tuple[Any, ...] = (
        ApiKey.id,
        ApiKey.organization_id,
        ApiKey.key_hash,
        ApiKey.last_used_at,
        Organization.status,
        Organization.plan,
    )
    found = (
        select(*columns)
        .join(Organization, Organization.id == ApiKey.organization_id)
        .where(ApiKey.id == key_id)
    )
    return session.execute(found).one_or_none()


def organization(session: Session, organization_id: uuid.UUID) -> Row[Any]:
    """What it is called, and its plan and seats."""
    columns = (
        Organization.id,
        Organization.name,
        Organization.plan,
        Organization.seats,
        Organization.seats_used,
        Organization.created_at,
    )
    return session.execute(_of(organization_id, *columns)).one()


_MEMBER = (
    Member.id,
    Member.email,
    Member.role,
    Member.permissions,
    Member.state,
    Member.external_id,
    Member.created_at,
    Member.accepted_at,
    Member.confirmed_at,
    Member.revoked_at,
)


def _members(organization_id: uuid.UUID) -> Select[Any]:
    return (
        _of(organization_id, *_MEMBER)
        .add_columns(Account.name, Account.totp_secret.is_not(None).label("second_factor"))
        .outerjoin(Account, Account.id == Member.account_id)
    )


def members(
    session: Session, organization_id: uuid.UUID, after: uuid.UUID | None, limit: int
) -> Found:
    """A page of members; `name` is None for whoever has no account yet."""
    return _page(session, _members(organization_id), Member.id, after, limit)


def member_state(session: Session, organization_id: uuid.UUID, member_id: uuid.UUID) -> Any:
    """The state of one member; None where there is none."""
    return session.scalar(_of(organization_id, Member.state).where(Member.id == member_id))


def groups_of(
    session: Session, organization_id: uuid.UUID, members: Sequence[uuid.UUID]
) -> dict[uuid.UUID, list[uuid.UUID]]:
    """The ids of the groups of each of these members."""
    found = (
        _of(organization_id, GroupMember.member_id, GroupMember.group_id)
        .where(GroupMember.member_id.in_(members))
        .order_by(GroupMember.group_id)
    )
    groups: dict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
    for row in session.execute(found):
        groups[row.member_id].append(row.group_id)
    return groups


def reached(
    session: Session,
    organization_id: uuid.UUID,
    member_id: uuid.UUID,
    after: uuid.UUID | None,
    limit: int,
) -> Found:
    """A page of (id, external_id, level, by_role, is_direct): what one member reaches."""
    access = effective_access(organization_id, Member.id == member_id)
    found = (
        _of(organization_id, Collection.id, Collection.external_id)
        .add_columns(access.c.level, access.c.by_role, access.c.is_direct)
        .join(access, access.c.collection_id == Collection.id)
    )
    return _page(session, found, Collection.id, after, limit)


def _counted(table: Any, *conditions: Any) -> Any:
    return (
        select(func.count())
        .select_from(table)
        .where(*conditions)
        .correlate(Group, Collection)
        .scalar_subquery()
    )


def groups(
    session: Session, organization_id: uuid.UUID, after: uuid.UUID | None, limit: int
) -> Found:
    """A page of groups, each with how many members it has."""
    inside = and_(
        GroupMember.organization_id == Group.organization_id, GroupMember.group_id == Group.id
    )
    columns = Group.id, Group.name, Group.external_id, Group.created_at
    found = _of(organization_id, *columns).add_columns(
        _counted(GroupMember, inside).label("members")
    )
    return _page(session, found, Group.id, after, limit)


def has_group(session: Session, organization_id: uuid.UUID, group_id: uuid.UUID) -> bool:
    """Whether there is such a group."""
    return session.scalar(_of(organization_id, Group.id).where(Group.id == group_id)) is not None


def members_of(
    session: Session,
    organization_id: uuid.UUID,
    group_id: uuid.UUID,
    after: uuid.UUID | None,
    limit: int,
) -> Found:
    """A page of (id, state) of the members of one group."""
    found = (
        _of(organization_id, Member.id, Member.state)
        .join(
            GroupMember,
            and_(
                GroupMember.organization_id == Member.organization_id,
                GroupMember.member_id == Member.id,
            ),
        )
        .where(GroupMember.group_id == group_id)
    )
    return _page(session, found, Member.id, after, limit)


def levels_of_groups(
    session: Session, organization_id: uuid.UUID, column: Any, ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, list[Row[Any]]]:
    """What groups are given, by the one of both ids that `column` of `CollectionGroup` names."""
    columns = CollectionGroup.collection_id, CollectionGroup.group_id, CollectionGroup.level
    found = _of(organization_id, *columns).where(column.in_(ids))
    found = found.order_by(CollectionGroup.collection_id, CollectionGroup.group_id)
    levels: dict[uuid.UUID, list[Row[Any]]] = defaultdict(list)
    for row in session.execute(found):
        levels[getattr(row, column.key)].append(row)
    return levels


OF_GROUP, OF_COLLECTION = CollectionGroup.group_id, CollectionGroup.collection_id


def collections(
    session: Session, organization_id: uuid.UUID, after: uuid.UUID | None, limit: int
) -> Found:
    """A page of collections, each with how many members are assigned by name."""
    named = and_(
        CollectionMember.organization_id == Collection.organization_id,
        CollectionMember.collection_id == Collection.id,
    )
    found = _of(organization_id, Collection.id, Collection.external_id).add_columns(
        _counted(CollectionMember, named).label("members")
    )
    return _page(session, found, Collection.id, after, limit)


def has_collection(session: Session, organization_id: uuid.UUID, one: uuid.UUID) -> bool:
    """Whether there is such a collection."""
    return (
        session.scalar(_of(organization_id, Collection.id).where(Collection.id == one)) is not None
    )


def reaching(
    session: Session,
    organization_id: uuid.UUID,
    collection_id: uuid.UUID,
    after: uuid.UUID | None,
    limit: int,
) -> Found:
    """A page of (id, level, by_role, is_direct): who reaches one collection."""
    access = effective_access(organization_id, collection_id=collection_id)
    # Not joined with members: their states come after it, for those of the page alone.
    columns = access.c.member_id.label("id"), access.c.level, access.c.by_role, access.c.is_direct
    return _page(session, select(*columns), access.c.member_id, after, limit)


def states_of(
    session: Session, organization_id: uuid.UUID, members: Sequence[uuid.UUID]
) -> dict[uuid.UUID, MemberState]:
    """The state of each of these members."""
    found = _of(organization_id, Member.id, Member.state).where(Member.id.in_(members))
    return {row.id: row.state for row in session.execute(found)}
