"""Things that end: in which window of days, and whether a week's mail about them is due."""

import datetime as dt
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from portal.domain.attention import AttentionKind
from portal.domain.errors import N_

# What the radar shows. An invitation waits for somebody and ends, so it is on two pages.
ENDING = (
    AttentionKind.INVITED,
    AttentionKind.CERTIFICATE,
    AttentionKind.CLIENT_SECRET,
    AttentionKind.DOMAIN_CHECK,
    AttentionKind.TRIAL,
    AttentionKind.GRANT,
    AttentionKind.DEVIATION,
)
MONDAY_AT = dt.time(7)
# A worker that was away sends last Monday's digest until Thursday morning, then waits for the next.
LATEST = dt.timedelta(days=3)


class Window(StrEnum):
    """How soon: calendar days in the reader's zone. No day is in two windows."""

    OVERDUE = "overdue"
    ONE = "1"
    SEVEN = "7"
    THIRTY = "30"
    SIXTY = "60"

    @property
    def label(self) -> str:
        """The window as a message id."""
        return _LABELS[self]

    @property
    def explained(self) -> str:
        """The days in it, as a message id."""
        return _EXPLAINED[self]

    def bounds(
        self, now: dt.datetime, zone: ZoneInfo
    ) -> tuple[dt.datetime | None, dt.datetime | None]:
        """From when (included) to when (excluded), in UTC; None where it has no end."""
        first, last = _DAYS[self]
        if last is None:
            return None, now
        today = now.astimezone(zone).date()
        low = max(now, midnight(today + dt.timedelta(days=first), zone))
        return low, midnight(today + dt.timedelta(days=last + 1), zone)


_LABELS = {
    Window.OVERDUE: N_("Overdue"),
    Window.ONE: N_("1 day"),
    Window.SEVEN: N_("7 days"),
    Window.THIRTY: N_("30 days"),
    Window.SIXTY: N_("60 days"),
}
_EXPLAINED = {
    Window.OVERDUE: N_("has ended"),
    Window.ONE: N_("today or tomorrow"),
    Window.SEVEN: N_("in 2 to 7 days"),
    Window.THIRTY: N_("in 8 to 30 days"),
    Window.SIXTY: N_("in 31 to 60 days"),
}
# The first and the last day after today.
_DAYS: dict[Window, tuple[int, int | None]] = {
    Window.OVERDUE: (0, None),
    Window.ONE: (0, 1),
    Window.SEVEN: (2, 7),
    Window.THIRTY: (8, 30),
    Window.SIXTY: (31, 60),
}


def zone_of(name: str) -> ZoneInfo:
    """The zone of that name; UTC where there is none."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return ZoneInfo("UTC")


def midnight(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    """The moment a day begins there, in UTC; where midnight is skipped, the first one after it."""
    return dt.datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(dt.UTC)


def days_left(due: dt.datetime, now: dt.datetime, zone: ZoneInfo) -> int:
    """How many midnights lie between now and then, in the reader's zone; negative once past."""
    return (due.astimezone(zone).date() - now.astimezone(zone).date()).days


def digest_week(now: dt.datetime, zone: ZoneInfo) -> dt.date | None:
    """The Monday whose digest is due: from 7:00 there, for three days. None at other times."""
    local = now.astimezone(zone)
    monday = local.date() - dt.timedelta(days=local.weekday())
    begins = digest_moment(monday, zone)
    return monday if begins <= now < begins + LATEST else None


def digest_moment(monday: dt.date, zone: ZoneInfo) -> dt.datetime:
    """When a week's digest becomes due, in UTC."""
    return dt.datetime.combine(monday, MONDAY_AT, zone).astimezone(dt.UTC)
