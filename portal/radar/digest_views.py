"""The weekly e-mail: switched on and off on the radar, and off by the link in each."""

import uuid
from collections.abc import Callable
from functools import wraps

from flask import Response, current_app, make_response, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.accounts.limits import limited
from portal.crypto.tokens import Link, LinkSigner
from portal.domain.access import Permission
from portal.extensions import csrf, db
from portal.radar import people, service
from portal.radar.blueprint import bp
from portal.web import notices
from portal.web.access import actor, public, requires
from portal.web.fragments import done
from portal.web.languages import time_zone
from portal.web.logs import trace
from portal.web.source import source

ANSWERING = (("60 per minute", source),)


@bp.post("/providers/<uuid:provider_id>/expiries/digest/on")
@requires(Permission.CLIENTS_READ)
def start_digest(provider_id: uuid.UUID) -> AnyResponse:
    """A mail each Monday, from the next one on."""
    person_id, saved = current_user.place.person_id, ""
    if service.start_digest(db.session(), actor(), person_id, time_zone()):
        saved = notices.add(_("You get the weekly e-mail from next Monday on."))
    db.session.commit()
    return done(url_for("radar.index", provider_id=provider_id), saved)


@bp.post("/providers/<uuid:provider_id>/expiries/digest/off")
@requires(Permission.CLIENTS_READ)
def stop_digest(provider_id: uuid.UUID) -> AnyResponse:
    """No mail on Mondays any more."""
    person_id, saved = current_user.place.person_id, ""
    if service.stop_digest(db.session(), actor(), provider_id, person_id):
        saved = notices.add(_("You get no weekly e-mail any more."))
    db.session.commit()
    return done(url_for("radar.index", provider_id=provider_id), saved)


@bp.get("/weekly-email/<token>")
@public
def leave(token: str) -> Response:
    """What the link in the mail leads to; opening it changes nothing, its button does."""
    link = _link(token)
    found = people.person(db.session(), link.tenant_id, link.row_id) if link else None
    return _answer(token, found, is_off=found is not None and not found.wants_digest)


def _one_click(view: Callable[[str], Response]) -> Callable[[str], Response]:
    """Mail programs post by themselves (RFC 8058): they say so, and have no page of ours."""

    @wraps(view)
    def asked(token: str) -> Response:
        if request.form.get("List-Unsubscribe") != "One-Click":
            csrf.protect()
        return view(token)

    return asked


@bp.post("/weekly-email/<token>")
@csrf.exempt  # type: ignore[untyped-decorator]
@_one_click
@public
@limited(ANSWERING)
def leave_submit(token: str) -> Response:
    """Switch it off; twice is as good as once."""
    link = _link(token)
    found = people.person(db.session(), link.tenant_id, link.row_id) if link else None
    if link is not None and found is not None:
        service.stop_digest(db.session(), None, link.tenant_id, link.row_id, trace())
        db.session.commit()
    return _answer(token, found, is_off=True)


def _link(token: str) -> Link | None:
    keys = current_app.extensions["settings"].secret_keys
    return LinkSigner(keys, service.LEAVE).read(token)


def _answer(token: str, found: object, *, is_off: bool) -> Response:
    body = render_template("radar/leave.html", token=token, person=found, is_off=is_off)
    return make_response(body, 410 if found is None else 200)
