"""What an organization's billing page shows: who pays, for what, and when next."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from portal.clients.effect import growth_of
from portal.clients.summary import Line, percent_of, seats_of
from portal.domain.invoices import Invoice
from portal.domain.periods import running_period
from portal.domain.plans import Cadence, Plan
from portal.domain.pricing import LineKind, PriceLine, Selection
from portal.invoicing.page import address_of, payment_of, sum_of
from portal.invoicing.queries import ADDRESS
from portal.invoicing.tariff import Bill, Tariff, billed
from portal.web.formats import day, money, number


@dataclass(frozen=True)
class OrganizationBilling:
    """What `invoicing/organization.html` shows. `coming` is the next invoice, or None."""

    who: str
    about: str
    ask: str
    facts: tuple[tuple[str, str], ...]
    lines: tuple[Line, ...]
    next_day: str
    total: str


def build(
    row: Any, stored: Sequence[Any], tariff: Tariff, now: dt.datetime, *, admins: Sequence[str]
) -> OrganizationBilling:
    """The page for a row of `organization_queries.subscription`; `admins` are the provider's."""
    zone = ZoneInfo(row.provider_time_zone or "UTC")
    today = now.astimezone(zone).date()
    bill = tariff.bill(row, stored)
    terms = billed(row, bill.rated.total, zone)
    coming = terms.next(today)
    running = running_period(terms.period, terms.months, today)
    who, about = _payer(row, running.end)
    return OrganizationBilling(
        who=who,
        about=about,
        ask=_ask(row, admins),
        facts=(
            *_ordered(row),
            (
                _("Running period"),
                _("%(start)s to %(end)s", start=day(running.start), end=day(running.end)),
            ),
            (_("Invoices go to"), row.billing_email),
            (_("Name and address"), ", ".join(filter(None, [row.billing_name, address_of(row)]))),
            (_("VAT number"), row.vat_number or _("Not entered")),
            (_("Purchase-order number"), row.purchase_order or _("Not entered")),
            (_("Payment"), payment_of(row)),
        ),
        lines=tuple(_lines(row, bill, coming)) if coming else (),
        next_day=day(coming.day) if coming else "",
        total=money(coming.amount) if coming else "",
    )


def _payer(row: Any, end: dt.date) -> tuple[str, str]:
    if row.provider_id is None:
        text = _(
            "No provider looks after this organization. Its running period ends on %(day)s; from "
            "then on it is invoiced in its own name, at list price.",
            day=day(end),
        )
        return _("%(name)s pays", name=row.billing_name or row.name), text
    provider = row.provider_name
    if all(getattr(row, name) == getattr(row, f"provider_{name}") for name in ADDRESS):
        text = _(
            "The invoices carry the name and address of the provider, %(provider)s.",
            provider=provider,
        )
        return _("%(name)s pays", name=provider), text
    text = _(
        "The invoices carry a name and address of their own, not those of %(provider)s.",
        provider=provider,
    )
    return _("%(name)s pays", name=row.billing_name or row.name), text


def _ask(row: Any, admins: Sequence[str]) -> str:
    if row.provider_id is None:
        return str(_("To change the plan, the seats or the address, ask whoever runs this portal."))
    names = {"provider": row.provider_name, "admins": ", ".join(admins)}
    if not admins:
        return str(_("To change the plan, the seats or who pays, ask %(provider)s.", **names))
    return str(
        _("To change the plan, the seats or who pays, ask %(provider)s: %(admins)s.", **names)
    )


def _ordered(row: Any) -> Iterator[tuple[str, str]]:
    chosen = Selection(
        Plan(row.plan),
        row.seats,
        Cadence(row.cadence),
        row.extra_storage_gb,
        row.seats_grow,
        row.seat_limit,
    )
    yield _("Plan"), _(chosen.plan.label)
    yield (
        _("Seats"),
        _(
            "%(assigned)s assigned, %(used)s used, %(remaining)s remaining",
            assigned=number(row.seats),
            used=number(row.seats_used),
            remaining=number(row.seats - row.seats_used),
        ),
    )
    yield _("Added seats"), growth_of(chosen)
    yield _("Additional storage"), _("%(count)s GB", count=number(row.extra_storage_gb))
    yield _("Billing cadence"), _(chosen.cadence.label)


def _lines(row: Any, bill: Bill, coming: Invoice) -> Iterator[Line]:
    for line in bill.lines:
        yield Line(_label(row, line), sum_of(line), money(line.amount))
    discount, tax, waiting = bill.rated.discount, bill.rated.tax, coming.amount - bill.rated.total
    if discount:
        yield Line(_("Discount"), percent_of(discount.percent), money(discount.amount))
    if tax:
        yield Line(tax.label, percent_of(tax.percent), money(tax.amount))
    if waiting:
        yield Line(_("Changes in the running period"), "", money(waiting))


def _label(row: Any, line: PriceLine) -> str:
    if line.kind is LineKind.SEATS:
        return seats_of(Plan(row.plan), line.quantity)
    return str(_("Additional storage"))
