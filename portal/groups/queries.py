"""Reads about an organization's groups: every statement is bound to it."""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from portal.domain.names import name_ci
from portal.domain.paging import Cursor, Page, page_of
from portal.domain.searching import ESCAPE, contains
from portal.domain.states import MemberState
from portal.models import (
    Account,
    Collection,
    CollectionGroup,
    Group,
    GroupMember,
    Member,
)
from portal.models.keyset import seek

SORT = "name"
PAGE_SIZE = 50


def _of(organization_id: uuid.UUID, *columns: Any) -> Select[Any]:
    """Columns of one table, the first one's, of one organization."""
    return select(*columns).where(columns[0].class_.organization_id == organization_id)


def _count(table: Any, *conditions: ColumnElement[bool]) -> Any:
    return (
        select(func.count())
        .select_from(table)
        .where(table.organization_id == Group.organization_id, *conditions)
        .correlate(Group)
        .scalar_subquery()
    )


_COUNTS = (
    _count(GroupMember, GroupMember.group_id == Group.id).label("members"),
    _count(CollectionGroup, CollectionGroup.group_id == Group.id).label("collections"),
)
_GROUP = (
    Group.organization_id,
    Group.id,
    Group.name,
    Group.name_ci,
    Group.external_id,
    Group.version,
    Group.created_at,
)


def page(
    session: Session,
    organization_id: uuid.UUID,
    words: str,
    cursor: Cursor | None,
    *,
    descending: bool = False,
    size: int = PAGE_SIZE,
) -> Page[Row[Any]]:
    """One page of groups by name, each with how many members and collections it has."""
    found = _matching(_of(organization_id, *_GROUP).add_columns(*_COUNTS), words)
    downwards = descending != (cursor is not None and cursor.backwards)
    statement = seek(found, Group.name_ci, Group.id, downwards=downwards, beside=cursor is not None)
    values = {
        "beside": cursor.value if cursor else None,
        "beside_id": cursor.id if cursor else None,
        "rows": size + 1,
    }
    return page_of(
        session.execute(statement, values).all(),
        size=size,
        sort=SORT,
        descending=descending,
        cursor=cursor,
        place=lambda row: (row.name_ci, row.id),
    )


def _matching(statement: Select[Any], words: str) -> Select[Any]:
    if not words:
        return statement
    looked_for = contains(words)
    return statement.where(
        or_(
            Group.name_ci.like(looked_for, escape=ESCAPE),
            Group.external_id.like(looked_for, escape=ESCAPE),
        )
    )


def find(session: Session, organization_id: uuid.UUID, group_id: uuid.UUID) -> Row[Any] | None:
    """One group as `page` has it."""
    found = _of(organization_id, *_GROUP).add_columns(*_COUNTS).where(Group.id == group_id)
    return session.execute(found).one_or_none()


def chosen(
    session: Session, organization_id: uuid.UUID, ids: Sequence[uuid.UUID]
) -> Sequence[Row[Any]]:
    """Those of `ids` that there are, by name."""
    found = _of(organization_id, *_GROUP).add_columns(*_COUNTS).where(Group.id.in_(ids))
    return session.execute(found.order_by(Group.name_ci, Group.id)).all()


def ids(session: Session, organization_id: uuid.UUID) -> set[uuid.UUID]:
    """All groups that there are."""
    return set(session.scalars(_of(organization_id, Group.id)))


def name_exists(
    session: Session, organization_id: uuid.UUID, name: str, *, but: uuid.UUID | None = None
) -> bool:
    """Whether another group reads the same."""
    same = _of(organization_id, Group.id).where(Group.name_ci == name_ci(name))
    if but is not None:
        same = same.where(Group.id != but)
    return session.execute(same.limit(1)).first() is not None


def _people(organization_id: uuid.UUID, words: str) -> Select[Any]:
    columns = (Member.id, Member.email, Member.role, Member.state, Member.account_id)
    found = (
        _of(organization_id, *columns)
        .add_columns(Account.name)
        .outerjoin(Account, Account.id == Member.account_id)
    )
    if words:
        looked_for = contains(words)
        found = found.where(
            or_(
                Member.email.like(looked_for, escape=ESCAPE),
                func.lower(Account.name).like(looked_for, escape=ESCAPE),
            )
        )
    return found


def _belongs(group_id: uuid.UUID) -> ColumnElement[bool]:
    return (
        select(GroupMember.member_id)
        .where(
            GroupMember.organization_id == Member.organization_id,
            GroupMember.group_id == group_id,
            GroupMember.member_id == Member.id,
        )
        .exists()
    )


def members(
    session: Session,
    organization_id: uuid.UUID,
    group_id: uuid.UUID,
    words: str,
    after: uuid.UUID | None,
    *,
    inside: bool,
    size: int = PAGE_SIZE,
) -> Sequence[Row[Any]]:
    """Members inside the group, or those who could be added, one more than `size`.

    In the order in which they came, after the member `after`. Who is revoked is not offered.
    """
    found = _people(organization_id, words)
    if inside:
        found = found.where(_belongs(group_id))
    else:
        found = found.where(~_belongs(group_id), Member.state != MemberState.REVOKED)
    if after is not None:
        found = found.where(Member.id > after)
    return session.execute(found.order_by(Member.id).limit(size + 1)).all()


def by_addresses(
    session: Session, organization_id: uuid.UUID, addresses: Sequence[str]
) -> Sequence[Row[Any]]:
    """(id, email) of the members who have one of the addresses."""
    found = _of(organization_id, Member.id, Member.email).where(Member.email.in_(addresses))
    return session.execute(found).all()


def collections(
    session: Session, organization_id: uuid.UUID, group_id: uuid.UUID
) -> Sequence[Row[Any]]:
    """(id, sealed_name, level) of every collection; `level` is None where the group has none."""
    found = (
        _of(organization_id, Collection.id, Collection.sealed_name)
        .add_columns(CollectionGroup.level)
        .outerjoin(
            CollectionGroup,
            and_(
                CollectionGroup.organization_id == Collection.organization_id,
                CollectionGroup.collection_id == Collection.id,
                CollectionGroup.group_id == group_id,
            ),
        )
        .order_by(Collection.id)
    )
    return session.execute(found).all()
