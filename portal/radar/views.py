"""The expiry radar, and its file."""

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

from flask import Response, abort, current_app, redirect, request
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from portal.domain.access import Permission
from portal.domain.expiries import days_left
from portal.extensions import db
from portal.radar import calendar_views, digest_views, page, people, queries
from portal.radar.blueprint import bp
from portal.radar.listing import Listing
from portal.radar.words import kind_label, thing
from portal.web import csv
from portal.web.access import requires
from portal.web.formats import instant
from portal.web.fragments import respond
from portal.web.languages import zone
from portal.web.paging import CursorSigner, signer

__all__ = ["bp", "calendar_views", "digest_views"]
TABLE = "radar/_table.html"


def _signer() -> CursorSigner:
    return signer(current_app.extensions["settings"].secret_keys, "radar")


def myself(provider_id: uuid.UUID) -> Any:
    """The row of the person who is signed in; 404 for somebody whose access has just ended."""
    found = people.person(db.session(), provider_id, current_user.place.person_id)
    if found is None:
        abort(404)
    return found


@bp.get("/providers/<uuid:provider_id>/expiries")
@requires(Permission.CLIENTS_READ)
def index(provider_id: uuid.UUID) -> AnyResponse:
    """One page of what ends; a cursor that leads nowhere leads to the first page."""
    listing, here = Listing.read(request.args), zone()
    now, me = dt.datetime.now(dt.UTC), myself(provider_id)
    at = request.args.get("at", "")
    cursor = _signer().read(at, sort=queries.SORT, descending=False) if at else None
    reader = people.reader_of(me)
    found = None
    if cursor or not at:
        found = queries.page(db.session(), reader, listing, cursor, now, here)
    if found is None or (at and not found.rows):
        return redirect(page.address(request.path, listing), 303)
    table = page.build(
        found,
        queries.counts(db.session(), reader, listing.kind, now, here),
        listing,
        provider_id=provider_id,
        now=now,
        zone=here,
        write_cursor=_signer().write,
    )
    return respond(
        "radar/index.html",
        TABLE,
        table=table,
        provider_id=provider_id,
        wants_digest=me.wants_digest,
        has_calendar=me.calendar_token_hash is not None,
    )


@bp.get("/providers/<uuid:provider_id>/expiries.csv")
@requires(Permission.CLIENTS_READ)
def download(provider_id: uuid.UUID) -> Response:
    """All that the filters leave, as a file."""
    header = [_("Type"), _("What"), _("Client"), _("Ends (UTC)"), _("Days")]
    today = dt.datetime.now(dt.UTC).astimezone(zone()).date()
    rows = _lines(people.reader_of(myself(provider_id)), Listing.read(request.args))
    return csv.download(f"expiries-{today}.csv", header, rows)


def _lines(reader: queries.Reader, listing: Listing) -> Iterator[list[csv.Cell]]:
    now, here = dt.datetime.now(dt.UTC), zone()
    for row in queries.everything(db.session(), reader, listing, now, here):
        yield [
            kind_label(row.kind),
            thing(row.kind, row.label),
            row.client or "",
            instant(row.due_at),
            days_left(row.due_at, now, here),
        ]
