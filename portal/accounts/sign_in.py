"""Beginning, strengthening and ending a session: the database's row and the browser's cookie.

Every step that proves something gives the browser a new token in an emptied cookie, so that
nothing planted before outlives it.
"""

import uuid

from flask import current_app, g, request, session
from flask_login import current_user, login_user

from portal.accounts import known_browsers, passwords, service, sessions
from portal.accounts.sessions import Visit
from portal.crypto.sealing import Sealer
from portal.database import reading
from portal.events.record import record
from portal.extensions import db
from portal.web.logs import trace
from portal.web.source import source


def secret_keys() -> tuple[str, ...]:
    """The portal's keys; the first signs."""
    keys: tuple[str, ...] = current_app.extensions["settings"].secret_keys
    return keys


def sealer(purpose: str) -> Sealer:
    """Seals what the server must read again."""
    return Sealer(secret_keys(), purpose)


def start(account_id: uuid.UUID, *, method: str, pending: bool) -> Visit:
    """Sign this browser in, in the current transaction; `current_user` is the new visit.

    `method` is password or code, `pending` says that a second factor is owed. A session that the
    browser had before ends.
    """
    if current_user.is_authenticated:
        sessions.end(db.session(), current_user.session_id)
    token, _row = sessions.begin(
        db.session(),
        account_id,
        method=method,
        pending=pending,
        browser=request.user_agent.string or "",
        source=source(),
    )
    return _carry(token)


def strengthen(*, second_factor: bool = False, method: str | None = None) -> Visit:
    """The person of this session has proved who they are once more: a new token, fresh again."""
    token = sessions.rotate(db.session(), current_user, second_factor=second_factor, method=method)
    return _carry(token)


def _carry(token: str) -> Visit:
    was_pending = current_user.is_authenticated and current_user.pending
    strengthened = current_user.is_authenticated and not was_pending
    session.clear()
    # Flask-WTF keeps the request's token here; the emptied session needs another one.
    g.pop("csrf_token", None)
    visit = sessions.find_visit(db.session(), token)
    if visit is None:
        raise LookupError("the session that was just written is not there")
    same = strengthened and current_user.session_id == visit.session_id
    login_user(visit)
    session.permanent = True
    # Read by the rate limits, which must not ask the database who this is.
    session["address"] = visit.email
    if not visit.pending:
        known_browsers.remember(visit.email)
        if not same:
            _record("account:session:begin", visit.account_id, method=visit.method)
    return visit


def stop(*, everywhere: bool) -> None:
    """Sign out this browser, or all of the person's."""
    if not current_user.is_authenticated:
        session.clear()
        return
    if everywhere:
        sessions.end_all(db.session(), current_user.account_id)
    else:
        sessions.end(db.session(), current_user.session_id)
    _record("account:session:end", current_user.account_id, everywhere=everywhere)
    session.clear()


def refused(account_id: uuid.UUID | None, method: str) -> None:
    """Keep a failed attempt in the account's log, in a transaction after the failed one.

    An address without an account is logged under nobody's name: the same work, the same time.
    """
    _record("account:session:refused", account_id or service.NOBODY, method=method)
    db.session.commit()


def check_password(email: str, signin_hash: str) -> tuple[uuid.UUID | None, bool, bool]:
    """(account, whether the hash is right, whether a second factor is set up).

    No transaction is open while argon2 works. A hash made with older parameters is renewed, to be
    committed with the session. Raises `passwords.Busy`.
    """
    db.session.rollback()
    with reading():
        account = service.find_by_email(db.session(), email)
        account_id = account.id if account else None
        stored = account.signin_hash if account else None
        second = bool(account and account.totp_secret)
        db.session.rollback()
    right = passwords.matches(stored, signin_hash)
    if right and stored and account_id and passwords.is_outdated(stored):
        service.replace_hash(db.session(), account_id, stored, passwords.store(signin_hash))
    return account_id, right, second


def _record(kind: str, account_id: uuid.UUID, **details: object) -> None:
    record(
        db.session(),
        None,
        kind,
        streams=[service.stream(account_id)],
        subject_id=account_id,
        trace=trace(),
        **details,
    )
