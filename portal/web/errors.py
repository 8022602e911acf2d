"""What people see when something is not right: a page for browsers, a notice for htmx."""

import sqlite3
import time

from flask import Flask, Response, current_app, g, make_response, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_limiter import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.wrappers import Response as AnyResponse

from portal.domain.access import Permission, Role, roles_with
from portal.domain.errors import RuleError
from portal.extensions import db, limiter
from portal.web import fragments
from portal.web.answers import api_error, is_api, json_errors, wants_json
from portal.web.forms import sentence
from portal.web.logs import log

RETRY_SECONDS = 5
# What a notice says where there is no room for the page.
_SHORT = {
    400: _l("The form was too old, or a part of it was missing. Nothing was changed."),
    403: _l("Your role does not include this page or action. Nothing was changed."),
    404: _l("There is nothing here any more. Load the page again."),
    405: _l("This address does not take that kind of request."),
    409: _l("What you wanted to change has changed in the meantime. Load the page again."),
    413: _l("What you sent is larger than this portal accepts. Nothing was saved."),
    429: _l("There were too many attempts in a short time. Wait a moment, then try again."),
    500: _l("Something went wrong here. Your last change was not saved."),
    503: _l("The portal is busy. Nothing was changed; try again in a moment."),
    507: _l("The disk of this portal is full, so nothing can be saved."),
}
PAGES = frozenset(_SHORT)


def init_errors(app: Flask) -> None:
    """Register the handlers: nothing reaches a person as a traceback or an empty page."""
    app.register_error_handler(CSRFError, _forged)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(RuleError, _rule)
    app.register_error_handler(IntegrityError, _conflict)
    app.register_error_handler(DBAPIError, _database)
    app.register_error_handler(PoolTimeout, _busy)
    app.register_error_handler(Exception, _unforeseen)


def error_page(code: int, *, message: str = "", retry: int | None = None) -> Response:
    """The page or notice of an error; `retry` seconds become `Retry-After`.

    `message` replaces the page's own sentence about what happened (400, 403 and 409).
    """
    db.session.rollback()
    page = code if code in PAGES else (500 if code >= 500 else 400)
    if is_api():
        response = api_error(code, retry_after=retry)
    elif wants_json():
        text = message or str(_SHORT[page])
        response = json_errors({"": text}, code, retry_after=retry)
    elif fragments.is_htmx():
        text = message or str(_SHORT[page])
        response = fragments.into_notices(render_template("errors/_notice.html", text=text), code)
    else:
        context = {
            "message": message,
            "retry_seconds": retry,
            "helpers": _helpers() if code == 403 else [],
            "request_id": g.get("request_id", ""),
        }
        response = make_response(render_template(f"errors/{page}.html", **context), code)
    if retry is not None:
        response.headers["Retry-After"] = str(retry)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _helpers() -> list[str]:
    """The roles that could do what was refused, so that the page can say whom to ask."""
    view = request.endpoint and _view(request.endpoint)
    permission = getattr(getattr(view, "access", None), "permission", None)
    if not isinstance(permission, Permission):
        return []
    provider_side = g.get("actor") is not None and g.actor.provider_id is not None
    wanted = (Role.PROVIDER_ADMIN,) if provider_side else (Role.OWNER, Role.ADMIN)
    return [_(role.label) for role in roles_with(permission) if role in wanted]


def _view(endpoint: str) -> object:
    return current_app.view_functions.get(endpoint)


def _http(error: HTTPException) -> AnyResponse:
    code = error.code or 500
    if code < 400:
        return error.get_response()
    if isinstance(error, RateLimitExceeded):
        limit = limiter.current_limit
        seconds = max(1, int(limit.reset_at - time.time())) if limit else 60
        return error_page(429, retry=seconds)
    response = error_page(code)
    if isinstance(error, MethodNotAllowed):
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
    return response


def _forged(_error: CSRFError) -> Response:
    return error_page(400)


def _busy(_error: PoolTimeout) -> Response:
    return error_page(503, retry=RETRY_SECONDS)


def _rule(error: RuleError) -> Response:
    return error_page(409, message=sentence(error.text))


def _conflict(error: IntegrityError) -> Response:
    log.warning("conflict", error=str(error.orig))
    return error_page(409)


def _database(error: DBAPIError) -> Response:
    """A busy or vanished database is 503 with a wait, a full disk 507; the rest is our fault."""
    original = error.orig
    text = str(original).lower()
    log.error("database", error=text, kind=type(original).__name__)
    if "full" in text or "no space left" in text:
        return error_page(507, retry=60)
    busy = isinstance(original, sqlite3.OperationalError) and ("locked" in text or "busy" in text)
    gone = error.connection_invalidated or type(original).__name__ in {
        "OperationalError",
        "AdminShutdown",
        "TooManyConnections",
        "CannotConnectNow",
        "LockNotAvailable",
        "DeadlockDetected",
    }
    if busy or (gone and not isinstance(original, sqlite3.Error)):
        return error_page(503, retry=RETRY_SECONDS)
    return error_page(500)


def _unforeseen(error: Exception) -> Response:
    log.exception("unforeseen", exc_info=error)
    return error_page(500)
