"""The reports of an organization: the charts, and the ways to the lists."""

import datetime as dt
import uuid

from flask import g, request, url_for
from werkzeug.wrappers import Response

from portal.domain.access import Permission
from portal.extensions import db
from portal.reports import access_views, activity, activity_views, seats
from portal.reports.blueprint import ALL, bp
from portal.reports.page import SPANS, bounds, seat_chart, share, sign_in_chart
from portal.web import fragments, languages
from portal.web.access import requires

_SHORT, _LONG = SPANS


@bp.get(ALL)
@requires(Permission.REPORTS_READ)
def index(organization_id: uuid.UUID) -> Response:
    """Seats over a year, signing in over 30 or 90 days, and who has not."""
    session, now, zone = db.session(), dt.datetime.now(dt.UTC), languages.zone()
    today = now.astimezone(zone).date()
    asked = request.args.get("days", "")
    days = int(asked) if asked in {str(span) for span in SPANS} else _SHORT
    limits = bounds(today, days, zone)
    ago = [now - dt.timedelta(days=span) for span in SPANS]
    numbers = activity.numbers(session, organization_id, ago)
    return fragments.respond(
        "reports/index.html",
        "reports/_sign_ins.html",
        organization_id=organization_id,
        url=url_for("reports.index", organization_id=organization_id),
        seats=seat_chart(
            seats.days(session, organization_id), today, seats.now(session, organization_id)
        ),
        sign_ins=sign_in_chart(activity.by_time(session, organization_id, limits), limits, days),
        spans=tuple(SPANS),
        numbers=numbers,
        with_second_factor=share(numbers.second_factor, numbers.members),
        quiet=tuple(zip(SPANS, numbers.quiet, strict=True)),
        has_log=g.actor.can(Permission.ORGANIZATION_EVENTS_READ),
    )


# The other pages register themselves on `bp`.
__all__ = ["access_views", "activity_views", "bp"]
