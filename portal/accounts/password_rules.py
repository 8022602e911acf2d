"""Master passwords that meet what organizations ask: sent to browsers, declared by them, kept.

The declaration is all that a server can have which never sees a master password.
"""

import uuid
from collections.abc import Sequence

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from portal.accounts import asked
from portal.domain.access import Role
from portal.domain.errors import N_, refuse
from portal.domain.password_rules import Demand, token
from portal.models import AuthSession, DeclaredPassword, utc_now

CHANGED = N_(
    "What is asked of your master password has changed, or your browser did not check it. Load "
    "the page again."
)


def demands(session: Session, account_id: uuid.UUID) -> list[Demand]:
    """What all organizations of the person ask now."""
    return [each for ask in asked.PASSWORD for each in ask(session, account_id)]


def demands_of(session: Session, organization_id: uuid.UUID, role: Role) -> list[Demand]:
    """What one organization asks of somebody who is about to join it."""
    return [each for ask in asked.NEW_PASSWORD for each in ask(session, organization_id, role)]


def check(found: Sequence[Demand], declared: str | None) -> None:
    """Raise `RuleError` unless the browser has checked against exactly these rules."""
    if (declared or "") != token(found):
        raise refuse(CHANGED)


def due(session: Session, account_id: uuid.UUID) -> list[Demand]:
    """All that is asked, if some is asked at sign-in and was not declared yet; else nothing."""
    found = demands(session, account_id)
    if not any(each.rules.at_sign_in for each in found):
        return []
    known = select(DeclaredPassword.organization_id, DeclaredPassword.version).where(
        DeclaredPassword.account_id == account_id
    )
    kept = {(row.organization_id, row.version) for row in session.execute(known)}
    open_ones = (
        each
        for each in found
        if each.rules.at_sign_in and (each.organization_id, each.version) not in kept
    )
    return found if any(open_ones) else []


def declare(session: Session, account_id: uuid.UUID, found: Sequence[Demand]) -> None:
    """Keep that the present password meets these rules, and forget what was kept before."""
    session.execute(delete(DeclaredPassword).where(DeclaredPassword.account_id == account_id))
    if found:
        rows = [
            {
                "account_id": account_id,
                "organization_id": each.organization_id,
                "version": each.version,
                "declared_at": utc_now(),
            }
            for each in found
        ]
        session.execute(insert(DeclaredPassword).values(rows))


def hold(session: Session, session_id: uuid.UUID) -> None:
    """Let this session do nothing but declare, or choose another master password."""
    _due(session, AuthSession.id == session_id, since=True)


def release(session: Session, account_id: uuid.UUID) -> None:
    """The password is known to be good enough: every session of the person goes on."""
    _due(session, AuthSession.account_id == account_id, since=False)


def _due(session: Session, which: object, *, since: bool) -> None:
    values = {"password_due_since": utc_now() if since else None}
    session.execute(update(AuthSession).where(which).values(**values))  # type: ignore[arg-type]
