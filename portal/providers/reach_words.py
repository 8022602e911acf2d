"""Who reaches what, in words, and the day that a page is asked about."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from flask import request
from flask_babel import gettext as _

from portal.domain.access import Role
from portal.domain.emails import shown
from portal.domain.scope import Because, Level
from portal.web.formats import moment
from portal.web.languages import zone


@dataclass(frozen=True)
class AsOf:
    """`at` is the moment that is looked at: the end of `day`, at most now."""

    at: dt.datetime
    day: str
    today: str


def as_of() -> AsOf:
    """The day in the address; today where there is none, or one to come."""
    now = dt.datetime.now(dt.UTC)
    today = now.astimezone(zone()).date()
    try:
        asked = dt.date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        asked = today
    if asked >= today:
        return AsOf(now, today.isoformat(), today.isoformat())
    # What begins at midnight belongs to the next day.
    end = dt.datetime.combine(asked, dt.time.max, zone())
    return AsOf(end.astimezone(dt.UTC), asked.isoformat(), today.isoformat())


def why(because: str | None, tag_name: str) -> str:
    """Why somebody reaches a client."""
    if because == Because.LISTED:
        return str(_("By name"))
    if because == Because.TAGGED:
        return str(_("Tag %(tag)s", tag=tag_name))
    if because == Because.NOT_EXCLUDED:
        return str(_("Not left out"))
    return str(_("All clients"))


def reaching(row: Any) -> dict[str, str]:
    """A row of `people_reaching` as a page and a file tell it."""
    address = shown(row.email)
    return {
        "name": row.name or address,
        "email": address,
        "role": str(_(Role(row.role).label)),
        "level": str(_(Level(row.level).label)),
        "why": why(row.because, row.tag_name),
        "since": moment(row.since),
        "left": "" if row.is_here else str(_("Removed since")),
    }
