"""The secret address of a person's calendar: made, shown once, replaced, switched off, read."""

import datetime as dt
import uuid

from flask import Response, abort, current_app, make_response, render_template, request, url_for
from flask_babel import force_locale
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.accounts.freshness import fresh
from portal.accounts.limits import limited
from portal.accounts.sessions import hash_token
from portal.domain.access import Permission
from portal.extensions import db
from portal.radar import feed as calendars
from portal.radar import people, service
from portal.radar.blueprint import bp
from portal.web import notices
from portal.web.access import actor, public, requires
from portal.web.fragments import done
from portal.web.languages import LANGUAGES
from portal.web.session import no_store
from portal.web.source import source


def _asked_calendar() -> str:
    """One calendar, whoever asks for it; the limit's row must not hold its token."""
    return hash_token(str((request.view_args or {}).get("token", "")))[:32]


# Programs ask a few times an hour; many people may share one address.
READING = (("60 per hour", _asked_calendar), ("600 per hour", source))


@bp.get("/providers/<uuid:provider_id>/expiries/calendar")
@requires(Permission.CLIENTS_READ)
def calendar(provider_id: uuid.UUID) -> str:
    """What the address is for, whether there is one, and what can be done with it."""
    return _page(provider_id)


@bp.post("/providers/<uuid:provider_id>/expiries/calendar")
@requires(Permission.CLIENTS_READ)
@fresh
def make_calendar(provider_id: uuid.UUID) -> Response:
    """A new address, shown this once."""
    token = service.make_address(db.session(), actor(), current_user.place.person_id)
    db.session.commit()
    path = url_for("radar.feed", provider=provider_id, token=token)
    address = current_app.extensions["settings"].base_url + path
    return no_store(make_response(_page(provider_id, address)))


@bp.post("/providers/<uuid:provider_id>/expiries/calendar/off")
@requires(Permission.CLIENTS_READ)
def stop_calendar(provider_id: uuid.UUID) -> AnyResponse:
    """The address stops working; off already is off."""
    saved = ""
    if service.drop_address(db.session(), actor(), current_user.place.person_id):
        saved = notices.add(_("The address of your calendar is switched off."))
    db.session.commit()
    return done(url_for("radar.calendar", provider_id=provider_id), saved)


def _page(provider_id: uuid.UUID, address: str = "") -> str:
    found = people.person(db.session(), provider_id, current_user.place.person_id)
    if found is None:
        abort(404)
    return render_template(
        "radar/calendar.html",
        provider_id=provider_id,
        address=address,
        exists=found.calendar_token_hash is not None,
        most=calendars.MOST_EVENTS,
        look_back=calendars.LOOK_BACK.days,
    )


# Not called provider_id: whoever is signed in here, the address alone opens it.
@bp.get("/providers/<uuid:provider>/calendar/<token>.ics")
@public
@limited(READING, methods=("GET", "HEAD"))
def feed(provider: uuid.UUID, token: str) -> AnyResponse:
    """The calendar of whoever made this address, as far as their scope reaches now."""
    now = dt.datetime.now(dt.UTC)
    found = people.by_calendar(db.session(), provider, hash_token(token))
    if found is None:
        abort(404)
    with force_locale(found.locale if found.locale in LANGUAGES else "en"):
        body = calendars.calendar_of(db.session(), found, now, current_app.extensions["settings"])
    response = Response(body, content_type="text/calendar; charset=utf-8")
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Content-Disposition"] = 'inline; filename="expiries.ics"'
    response.add_etag()
    return response.make_conditional(request)
