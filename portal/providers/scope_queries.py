"""Reads for the pages about scopes. Each starts from `_of(provider_id)`.

Only who manages people sees these pages: admins, who reach every client.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    Uuid,
    and_,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import Session

from portal.domain.paging import Cursor, Page, page_of
from portal.domain.scope import Reach
from portal.domain.scope_changes import Wanted
from portal.domain.searching import ESCAPE, contains
from portal.models import (
    Account,
    ClientAccess,
    Organization,
    OrganizationTag,
    ProviderPerson,
    ScopePart,
    ScopeTerm,
    Tag,
)
from portal.models.keyset import seek

PICKED, LISTED, NAMED, COUNTED = 20, 50, 20, 1000
BY_NAME = "name"


@dataclass(frozen=True)
class Names:
    """Some clients: how many, never counted beyond `COUNTED` + 1, and the first names."""

    count: int
    names: tuple[str, ...]


def _of(provider_id: uuid.UUID, *columns: Any) -> Select[Any]:
    return select(*columns).where(Organization.provider_id == provider_id)


def _terms_of(provider_id: uuid.UUID, moment: dt.datetime, *columns: Any) -> Select[Any]:
    """Terms that ran at a moment."""
    return (
        select(*columns)
        .select_from(ScopeTerm)
        .where(ScopeTerm.provider_id == provider_id, *_at(ScopeTerm, moment))
    )


def _at(table: Any, moment: dt.datetime) -> tuple[ColumnElement[bool], ...]:
    return table.from_at <= moment, or_(table.until_at.is_(None), table.until_at > moment)


# Changing a scope


def wanted_of(session: Session, person: Any) -> Wanted:
    """The scope of a row of `queries.staff` as it is set."""
    parts = session.execute(
        select(ScopePart.organization_id, ScopePart.tag_id).where(
            ScopePart.provider_id == person.provider_id, ScopePart.person_id == person.id
        )
    ).all()
    return Wanted(
        person.reach,
        person.level,
        frozenset(part.organization_id for part in parts if part.organization_id),
        frozenset(part.tag_id for part in parts if part.tag_id),
        person.access_ends_at,
    )


def clients_of(
    session: Session, provider_id: uuid.UUID, ids: Collection[uuid.UUID]
) -> Sequence[Any]:
    """(id, name) of those of `ids` that are the provider's, by name."""
    if not ids:
        return []
    found = _of(provider_id, Organization.id, Organization.name).where(Organization.id.in_(ids))
    return session.execute(found.order_by(Organization.name_ci, Organization.id)).all()


def tags_of(session: Session, provider_id: uuid.UUID) -> Sequence[Any]:
    """(id, name, colour) of every tag, by name."""
    found = select(Tag.id, Tag.name, Tag.colour).where(Tag.provider_id == provider_id)
    return session.execute(found.order_by(Tag.name_ci, Tag.id)).all()


def candidates(
    session: Session, provider_id: uuid.UUID, words: str, cursor: Cursor | None
) -> Page[Any]:
    """One page of clients to choose from, by name: those whose name or reference has `words`."""
    found = _of(provider_id, Organization.id, Organization.name, Organization.name_ci)
    if words:
        pattern = contains(words)
        found = found.where(
            or_(
                Organization.name_ci.like(pattern, escape=ESCAPE),
                Organization.reference_ci.like(pattern, escape=ESCAPE),
            )
        )
    return _page(session, found, cursor, PICKED)


def _page(session: Session, found: Select[Any], cursor: Cursor | None, size: int) -> Page[Any]:
    backwards = cursor is not None and cursor.backwards
    placed = seek(
        found, Organization.name_ci, Organization.id, downwards=backwards, beside=bool(cursor)
    )
    values: dict[str, Any] = {"rows": size + 1}
    if cursor:
        values |= {"beside": cursor.value, "beside_id": cursor.id}
    return page_of(
        session.execute(placed, values).all(),
        size=size,
        sort=BY_NAME,
        descending=False,
        cursor=cursor,
        place=lambda row: (row.name_ci, row.id),
    )


def effect(session: Session, person: Any, before: Wanted, after: Wanted) -> tuple[Names, Names]:
    """The clients that a person would come to reach, and those that they would lose."""
    had, gets = _reaches(before), _reaches(after)
    return (
        _names(session, person.provider_id, and_(gets, ~had)),
        _names(session, person.provider_id, and_(had, ~gets)),
    )


def _reaches(wanted: Wanted) -> ColumnElement[bool]:
    if wanted.reach is Reach.ALL:
        return true()
    tagged = exists().where(
        OrganizationTag.provider_id == Organization.provider_id,
        OrganizationTag.organization_id == Organization.id,
        OrganizationTag.tag_id.in_(wanted.tags),
    )
    named = or_(
        Organization.id.in_(wanted.clients) if wanted.clients else false(),
        tagged if wanted.tags else false(),
    )
    return named if wanted.reach is Reach.ONLY else ~named


def _names(session: Session, provider_id: uuid.UUID, condition: ColumnElement[bool]) -> Names:
    some = _of(provider_id, literal(1)).where(condition).limit(COUNTED + 1).subquery()
    count = session.scalar(select(func.count()).select_from(some)) or 0
    first = _of(provider_id, Organization.name).where(condition)
    names = session.scalars(first.order_by(Organization.name_ci).limit(NAMED)).all()
    return Names(count, tuple(names))


# Who reached what at a moment


def term_at(
    session: Session, provider_id: uuid.UUID, person_id: uuid.UUID, moment: dt.datetime
) -> Any:
    """(reach, level, role, from_at) of the term in which somebody worked then; None without."""
    columns = (ScopeTerm.reach, ScopeTerm.level, ScopeTerm.role, ScopeTerm.from_at)
    found = _terms_of(provider_id, moment, *columns).where(ScopeTerm.person_id == person_id)
    return session.execute(found.order_by(ScopeTerm.from_at.desc()).limit(1)).first()


def reached_by(
    session: Session,
    provider_id: uuid.UUID,
    person_id: uuid.UUID,
    term: Any,
    moment: dt.datetime,
    cursor: Cursor | None = None,
    *,
    size: int = LISTED,
) -> Page[Any]:
    """A page of (id, name, because, tag_name, since) of what somebody reached then, by name.

    Of clients that the provider has today. `because` is None for whoever reached all.
    """
    columns = (Organization.id, Organization.name, Organization.name_ci)
    if term.reach is Reach.ALL:
        since = Organization.provider_since
        found = _of(
            provider_id,
            *columns,
            literal(None).label("because"),
            literal("").label("tag_name"),
            since.label("since"),
        ).where(or_(since.is_(None), since <= moment))
    else:
        found = (
            _of(
                provider_id,
                *columns,
                ClientAccess.because,
                ClientAccess.tag_name,
                ClientAccess.from_at.label("since"),
            )
            .join(ClientAccess, ClientAccess.organization_id == Organization.id)
            .where(
                ClientAccess.provider_id == provider_id,
                ClientAccess.person_id == person_id,
                *_at(ClientAccess, moment),
            )
        )
    return _page(session, found, cursor, size)


def client_named(session: Session, provider_id: uuid.UUID, organization_id: uuid.UUID) -> Any:
    """(id, name, provider_since) of a client; None for any other."""
    columns = (Organization.id, Organization.name, Organization.provider_since)
    found = _of(provider_id, *columns).where(Organization.id == organization_id)
    return session.execute(found).one_or_none()


def people_reaching(
    session: Session, provider_id: uuid.UUID, client: Any, moment: dt.datetime
) -> Sequence[Any]:
    """(person_id, email, name, role, level, because, tag_name, since, is_here) by address.

    Everybody who reached a row of `client_named` then, also who has left since.
    """
    places = _everybody(provider_id, moment, client), _some(provider_id, moment, client)
    found: Subquery = union_all(*places).subquery()
    rows = (
        select(found, Account.name, ProviderPerson.id.is_not(None).label("is_here"))
        .select_from(found)
        .outerjoin(
            ProviderPerson,
            and_(
                ProviderPerson.provider_id == literal(provider_id, Uuid()),
                ProviderPerson.id == found.c.person_id,
            ),
        )
        .outerjoin(Account, Account.id == ProviderPerson.account_id)
        .order_by(found.c.email, found.c.person_id)
    )
    return session.execute(rows).all()


_TERM = (ScopeTerm.person_id, ScopeTerm.email, ScopeTerm.role, ScopeTerm.level)


def _everybody(provider_id: uuid.UUID, moment: dt.datetime, client: Any) -> Select[Any]:
    """Those who reached every client, if this was one."""
    was_here = client.provider_since is None or client.provider_since <= moment
    columns = (
        *_TERM,
        literal("").label("because"),
        literal("").label("tag_name"),
        ScopeTerm.from_at.label("since"),
    )
    found = _terms_of(provider_id, moment, *columns).where(ScopeTerm.reach == Reach.ALL)
    return found if was_here else found.where(false())


def _some(provider_id: uuid.UUID, moment: dt.datetime, client: Any) -> Select[Any]:
    columns = (*_TERM, ClientAccess.because, ClientAccess.tag_name, ClientAccess.from_at)
    return (
        _terms_of(provider_id, moment, *columns)
        .join(
            ClientAccess,
            and_(
                ClientAccess.provider_id == ScopeTerm.provider_id,
                ClientAccess.person_id == ScopeTerm.person_id,
            ),
        )
        .where(
            ClientAccess.organization_id == client.id,
            ScopeTerm.reach != Reach.ALL,
            *_at(ClientAccess, moment),
        )
    )
