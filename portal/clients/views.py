"""The Clients table, its file, and a client's actions."""

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Response, current_app, g, redirect, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
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
    mark_queries,
    new_views,
    queries,
    reach_views,
    seat_request_views,
    stuck_confirm_views,
    stuck_views,
    subscription_views,
    table,
    tag_views,
    view_views,
)
from portal.clients.blueprint import bp
from portal.clients.listing import Listing, Sort
from portal.clients.mark_queries import Marks
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
from portal.web.paging import CursorSigner, signer

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
TABLE = "clients/_table.html"


def _signer() -> CursorSigner:
    return signer(current_app.extensions["settings"].secret_keys, "clients")


@bp.get("/providers/<uuid:provider_id>/clients")
@requires(Permission.CLIENTS_READ)
def index(provider_id: uuid.UUID) -> AnyResponse:
    """One page of the table; a cursor that leads nowhere leads to the first page.

    `view` names a saved view: the answer leads to what it stands for.
    """
    if "view" in request.args:
        return redirect(_viewed(provider_id), 303)
    marks = _marks(provider_id)
    listing = marks.known(Listing.read(request.args))
    signs = _signer()
    at = request.args.get("at", "")
    cursor = signs.read(at, sort=listing.sort, descending=listing.descending) if at else None
    page = None
    # What the frame counts comes along; a fragment has no frame.
    counted = None if wants(TABLE) else waiting.wanted(actor())
    if cursor or not at:
        page = queries.clients_page(db.session(), actor().scope, listing, cursor, counted)
    if page is None or (at and not page.rows):
        url = url_for("clients.index", provider_id=provider_id)
        return redirect(table.address(url, listing), 303)
    if counted and page.rows:
        g.waiting = waiting.given(page.rows[0])
    view = table.build(
        page,
        listing,
        # Beside this page, and a third of its bytes less than in full.
        url="clients",
        csv_url="clients.csv",
        marks=marks,
        total=current_user.place.clients_count if actor().scope.is_whole else None,
        write_cursor=signs.write,
    )
    limited = actor().scope.is_limited
    return respond(
        "clients/index.html", TABLE, table=view, provider_id=provider_id, is_limited=limited
    )


def _marks(provider_id: uuid.UUID) -> Marks:
    return mark_queries.marks(db.session(), provider_id, actor().account_id)


def _viewed(provider_id: uuid.UUID) -> str:
    """Where a saved view leads; one that is not there leads to all clients."""
    url = url_for("clients.index", provider_id=provider_id)
    wanted = request.args["view"]
    views = {view.id.hex: view for view in _marks(provider_id).views}
    found = views.get(wanted.replace("-", "").lower())
    return f"{url}?{found.query}" if found else url


@bp.get("/providers/<uuid:provider_id>/clients.csv")
@requires(Permission.CLIENTS_READ)
def download(provider_id: uuid.UUID) -> Response:
    """All the clients that the filters leave, as a file."""
    marks = _marks(provider_id)
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
