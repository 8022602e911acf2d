"""The view models of the first page of the reports: two charts and the numbers beside them."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import format_date, format_percent
from flask_babel import gettext as _

from portal.domain.periods import add_months
from portal.web.charts import Column, columns
from portal.web.formats import number

MONTHS = 12
# What can be asked for, and the days that one column stands for.
SPANS = {30: 1, 90: 7}


@dataclass(frozen=True)
class SeatChart:
    """The seats at the end of each month; `rows` are (month, assigned, used).

    `since` is the first day known, `begins` the month of the first column.
    """

    assigned: tuple[Column, ...]
    used: tuple[Column, ...]
    rows: tuple[tuple[str, str, str], ...]
    since: str
    begins: str


@dataclass(frozen=True)
class SignInChart:
    """Sign-ins by time; `rows` are (when, sign-ins, members), `total` all sign-ins."""

    shapes: tuple[Column, ...]
    rows: tuple[tuple[str, str, str], ...]
    total: int
    days: int


def seat_chart(days: Sequence[Any], today: dt.date, present: Any) -> SeatChart:
    """From rows of `seats.days` and what holds now; months before the first row are unknown."""
    first = today.replace(day=1)
    known: list[tuple[dt.date, int, int]] = []
    for step in range(1 - MONTHS, 0):
        month = add_months(first, step)
        before = [row for row in days if row.day < add_months(month, 1)]
        if before:
            known.append((month, before[-1].seats, before[-1].seats_used))
    known.append((first, present.seats, present.seats_used))
    # Unknown months keep their place, so that the first one known is no wall of colour.
    unknown = [0] * (MONTHS - len(known))
    assigned = unknown + [seats for _month, seats, _used in known]
    used = unknown + [used for _month, _seats, used in known]
    highest = max([*assigned, 1])
    return SeatChart(
        columns(assigned),
        columns(used, highest),
        tuple(
            (format_date(month, "MMM yyyy"), number(seats), number(taken))
            for month, seats, taken in known
        ),
        format_date(days[0].day if days else today, "long"),
        format_date(add_months(first, 1 - MONTHS), "MMM yyyy"),
    )


def bounds(today: dt.date, days: int, zone: ZoneInfo) -> list[dt.datetime]:
    """The midnights between the columns, the end of today last."""
    step = SPANS[days]
    count = -(-days // step)
    end = today + dt.timedelta(days=1)
    starts = [end - dt.timedelta(days=step * back) for back in range(count, -1, -1)]
    return [dt.datetime.combine(day, dt.time(), zone) for day in starts]


def sign_in_chart(
    found: dict[int, tuple[int, int]], limits: Sequence[dt.datetime], days: int
) -> SignInChart:
    """From `activity.by_time` between these bounds."""
    counts = [found.get(place, (0, 0)) for place in range(len(limits) - 1)]
    names = [_name(moment.date(), days) for moment in limits[:-1]]
    rows = [
        (name, number(count), number(people))
        for name, (count, people) in zip(names, counts, strict=True)
    ]
    sign_ins = [count for count, _people in counts]
    return SignInChart(columns(sign_ins), tuple(rows), sum(sign_ins), days)


def _name(day: dt.date, days: int) -> str:
    written = format_date(day, "medium")
    return written if SPANS[days] == 1 else str(_("7 days from %(day)s", day=written))


def share(part: int, whole: int) -> str:
    """12 of 40 (30%), as the reader's language writes it."""
    percent = format_percent(part / whole if whole else 0)
    return str(
        _(
            "%(part)s of %(whole)s (%(percent)s)",
            part=number(part),
            whole=number(whole),
            percent=percent,
        )
    )
