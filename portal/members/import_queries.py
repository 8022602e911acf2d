"""Reads of lists of people. Each starts from `_of`: an organization's lists are its own."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from portal.domain.csv_lists import LineState
from portal.domain.states import MemberState
from portal.models import Account, Group, Member, MemberImport, MemberImportLine, Organization

SHOWN = 20
_LINE = (
    MemberImportLine.line,
    MemberImportLine.typed,
    MemberImportLine.problems,
    MemberImportLine.state,
    MemberImportLine.member_id,
)


def _of(organization_id: uuid.UUID, *columns: Any) -> Select[Any]:
    """Columns of one table, the first one's."""
    return select(*columns).where(columns[0].class_.organization_id == organization_id)


def _lines(organization_id: uuid.UUID, import_id: uuid.UUID, *columns: Any) -> Select[Any]:
    return _of(organization_id, *columns).where(MemberImportLine.import_id == import_id)


def find(
    session: Session, organization_id: uuid.UUID, import_id: uuid.UUID, *, lock: bool = False
) -> MemberImport | None:
    """The list, locked for whoever goes on with it; None where there is none."""
    found = select(MemberImport).where(
        MemberImport.organization_id == organization_id, MemberImport.id == import_id
    )
    listed: MemberImport | None = session.scalars(
        found.with_for_update() if lock else found
    ).one_or_none()
    return listed


def lists(session: Session, organization_id: uuid.UUID) -> Sequence[Row[Any]]:
    """(id, created_at, state, name of who brought it) of the newest lists, the newest first."""
    found = (
        _of(organization_id, MemberImport.id, MemberImport.created_at, MemberImport.state)
        .add_columns(Account.name)
        .join(Account, Account.id == MemberImport.account_id)
        .order_by(MemberImport.id.desc())
        .limit(SHOWN)
    )
    return session.execute(found).all()


def counts(
    session: Session, organization_id: uuid.UUID, ids: Collection[uuid.UUID]
) -> Mapping[uuid.UUID, Mapping[LineState, int]]:
    """How many lines of each list are in which state."""
    found = (
        _of(organization_id, MemberImportLine.import_id, MemberImportLine.state)
        .add_columns(func.count())
        .where(MemberImportLine.import_id.in_(ids))
        .group_by(MemberImportLine.import_id, MemberImportLine.state)
    )
    counted: dict[uuid.UUID, dict[LineState, int]] = {each: {} for each in ids}
    for import_id, state, number in session.execute(found):
        counted[import_id][state] = number
    return counted


def lines(
    session: Session, organization_id: uuid.UUID, import_id: uuid.UUID, *states: LineState
) -> Sequence[Row[Any]]:
    """The lines in one of these states (at most `member_import.LINES`), in their order."""
    found = _lines(organization_id, import_id, *_LINE).where(MemberImportLine.state.in_(states))
    return session.execute(found.order_by(MemberImportLine.line)).all()


def page(
    session: Session,
    organization_id: uuid.UUID,
    import_id: uuid.UUID,
    state: LineState,
    *,
    after: int,
    size: int,
) -> Sequence[Row[Any]]:
    """The next lines in this state after the one with that number."""
    found = _lines(organization_id, import_id, *_LINE).where(
        MemberImportLine.state == state, MemberImportLine.line > after
    )
    return session.execute(found.order_by(MemberImportLine.line).limit(size)).all()


def line(
    session: Session, organization_id: uuid.UUID, import_id: uuid.UUID, number: int
) -> Row[Any] | None:
    """One line; None where there is none of this number."""
    found = _lines(organization_id, import_id, *_LINE).where(MemberImportLine.line == number)
    return session.execute(found).one_or_none()


def groups(session: Session, organization_id: uuid.UUID) -> Sequence[tuple[uuid.UUID, str]]:
    """(id, name) of every group."""
    found = session.execute(_of(organization_id, Group.id, Group.name))
    return [(row.id, row.name) for row in found]


def states_of(
    session: Session, organization_id: uuid.UUID, emails: Collection[str]
) -> Mapping[str, MemberState]:
    """The states of those who have a place, by address."""
    found = _of(organization_id, Member.email, Member.state).where(Member.email.in_(emails))
    return {row.email: row.state for row in session.execute(found)}


def external_ids(
    session: Session, organization_id: uuid.UUID, wanted: Collection[str]
) -> frozenset[str]:
    """Those of the external ids that members have."""
    found = _of(organization_id, Member.external_id).where(Member.external_id.in_(wanted))
    return frozenset(session.scalars(found))


def free_seats(session: Session, organization_id: uuid.UUID) -> int:
    """How many seats nobody uses."""
    left = select(Organization.seats - Organization.seats_used)
    return int(session.execute(left.where(Organization.id == organization_id)).scalar_one())
