"""A provider's home."""

import datetime as dt
import uuid
from zoneinfo import ZoneInfo

from flask import Blueprint, g, render_template

from portal.domain.access import Permission
from portal.domain.expiries import Window
from portal.extensions import db
from portal.invoicing.current import the_tariff
from portal.invoicing.forecast import outlook
from portal.invoicing.page import Due, due
from portal.logbook import queries as log
from portal.logbook.queries import Filter, Scope
from portal.logbook.telling import Line, Row, line_of
from portal.overview import page, queries
from portal.web import languages
from portal.web.access import actor, requires

bp = Blueprint("overview", __name__)
EVENTS = 10


@bp.get("/providers/<uuid:provider_id>")
@requires(Permission.CLIENTS_READ)
def home(provider_id: uuid.UUID) -> str:
    """The numbers that matter, over the clients that the person reaches."""
    session, now = db.session(), dt.datetime.now(dt.UTC)
    zone = ZoneInfo(g.time_zone)
    months = page.months_before(now.astimezone(zone).date())
    month = dt.timedelta(days=page.NEW_DAYS)
    groups = queries.counts(
        session,
        actor().scope,
        since=now - month,
        months=[dt.datetime(day.year, day.month, day.day, tzinfo=zone) for day in months],
    )
    stuck, ending = queries.waiting(
        session,
        actor(),
        now=now,
        until=Window.THIRTY.bounds(now, languages.zone())[1] or now,
    )
    return render_template(
        "overview/home.html",
        provider_id=provider_id,
        home=page.build(provider_id, page.Counted(groups), stuck, ending, months),
        dues=_dues(provider_id, now, zone),
        events=_events(provider_id),
    )


def _dues(provider_id: uuid.UUID, now: dt.datetime, zone: ZoneInfo) -> list[Due]:
    """What is invoiced next, for those who may know."""
    if not actor().can(Permission.BILLING_READ):
        return []
    ahead = outlook(db.session(), provider_id, the_tariff(), now.astimezone(zone).date(), zone)
    return [due(each) for each in ahead.forecasts.values() if each.days]


def _events(provider_id: uuid.UUID) -> list[Line]:
    """The newest events of the provider's own log, for those who may read it."""
    if not actor().can(Permission.PROVIDER_EVENTS_READ):
        return []
    found = log.find(db.session(), Scope(provider_id), Filter(), limit=EVENTS).rows
    ids = [client for row in found if (client := Row(row).client_id)]
    names = log.names_of_clients(db.session(), provider_id, ids)
    return [line_of(row, names) for row in found]
