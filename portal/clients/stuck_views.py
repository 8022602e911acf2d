"""Stuck people: one list over all clients, its file, and what is done for several at once."""

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from flask import current_app, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user
from werkzeug.wrappers import Response

from portal.accounts.limits import limited
from portal.clients import reinviting, stuck, stuck_queries
from portal.clients.blueprint import bp
from portal.clients.stuck_listing import SORT, StuckListing
from portal.domain.access import Permission
from portal.extensions import db
from portal.web import csv
from portal.web.access import actor, requires
from portal.web.formats import instant
from portal.web.forms import sentence
from portal.web.fragments import respond
from portal.web.languages import zone
from portal.web.paging import CursorSigner, signer

Ids = list[uuid.UUID] | None


def _myself() -> str:
    return str(current_user.account_id)


SENDING = (("10 per minute", _myself), ("100 per day", _myself))


def _signer() -> CursorSigner:
    return signer(current_app.extensions["settings"].secret_keys, "stuck")


@bp.get("/providers/<uuid:provider_id>/stuck-people")
@requires(Permission.CLIENTS_READ)
def stuck_people(provider_id: uuid.UUID) -> Response:
    """One page of the list; a cursor that leads nowhere leads to the first page."""
    listing = StuckListing.read(request.args)
    signs, at = _signer(), request.args.get("at", "")
    cursor = signs.read(at, sort=SORT, descending=listing.youngest_first) if at else None
    page = None
    if cursor or not at:
        page = stuck_queries.page(db.session(), actor(), listing, cursor)
    if page is None or (at and not page.rows):
        return redirect(listing.address(_url("stuck_people", provider_id)), 303)
    shown = stuck.build(page, listing, actor(), provider_id, signs.write)
    return respond(
        "clients/stuck.html", "clients/_stuck.html", stuck=shown, provider_id=provider_id
    )


def _url(name: str, provider_id: uuid.UUID, **values: Any) -> str:
    return url_for(f"clients.{name}", provider_id=provider_id, **values)


@bp.get("/providers/<uuid:provider_id>/stuck-people.csv")
@requires(Permission.CLIENTS_READ)
def stuck_csv(provider_id: uuid.UUID) -> Response:
    """All that the filters leave, as a file."""
    listing = StuckListing.read(request.args)
    header = [
        _("Who"),
        _("Client"),
        _("Reason"),
        _("The mail server's answer"),
        _("Since (UTC)"),
        _("Days"),
        _("Link valid until (UTC)"),
    ]
    now = dt.datetime.now(dt.UTC)
    name = f"stuck-people-{now.astimezone(zone()).date()}.csv"
    return csv.download(name, header, _lines(listing, now))


def _lines(listing: StuckListing, now: dt.datetime) -> Iterator[list[csv.Cell]]:
    for row in stuck_queries.everybody(db.session(), actor(), listing):
        yield [
            row.label,
            row.client or "",
            stuck.reasons()[row.kind],
            row.reason,
            instant(row.since),
            (now - row.since).days,
            instant(row.due_at) if row.due_at else "",
        ]


@bp.get("/providers/<uuid:provider_id>/stuck-people/choose")
@requires(Permission.CLIENTS_READ)
def stuck_choose(provider_id: uuid.UUID) -> Response:
    """From the list to the page of what was chosen there; both take the same choice."""
    name = "stuck_confirm" if request.args.get("do") == "confirm" else "stuck_resend"
    choice = {key: request.args.getlist(key) for key in ("scope", "query", "id")}
    return redirect(_url(name, provider_id, **choice), 303)


def chosen() -> tuple[StuckListing, Ids]:
    """What stands in the address: all that a list leaves, or (with ids) those ticked."""
    listing = StuckListing.read(dict(parse_qsl(request.args.get("query", "")[:2000])))
    return listing, None if request.args.get("scope") == "all" else _ids(request.args.getlist("id"))


def _ids(values: list[str]) -> list[uuid.UUID]:
    """The ids among them; what is none is left out."""
    found = []
    for value in values:
        try:
            found.append(uuid.UUID(value))
        except ValueError:
            continue
    return found


@bp.get("/providers/<uuid:provider_id>/stuck-people/resend")
@requires(Permission.MEMBERS_INVITE)
def stuck_resend(provider_id: uuid.UUID) -> Response:
    """What sending again would come to, person by person. Nothing is sent."""
    listing, ids = chosen()
    wanted = reinviting.plan(db.session(), actor(), listing, ids)
    send = [each.row for each in wanted if each.refusal is None]
    body = render_template(
        "clients/stuck_resend.html",
        send=stuck.rows_of(send, actor()),
        refused=_refused(wanted),
        is_full=len(wanted) == reinviting.AT_ONCE,
        at_once=reinviting.AT_ONCE,
        provider_id=provider_id,
        back_url=listing.address(_url("stuck_people", provider_id)),
    )
    return make_response(body)


def _refused(wanted: Any) -> list[tuple[Any, str]]:
    found = [each for each in wanted if each.refusal is not None]
    rows = stuck.rows_of([each.row for each in found], actor())
    return [(row, sentence(each.refusal)) for row, each in zip(rows, found, strict=True)]


@bp.post("/providers/<uuid:provider_id>/stuck-people/resend")
@requires(Permission.MEMBERS_INVITE)
@limited(SENDING)
def stuck_resend_submit(provider_id: uuid.UUID) -> Response:
    """Send them; who accepted or was written to in the meantime is told apart."""
    ids = _ids(request.form.getlist("id"))
    wanted = reinviting.send(db.session(), actor(), ids)
    db.session.commit()
    sent = [each.row for each in wanted if each.refusal is None]
    body = render_template(
        "clients/stuck_result.html",
        title=ngettext(
            "%(num)s invitation is on its way", "%(num)s invitations are on their way", len(sent)
        ),
        sent=stuck.rows_of(sent, actor()),
        refused=_refused(wanted),
        back_url=_url("stuck_people", provider_id),
    )
    return make_response(body)
