"""What a change of a subscription costs: the one function for the preview and for the commit.

Within the running period, lines of a plan and cadence that stay keep the price they were ordered
at; what is new, and every later period, is priced by the price list of the day. Another cadence
begins a new period on the day of the change.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from portal.domain.money import Money
from portal.domain.periods import Period, billing_period, running_period
from portal.domain.plans import Feature
from portal.domain.price_list import PriceList
from portal.domain.pricing import LineKind, RateLine, Selection, Terms, prorate, quote


@dataclass(frozen=True)
class PricedLine:
    """A line as it is stored: `unit` is one piece for one month, by the list `version`."""

    kind: LineKind
    quantity: int
    unit: Money
    months: int
    version: str

    @property
    def amount(self) -> Money:
        """The price of a whole period."""
        return self.unit * (self.quantity * self.months)


@dataclass(frozen=True)
class Subscribed:
    """What a client has now.

    `period` is the stored one, which may lie behind; `pending` is what earlier changes have left
    for the invoice at its end, tax included (negative for a credit).
    """

    selection: Selection
    lines: tuple[PricedLine, ...]
    period: Period
    pending: Money

    def running(self, today: date) -> Period:
        """The period in which `today` lies, counted on from the stored one."""
        return running_period(self.period, self.selection.cadence.months, today)


@dataclass(frozen=True)
class Proration:
    """The part of a line for `days` of a period's `of_days` days.

    `is_credit`: for what ends; its amount is negative then.
    """

    line: PricedLine
    is_credit: bool
    days: int
    of_days: int
    amount: Money


@dataclass(frozen=True)
class Preview:
    """What a change does.

    `gross` is the sum of `prorations`, `adjustment` that less the discount and with tax: what the
    change costs from today to the end of `period`, the one that runs after it. It is invoiced on
    `invoice_on`; `invoiced_today` is what that is if it is today, with what earlier changes left.
    `next_invoice` is the whole invoice at the end of `period`. `per_year` compares twelve months
    at today's price list. `gained` and `lost` are features.
    """

    before: Selection
    after: Selection
    today: date
    price_list_version: str
    lines: tuple[PricedLine, ...]
    prorations: tuple[Proration, ...]
    gross: Money
    discount: RateLine | None
    tax: RateLine | None
    adjustment: Money
    period: Period
    invoice_on: date
    invoiced_today: Money
    next_invoice: Money
    per_year_before: Money
    per_year_after: Money
    gained: tuple[Feature, ...]
    lost: tuple[Feature, ...]

    @property
    def is_change(self) -> bool:
        return self.before != self.after

    @property
    def begins_period(self) -> bool:
        """Whether a new period begins today."""
        return self.before.cadence is not self.after.cadence

    @property
    def adds_per_year(self) -> Money:
        return self.per_year_after - self.per_year_before


def change(
    current: Subscribed, wanted: Selection, price_list: PriceList, terms: Terms, today: date
) -> Preview:
    """What it costs to have `wanted` from `today` on; pure, and the very function that commits.

    `terms` are those agreed for this subscription, `today` the day where the provider works.
    `wanted` is checked already (`seats`); without a difference every amount of the change is zero.
    """
    begins = current.selection.cadence is not wanted.cadence
    running = current.running(today)
    period = billing_period(today, wanted.cadence.months) if begins else running
    # A period that has begun since was or will be invoiced by the price list of its days.
    held = current.lines
    if running != current.period:
        held = tuple(_lines(current.selection, price_list, today))
    lines = tuple(_lines(wanted, price_list, today, _kept(held, current.selection, wanted)))
    prorations = tuple(_prorations(held, lines, running, period, today))
    gross = Money.total((part.amount for part in prorations), price_list.currency)
    discount, tax, adjustment = rated(gross, terms)
    at_once = begins or wanted.cadence.months > 1
    zero = Money(0, price_list.currency)
    carried = current.pending if running == current.period else zero
    regular = quote(wanted, price_list, terms, today).total
    return Preview(
        before=current.selection,
        after=wanted,
        today=today,
        price_list_version=price_list.version,
        lines=lines,
        prorations=prorations,
        gross=gross,
        discount=discount,
        tax=tax,
        adjustment=adjustment,
        period=period,
        invoice_on=today if at_once else period.end,
        invoiced_today=adjustment + (carried if begins else zero) if at_once else zero,
        next_invoice=regular + (zero if begins else carried) + (zero if at_once else adjustment),
        per_year_before=_per_year(current.selection, price_list, terms, today),
        per_year_after=_per_year(wanted, price_list, terms, today),
        gained=_without(wanted.plan.features, current.selection.plan.features),
        lost=_without(current.selection.plan.features, wanted.plan.features),
    )


def _without(features: Sequence[Feature], known: Sequence[Feature]) -> tuple[Feature, ...]:
    return tuple(feature for feature in features if feature not in known)


def _kept(
    held: Sequence[PricedLine], before: Selection, after: Selection
) -> dict[LineKind, PricedLine]:
    """The lines whose price stays for the running period."""
    if before.cadence is not after.cadence:
        return {}
    same_plan = before.plan is after.plan
    return {line.kind: line for line in held if same_plan or line.kind is not LineKind.SEATS}


def _lines(
    selection: Selection,
    price_list: PriceList,
    today: date,
    kept: Mapping[LineKind, PricedLine] = MappingProxyType({}),
) -> Iterator[PricedLine]:
    for line in quote(selection, price_list, Terms(), today).lines:
        old = kept.get(line.kind)
        unit, version = (old.unit, old.version) if old else (line.unit, price_list.version)
        yield PricedLine(line.kind, line.quantity, unit, line.months, version)


def _prorations(
    before: Sequence[PricedLine],
    after: Sequence[PricedLine],
    running: Period,
    period: Period,
    today: date,
) -> Iterator[Proration]:
    """What is left of each line that ends, as a credit, and what is ahead of each that begins."""
    if running == period:
        ends = [line for line in before if not _is_in(line, after)]
        begins = [line for line in after if not _is_in(line, before)]
    else:
        ends, begins = list(before), list(after)
    for line in ends:
        yield _part(line, running, today, is_credit=True)
    for line in begins:
        yield _part(line, period, today, is_credit=False)


def _is_in(line: PricedLine, lines: Sequence[PricedLine]) -> bool:
    """Whether a line of the same price is there, whichever list it was priced by."""
    return any((line.kind, line.unit, line.quantity) == (x.kind, x.unit, x.quantity) for x in lines)


def _part(line: PricedLine, period: Period, today: date, *, is_credit: bool) -> Proration:
    elapsed = max((today - period.start).days, 0)
    days = period.days - elapsed
    part = prorate(line.amount, days, period.days, after=elapsed)
    return Proration(line, is_credit, days, period.days, -part if is_credit else part)


def rated(gross: Money, terms: Terms) -> tuple[RateLine | None, RateLine | None, Money]:
    """Discount, tax and total of a sum that may be a credit."""
    discount = tax = None
    if terms.discount_percent and gross:
        discount = RateLine(terms.discount_percent, -gross.percent(terms.discount_percent))
    subtotal = gross + discount.amount if discount else gross
    if terms.tax and subtotal:
        tax = RateLine(terms.tax.percent, subtotal.percent(terms.tax.percent), terms.tax.label)
    return discount, tax, subtotal + tax.amount if tax else subtotal


def _per_year(selection: Selection, price_list: PriceList, terms: Terms, today: date) -> Money:
    total = quote(selection, price_list, terms, today).total
    return total * (12 // selection.cadence.months)
