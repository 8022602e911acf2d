"""Who has not signed in for a while: a page and a file."""

import datetime as dt
import uuid
from typing import Any

from flask import Response as FlaskResponse
from flask import abort, request, url_for
from flask_babel import format_date
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.domain.access import Permission
from portal.extensions import db
from portal.reports import activity
from portal.reports.blueprint import ALL, bp
from portal.reports.page import SPANS
from portal.web import csv, fragments, languages
from portal.web.access import can, requires


def _days() -> int:
    asked = request.args.get("days", "")
    return int(asked) if asked in {str(span) for span in SPANS} else next(iter(SPANS))


def _since(days: int) -> dt.datetime:
    return dt.datetime.now(dt.UTC) - dt.timedelta(days=days)


def _after() -> uuid.UUID | None:
    text = request.args.get("after", "")
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        abort(400)


@bp.get(f"{ALL}/quiet")
@requires(Permission.REPORTS_READ)
def quiet(organization_id: uuid.UUID) -> Response:
    """Members who have not signed in for 30 or 90 days."""
    days, after = _days(), _after()
    found = activity.quiet(db.session(), organization_id, _since(days), after)
    rows = found[: activity.PAGE_SIZE]
    here: dict[str, Any] = {"organization_id": organization_id, "days": days}
    more = len(found) > activity.PAGE_SIZE
    return fragments.respond(
        "reports/quiet.html",
        "reports/_quiet.html",
        organization_id=organization_id,
        days=days,
        spans=[(span, url_for("reports.quiet", **here | {"days": span})) for span in SPANS],
        rows=[(row, _last(row)) for row in rows],
        links=can(Permission.MEMBERS_READ),
        first_url=url_for("reports.quiet", **here) if after else None,
        next_url=url_for("reports.quiet", **here, after=rows[-1].id) if more else None,
        csv_url=url_for("reports.quiet_csv", **here),
    )


def _last(row: Any) -> str:
    """The day alone: the hour is nobody's business."""
    if row.last_at is None:
        return str(_("Not since they joined"))
    return str(format_date(row.last_at.astimezone(languages.zone()).date(), "medium"))


@bp.get(f"{ALL}/quiet.csv")
@requires(Permission.REPORTS_READ)
def quiet_csv(organization_id: uuid.UUID) -> FlaskResponse:
    """All of them as a file."""
    found = activity.quiet(db.session(), organization_id, _since(_days()), None, None)
    header = [_("E-mail address"), _("Name"), _("Role"), _("Second factor")]
    header += [_("Last signed in"), _("Joined")]
    zone = languages.zone()
    lines = [
        (
            row.email,
            row.name,
            _(row.role.label),
            _("On") if row.has_second_factor else _("Off"),
            row.last_at.astimezone(zone).date().isoformat() if row.last_at else "",
            row.accepted_at.astimezone(zone).date().isoformat() if row.accepted_at else "",
        )
        for row in found
    ]
    return csv.download("not-signed-in.csv", header, lines)
