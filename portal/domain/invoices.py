"""The invoices that lie ahead of a subscription: on which days, and over how much.

A period is invoiced on its first day, at the price list of that day: until then at today's. What
changes in the middle of a period have left over is on the invoice at its end.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from portal.domain.money import Money
from portal.domain.periods import Period, add_months, running_period


class Invoice(NamedTuple):
    """One invoice to come."""

    day: date
    amount: Money


@dataclass(frozen=True)
class Billed:
    """What the invoices of one client follow from.

    `period` is the stored one, which may lie behind; `regular` the total of one whole period;
    `waiting` what changes have left for the invoice at the end of `period` (negative for a
    credit). On `ends_on` the client is deleted: from that day on nothing is invoiced.
    """

    period: Period
    months: int
    regular: Money
    waiting: Money
    ends_on: date | None = None

    def next_day(self, today: date) -> date | None:
        """The first day after `today` on which a period begins; None for a client that ends."""
        end = running_period(self.period, self.months, today).end
        return None if self.ends_on and self.ends_on <= end else end

    def at(self, day: date) -> Money:
        """The invoice of the day, one of those on which a period begins."""
        return self.regular + self.waiting if day == self.period.end else self.regular

    def next(self, today: date) -> Invoice | None:
        """The next invoice after `today`."""
        day = self.next_day(today)
        return Invoice(day, self.at(day)) if day else None

    def until(self, today: date, last: date) -> list[Invoice]:
        """Every invoice after `today`, up to and with that of `last`."""
        days = invoice_days(self.period.start, self.period.end, self.months, today, last)
        return [Invoice(day, self.at(day)) for day in days if not self._is_over(day)]

    @property
    def per_year(self) -> Money:
        """Twelve months as they are today; nothing for a client that ends."""
        return self.regular * (0 if self.ends_on else 12 // self.months)

    def _is_over(self, day: date) -> bool:
        return self.ends_on is not None and self.ends_on <= day


# Thousands of clients share few periods.
@lru_cache(maxsize=16_384)
def invoice_days(start: date, end: date, months: int, today: date, last: date) -> tuple[date, ...]:
    """The days after `today`, up to and with `last`, on which a period begins.

    Periods of `months` months are counted on from the stored one, `start` to `end`.
    """
    found, edge, number = [], end, 1
    while edge <= last:
        if edge > today:
            found.append(edge)
        number += 1
        edge = add_months(start, months * number)
    return tuple(found)


@dataclass
class Forecast:
    """What all clients of a provider come to in one currency: `cents` by day, and a year's."""

    currency: str
    clients: int = 0
    year_cents: int = 0
    days: dict[date, tuple[int, int]] = field(default_factory=dict)

    def add(
        self, cents: int, months: int, days: Iterable[date], ends_on: date | None = None
    ) -> None:
        """Count a client in, whose whole period costs `cents` and is invoiced on `days`."""
        self.clients += 1
        if ends_on:
            days = [day for day in days if day < ends_on]
        else:
            self.year_cents += cents * (12 // months)
        for day in days:
            count, sum_ = self.days.get(day, (0, 0))
            self.days[day] = count + 1, sum_ + cents

    def adjust(self, day: date, cents: int) -> None:
        """Add what changes have left for the invoices of a day that has some."""
        count, sum_ = self.days[day]
        self.days[day] = count, sum_ + cents

    @property
    def per_year(self) -> Money:
        return Money(self.year_cents, self.currency)

    @property
    def due(self) -> Money:
        """All invoices together."""
        return Money(sum(cents for _, cents in self.days.values()), self.currency)

    @property
    def invoices(self) -> int:
        return sum(count for count, _ in self.days.values())

    def by_day(self) -> list[tuple[date, int, Money]]:
        """(day, how many invoices, their sum), the nearest day first."""
        return [
            (day, count, Money(cents, self.currency))
            for day, (count, cents) in sorted(self.days.items())
        ]
