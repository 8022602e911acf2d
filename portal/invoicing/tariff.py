"""What a whole period costs each client: the pricing function, asked once for clients alike."""

import datetime as dt
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from portal.billing.offer import price_list
from portal.billing.subscriptions import terms_of
from portal.domain.invoices import Billed
from portal.domain.money import Money
from portal.domain.periods import Period
from portal.domain.plans import Cadence, Plan
from portal.domain.pricing import (
    LineKind,
    PriceLine,
    PriceList,
    Rated,
    Selection,
    quote,
    rated,
    regular,
)


class Agreed(NamedTuple):
    """The terms of a subscription, as its row has them."""

    discount_basis_points: int
    tax_label: str
    tax_basis_points: int


class Bill(NamedTuple):
    """A whole period: its lines, and their sum with discount and tax."""

    lines: tuple[PriceLine, ...]
    rated: Rated


class Tariff:
    """The price list of the day, and the totals that were asked of it.

    Ten thousand clients have a few thousand different subscriptions; the totals of those are kept
    for as long as the process, since a price list never changes within one.
    """

    def __init__(self, prices: PriceList) -> None:
        self.prices = prices
        # (plan, cadence, seats, GB, discount, tax label, tax) to minor units of the currency.
        self.cents = lru_cache(maxsize=65_536)(self._cents)

    @property
    def currency(self) -> str:
        return self.prices.currency

    def _cents(
        self, plan: str, cadence: str, seats: int, storage: int, discount: int, label: str, tax: int
    ) -> int:
        chosen = Selection(Plan(plan), seats, Cadence(cadence), storage)
        return regular(chosen, self.prices, terms_of(Agreed(discount, label, tax))).cents

    def regular(self, row: Any, lines: Iterable[Any] = ()) -> Money:
        """The total of a whole period, for a row of `queries.PRICED`; `lines` as in `bill`."""
        if row.currency == self.currency:
            return Money(self.cents(*row[:7]), row.currency)
        return self.bill(row, lines).rated.total

    def bill(self, row: Any, lines: Iterable[Any] = ()) -> Bill:
        """The same with its lines, discount and tax.

        A subscription in another currency than the price list's stays at the prices that it was
        ordered at: `lines` with `kind`, `unit_cents` and `months`.
        """
        chosen = Selection(Plan(row.plan), row.seats, Cadence(row.cadence), row.extra_storage_gb)
        terms = terms_of(row)
        if row.currency != self.currency:
            priced = tuple(_held(row, lines))
            return Bill(priced, rated((line.amount for line in priced), row.currency, terms))
        found = quote(chosen, self.prices, terms, row.period_end)
        return Bill(
            found.lines,
            Rated(found.gross, found.discount, found.subtotal, found.tax, found.total),
        )


def _held(row: Any, lines: Iterable[Any]) -> Iterator[PriceLine]:
    quantities = {
        LineKind.SEATS: row.seats,
        LineKind.STORAGE: row.extra_storage_gb,
    }
    for line in lines:
        if line.kind is not None:
            kind, unit = LineKind(line.kind), Money(line.unit_cents, row.currency)
            quantity = quantities[kind]
            yield PriceLine(kind, quantity, unit, line.months, unit * (quantity * line.months))


@cache
def tariff(path: Path | None) -> Tariff:
    """The tariff by the price list of the settings."""
    return Tariff(price_list(path))


def ends_on(row: Any, zone: ZoneInfo) -> dt.date | None:
    """The day on which the client is deleted, where the provider works."""
    return row.delete_at.astimezone(zone).date() if row.delete_at else None


def billed(row: Any, whole: Money, zone: ZoneInfo) -> Billed:
    """A row of `queries.PRICED` that also has `waiting`; `whole` is what a period of it costs."""
    return Billed(
        period=Period(row.period_start, row.period_end),
        months=Cadence(row.cadence).months,
        regular=whole,
        waiting=Money(row.waiting, row.currency),
        ends_on=ends_on(row, zone),
    )
