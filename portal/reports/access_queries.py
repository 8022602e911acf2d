"""Who reaches which collection, and through what: for pages and for files.

The rule is `collections.access.effective`, and the role beside it as `members.access` has it. Who
reaches every collection by their role is one row here, whose collection is `EVERY`: a thousand
rows that all say the same are no report.
"""

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Subquery,
    and_,
    case,
    collate,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import Session

from portal.collections.access import effective
from portal.domain.collection_access import Level
from portal.domain.paging import Cursor, Page, page_of
from portal.domain.searching import ESCAPE, contains
from portal.domain.states import MemberState
from portal.members.access import reaches_all
from portal.models import (
    Account,
    Collection,
    CollectionGroup,
    CollectionMember,
    Group,
    GroupMember,
    Member,
)
from portal.reports.listing import AccessList

EVERY = uuid.UUID(int=0)
SORT = "email"
PAGE_SIZE = 50
# Members whose rows are read at once for a file.
AT_ONCE = 200
Ways = dict[tuple[uuid.UUID, uuid.UUID], list[Row[Any]]]


def _of(organization_id: uuid.UUID, table: Any, *columns: Any) -> Select[Any]:
    return select(*columns).select_from(table).where(table.organization_id == organization_id)


def _reached(
    organization_id: uuid.UUID,
    *conditions: ColumnElement[bool],
    among: Sequence[uuid.UUID] | None = None,
) -> Subquery:
    """(member_id, collection_id, level, by_role, is_direct), as `effective` is asked for it."""
    confirmed = Member.state == MemberState.CONFIRMED
    given = effective(organization_id, confirmed, ~reaches_all(), *conditions, among=among)
    by_role = _of(
        organization_id,
        Member,
        Member.id.label("member_id"),
        literal(EVERY, Collection.id.type).label("collection_id"),
        literal(Level.MANAGE, CollectionMember.level.type).label("level"),
        literal(1).label("by_role"),
        literal(0).label("is_direct"),
    ).where(confirmed, reaches_all(), *conditions)
    by_assignment = select(
        given.member_id,
        given.collection_id,
        given.level,
        literal(0).label("by_role"),
        case((given.is_direct, 1), else_=0).label("is_direct"),
    )
    return union_all(by_role, by_assignment).subquery("reached_by_members")


def _pairs(
    organization_id: uuid.UUID, wanted: AccessList, *conditions: ColumnElement[bool]
) -> tuple[Select[Any], Subquery]:
    access = _reached(organization_id, *conditions)
    named = and_(
        Collection.organization_id == Member.organization_id,
        Collection.id == access.c.collection_id,
    )
    found = (
        _of(organization_id, Member, Member.id, Member.email, Member.role, Member.external_id)
        .add_columns(Account.name, *access.c["collection_id", "level", "by_role", "is_direct"])
        .add_columns(Collection.sealed_name, Collection.external_id.label("collection_external_id"))
        .join(access, access.c.member_id == Member.id)
        .outerjoin(Account, Account.id == Member.account_id)
        .outerjoin(Collection, named)
    )
    return found.where(*_filters(wanted, access)), access


def _filters(wanted: AccessList, access: Subquery) -> Iterator[ColumnElement[bool]]:
    if wanted.words:
        yield _reads_like(wanted.words)
    if wanted.level is not None:
        yield access.c.level == wanted.level
    if wanted.collection is not None:
        yield access.c.collection_id.in_((wanted.collection, EVERY))
    if wanted.group is not None:
        yield _through(wanted.group, access)


def _reads_like(words: str) -> ColumnElement[bool]:
    looked_for = contains(words)
    return or_(
        Member.email.like(looked_for, escape=ESCAPE),
        func.lower(Account.name).like(looked_for, escape=ESCAPE),
    )


def _through(group_id: uuid.UUID, access: Subquery) -> ColumnElement[bool]:
    """Whether that group is one of the ways; by name, groups do not count."""
    belongs = (
        select(GroupMember.member_id)
        .join(CollectionGroup, _gives())
        .where(
            GroupMember.organization_id == Member.organization_id,
            GroupMember.group_id == group_id,
            GroupMember.member_id == Member.id,
            CollectionGroup.collection_id == access.c.collection_id,
        )
        .exists()
    )
    return and_(access.c.is_direct == 0, access.c.by_role == 0, belongs)


def _gives() -> ColumnElement[bool]:
    return and_(
        CollectionGroup.organization_id == GroupMember.organization_id,
        CollectionGroup.group_id == GroupMember.group_id,
    )


def _address(session: Session) -> ColumnElement[Any]:
    """Byte by byte, as SQLite does it: both databases put an address in the same place."""
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    return collate(Member.email, "C") if is_postgresql else Member.email.expression


def page(
    session: Session,
    organization_id: uuid.UUID,
    wanted: AccessList,
    cursor: Cursor | None,
    size: int = PAGE_SIZE,
) -> Page[Row[Any]]:
    """One page of (member, collection) by the member's address, then by the collection's age."""
    near = _near(session, organization_id, wanted, cursor, size)
    found, access = _pairs(organization_id, wanted, *near)
    keys = (_address(session), access.c.collection_id)
    backwards = cursor is not None and cursor.backwards
    if cursor is not None:
        here = tuple_(*keys)
        there = tuple_(literal(cursor.value), literal(cursor.id, Collection.id.type))
        found = found.where(here < there if backwards else here > there)
    by = (key.desc() if backwards else key.asc() for key in keys)
    return page_of(
        session.execute(found.order_by(*by).limit(size + 1)).all(),
        size=size,
        sort=SORT,
        descending=False,
        cursor=cursor,
        place=lambda row: (row.email, row.collection_id),
    )


def _near(
    session: Session,
    organization_id: uuid.UUID,
    wanted: AccessList,
    cursor: Cursor | None,
    size: int,
) -> list[ColumnElement[bool]]:
    """The members on that page at most: each who reaches anything has a row of it at least.

    Which level somebody reaches is known only once all is put together; then all are looked at.
    """
    if wanted.level is not None:
        return []
    address, backwards = _address(session), cursor is not None and cursor.backwards
    found = (
        _of(organization_id, Member, Member.id)
        .outerjoin(Account, Account.id == Member.account_id)
        .where(Member.state == MemberState.CONFIRMED, or_(*_has_any(wanted)))
    )
    if wanted.words:
        found = found.where(_reads_like(wanted.words))
    if cursor is not None:
        beside = literal(cursor.value)
        found = found.where(address <= beside if backwards else address >= beside)
    order = address.desc() if backwards else address.asc()
    # The member of the cursor may have no row left.
    return [Member.id.in_(session.scalars(found.order_by(order).limit(size + 2)).all())]


def _has_any(wanted: AccessList) -> Iterator[ColumnElement[bool]]:
    """Ways to reach anything of what is wanted, `level` aside."""
    by_group = (
        select(GroupMember.member_id)
        .join(CollectionGroup, _gives())
        .where(
            GroupMember.organization_id == Member.organization_id,
            GroupMember.member_id == Member.id,
        )
    )
    by_name = select(CollectionMember.member_id).where(
        CollectionMember.organization_id == Member.organization_id,
        CollectionMember.member_id == Member.id,
    )
    if wanted.collection is not None:
        by_group = by_group.where(CollectionGroup.collection_id == wanted.collection)
        by_name = by_name.where(CollectionMember.collection_id == wanted.collection)
    if wanted.group is not None:
        # By name, or by their role, groups do not count.
        named = select(CollectionMember.member_id).where(
            CollectionMember.organization_id == GroupMember.organization_id,
            CollectionMember.member_id == GroupMember.member_id,
            CollectionMember.collection_id == CollectionGroup.collection_id,
        )
        through = by_group.where(GroupMember.group_id == wanted.group, ~named.exists())
        yield and_(~reaches_all(), through.exists())
        return
    yield reaches_all()
    yield by_group.exists()
    yield by_name.exists()


def ways(session: Session, organization_id: uuid.UUID, rows: Sequence[Row[Any]]) -> Ways:
    """The groups (`name`, `level`) that give each (member, collection) of the rows."""
    found = (
        _of(organization_id, GroupMember, GroupMember.member_id)
        .add_columns(CollectionGroup.collection_id, CollectionGroup.level, Group.name)
        .join(CollectionGroup, _gives())
        .join(
            Group,
            and_(
                Group.organization_id == GroupMember.organization_id,
                Group.id == GroupMember.group_id,
            ),
        )
        .where(
            GroupMember.member_id.in_({row.id for row in rows}),
            CollectionGroup.collection_id.in_({row.collection_id for row in rows}),
        )
        .order_by(Group.name_ci, Group.id)
    )
    given: Ways = {}
    for row in session.execute(found):
        given.setdefault((row.member_id, row.collection_id), []).append(row)
    return given


def in_batches(
    session: Session, organization_id: uuid.UUID, wanted: AccessList
) -> Iterator[tuple[Sequence[Row[Any]], Ways]]:
    """Everything that `page` finds, in its order, some members at a time."""
    address, last = _address(session), ""
    while True:
        members = session.execute(
            _of(organization_id, Member, Member.id, Member.email)
            .where(Member.state == MemberState.CONFIRMED, address > last)
            .order_by(address)
            .limit(AT_ONCE)
        ).all()
        if not members:
            return
        found, access = _pairs(
            organization_id, wanted, Member.id.in_([member.id for member in members])
        )
        rows = session.execute(found.order_by(address, access.c.collection_id)).all()
        yield rows, ways(session, organization_id, rows)
        last = members[-1].email


def _counted(organization_id: uuid.UUID, among: Sequence[uuid.UUID] | None) -> Any:
    access = _reached(organization_id, among=among)
    manages = case((access.c.level == Level.MANAGE, 1), else_=0)
    return (
        select(
            access.c.collection_id,
            func.count().label("members"),
            func.sum(manages).label("managers"),
        )
        .group_by(access.c.collection_id)
        .cte("counted")
    )


def _groups_of_each() -> Any:
    return (
        select(func.count())
        .select_from(CollectionGroup)
        .where(
            CollectionGroup.organization_id == Collection.organization_id,
            CollectionGroup.collection_id == Collection.id,
        )
        .correlate(Collection)
        .scalar_subquery()
    )


def collections(
    session: Session, organization_id: uuid.UUID, after: uuid.UUID | None, size: int | None
) -> Sequence[Row[Any]]:
    """Each collection with how many members reach and manage it, one more than `size`.

    In the order in which they were made, after the collection `after`; all without a `size`.
    """
    shown = _of(organization_id, Collection, Collection.id).order_by(Collection.id)
    if after is not None:
        shown = shown.where(Collection.id > after)
    # Who reaches what is worked out for one page alone: all of it is members times collections.
    among = session.scalars(shown.limit(size + 1)).all() if size else None
    counted = _counted(organization_id, among)
    every = select(counted.c.members).where(counted.c.collection_id == EVERY).scalar_subquery()
    by_role = func.coalesce(every, 0)
    found = (
        _of(
            organization_id,
            Collection,
            Collection.id,
            Collection.sealed_name,
            Collection.external_id,
        )
        .add_columns(
            (func.coalesce(counted.c.members, 0) + by_role).label("members"),
            (func.coalesce(counted.c.managers, 0) + by_role).label("managers"),
            _groups_of_each().label("groups"),
        )
        .outerjoin(counted, counted.c.collection_id == Collection.id)
        .order_by(Collection.id)
    )
    if among is not None:
        found = found.where(Collection.id.in_(among))
    return session.execute(found).all()


def collection(
    session: Session, organization_id: uuid.UUID, collection_id: uuid.UUID
) -> Row[Any] | None:
    """(id, sealed_name) of one collection."""
    found = _of(organization_id, Collection, Collection.id, Collection.sealed_name)
    return session.execute(found.where(Collection.id == collection_id)).one_or_none()


def group_names(session: Session, organization_id: uuid.UUID) -> Sequence[Row[Any]]:
    """(id, name) of the groups, by name."""
    found = _of(organization_id, Group, Group.id, Group.name).order_by(Group.name_ci, Group.id)
    return session.execute(found).all()
