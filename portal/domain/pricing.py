"""What a client costs: the one function for the summary, the plan change and the bill."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from portal.domain.errors import N_
from portal.domain.money import Money
from portal.domain.periods import Period, add_months, billing_period
from portal.domain.plans import Cadence, Plan
from portal.domain.price_list import PriceList, PriceListError

__all__ = [
    "LineKind",
    "Period",
    "PriceLine",
    "PriceList",
    "PriceListError",
    "Quote",
    "RateLine",
    "Rated",
    "Selection",
    "TaxLine",
    "Terms",
    "add_months",
    "billing_period",
    "prorate",
    "quote",
    "rated",
    "regular",
]

_HUNDRED = Decimal(100)


@dataclass(frozen=True)
class Selection:
    """What is bought. The fields are checked already (`seats`, `new_client`).

    `seat_limit` None is no limit and counts only with `autogrow`; `extra_storage_gb` is beyond
    what is included; `net_days` is the time to pay an invoice, None where payment is at once.
    """

    plan: Plan
    seats: int
    cadence: Cadence
    extra_storage_gb: int = 0
    autogrow: bool = True
    seat_limit: int | None = None
    net_days: int | None = None


@dataclass(frozen=True)
class TaxLine:
    """The tax that the provider is charged: its name and percentage, added to the subtotal."""

    label: str
    percent: Decimal

    def __post_init__(self) -> None:
        _check_percent(self.percent)


@dataclass(frozen=True)
class Terms:
    """What was agreed with the provider: discount in percent (0 to 100) and tax."""

    discount_percent: Decimal = Decimal(0)
    tax: TaxLine | None = None

    def __post_init__(self) -> None:
        _check_percent(self.discount_percent)

    def after_discount(self, amount: Money) -> Money:
        return amount - amount.percent(self.discount_percent)


def _check_percent(percent: Decimal) -> None:
    if not 0 <= percent <= _HUNDRED:
        raise ValueError(f"not a percentage between 0 and 100: {percent}")


class LineKind(StrEnum):
    """What a subscription line is for."""

    SEATS = "seats"
    STORAGE = "storage"

    @property
    def label(self) -> str:
        """The line's name as a message id."""
        return _LINE_LABELS[self]


_LINE_LABELS = {LineKind.SEATS: N_("Seats"), LineKind.STORAGE: N_("Additional storage (GB)")}


@dataclass(frozen=True)
class PriceLine:
    """`quantity` times `unit` (one piece for one month) times `months` is `amount`."""

    kind: LineKind
    quantity: int
    unit: Money
    months: int
    amount: Money


@dataclass(frozen=True)
class RateLine:
    """A percentage of the lines above it. A discount's amount is negative.

    `label` is the operator's own word for a tax and empty for the discount.
    """

    percent: Decimal
    amount: Money
    label: str = ""


@dataclass(frozen=True)
class Quote:
    """The price of one period of a selection, and what follows from it.

    `gross` is the sum of `lines`, `subtotal` that less the discount, `total` that with tax.
    `period` is the first one. `added_seat` is what each seat added by itself costs per period,
    discount taken and before tax; `largest` the total of a period with all seats up to the limit.
    Both are None where seats do not grow, `largest` also where they grow without limit.
    `due_today` is the total where payment is at once, else zero with `first_invoice_on`,
    `net_days` and `payable_by` set.
    """

    price_list_version: str
    selection: Selection
    lines: tuple[PriceLine, ...]
    gross: Money
    discount: RateLine | None
    subtotal: Money
    tax: RateLine | None
    total: Money
    period: Period
    due_today: Money
    first_invoice_on: date | None
    net_days: int | None
    payable_by: date | None
    added_seat: Money | None
    largest: Money | None

    @property
    def currency(self) -> str:
        return self.total.currency

    @property
    def months(self) -> int:
        """Months in the period."""
        return self.selection.cadence.months


class Rated(NamedTuple):
    """A sum of lines with discount and tax; see `Quote`."""

    gross: Money
    discount: RateLine | None
    subtotal: Money
    tax: RateLine | None
    total: Money


def quote(selection: Selection, price_list: PriceList, terms: Terms, today: date) -> Quote:
    """The price of `selection`; pure, and the very function that will bill.

    `today` is the day of creation in the provider's time zone; the first period starts on it.
    Every amount is in the price list's currency, rounded half-up per line.
    """
    lines = tuple(_lines(selection, price_list))
    bill = _bill(lines, price_list, terms)
    by_invoice = selection.net_days is not None
    return Quote(
        price_list_version=price_list.version,
        selection=selection,
        lines=lines,
        gross=bill.gross,
        discount=bill.discount,
        subtotal=bill.subtotal,
        tax=bill.tax,
        total=bill.total,
        period=billing_period(today, selection.cadence.months),
        due_today=Money(0, price_list.currency) if by_invoice else bill.total,
        first_invoice_on=today if by_invoice else None,
        net_days=selection.net_days,
        payable_by=_payable_by(today, selection.net_days),
        added_seat=_added_seat(selection, price_list, terms),
        largest=_largest(selection, price_list, terms),
    )


def regular(selection: Selection, price_list: PriceList, terms: Terms) -> Money:
    """What each whole period of `selection` costs: the `total` of its quote, and no more of it."""
    return _bill(_lines(selection, price_list), price_list, terms).total


def _bill(lines: Iterable[PriceLine], price_list: PriceList, terms: Terms) -> Rated:
    return rated((line.amount for line in lines), price_list.currency, terms)


def rated(amounts: Iterable[Money], currency: str, terms: Terms) -> Rated:
    """The sum of lines that are priced already, with discount and tax."""
    gross = Money.total(amounts, currency)
    discount = None
    if terms.discount_percent:
        discount = RateLine(terms.discount_percent, -gross.percent(terms.discount_percent))
    subtotal = gross + discount.amount if discount else gross
    tax = None
    if terms.tax:
        tax = RateLine(terms.tax.percent, subtotal.percent(terms.tax.percent), terms.tax.label)
    total = subtotal + tax.amount if tax else subtotal
    return Rated(gross, discount, subtotal, tax, total)


def _lines(selection: Selection, price_list: PriceList) -> Iterator[PriceLine]:
    cadence = selection.cadence
    seat = price_list.seat(selection.plan, cadence)
    yield _line(LineKind.SEATS, selection.seats, seat, cadence.months)
    if selection.extra_storage_gb:
        gigabyte = price_list.gigabyte(cadence)
        yield _line(LineKind.STORAGE, selection.extra_storage_gb, gigabyte, cadence.months)


def _line(kind: LineKind, quantity: int, unit: Money, months: int) -> PriceLine:
    return PriceLine(kind, quantity, unit, months, unit * (quantity * months))


def _payable_by(issued: date, net_days: int | None) -> date | None:
    return None if net_days is None else issued + timedelta(days=net_days)


def _added_seat(selection: Selection, price_list: PriceList, terms: Terms) -> Money | None:
    if not selection.autogrow:
        return None
    seat = price_list.seat(selection.plan, selection.cadence)
    return terms.after_discount(seat * selection.cadence.months)


def _largest(selection: Selection, price_list: PriceList, terms: Terms) -> Money | None:
    if not selection.autogrow or selection.seat_limit is None:
        return None
    full = replace(selection, seats=max(selection.seats, selection.seat_limit))
    return _bill(_lines(full, price_list), price_list, terms).total


def prorate(amount: Money, days: int, of_days: int, *, after: int = 0) -> Money:
    """The part of `amount` that falls on `days` of a period's `of_days` days, half-up.

    `after` is the number of the period's days before them. Each edge is rounded, not each part:
    however a period is cut, its parts sum to the whole.
    """
    if days < 0 or after < 0 or of_days <= 0 or after + days > of_days:
        raise ValueError("the days lie outside the period")
    return amount.fraction(after + days, of_days) - amount.fraction(after, of_days)
