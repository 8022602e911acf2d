"""Keeps `client_access` and `scope_terms` as the scopes, tags and clients say they must be.

Whoever changes a cause calls `settle` in the same transaction, after the provider's row was locked
(`hold`, `hold_still` or a counting update): so nobody's change is overlooked by another's. The
number of statements is the same for any number of clients and people.
"""

import datetime as dt
import uuid
from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    Subquery,
    Uuid,
    and_,
    case,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from portal.domain.scope import Because, Reach
from portal.domain.states import ProviderPersonState
from portal.models import (
    ClientAccess,
    Organization,
    OrganizationTag,
    Provider,
    ProviderPerson,
    ScopePart,
    ScopeTerm,
    Tag,
    new_id,
    utc_now,
)
from portal.models.base import UtcDateTime
from portal.providers import scope_keys

Ids = Collection[uuid.UUID] | None
_LIMITED = and_(
    ProviderPerson.state == ProviderPersonState.CONFIRMED, ProviderPerson.reach != Reach.ALL
)


def hold_still(session: Session, provider_id: uuid.UUID) -> None:
    """Keep the scopes of the provider's people as they are until the commit.

    Several transactions may do so at once; whoever changes a scope waits for them.
    """
    mine = select(Provider.id).where(Provider.id == provider_id)
    session.execute(mine.with_for_update(read=True)).all()


def settle(
    session: Session, provider_id: uuid.UUID, *, people: Ids = None, organizations: Ids = None
) -> None:
    """Make both tables right for these people and organizations; None means all of them.

    With `organizations` only what the people reach is looked at, not the terms they work under.
    """
    now = utc_now()
    if organizations is None:
        _settle_terms(session, provider_id, people, now)
    if not _is_anybody_limited(session, provider_id, people):
        return
    narrow = _narrow(ClientAccess.person_id, people, ClientAccess.organization_id, organizations)
    is_open = and_(
        ClientAccess.provider_id == provider_id, ClientAccess.until_at.is_(None), *narrow
    )
    wanted = wanted_access(provider_id, people, organizations)
    _close(session, provider_id, and_(is_open, ~exists().where(_is_same(wanted))), now)
    _change_reasons(session, is_open, wanted, now)
    _open(session, provider_id, wanted, now)


def forget(session: Session, provider_id: uuid.UUID, organization_id: uuid.UUID) -> None:
    """A client is the provider's no more: nobody reaches it, and no scope names it."""
    session.execute(
        delete(ScopePart).where(
            ScopePart.provider_id == provider_id, ScopePart.organization_id == organization_id
        )
    )
    settle(session, provider_id, organizations=[organization_id])


def rename_tag(session: Session, provider_id: uuid.UUID, *, before: str, after: str) -> None:
    """Another name is no other reason: what is open goes on under it."""
    session.execute(
        update(ClientAccess)
        .where(
            ClientAccess.provider_id == provider_id,
            ClientAccess.until_at.is_(None),
            ClientAccess.because == Because.TAGGED,
            ClientAccess.tag_name == before,
        )
        .values(tag_name=after)
        .execution_options(synchronize_session=False)
    )


def _narrow(
    person_id: Any, people: Ids, organization_id: Any, organizations: Ids
) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if people is not None:
        found.append(person_id.in_(people))
    if organizations is not None:
        found.append(organization_id.in_(organizations))
    return found


def _is_anybody_limited(session: Session, provider_id: uuid.UUID, people: Ids) -> bool:
    limited = exists().where(
        ProviderPerson.provider_id == provider_id,
        _LIMITED,
        *_narrow(ProviderPerson.id, people, None, None),
    )
    left = exists().where(
        ClientAccess.provider_id == provider_id,
        ClientAccess.until_at.is_(None),
        *_narrow(ClientAccess.person_id, people, None, None),
    )
    return bool(session.scalar(select(or_(limited, left))))


def wanted_access(
    provider_id: uuid.UUID | None = None, people: Ids = None, organizations: Ids = None
) -> Subquery:
    """(person_id, organization_id, because, tag_name) of all that is to be open.

    Without a provider those of all, for whoever counts anew.
    """
    mine = [] if provider_id is None else [ProviderPerson.provider_id == provider_id]
    tag_name = _tag_name()
    pairs = (
        select(
            ProviderPerson.id.label("person_id"),
            Organization.id.label("organization_id"),
            _because(tag_name).label("because"),
            tag_name.label("tag_name"),
        )
        .select_from(ProviderPerson)
        .join(Organization, Organization.provider_id == ProviderPerson.provider_id)
        .where(*mine, _LIMITED, *_narrow(ProviderPerson.id, people, Organization.id, organizations))
        .subquery()
    )
    tagged = pairs.c.because == Because.TAGGED.value
    return (
        select(
            pairs.c.person_id,
            pairs.c.organization_id,
            pairs.c.because,
            case((tagged, pairs.c.tag_name), else_="").label("tag_name"),
        )
        .where(pairs.c.because.is_not(None))
        .subquery()
    )


def _because(tag_name: Any) -> ColumnElement[Any]:
    """Why a person reaches a client of the pair; NULL where they do not."""
    listed = _listed()
    return case(
        (and_(ProviderPerson.reach == Reach.ONLY, listed), literal(Because.LISTED.value)),
        (
            and_(ProviderPerson.reach == Reach.ONLY, tag_name.is_not(None)),
            literal(Because.TAGGED.value),
        ),
        (
            and_(ProviderPerson.reach == Reach.ALL_BUT, ~listed, tag_name.is_(None)),
            literal(Because.NOT_EXCLUDED.value),
        ),
    )


def _listed() -> ColumnElement[bool]:
    return (
        select(literal(1))
        .select_from(ScopePart)
        .where(
            ScopePart.provider_id == ProviderPerson.provider_id,
            ScopePart.person_id == ProviderPerson.id,
            ScopePart.organization_id == Organization.id,
        )
        .correlate(ProviderPerson, Organization)
        .exists()
    )


def _tag_name() -> Any:
    """The first, by name, of the client's tags that the scope names; NULL without one."""
    return (
        select(Tag.name)
        .select_from(OrganizationTag)
        .join(
            ScopePart,
            and_(
                ScopePart.provider_id == OrganizationTag.provider_id,
                ScopePart.tag_id == OrganizationTag.tag_id,
            ),
        )
        .join(
            Tag,
            and_(Tag.provider_id == OrganizationTag.provider_id, Tag.id == OrganizationTag.tag_id),
        )
        .where(
            OrganizationTag.provider_id == ProviderPerson.provider_id,
            OrganizationTag.organization_id == Organization.id,
            ScopePart.person_id == ProviderPerson.id,
        )
        .order_by(Tag.name_ci)
        .limit(1)
        .correlate(ProviderPerson, Organization)
        .scalar_subquery()
    )


def _is_same(wanted: Subquery) -> ColumnElement[bool]:
    return and_(
        wanted.c.person_id == ClientAccess.person_id,
        wanted.c.organization_id == ClientAccess.organization_id,
    )


def _end(begun: Any, now: dt.datetime) -> Any:
    """Now; never before the beginning, which another machine's clock may have written."""
    return case((begun > now, begun), else_=literal(now, UtcDateTime()))


def _close(
    session: Session, provider_id: uuid.UUID, holds_no_more: ColumnElement[bool], now: dt.datetime
) -> None:
    scope_keys.closing(session, provider_id, holds_no_more)
    session.execute(
        update(ClientAccess)
        .where(holds_no_more)
        .values(until_at=_end(ClientAccess.from_at, now), wrapped_key=None)
        .execution_options(synchronize_session=False)
    )


def _change_reasons(
    session: Session, is_open: ColumnElement[bool], wanted: Subquery, now: dt.datetime
) -> None:
    """Where only the reason is another: the old one is kept beside, closed; the key stays."""
    differs = or_(
        ClientAccess.because != wanted.c.because, ClientAccess.tag_name != wanted.c.tag_name
    )
    closed = (
        select(
            ClientAccess.provider_id,
            _fresh_id(session),
            ClientAccess.person_id,
            ClientAccess.organization_id,
            ClientAccess.because,
            ClientAccess.tag_name,
            ClientAccess.from_at,
            _end(ClientAccess.from_at, now),
        )
        .select_from(ClientAccess)
        .join(wanted, _is_same(wanted))
        .where(is_open, differs)
    )
    columns = [*_COLUMNS, "until_at"]
    session.execute(insert(ClientAccess).from_select(columns, closed, include_defaults=False))
    session.execute(
        update(ClientAccess)
        .where(is_open, _is_same(wanted), differs)
        .values(
            because=wanted.c.because,
            tag_name=wanted.c.tag_name,
            from_at=_end(ClientAccess.from_at, now),
        )
        .execution_options(synchronize_session=False)
    )


_COLUMNS = (
    "provider_id",
    "id",
    "person_id",
    "organization_id",
    "because",
    "tag_name",
    "from_at",
)


def _open(session: Session, provider_id: uuid.UUID, wanted: Subquery, now: dt.datetime) -> None:
    there = exists().where(
        ClientAccess.provider_id == provider_id,
        ClientAccess.until_at.is_(None),
        _is_same(wanted),
    )
    missing: Select[Any] = select(
        literal(provider_id, Uuid()),
        _fresh_id(session),
        wanted.c.person_id,
        wanted.c.organization_id,
        wanted.c.because,
        wanted.c.tag_name,
        literal(now, UtcDateTime()),
    ).where(~there)
    session.execute(
        insert(ClientAccess).from_select(list(_COLUMNS), missing, include_defaults=False)
    )


def _settle_terms(session: Session, provider_id: uuid.UUID, people: Ids, now: dt.datetime) -> None:
    same = exists().where(
        ProviderPerson.provider_id == provider_id,
        ProviderPerson.id == ScopeTerm.person_id,
        ProviderPerson.state == ProviderPersonState.CONFIRMED,
        ProviderPerson.role == ScopeTerm.role,
        ProviderPerson.reach == ScopeTerm.reach,
        ProviderPerson.level == ScopeTerm.level,
    )
    open_terms = and_(ScopeTerm.provider_id == provider_id, ScopeTerm.until_at.is_(None))
    session.execute(
        update(ScopeTerm)
        .where(open_terms, *_narrow(ScopeTerm.person_id, people, None, None), ~same)
        .values(until_at=_end(ScopeTerm.from_at, now))
        .execution_options(synchronize_session=False)
    )
    there = exists().where(open_terms, ScopeTerm.person_id == ProviderPerson.id)
    missing = select(
        ProviderPerson.provider_id,
        _fresh_id(session),
        ProviderPerson.id,
        ProviderPerson.email,
        ProviderPerson.role,
        ProviderPerson.reach,
        ProviderPerson.level,
        literal(now, UtcDateTime()),
    ).where(
        ProviderPerson.provider_id == provider_id,
        ProviderPerson.state == ProviderPersonState.CONFIRMED,
        *_narrow(ProviderPerson.id, people, None, None),
        ~there,
    )
    columns = ["provider_id", "id", "person_id", "email", "role", "reach", "level", "from_at"]
    session.execute(insert(ScopeTerm).from_select(columns, missing, include_defaults=False))


def _fresh_id(session: Session) -> ColumnElement[Any]:
    """A UUIDv7 for each row, made by the database: the application's moment and random digits."""
    moment = literal(new_id().hex[:12] + "7", String)
    if session.get_bind().dialect.name == "postgresql":
        random = func.replace(cast(func.gen_random_uuid(), String), "-", "")
        return cast(moment.concat(func.substr(random, 14)), Uuid())
    digits = func.lower(func.hex(func.randomblob(9)))
    # The variant's digit stands between the random ones.
    tail = func.substr(digits, 1, 3).concat("8").concat(func.substr(digits, 4, 15))
    return moment.concat(tail)
