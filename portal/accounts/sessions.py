"""The session table: who a request comes from, found with one statement.

The browser's cookie holds a random token in Flask's signed session; the database holds only its
hash. In a tenant's path the same statement also finds the person's place there.
"""

import datetime as dt
import hashlib
import secrets
import uuid
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Select, Uuid, and_, bindparam, case, delete, exists, func, select, update
from sqlalchemy.orm import Session, aliased

from portal.domain.policies import PolicyKind
from portal.domain.provider_access import OPEN, GrantState
from portal.models import (
    AccessGrant,
    Account,
    AuthSession,
    Member,
    Organization,
    OrganizationSettings,
    Policy,
    Provider,
    ProviderAccess,
    ProviderPerson,
    utc_now,
)
from portal.models.base import UtcDateTime
from portal.models.grants import is_live
from portal.models.reach import reached
from portal.models.timeouts import read_timeout, vault_timeout
from portal.models.writing import rows_changed

IDLE = dt.timedelta(hours=12)
ABSOLUTE = {"password": dt.timedelta(days=30), "code": dt.timedelta(hours=8)}
SEEN_EVERY = dt.timedelta(minutes=5)
# A first step without its second: long enough to find the telephone.
PENDING = dt.timedelta(minutes=10)
# How long a vault stays unlocked without use; organizations may ask for less.
LOCK_MINUTES = 15
REAUTHENTICATION = dt.timedelta(minutes=10)


@dataclass(frozen=True)
class Visit:
    """A signed-in request: session and account in one, never an entity.

    After `lock_minutes` without use an unlocked vault locks; with `signs_out` the session ends.
    `place` is the row of the tenant in the path (see the two contexts), or None. `pending` says
    that a second factor is still owed, `has_temporary_password` that the first thing to do is to
    choose another master password, because somebody else knows this one; `password_due`, that the
    browser must declare it good enough for an organization, or change it.
    """

    token: str
    session_id: uuid.UUID
    account_id: uuid.UUID
    email: str
    name: str
    locale: str | None
    time_zone: str | None
    theme: str
    method: str
    pending: bool
    second_factor: bool
    has_second_factor: bool
    has_keys: bool
    is_unlocked: bool
    has_temporary_password: bool
    authenticated_at: dt.datetime
    seen_at: dt.datetime
    expires_at: dt.datetime
    public_key: str | None
    password_due: bool = False
    lock_minutes: int = LOCK_MINUTES
    signs_out: bool = False
    place: Any = None

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """What Flask-Login keeps in the cookie: the opaque token."""
        return self.token

    def is_fresh(self, now: dt.datetime, within: dt.timedelta = REAUTHENTICATION) -> bool:
        """Whether the person proved who they are in the last ten minutes, or `within` that."""
        return now - self.authenticated_at < within


def hash_token(token: str) -> str:
    """SHA-256 in hex; the token has 256 random bits, so no salt or stretching is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_token() -> str:
    """256 random bits, URL-safe."""
    return secrets.token_urlsafe(32)


_COLUMNS = (
    AuthSession.id.label("session_id"),
    AuthSession.method,
    AuthSession.pending,
    AuthSession.second_factor_at,
    AuthSession.authenticated_at,
    AuthSession.seen_at,
    AuthSession.expires_at,
    AuthSession.vault_secret.is_not(None).label("is_unlocked"),
    AuthSession.password_due_since.is_not(None).label("password_due"),
    Account.id.label("account_id"),
    Account.email,
    Account.name,
    Account.locale,
    Account.time_zone,
    Account.theme,
    Account.totp_secret.is_not(None).label("has_second_factor"),
    Account.temporary_password_since.is_not(None).label("has_temporary_password"),
    Account.public_key,
    vault_timeout(AuthSession.account_id).label("vault_timeout"),
)
_PROVIDER_COLUMNS = (
    Provider.id.label("provider_id"),
    Provider.name.label("provider_name"),
    Provider.public_key.label("provider_public_key"),
    Provider.time_zone.label("provider_time_zone"),
    Provider.second_factor_required,
    Provider.recovery_saved_at,
    Provider.rotation_due_since,
    Provider.clients_count,
    Provider.accent,
    Provider.logo_id,
    ProviderPerson.id.label("person_id"),
    ProviderPerson.role.label("person_role"),
    ProviderPerson.state.label("person_state"),
    ProviderPerson.reach.label("person_reach"),
    ProviderPerson.level.label("person_level"),
    ProviderPerson.wrapped_provider_key,
)
_ASKED = aliased(AccessGrant)
_ORGANIZATION_COLUMNS = (
    Organization.id.label("organization_id"),
    Organization.name.label("organization_name"),
    Organization.status.label("organization_status"),
    Organization.plan.label("organization_plan"),
    Organization.public_key.label("organization_public_key"),
    Organization.hidden_since.label("organization_hidden_since"),
    Member.id.label("member_id"),
    Member.role.label("member_role"),
    Member.state.label("member_state"),
    Member.permissions.label("member_permissions"),
    exists()
    .where(
        Policy.organization_id == Organization.id,
        Policy.kind == PolicyKind.TWO_STEP,
        Policy.is_on,
    )
    .correlate(Organization)
    .label("asks_two_step"),
    exists()
    .where(
        OrganizationSettings.organization_id == Organization.id,
        OrganizationSettings.confirms_automatically,
    )
    .correlate(Organization)
    .label("confirms_automatically"),
    ProviderAccess.mode.label("access_mode"),
    AccessGrant.id.label("grant_id"),
    AccessGrant.ends_at.label("grant_ends_at"),
    select(func.count())
    .where(
        _ASKED.organization_id == Organization.id,
        # As the partial index says it.
        _ASKED.state.in_(OPEN),
        _ASKED.state == GrantState.REQUESTED,
        _ASKED.lapses_at > bindparam("now", type_=UtcDateTime()),
    )
    .scalar_subquery()
    .label("access_requests"),
    *_PROVIDER_COLUMNS,
)


def _of(*columns: Any) -> Select[Any]:
    """A live session's row; expired and idle ones are not found. Parameters: see `find_visit`."""
    return (
        select(*columns)
        .select_from(AuthSession)
        .join(Account, Account.id == AuthSession.account_id)
        .where(
            AuthSession.token_hash == bindparam("token_hash"),
            AuthSession.expires_at > bindparam("now", type_=UtcDateTime()),
            AuthSession.seen_at > bindparam("awake_since", type_=UtcDateTime()),
        )
    )


# The statements are the same for every request, so they are put together once.
@cache
def _anywhere() -> Select[Any]:
    return _of(*_COLUMNS)


@cache
def _in_provider() -> Select[Any]:
    return (
        _of(*_COLUMNS, *_PROVIDER_COLUMNS)
        .outerjoin(
            ProviderPerson,
            and_(
                ProviderPerson.provider_id == bindparam("tenant_id", type_=Uuid()),
                ProviderPerson.account_id == Account.id,
            ),
        )
        .outerjoin(Provider, Provider.id == ProviderPerson.provider_id)
    )


@cache
def _in_organization() -> Select[Any]:
    # Asked in the same statement, so that a client outside of somebody's scope is never found.
    reaches = reached(ProviderPerson.provider_id, ProviderPerson.id, Organization.id)
    return (
        _of(*_COLUMNS, *_ORGANIZATION_COLUMNS, reaches.label("person_reaches"))
        .outerjoin(Organization, Organization.id == bindparam("tenant_id", type_=Uuid()))
        .outerjoin(
            Member,
            and_(Member.organization_id == Organization.id, Member.account_id == Account.id),
        )
        .outerjoin(Provider, Provider.id == Organization.provider_id)
        .outerjoin(
            ProviderPerson,
            and_(
                ProviderPerson.provider_id == Provider.id,
                ProviderPerson.account_id == Account.id,
            ),
        )
        .outerjoin(ProviderAccess, ProviderAccess.organization_id == Organization.id)
        .outerjoin(
            AccessGrant,
            and_(
                AccessGrant.organization_id == Organization.id,
                *is_live(Account.id, bindparam("now", type_=UtcDateTime())),
            ),
        )
    )


def find_visit(
    session: Session,
    token: str,
    *,
    provider_id: uuid.UUID | None = None,
    organization_id: uuid.UUID | None = None,
) -> Visit | None:
    """The live session of `token`, with the person's place in the given tenant; or None."""
    statement = _in_provider() if provider_id else _anywhere()
    if organization_id and not provider_id:
        statement = _in_organization()
    now = utc_now()
    values: dict[str, Any] = {
        "token_hash": hash_token(token),
        "now": now,
        "awake_since": now - IDLE,
    }
    if provider_id or organization_id:
        values["tenant_id"] = provider_id or organization_id
    # On the connection: rows without entities need none of the session's own work.
    row = session.connection().execute(statement, values).one_or_none()
    if row is None:
        return None
    visit = _visit(row, token, now, in_tenant="tenant_id" in values)
    # Nobody came to lock it: the browser was closed, or never ran scripts again.
    over = visit.signs_out and row.is_unlocked and not visit.is_unlocked
    return None if over else visit


def seen_every(lock_minutes: int) -> dt.timedelta:
    """How far `seen_at` may lag behind: less where the vault soon locks."""
    return min(SEEN_EVERY, dt.timedelta(minutes=lock_minutes) / 3)


def unlocked_idle(lock_minutes: int) -> dt.timedelta:
    """When the server takes an unlocked vault for left; the browser locks it to the minute."""
    return dt.timedelta(minutes=lock_minutes) + seen_every(lock_minutes)


def _visit(row: Any, token: str, now: dt.datetime, *, in_tenant: bool) -> Visit:
    asked, signs_out = read_timeout(row.vault_timeout)
    lock_minutes = min(LOCK_MINUTES, asked or LOCK_MINUTES)
    return Visit(
        token=token,
        session_id=row.session_id,
        account_id=row.account_id,
        email=row.email,
        name=row.name,
        locale=row.locale,
        time_zone=row.time_zone,
        theme=row.theme,
        method=row.method,
        pending=row.pending,
        second_factor=row.second_factor_at is not None,
        has_second_factor=row.has_second_factor,
        has_keys=row.public_key is not None,
        is_unlocked=row.is_unlocked and now - row.seen_at < unlocked_idle(lock_minutes),
        has_temporary_password=row.has_temporary_password,
        authenticated_at=row.authenticated_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
        public_key=row.public_key,
        password_due=row.password_due,
        lock_minutes=lock_minutes,
        signs_out=signs_out,
        place=row if in_tenant else None,
    )


def begin(
    session: Session,
    account_id: uuid.UUID,
    *,
    method: str,
    pending: bool,
    browser: str,
    source: str,
) -> tuple[str, AuthSession]:
    """A new session and its token; `pending` while a second factor is owed."""
    now = utc_now()
    token = new_token()
    row = AuthSession(
        account_id=account_id,
        token_hash=hash_token(token),
        method=method,
        pending=pending,
        authenticated_at=now,
        seen_at=now,
        expires_at=now + (PENDING if pending else ABSOLUTE[method]),
        browser=browser[:200],
        source=source,
    )
    session.add(row)
    session.flush()
    return token, row


def rotate(
    session: Session, visit: Visit, *, second_factor: bool = False, method: str | None = None
) -> str:
    """A new token for a session whose person has just proved who they are; the old one is dead.

    The session keeps its id, so an unlocked vault stays so. `method` is the proof if it is
    stronger than the one the session began with.
    """
    now = utc_now()
    token = new_token()
    values: dict[str, Any] = {"token_hash": hash_token(token), "authenticated_at": now}
    if second_factor:
        values["second_factor_at"] = now
    if visit.pending:
        values |= {"pending": False, "expires_at": now + ABSOLUTE[visit.method]}
    if method:
        values["method"] = method
    session.execute(update(AuthSession).where(AuthSession.id == visit.session_id).values(**values))
    return token


def touch(session: Session, visit: Visit, now: dt.datetime) -> None:
    """Move `seen_at`, seldom enough, however many requests arrive at once.

    A vault that nobody used for long enough is locked by the first request after that.
    """
    idle = AuthSession.seen_at < now - unlocked_idle(visit.lock_minutes)
    lag = seen_every(visit.lock_minutes)
    session.execute(
        update(AuthSession)
        .where(AuthSession.id == visit.session_id, AuthSession.seen_at < now - lag)
        .values(seen_at=now, vault_secret=case((idle, None), else_=AuthSession.vault_secret))
    )


def end(session: Session, session_id: uuid.UUID) -> None:
    """Sign one browser out."""
    session.execute(delete(AuthSession).where(AuthSession.id == session_id))


def end_all(session: Session, account_id: uuid.UUID, *, keep: uuid.UUID | None = None) -> int:
    """Sign an account out everywhere, except in `keep`; returns how many sessions ended."""
    ended = delete(AuthSession).where(AuthSession.account_id == account_id)
    if keep is not None:
        ended = ended.where(AuthSession.id != keep)
    return rows_changed(session, ended)
