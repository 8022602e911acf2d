"""The Clients table, its file, and a client's actions."""

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Response, g, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from portal.clients import (
    annotation_views,
    baseline_views,
    bulk_views,
    import_views,
    keys_views,
    lifecycle_views,
    link_views,
    manage_views,
    new_views,
    queries,
    reach_views,
    seat_request_views,
    stuck_confirm_views,
    stuck_views,
    subscription_views,
    table,
    table_page,
    tag_views,
    view_views,
)
from portal.clients.blueprint import bp
from portal.clients.listing import Listing, Sort
from portal.clients.mark_queries import Marks
from portal.clients.table_page import FRAGMENT, PAGE
from portal.domain.access import Permission
from portal.domain.plans import Plan
from portal.domain.states import ClientStatus
from portal.domain.tags import read
from portal.extensions import db
from portal.providers import waiting
from portal.web import csv
from portal.web.access import actor, requires
from portal.web.fragments import respond, wants
from portal.web.languages import zone

__all__ = [
    "annotation_views",
    "baseline_views",
    "bp",
    "bulk_views",
    "import_views",
    "keys_views",
    "lifecycle_views",
    "link_views",
    "manage_views",
    "new_views",
    "reach_views",
    "seat_request_views",
    "stuck_confirm_views",
    "stuck_views",
    "subscription_views",
    "tag_views",
    "view_views",
]


@bp.get("/providers/<uuid:provider_id>/clients")
@requires(Permission.CLIENTS_READ)
def index(provider_id: uuid.UUID) -> AnyResponse:
    """One page of the table; a cursor that leads nowhere leads to the first page.

    `view` names a saved view: the answer leads to what it stands for.
    """
    if "view" in request.args:
        return redirect(_viewed(provider_id), 303)
    marks = table_page.marks_of(provider_id)
    listing = marks.known(Listing.read(request.args))
    at = request.args.get("at", "")
    # What the frame counts comes along; a fragment has no frame.
    counted = None if wants(FRAGMENT) else waiting.wanted(actor())
    if at:
        page = table_page.rows_at(listing, at, counted)
    else:
        page = table_page.first_rows(listing, counted)
    if page is None:
        url = url_for("clients.index", provider_id=provider_id)
        return redirect(table.address(url, listing), 303)
    if counted and page.rows:
        g.waiting = waiting.given(page.rows[0])
    # Beside this page, and a third of its bytes less than in full.
    view = table_page.shown(page, listing, marks, url="clients", at=at)
    limited = actor().scope.is_limited
    return respond(PAGE, FRAGMENT, table=view, provider_id=provider_id, is_limited=limited)


def _viewed(provider_id: uuid.UUID) -> str:
    """Where a saved view leads; one that is not there leads to all clients."""
    url = url_for("clients.index", provider_id=provider_id)
    wanted = request.args["view"]
    views = {view.id.hex: view for view in table_page.marks_of(provider_id).views}
    found = views.get(wanted.replace("-", "").lower())
    return f"{url}?{found.query}" if found else url


@bp.get("/providers/<uuid:provider_id>/clients.csv")
@requires(Permission.CLIENTS_READ)
def download(provider_id: uuid.UUID) -> Response:
    """All the clients that the filters leave, as a file."""
    marks = table_page.marks_of(provider_id)
    listing = marks.known(Listing.read(request.args))
    columns = table.column_labels()
    header = [
        _("Client"),
        _("Status"),
        columns[Sort.PLAN],
        columns[Sort.ASSIGNED],
        columns[Sort.USED],
        columns[Sort.REMAINING],
        # Two columns: a spreadsheet takes 3/6 for a day in March or June.
        _("Set-up steps done"),
        _("Set-up steps"),
        _("Owner confirmed"),
        _("Has keys"),
        _("Tags"),
        _("External reference"),
        _("Baseline"),
        _("Deviates from baseline"),
    ]
    today = dt.datetime.now(dt.UTC).astimezone(zone()).date()
    return csv.download(f"clients-{today}.csv", header, _lines(listing, marks))


def _deviation(row: Any, answers: Mapping[bool, str]) -> str:
    """Nothing without a baseline, nor of a client whose owners are asked before anybody looks."""
    return answers[row.deviates] if row.baseline and not row.access else ""


def _lines(listing: Listing, marks: Marks) -> Iterator[list[csv.Cell]]:
    answers = {True: _("Yes"), False: _("No")}
    plans = {plan.value: _(plan.label) for plan in Plan}
    statuses = {status.value: _(status.label) for status in ClientStatus}
    for row in queries.all_clients(db.session(), actor().scope, listing):
        yield [
            row.name,
            statuses[row.status],
            plans[row.plan],
            row.seats,
            row.seats_used,
            row.seats_remaining,
            row.setup_done,
            row.setup_total,
            answers[row.owner_confirmed],
            answers[row.has_keys],
            ", ".join(tag.name for tag in marks.tags.values() if tag.id in read(row.tags_shown)),
            row.external_reference,
            row.baseline or "",
            _deviation(row, answers),
        ]
