"""A provider's billing: its terms, what is due next, and a line for each client."""

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, current_app, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from portal.domain.access import Permission
from portal.domain.plans import Cadence, Plan
from portal.domain.pricing import LineKind
from portal.extensions import db
from portal.invoicing import organization_views, page, queries
from portal.invoicing.blueprint import bp
from portal.invoicing.current import the_tariff
from portal.invoicing.forecast import DAYS, outlook
from portal.invoicing.listing import Listing
from portal.invoicing.tariff import Bill, Tariff, billed
from portal.web import csv
from portal.web.access import requires
from portal.web.fragments import respond, wants
from portal.web.paging import CursorSigner, signer

__all__ = ["bp", "organization_views"]
LINES = "invoicing/_lines.html"


def _signer() -> CursorSigner:
    return signer(current_app.extensions["settings"].secret_keys, "billing")


@bp.get("/providers/<uuid:provider_id>/billing")
@requires(Permission.BILLING_READ)
def provider_billing(provider_id: uuid.UUID) -> AnyResponse:
    """The whole page, or one page of its lines alone."""
    listing = Listing.read(request.args)
    at = request.args.get("at", "")
    signs = _signer()
    cursor = signs.read(at, sort=listing.sort, descending=listing.descending) if at else None
    found = None
    if cursor or not at:
        found = queries.lines_page(db.session(), provider_id, listing, cursor)
    url = url_for("invoicing.provider_billing", provider_id=provider_id)
    if found is None or (at and not found.rows):
        return redirect(page.address(url, listing), 303)
    provider, rates = queries.provider(db.session(), provider_id), the_tariff()
    zone = ZoneInfo(provider.time_zone)
    today = dt.datetime.now(zone).date()
    lines = page.lines(
        found,
        listing,
        url=url,
        csv_url=url_for("invoicing.provider_billing_csv", provider_id=provider_id),
        total=provider.clients_count,
        rows=page.line_rows(found.rows, rates, _held(provider_id, found.rows), today, zone),
        write_cursor=signs.write,
    )
    more = {} if wants(LINES) else _ahead(provider_id, provider, rates, today, zone)
    return respond("invoicing/index.html", LINES, lines=lines, provider_id=provider_id, **more)


def _ahead(
    provider_id: uuid.UUID, provider: Any, rates: Tariff, today: dt.date, zone: ZoneInfo
) -> dict[str, Any]:
    """All that the page shows above its lines."""
    ahead = outlook(db.session(), provider_id, rates, today, zone)
    return {
        "details": page.details(provider, rates),
        "plans": page.plan_rows(ahead),
        "dues": page.dues(ahead),
        "days": DAYS,
    }


def _held(provider_id: uuid.UUID, rows: Iterable[Any]) -> Mapping[uuid.UUID, list[Any]]:
    """The stored lines of clients in another currency than the price list's."""
    ids = [row.id for row in rows if row.currency != the_tariff().currency]
    return page.by_client(queries.lines_of(db.session(), provider_id, ids)) if ids else {}


@bp.get("/providers/<uuid:provider_id>/billing.csv")
@requires(Permission.BILLING_READ)
def provider_billing_csv(provider_id: uuid.UUID) -> Response:
    """All the lines that the words leave, as a file."""
    header = [
        _("Client"),
        _("Plan"),
        _("Billing cadence"),
        _("Currency"),
        _("Seats"),
        _("Seat price per month"),
        _("Additional storage (GB)"),
        _("Price of a GB per month"),
        _("Months"),
        _("Subtotal before discount"),
        _("Discount"),
        _("Tax"),
        _("Changes"),
        _("Next invoice"),
        _("Amount"),
    ]
    provider = queries.provider(db.session(), provider_id)
    zone = ZoneInfo(provider.time_zone)
    today = dt.datetime.now(zone).date()
    rows = _cells(provider_id, Listing.read(request.args), today, zone)
    return csv.download(f"billing-{today}.csv", header, rows)


def _cells(
    provider_id: uuid.UUID, listing: Listing, today: dt.date, zone: ZoneInfo
) -> Iterator[list[csv.Cell]]:
    rates = the_tariff()
    names = {kind.value: _(kind.label) for kind in (*Plan, *Cadence)}
    for rows in queries.all_lines(db.session(), provider_id, listing):
        held = _held(provider_id, rows)
        for row in rows:
            bill = rates.bill(row, held.get(row.id, ()))
            coming = billed(row, bill.rated.total, zone).next(today)
            yield [
                row.name,
                names[row.plan],
                names[row.cadence],
                row.currency,
                *_amounts(row, bill),
                (coming.amount - bill.rated.total).amount if coming else "",
                coming.day.isoformat() if coming else "",
                coming.amount.amount if coming else "",
            ]


def _amounts(row: Any, bill: Bill) -> Iterator[csv.Cell]:
    """What a whole period is made of."""
    units = {line.kind: line.unit.amount for line in bill.lines}
    yield row.seats
    yield units.get(LineKind.SEATS, "")
    yield row.extra_storage_gb
    yield units.get(LineKind.STORAGE, "")
    yield Cadence(row.cadence).months
    yield bill.rated.gross.amount
    for rate in (bill.rated.discount, bill.rated.tax):
        yield rate.amount.amount if rate else ""
