"""Reads about the provider's access to one organization: every statement is bound to its id."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, and_, exists, func, or_
from sqlalchemy import select as _select
from sqlalchemy.orm import Session

from portal.accounts.sessions import IDLE
from portal.domain.access import Role
from portal.domain.paging import Cursor, Page, page_of
from portal.domain.provider_access import OPEN, AccessMode, GrantState
from portal.domain.scope import Reach
from portal.domain.states import MemberState, ProviderPersonState
from portal.models import (
    AccessGrant,
    Account,
    AuthSession,
    Event,
    Member,
    Organization,
    Provider,
    ProviderAccess,
    ProviderEntry,
    ProviderPerson,
    utc_now,
)
from portal.models.grants import is_live, opens_to
from portal.models.reach import reached

SORT = "id"
PAGE_SIZE = 25
PEOPLE = 200
# Entries are told by day.
ENTERED_WITHIN = dt.timedelta(days=1)


def _of(organization_id: uuid.UUID, *columns: Any) -> Select[Any]:
    """Columns of one table, the first one's, for one organization."""
    table = columns[0].class_
    tenant = table.id if table is Organization else table.organization_id
    return _select(*columns).where(tenant == organization_id)


def mode(session: Session, organization_id: uuid.UUID) -> AccessMode:
    """What the owner has decided."""
    found: AccessMode | None = session.scalar(_of(organization_id, ProviderAccess.mode))
    return found or AccessMode.ALWAYS


def is_open_to(session: Session, account_id: uuid.UUID, organization_id: uuid.UUID) -> bool:
    """Whether somebody of the provider may do anything inside the organization now."""
    asked = _of(organization_id, Organization.id).where(opens_to(account_id, Organization.id))
    return session.execute(asked).first() is not None


def place(session: Session, organization_id: uuid.UUID) -> Row[Any]:
    """The organization with its provider (NULL without one), both keys, and the mode."""
    found = (
        _of(
            organization_id,
            Organization.name,
            Organization.status,
            Organization.public_key,
            Organization.protected_private_key,
        )
        .add_columns(
            Organization.provider_id,
            Organization.key_rotation_due_since,
            Organization.provider_wrapped_key.is_not(None).label("provider_holds_key"),
            Provider.name.label("provider"),
            Provider.public_key.label("provider_public_key"),
            func.coalesce(ProviderAccess.mode, AccessMode.ALWAYS).label("mode"),
            ProviderAccess.changed_at,
        )
        .outerjoin(Provider, Provider.id == Organization.provider_id)
        .outerjoin(ProviderAccess, ProviderAccess.organization_id == Organization.id)
    )
    return session.execute(found).one()


def is_own_owner(session: Session, organization_id: uuid.UUID, account_id: uuid.UUID) -> bool:
    """Whether the account is a confirmed owner who is no confirmed person of the provider."""
    works_there = and_(
        ProviderPerson.provider_id == Organization.provider_id,
        ProviderPerson.account_id == Member.account_id,
        ProviderPerson.state == ProviderPersonState.CONFIRMED,
    )
    found = (
        _of(organization_id, Member.id)
        .join(Organization, Organization.id == Member.organization_id)
        .outerjoin(ProviderPerson, works_there)
        .where(
            Member.account_id == account_id,
            Member.role == Role.OWNER,
            Member.state == MemberState.CONFIRMED,
            ProviderPerson.id.is_(None),
        )
    )
    return session.execute(found).first() is not None


def members_of_provider(session: Session, organization_id: uuid.UUID) -> int:
    """How many confirmed members work for the provider: they come in whatever is set."""
    found = (
        _of(organization_id, Member.id)
        .join(Organization, Organization.id == Member.organization_id)
        .join(
            ProviderPerson,
            and_(
                ProviderPerson.provider_id == Organization.provider_id,
                ProviderPerson.account_id == Member.account_id,
                ProviderPerson.state == ProviderPersonState.CONFIRMED,
            ),
        )
        .where(Member.state == MemberState.CONFIRMED)
    )
    return len(session.execute(found).all())


def people(session: Session, organization_id: uuid.UUID) -> Sequence[Row[Any]]:
    """(account_id, name, email, role, level) of the provider's people whose scope has it.

    By name, at most `PEOPLE` + 1.
    """
    in_scope = or_(
        ProviderPerson.reach == Reach.ALL,
        reached(ProviderPerson.provider_id, ProviderPerson.id, Organization.id),
    )
    sees = or_(Organization.hidden_since.is_(None), ProviderPerson.role == Role.PROVIDER_ADMIN)
    columns: tuple[Any, ...] = (
        ProviderPerson.account_id,
        Account.name,
        Account.email,
        ProviderPerson.role,
        ProviderPerson.level,
    )
    found = (
        _of(organization_id, Organization.id)
        .with_only_columns(*columns)
        .select_from(Organization)
        .join(ProviderPerson, ProviderPerson.provider_id == Organization.provider_id)
        .join(Account, Account.id == ProviderPerson.account_id)
        .where(ProviderPerson.state == ProviderPersonState.CONFIRMED, in_scope, sees)
        .order_by(Account.name, Account.id)
        .limit(PEOPLE + 1)
    )
    return session.execute(found).all()


def live_sessions(session: Session, organization_id: uuid.UUID) -> Sequence[Row[Any]]:
    """Sessions of the provider's people that have come in lately and could go on now.

    (session_id, account_id, name, email, browser, entered_at, seen_at, grant_id, ends_at); when
    they came in is told by the log, `seen_at` is the session's own, wherever it was used.
    """
    now = utc_now()
    found = (
        _sessions(organization_id)
        .outerjoin(
            AccessGrant,
            and_(
                AccessGrant.organization_id == ProviderEntry.organization_id,
                *is_live(Account.id, now),
            ),
        )
        .where(
            ProviderEntry.day >= (now - ENTERED_WITHIN).date(),
            AuthSession.expires_at > now,
            AuthSession.seen_at > now - IDLE,
            opens_to(Account.id, Organization.id),
        )
        .distinct()
        .order_by(AuthSession.seen_at.desc(), ProviderEntry.session_id)
        .limit(PEOPLE)
    )
    return session.execute(found).all()


def _sessions(organization_id: uuid.UUID) -> Select[Any]:
    entered = (
        _select(func.max(Event.at))
        .where(
            Event.stream_id == organization_id,
            Event.actor_id == AuthSession.account_id,
            Event.type == "organization:organization:open",
        )
        .scalar_subquery()
    )
    return (
        _of(organization_id, ProviderEntry.session_id)
        .add_columns(
            AuthSession.account_id,
            Account.name,
            Account.email,
            AuthSession.browser,
            AuthSession.seen_at,
            entered.label("entered_at"),
            AccessGrant.id.label("grant_id"),
            AccessGrant.ends_at,
        )
        .join(AuthSession, AuthSession.id == ProviderEntry.session_id)
        .join(Account, Account.id == AuthSession.account_id)
        .join(Organization, Organization.id == ProviderEntry.organization_id)
        .join(
            ProviderPerson,
            and_(
                ProviderPerson.provider_id == Organization.provider_id,
                ProviderPerson.account_id == Account.id,
                ProviderPerson.state == ProviderPersonState.CONFIRMED,
            ),
        )
    )


_GRANT = (
    AccessGrant.organization_id,
    AccessGrant.id,
    AccessGrant.provider_id,
    AccessGrant.account_id,
    AccessGrant.person_name,
    AccessGrant.reason,
    AccessGrant.asked_minutes,
    AccessGrant.asked_at,
    AccessGrant.lapses_at,
    AccessGrant.state,
    AccessGrant.answered_name,
    AccessGrant.answered_at,
    AccessGrant.minutes,
    AccessGrant.ends_at,
    AccessGrant.closed_name,
    AccessGrant.closed_at,
)


def grant(session: Session, organization_id: uuid.UUID, grant_id: uuid.UUID) -> Row[Any] | None:
    """One request or grant."""
    found = _of(organization_id, *_GRANT).where(AccessGrant.id == grant_id)
    return session.execute(found).one_or_none()


def open_grants(session: Session, organization_id: uuid.UUID) -> Sequence[Row[Any]]:
    """What waits for an answer or lets somebody in, the oldest first."""
    found = _of(organization_id, *_GRANT).where(AccessGrant.state.in_(OPEN))
    return session.execute(found.order_by(AccessGrant.id).limit(PEOPLE)).all()


def closed_grants(session: Session, organization_id: uuid.UUID, cursor: Cursor | None) -> Page[Any]:
    """One page of what is over, the newest first."""
    history = _of(organization_id, *_GRANT).where(AccessGrant.state.not_in(OPEN))
    downwards = cursor is None or not cursor.backwards
    if cursor is not None:
        there = AccessGrant.id < cursor.id if downwards else AccessGrant.id > cursor.id
        history = history.where(there)
    order = AccessGrant.id.desc() if downwards else AccessGrant.id.asc()
    return page_of(
        session.execute(history.order_by(order).limit(PAGE_SIZE + 1)).all(),
        size=PAGE_SIZE,
        sort=SORT,
        descending=True,
        cursor=cursor,
        place=lambda row: (0, row.id),
    )


def newest_of(
    session: Session, organization_id: uuid.UUID, account_id: uuid.UUID
) -> Row[Any] | None:
    """The last request of one person; None if they never asked."""
    mine = _of(organization_id, *_GRANT).where(AccessGrant.account_id == account_id)
    return session.execute(mine.order_by(AccessGrant.id.desc()).limit(1)).one_or_none()


def asked_since(
    session: Session, organization_id: uuid.UUID, account_id: uuid.UUID, since: dt.datetime
) -> int:
    """How often one person has asked since then."""
    asked = _of(organization_id, AccessGrant.id).where(
        AccessGrant.account_id == account_id, AccessGrant.asked_at > since
    )
    return len(session.execute(asked).all())


def due(session: Session, now: dt.datetime, limit: int) -> Sequence[Row[Any]]:
    """(organization_id, id) of rows of all organizations that are over; for the worker.

    Their time is up, or the person does not work for the provider any more.
    """
    works_there = exists().where(
        ProviderPerson.provider_id == AccessGrant.provider_id,
        ProviderPerson.account_id == AccessGrant.account_id,
        ProviderPerson.state == ProviderPersonState.CONFIRMED,
    )
    over = or_(
        and_(AccessGrant.state == GrantState.REQUESTED, AccessGrant.lapses_at <= now),
        and_(AccessGrant.state == GrantState.APPROVED, AccessGrant.ends_at <= now),
        ~works_there,
    )
    ids: tuple[Any, ...] = (AccessGrant.organization_id, AccessGrant.id)
    found = _select(*ids).where(AccessGrant.state.in_(OPEN), over)
    return session.execute(found.order_by(AccessGrant.id).limit(limit)).all()
