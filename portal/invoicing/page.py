"""What the templates of a provider's billing show: every text and address made once."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from babel import Locale
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _

from portal.clients.summary import percent_of
from portal.domain.invoices import Forecast
from portal.domain.money import Money
from portal.domain.paging import Cursor, Page
from portal.domain.plans import Cadence, Plan
from portal.domain.pricing import LineKind, PriceLine
from portal.domain.states import ClientStatus
from portal.invoicing.forecast import Outlook
from portal.invoicing.listing import Listing, Sort
from portal.invoicing.queries import COUNTED
from portal.invoicing.tariff import Bill, Tariff, billed
from portal.web.charts import Bar, bar
from portal.web.formats import day, money, number


@dataclass(frozen=True)
class PlanRow:
    """The seats of all clients of one plan; `shape` draws the used ones of the assigned."""

    label: str
    clients: str
    assigned: str
    used: str
    remaining: str
    shape: Bar


@dataclass(frozen=True)
class Due:
    """The invoices of the next days in one currency. `rows` are (day, invoices, amount)."""

    rows: tuple[tuple[str, str, str], ...]
    invoices: str
    total: str
    per_year: str


@dataclass(frozen=True)
class LineRow:
    """What one client is invoiced next. `notes` are amounts within it that are no lines."""

    id: uuid.UUID
    name: str
    tag: str
    tone: str
    plan: str
    cadence: str
    seats: str
    storage: str
    next_day: str
    amount: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Header:
    """A column; `direction` is how it is sorted now, `url` is empty where it cannot be."""

    name: str
    label: str
    url: str
    direction: str
    numeric: bool


@dataclass(frozen=True)
class Lines:
    """What `invoicing/_lines.html` shows."""

    url: str
    csv_url: str
    search: str
    order: str
    headers: tuple[Header, ...]
    labels: dict[str, str]
    rows: tuple[LineRow, ...]
    count: str
    previous_url: str | None
    next_url: str | None


def plan_rows(outlook: Outlook) -> list[PlanRow]:
    """The plans, the smallest first."""
    longest = max((seats.assigned for seats in outlook.plans.values()), default=0)
    return [
        PlanRow(
            _(Plan(plan).label),
            number(seats.clients),
            number(seats.assigned),
            number(seats.used),
            number(seats.assigned - seats.used),
            bar(seats.assigned, seats.used, longest),
        )
        for plan, seats in outlook.plans.items()
    ]


def dues(outlook: Outlook) -> list[Due]:
    """One for each currency that a client has."""
    found = [each for each in outlook.forecasts.values() if each.clients]
    return [due(each) for each in found or list(outlook.forecasts.values())[:1]]


def due(forecast: Forecast) -> Due:
    """A forecast in words."""
    return Due(
        tuple((day(at), number(count), money(sum_)) for at, count, sum_ in forecast.by_day()),
        number(forecast.invoices),
        money(forecast.due),
        money(forecast.per_year),
    )


def details(provider: Any, tariff: Tariff) -> list[tuple[str, str]]:
    """The provider's billing details and what was agreed with it."""
    return [
        (_("Business name"), provider.billing_name or _("Not entered")),
        (_("Address"), address_of(provider) or _("Not entered")),
        (_("VAT number"), provider.vat_number or _("Not entered")),
        (_("Billing e-mail"), provider.billing_email or _("Not entered")),
        (_("Discount"), percent(provider.discount_basis_points) or _("No discount")),
        (_("Tax"), tax_of(provider) or _("No tax")),
        (_("Payment"), payment_of(provider)),
        (_("Price list"), tariff.prices.version),
    ]


def address_of(row: Any) -> str:
    """A billing address in one line, without the name."""
    locale = get_locale() or Locale.parse("en")
    locality = f"{row.postal_code} {row.city}".strip()
    country = str(locale.territories.get(row.country, row.country))
    return ", ".join(filter(None, [row.address_line1, row.address_line2, locality, country]))


def percent(basis_points: int) -> str:
    """`12.5%`; empty for none."""
    return percent_of(Money(basis_points, "USD").amount) if basis_points else ""


def tax_of(row: Any) -> str:
    """`VAT 20%`; empty for none."""
    if not row.tax_basis_points:
        return ""
    return f"{row.tax_label} {percent(row.tax_basis_points)}"


def payment_of(row: Any) -> str:
    """How invoices are paid, and within which time."""
    text: str = ngettext(
        "By invoice, payable within %(count)s day",
        "By invoice, payable within %(count)s days",
        row.net_days,
        count=row.net_days,
    )
    return text


def lines(
    page: Page[Any],
    listing: Listing,
    *,
    url: str,
    csv_url: str,
    total: int,
    rows: Iterable[LineRow],
    write_cursor: Callable[[Cursor], str],
) -> Lines:
    """The table of one page; `total` is the provider's number of clients."""

    def beside(cursor: Cursor | None) -> str | None:
        return address(url, listing, at=write_cursor(cursor)) if cursor else None

    headers = _headers(url, listing)
    query = listing.query()
    return Lines(
        url=url,
        csv_url=address(csv_url, listing),
        search=listing.search,
        order=query.get("sort", ""),
        headers=headers,
        labels={header.name: header.label for header in headers},
        rows=tuple(rows),
        count=_count(listing, page, total),
        previous_url=beside(page.previous),
        next_url=beside(page.next),
    )


def address(url: str, listing: Listing, **more: str) -> str:
    """The address of `listing` under `url`."""
    query = listing.query() | more
    return f"{url}?{urlencode(query)}" if query else url


def _headers(url: str, listing: Listing) -> tuple[Header, ...]:
    now = "descending" if listing.descending else "ascending"
    named = (
        ("name", _("Client"), Sort.NAME),
        ("plan", _("Plan"), Sort.PLAN),
        ("seats", _("Seats"), Sort.SEATS),
        ("storage", _("Additional storage"), None),
        ("next", _("Next invoice"), None),
        ("amount", _("Amount"), None),
    )
    return tuple(
        Header(
            name,
            label,
            address(url, listing.by(sort)) if sort else "",
            now if sort is listing.sort else "",
            name not in {"name", "plan"},
        )
        for name, label, sort in named
    )


def _count(listing: Listing, page: Page[Any], total: int) -> str:
    if not listing.search:
        alone: str = ngettext("%(count)s client", "%(count)s clients", total, count=number(total))
        return alone
    found = (page.rows[0].found or 0) if page.rows else 0
    text: str = ngettext(
        "%(found)s of %(total)s client",
        "%(found)s of %(total)s clients",
        total,
        found=f"{number(COUNTED)}+" if found > COUNTED else number(found),
        total=number(total),
    )
    return text


def line_rows(
    found: Iterable[Any],
    tariff: Tariff,
    held: Mapping[uuid.UUID, list[Any]],
    today: dt.date,
    zone: ZoneInfo,
) -> Iterator[LineRow]:
    """The rows of `queries.lines_page`; `held` has the stored lines of those that need them."""
    for row in found:
        bill = tariff.bill(row, held.get(row.id, ()))
        coming = billed(row, bill.rated.total, zone).next(today)
        status = ClientStatus(row.status)
        yield LineRow(
            id=row.id,
            name=row.name,
            tag="" if status is ClientStatus.ACTIVE else _(status.label),
            tone="bad" if status is ClientStatus.DELETING else "warn",
            plan=_(Plan(row.plan).label),
            cadence=_(Cadence(row.cadence).label),
            seats=_sum_of(bill, LineKind.SEATS),
            storage=_sum_of(bill, LineKind.STORAGE),
            next_day=day(coming.day) if coming else str(_("No invoice")),
            amount=money(coming.amount) if coming else "",
            notes=tuple(notes(bill, coming.amount - bill.rated.total)) if coming else (),
        )


def _sum_of(bill: Bill, kind: LineKind) -> str:
    return "".join(sum_of(line) for line in bill.lines if line.kind is kind)


def sum_of(line: PriceLine) -> str:
    """The number of pieces times the price of one, for a year times its months."""
    sums = {"quantity": number(line.quantity), "price": money(line.unit), "months": line.months}
    if line.months == 1:
        return str(_("%(quantity)s × %(price)s", **sums))  # noqa: RUF001 - times
    return str(_("%(quantity)s × %(price)s × %(months)s months", **sums))  # noqa: RUF001


def notes(bill: Bill, waiting: Money) -> Iterator[str]:
    """Discount, tax and what changes have left, where there are any."""
    discount, tax = bill.rated.discount, bill.rated.tax
    if discount:
        yield _("Discount %(amount)s", amount=money(discount.amount))
    if tax:
        # The operator's own word for the tax stands before its amount.
        yield f"{tax.label} {money(tax.amount)}"
    if waiting:
        yield _("Changes %(amount)s", amount=money(waiting))


def by_client(stored: Iterable[Any]) -> dict[uuid.UUID, list[Any]]:
    """Rows of `queries.lines_of`, by their client."""
    found: dict[uuid.UUID, list[Any]] = defaultdict(list)
    for line in stored:
        found[line.organization_id].append(line)
    return found
