"""The list of members: one page, the numbers above it, and the groups beside it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    and_,
    case,
    collate,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import Session

from portal.domain.member_lists import (
    PAGE_SIZE,
    ROLE_ORDER,
    STATE_ORDER,
    Enrolled,
    MemberList,
    SecondFactor,
    Sort,
)
from portal.domain.paging import Cursor, Page, page_of
from portal.domain.plans import Plan
from portal.domain.searching import ESCAPE, contains, escape_like
from portal.domain.states import MemberState
from portal.members.queries import COLUMNS
from portal.models import Account, Group, GroupMember, Member, Organization, RecoveryEnrolment


def _of(organization_id: uuid.UUID, *columns: Any) -> Select[Any]:
    """Columns of one table, the first one's, of one organization."""
    table = columns[0].class_
    tenant = table.id if table is Organization else table.organization_id
    return select(*columns).where(tenant == organization_id)


@dataclass(frozen=True)
class Numbers:
    """What stands above the list: the seats, and how many members there are in each state."""

    plan: Plan
    seats: int
    seats_used: int
    states: dict[MemberState, int]

    @property
    def members(self) -> int:
        return sum(self.states.values())


def numbers(session: Session, organization_id: uuid.UUID) -> Numbers:
    """In one statement."""
    counted = (
        _of(organization_id, Organization.plan, Organization.seats, Organization.seats_used)
        .add_columns(Member.state, func.count(Member.id).label("members"))
        .outerjoin(Member, Member.organization_id == Organization.id)
        .group_by(Organization.plan, Organization.seats, Organization.seats_used, Member.state)
    )
    rows = session.execute(counted).all()
    first = rows[0]
    states = {row.state: row.members for row in rows if row.state is not None}
    return Numbers(first.plan, first.seats, first.seats_used, states)


def page(
    session: Session,
    organization_id: uuid.UUID,
    wanted: MemberList,
    cursor: Cursor | None,
    size: int = PAGE_SIZE,
) -> Page[Row[Any]]:
    """One page as `queries.listed` has it, also `has_second_factor`, `is_enrolled` and `place`."""
    order = _order(session, wanted.sort)
    found = _matching(organization_id, wanted).add_columns(_place(order).label("place"))
    downwards = wanted.descending != (cursor is not None and cursor.backwards)
    keys = (Member.id,) if order is None else (order, Member.id)
    if cursor is not None:
        here = tuple_(*keys)
        beside = literal(cursor.id, Member.id.type)
        there = tuple_(*((beside,) if order is None else (literal(cursor.value), beside)))
        found = found.where(here < there if downwards else here > there)
    by = (key.desc() if downwards else key.asc() for key in keys)
    return page_of(
        session.execute(found.order_by(*by).limit(size + 1)).all(),
        size=size,
        sort=wanted.sort,
        descending=wanted.descending,
        cursor=cursor,
        place=lambda row: (row.place, row.id),
    )


def everybody(
    session: Session, organization_id: uuid.UUID, wanted: MemberList
) -> Sequence[Row[Any]]:
    """Every member who matches, in the order of the list."""
    order = _order(session, wanted.sort)
    keys = (Member.id,) if order is None else (order, Member.id)
    by = (key.desc() if wanted.descending else key.asc() for key in keys)
    return session.execute(_matching(organization_id, wanted).order_by(*by)).all()


def _place(order: ColumnElement[Any] | None) -> ColumnElement[Any]:
    return literal(0) if order is None else order


def _order(session: Session, sort: Sort) -> ColumnElement[Any] | None:
    """What comes before the id, which is made in the order of time; None for the id alone."""
    if sort is Sort.EMAIL:
        # Byte by byte, as SQLite does it: both databases put an address in the same place.
        is_postgresql = session.get_bind().dialect.name == "postgresql"
        return collate(Member.email, "C") if is_postgresql else Member.email.expression
    if sort is Sort.ROLE:
        return case(*((Member.role == role, place) for role, place in ROLE_ORDER.items()), else_=9)
    if sort is Sort.STATE:
        ways = ((Member.state == state, place) for state, place in STATE_ORDER.items())
        return case(*ways, else_=9)
    return None


def _matching(organization_id: uuid.UUID, wanted: MemberList) -> Select[Any]:
    second_factor = Account.totp_secret.is_not(None)
    found = (
        _of(organization_id, *COLUMNS)
        .add_columns(
            Account.name,
            Account.public_key,
            second_factor.label("has_second_factor"),
            _is_enrolled().label("is_enrolled"),
        )
        .outerjoin(Account, Account.id == Member.account_id)
    )
    if wanted.words:
        found = found.where(_reads_like(wanted.words))
    if wanted.state is not None:
        found = found.where(Member.state == wanted.state)
    if wanted.role is not None:
        found = found.where(Member.role == wanted.role)
    if wanted.group is not None:
        found = found.where(_belongs(wanted.group))
    if wanted.second_factor is not None:
        has = second_factor if wanted.second_factor is SecondFactor.ON else ~second_factor
        found = found.where(Account.id.is_not(None), has)
    if wanted.recovery is not None:
        found = found.where(_is_enrolled() if wanted.recovery is Enrolled.YES else ~_is_enrolled())
    return found


def _is_enrolled() -> ColumnElement[bool]:
    """With a recovery key that fits the account's own key of today."""
    return (
        select(RecoveryEnrolment.member_id)
        .where(
            RecoveryEnrolment.organization_id == Member.organization_id,
            RecoveryEnrolment.member_id == Member.id,
            RecoveryEnrolment.account_public_key == Account.public_key,
        )
        .exists()
    )


def _reads_like(words: str) -> ColumnElement[bool]:
    """In any spelling of the letters that both databases fold, or exactly as it was typed."""
    return or_(
        Member.email.like(contains(words), escape=ESCAPE),
        func.lower(Account.name).like(contains(words), escape=ESCAPE),
        Account.name.like(f"%{escape_like(words)}%", escape=ESCAPE),
    )


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


@dataclass(frozen=True)
class Groups:
    """(id, name) of the groups that can be chosen, by name, and what each member's are called."""

    offered: list[tuple[uuid.UUID, str]]
    of: dict[uuid.UUID, list[str]]


def groups(session: Session, organization_id: uuid.UUID, members: Sequence[uuid.UUID]) -> Groups:
    """In one statement, for a page of members."""
    inside = and_(
        GroupMember.organization_id == Group.organization_id,
        GroupMember.group_id == Group.id,
        GroupMember.member_id.in_(members),
    )
    found = (
        _of(organization_id, Group.id, Group.name)
        .add_columns(GroupMember.member_id)
        .outerjoin(GroupMember, inside)
        .order_by(Group.name_ci, Group.id)
    )
    offered: dict[uuid.UUID, str] = {}
    names: dict[uuid.UUID, list[str]] = {}
    for row in session.execute(found):
        offered[row.id] = row.name
        if row.member_id is not None:
            names.setdefault(row.member_id, []).append(row.name)
    return Groups(list(offered.items()), names)


def groups_of_all(session: Session, organization_id: uuid.UUID) -> dict[uuid.UUID, list[str]]:
    """What the groups of every member are called, for a file."""
    named = and_(
        Group.organization_id == GroupMember.organization_id, Group.id == GroupMember.group_id
    )
    found = (
        _of(organization_id, GroupMember.member_id)
        .add_columns(Group.name)
        .join(Group, named)
        .order_by(Group.name_ci, Group.id)
    )
    names: dict[uuid.UUID, list[str]] = {}
    for row in session.execute(found):
        names.setdefault(row.member_id, []).append(row.name)
    return names


def chosen(
    session: Session, organization_id: uuid.UUID, ids: Sequence[uuid.UUID]
) -> Sequence[Row[Any]]:
    """Those of `ids` that there are, in the order in which they came; also `organization_name`."""
    name = _of(organization_id, Organization.name).scalar_subquery().label("organization_name")
    found = _matching(organization_id, MemberList()).where(Member.id.in_(ids)).add_columns(name)
    return session.execute(found.order_by(Member.id)).all()
