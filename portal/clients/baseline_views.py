"""A baseline for many clients: which ones, found by words and ticked, or all that match."""

import datetime as dt
import uuid
from typing import Any
from urllib.parse import urlencode

from flask import abort, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.baselines import queries as baselines
from portal.clients import queries
from portal.clients.blueprint import bp
from portal.clients.listing import Listing
from portal.domain import baselines as rules
from portal.domain.access import Permission
from portal.extensions import db
from portal.web.access import actor, can, requires
from portal.web.fragments import respond

SHOWN = 100


@bp.get("/providers/<uuid:provider_id>/baselines/<uuid:baseline_id>/clients")
@requires(Permission.BASELINES_READ)
def baseline_clients(provider_id: uuid.UUID, baseline_id: uuid.UUID) -> Response:
    """The clients, each with the baseline that it has now and how far it is from that one."""
    baseline = baselines.find(db.session(), provider_id, baseline_id)
    if baseline is None:
        abort(404)
    listing = Listing.read({"q": request.args.get("q", "")})
    found = queries.chosen(db.session(), actor().scope, listing, (), limit=SHOWN + 1)
    here: dict[str, Any] = {"provider_id": provider_id, "baseline_id": baseline_id}
    return respond(
        "clients/baseline.html",
        "clients/_baseline.html",
        baseline=baseline,
        rows=_rows(provider_id, [row.id for row in found[:SHOWN]]),
        has_more=len(found) > SHOWN,
        shown=SHOWN,
        words=listing.search,
        query=urlencode(listing.query()),
        edits=can(Permission.BASELINES_MANAGE),
        url=url_for("clients.baseline_clients", **here),
        apply_url=url_for("clients.prepare_change", provider_id=provider_id),
        back_url=url_for("baselines.baseline", **here),
    )


def _rows(provider_id: uuid.UUID, ids: list[uuid.UUID]) -> list[dict[str, Any]]:
    clients = baselines.assigned(db.session(), actor(), ids)
    today = dt.datetime.now(dt.UTC).date()
    watched = baselines.watched(db.session(), provider_id, list(clients.values()), today)
    here: dict[str, Any] = {"provider_id": provider_id}
    return [
        {
            "id": each,
            "name": clients[each].name,
            "url": url_for("baselines.client", **here, organization_id=each),
            "plan": _(clients[each].plan.label),
            "baseline": clients[each].baseline or "",
            "number": clients[each].number,
            "is_open": clients[each].is_open,
            "drift": rules.drift(watched.get(each, [])),
            "waits": rules.waiting(watched.get(each, [])),
        }
        for each in ids
        if each in clients
    ]
