"""The summary beside the form and the plan cards, as their templates show them."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from flask_babel import format_percent, ngettext
from flask_babel import gettext as _

from portal.billing.offer import Offer
from portal.billing.payment import method_named
from portal.domain.emails import shown
from portal.domain.errors import RuleError
from portal.domain.new_client import ClientOrder
from portal.domain.plans import Cadence, Plan
from portal.domain.pricing import LineKind, PriceLine, PriceList, Quote
from portal.web.formats import money, number
from portal.web.forms import sentence


@dataclass(frozen=True)
class Line:
    """One amount; `detail` is the sum behind it."""

    label: str
    detail: str
    amount: str


@dataclass(frozen=True)
class Card:
    """A plan as its card shows it, priced for the chosen cadence."""

    price: str
    per: str
    includes: tuple[str, ...]
    adds: str = ""


@dataclass(frozen=True)
class Summary:
    """What `clients/_summary.html` shows. `counted_as` names fields that could not be priced."""

    url: str
    lines: tuple[Line, ...]
    total_label: str
    total: str
    due_today: str
    notes: tuple[str, ...]
    invited: str
    counted_as: str


def summary(
    url: str, offer: Offer, order: ClientOrder, *, unread: set[str], invited: str
) -> Summary:
    """The price of what is typed so far. `unread` names fields whose text is no number."""
    quote, wrong = offer.quote(order)
    annual = quote.months != 1
    return Summary(
        url=url,
        lines=tuple(_lines(quote)),
        total_label=_("Total per year") if annual else _("Total per month"),
        total=money(quote.total),
        due_today=money(quote.due_today),
        notes=tuple(_notes(order, quote)),
        invited=_("An invitation goes to %(address)s.", address=shown(invited)) if invited else "",
        counted_as=_("Until it is corrected, what could not be read counts as the usual choice.")
        if wrong | unread
        else "",
    )


def _lines(quote: Quote) -> list[Line]:
    lines = [_line(quote, line) for line in quote.lines]
    if quote.discount:
        percent = percent_of(quote.discount.percent)
        lines.append(Line(_("Discount"), percent, money(quote.discount.amount)))
    if quote.tax:
        lines.append(Line(quote.tax.label, percent_of(quote.tax.percent), money(quote.tax.amount)))
    return lines


def _line(quote: Quote, line: PriceLine) -> Line:
    sums = {"quantity": number(line.quantity), "price": money(line.unit), "months": line.months}
    if line.months == 1:
        detail = _("%(quantity)s × %(price)s", **sums)  # noqa: RUF001 - times
    else:
        detail = _("%(quantity)s × %(price)s × %(months)s months", **sums)  # noqa: RUF001
    return Line(_line_label(quote, line), detail, money(line.amount))


def _line_label(quote: Quote, line: PriceLine) -> str:
    if line.kind is not LineKind.SEATS:
        return str(_("Additional storage"))
    return seats_of(quote.selection.plan, line.quantity)


def seats_of(plan: Plan, seats: int) -> str:
    """`Teams, 10 seats`."""
    label: str = ngettext(
        "%(plan)s, %(count)s seat",
        "%(plan)s, %(count)s seats",
        seats,
        plan=_(plan.label),
        count=number(seats),
    )
    return label


def percent_of(percent: Decimal) -> str:
    return str(format_percent(percent / 100, "#,##0.##%"))


def _notes(order: ClientOrder, quote: Quote) -> list[str]:
    notes = []
    method = method_named(order.payment) or method_named("invoice")
    if method:
        try:
            notes.append(sentence(method.begin(order, quote).note))
        except RuleError as error:
            notes.append(sentence(error.text))
    return notes + _growth(quote)


def _growth(quote: Quote) -> list[str]:
    """What seats that are added by themselves would cost."""
    if quote.added_seat is None:
        return [_("Seats are never added automatically.")]
    price = money(quote.added_seat)
    if quote.months == 1:
        added = _("Each added seat costs %(price)s per month.", price=price)
    else:
        added = _("Each added seat costs %(price)s per year.", price=price)
    if quote.largest is None:
        return [added, _("There is no seat limit.")]
    limit = number(quote.selection.seat_limit or quote.selection.seats)
    most = _(
        "With all %(limit)s seats, a bill is %(price)s.", limit=limit, price=money(quote.largest)
    )
    return [added, most]


def cards(prices: PriceList, cadence: Cadence) -> Mapping[str, Card]:
    """The plan cards by plan, at what a seat costs for one month at that cadence."""
    return {
        plan.value: Card(
            price=money(prices.seat(plan, cadence)),
            per=_("per seat and month"),
            includes=_includes(plan),
        )
        for plan in Plan
    }


def _includes(plan: Plan) -> tuple[str, ...]:
    smaller = [other for other in Plan if other.rank == plan.rank - 1]
    everything = [_("Everything in %(plan)s", plan=_(other.label)) for other in smaller]
    features = [str(_(feature.label)) for feature in plan.added_features]
    return (*everything, *features, _("Premium features for every member"))
