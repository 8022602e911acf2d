"""A person's calendar of what ends, for the programs that ask for it every few hours."""

import datetime as dt
from typing import Any
from urllib.parse import urlsplit

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from portal.config import Settings
from portal.domain.icalendar import CalendarEvent, calendar
from portal.radar import people, queries
from portal.radar.page import helps
from portal.radar.words import ends

MOST_EVENTS = 500
# What has just ended stays in sight for a while; older things would push the coming ones out.
LOOK_BACK = dt.timedelta(days=7)
PRODUCT = "-//Provider Portal//Expiry radar//EN"


def calendar_of(session: Session, found: Any, now: dt.datetime, settings: Settings) -> bytes:
    """The file for a row of `people.by_calendar`, in the language that is in force."""
    rows = queries.ending(
        session, people.reader_of(found), since=now - LOOK_BACK, limit=MOST_EVENTS
    )
    name = _("What expires at %(provider)s", provider=found.provider)
    host = urlsplit(settings.base_url).hostname or ""
    events = [_event(row, found, host, settings.base_url) for row in rows]
    return calendar(PRODUCT, name, events)


def _event(row: Any, found: Any, host: str, base_url: str) -> CalendarEvent:
    _label, path = helps(row, found.provider_id)
    text = ends(row.kind, row.label)
    if row.client:
        text = _("%(client)s: %(sentence)s", client=row.client, sentence=text)
    return CalendarEvent(
        # Of the thing, not of the row: invited again, the same event moves on.
        uid=f"{row.kind}-{row.subject_id}@{host}",
        starts_at=row.due_at,
        made_at=row.since,
        summary=text,
        url=base_url + path,
    )
