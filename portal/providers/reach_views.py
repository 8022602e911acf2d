"""Whom a person can reach, or could on any past day, and why."""

import uuid
from collections.abc import Iterator
from typing import Any

from flask import Response as FlaskResponse
from flask import abort, current_app, make_response, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.domain.access import Permission
from portal.domain.paging import Cursor
from portal.extensions import db
from portal.providers import people, queries, scope_queries
from portal.providers.blueprint import bp
from portal.providers.reach_words import AsOf, as_of, why
from portal.providers.scope_queries import BY_NAME
from portal.web import csv
from portal.web.access import actor, requires
from portal.web.formats import instant, moment
from portal.web.paging import CursorSigner, signer

BATCH = 500


@bp.get("/providers/<uuid:provider_id>/people/<uuid:person_id>/clients")
@requires(Permission.PROVIDER_PEOPLE_READ)
def person_clients(provider_id: uuid.UUID, person_id: uuid.UUID) -> Response:
    """A page of the clients, by name."""
    found, day = _person(provider_id, person_id), as_of()
    signs = _signer()
    at = request.args.get("at", "")
    cursor = signs.read(at, sort=BY_NAME, descending=False) if at else None
    term = scope_queries.term_at(db.session(), provider_id, person_id, day.at)
    page = None
    if term:
        page = scope_queries.reached_by(db.session(), provider_id, person_id, term, day.at, cursor)
    here: dict[str, Any] = {"provider_id": provider_id, "person_id": person_id, "day": day.day}

    def beside(cursor: Cursor | None) -> str | None:
        place = signs.write(cursor) if cursor else None
        return url_for("providers.person_clients", **here, at=place) if place else None

    body = render_template(
        "providers/person_clients.html",
        row=people.row_of(found, actor()),
        day=day,
        term=_term_words(term),
        clients=[_told(provider_id, client) for client in (page.rows if page else [])],
        previous_url=beside(page.previous) if page else None,
        next_url=beside(page.next) if page else None,
        csv_url=url_for("providers.person_clients_csv", **here),
    )
    return make_response(body)


@bp.get("/providers/<uuid:provider_id>/people/<uuid:person_id>/clients.csv")
@requires(Permission.PROVIDER_PEOPLE_READ)
def person_clients_csv(provider_id: uuid.UUID, person_id: uuid.UUID) -> FlaskResponse:
    """All of them, as a file."""
    _person(provider_id, person_id)
    day = as_of()
    header = [_("Client"), _("Why"), _("Since (UTC)")]
    return csv.download(f"reach-{day.day}.csv", header, _lines(provider_id, person_id, day))


def _lines(provider_id: uuid.UUID, person_id: uuid.UUID, day: AsOf) -> Iterator[list[csv.Cell]]:
    session = db.session()
    term = scope_queries.term_at(session, provider_id, person_id, day.at)
    cursor: Cursor | None = None
    while term:
        page = scope_queries.reached_by(
            session, provider_id, person_id, term, day.at, cursor, size=BATCH
        )
        for client in page.rows:
            since = instant(client.since) if client.since else ""
            yield [client.name, why(client.because, client.tag_name), since]
        cursor = page.next
        if cursor is None:
            return


def _person(provider_id: uuid.UUID, person_id: uuid.UUID) -> Any:
    found = queries.person(db.session(), provider_id, person_id)
    if found is None:
        abort(404)
    return found


def _signer() -> CursorSigner:
    return signer(current_app.extensions["settings"].secret_keys, "reach")


def _term_words(term: Any) -> list[tuple[str, str]]:
    if term is None:
        return []
    return [
        (_("Role"), _(term.role.label)),
        (_("Clients"), _(term.reach.label)),
        (_("What they may do"), _(term.level.label)),
        (_("Since"), moment(term.from_at)),
    ]


def _told(provider_id: uuid.UUID, client: Any) -> dict[str, str]:
    here = {"provider_id": provider_id, "organization_id": client.id}
    return {
        "name": client.name,
        "url": url_for("clients.manage", **here),
        "why": why(client.because, client.tag_name),
        "since": moment(client.since) if client.since else "",
    }
