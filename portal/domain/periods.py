"""Billing periods: whole months counted from an anchor day."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date


def add_months(day: date, months: int) -> date:
    """The same day `months` later (or earlier), clamped to the end of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@dataclass(frozen=True)
class Period:
    """The days from `start` to the day before `end`; `end` is the first day of the next one."""

    start: date
    end: date

    @property
    def days(self) -> int:
        return (self.end - self.start).days


def billing_period(anchor: date, months: int, number: int = 0) -> Period:
    """The `number`-th period of `months` months, counted from `anchor`.

    Each edge is counted from the anchor and not from the period before: a subscription begun on
    the 31st returns to the 31st after February.
    """
    return Period(
        add_months(anchor, months * number),
        add_months(anchor, months * (number + 1)),
    )


def running_period(period: Period, months: int, today: date) -> Period:
    """The period in which `today` lies, counted on from a stored one that may lie behind."""
    found, number = period, 0
    while found.end <= today:
        number += 1
        found = billing_period(period.start, months, number)
    return found
