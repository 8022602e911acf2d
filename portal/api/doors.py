"""The one door of the API: a key, its organization, and whether that may be read now.

What is refused is told as `{"error": {"code", "message", "request_id"}}`: programs read the code,
people the message, in the language that `Accept-Language` asks for.
"""

import datetime as dt
import hmac
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from portal.accounts.limits import limited
from portal.accounts.sessions import hash_token
from portal.api import queries, service
from portal.database import short_transaction
from portal.domain.api_keys import named
from portal.domain.errors import N_
from portal.domain.plans import Feature
from portal.domain.states import ClientStatus
from portal.extensions import db
from portal.models import utc_now
from portal.web.access import public
from portal.web.answers import api_error
from portal.web.source import source

View = Callable[..., Any]
USED_EVERY = dt.timedelta(minutes=1)
# What a key is compared with that is nobody's: as long as a hash, and no hash of anything.
_NOBODYS = "0" * 64
CLOSED = {
    ClientStatus.SUSPENDED: N_("The organization is suspended."),
    ClientStatus.DELETING: N_("The organization is being deleted."),
}


def _presented() -> str:
    """The key of the request, empty without one."""
    scheme, _space, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def _who() -> str:
    """What a key's requests are counted by; the limit's row must not hold the key."""
    return f"key:{hash_token(_presented())[:32]}" if _presented() else f"none:{source()}"


READING = (("300 per minute", _who), ("600 per minute", source))


def opened(view: View) -> View:
    """Below `@bp.get(…)`: the view gets the organization's id only from the key that opens it.

    401 without a key that is in use, 404 for another organization than the key's, as for one that
    there is not, 403 where the organization is closed or its plan has no API.
    """

    @wraps(view)
    def guarded(organization: uuid.UUID, **kwargs: Any) -> Any:
        refused = _refusal(db.session(), organization)
        if refused is not None:
            return refused
        answer: Response = view(organization, **kwargs)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return public(limited(READING, shared="api", methods=("GET", "HEAD"))(guarded))


def _refusal(session: Session, organization_id: uuid.UUID) -> Response | None:
    key = _presented()
    key_id = named(key)
    found = queries.key(session, key_id) if key_id else None
    right = hmac.compare_digest(found.key_hash if found else _NOBODYS, hash_token(key))
    if found is None or not right:
        answer = api_error(401, _("Send a key that is in use: Authorization: Bearer <key>."))
        answer.headers["WWW-Authenticate"] = 'Bearer realm="portal"'
        return answer
    if found.organization_id != organization_id:
        return api_error(404)
    if found.status in CLOSED:
        return api_error(403, _(CLOSED[found.status]))
    if not found.plan.has(Feature.API):
        return api_error(403, _("The plan of the organization has no API."))
    _note_use(found)
    return None


def _note_use(found: Any) -> None:
    now = utc_now()
    if found.last_used_at is not None and now - found.last_used_at < USED_EVERY:
        return
    # The key was read in the request's session: give its connection back first (SQLite).
    db.session.rollback()
    with short_transaction() as session:
        service.note_use(session, found.organization_id, found.id, now)
