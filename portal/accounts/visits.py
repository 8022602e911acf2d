"""Binds the session table to Flask-Login, and moves `seen_at` before the request's own work."""

import uuid
from typing import Any

from flask import Flask, request
from flask_login import current_user

from portal.accounts import passwords, sessions
from portal.accounts.home import products
from portal.accounts.sessions import Visit
from portal.config import Settings
from portal.database import short_transaction
from portal.extensions import db, login
from portal.models import utc_now
from portal.web import frame
from portal.web.access import sign_in_first


def init_visits(app: Flask) -> None:
    """Load `current_user` from the session table; nothing else signs anybody in."""
    login.init_app(app)
    # Flask-Login's own guard trusts X-Forwarded-For from anybody; our row is the guard.
    login.session_protection = None
    # It hashes the browser's name at each request even so.
    login._session_identifier_generator = str  # noqa: SLF001
    login.user_loader(_load)
    login.unauthorized_handler(sign_in_first)
    app.before_request(_touch)
    frame.PRODUCTS[:] = [products]
    settings: Settings = app.extensions["settings"]
    if settings.testing:
        passwords.use_cheapest()


def _load(token: str) -> Visit | None:
    arguments = request.view_args or {}
    return sessions.find_visit(
        db.session(),
        token,
        provider_id=_id(arguments, "provider_id"),
        organization_id=_id(arguments, "organization_id"),
    )


def _id(arguments: dict[str, Any], name: str) -> uuid.UUID | None:
    value = arguments.get(name)
    return value if isinstance(value, uuid.UUID) else None


def _touch() -> None:
    if request.endpoint == "static" or not current_user.is_authenticated:
        return
    now = utc_now()
    if now - current_user.seen_at < sessions.seen_every(current_user.lock_minutes):
        return
    # The visit was read in the request's session: give its connection back first, since two
    # connections of one request wait for each other on SQLite.
    db.session.rollback()
    with short_transaction() as session:
        sessions.touch(session, current_user, now)
