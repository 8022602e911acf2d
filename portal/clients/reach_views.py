"""Who can reach a client, or could on any past day, and why."""

import uuid
from typing import Any

from flask import Response as FlaskResponse
from flask import abort, make_response, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.clients.blueprint import bp
from portal.domain.access import Permission
from portal.extensions import db
from portal.providers import scope_queries
from portal.providers.reach_words import AsOf, as_of, reaching
from portal.web import csv
from portal.web.access import requires


@bp.get("/providers/<uuid:provider_id>/clients/<uuid:organization_id>/people")
@requires(Permission.PROVIDER_PEOPLE_READ)
def client_people(provider_id: uuid.UUID, organization_id: uuid.UUID) -> Response:
    """Everybody of the provider who reached it then, those too who have left since."""
    client, day = _client(provider_id, organization_id), as_of()
    here: dict[str, Any] = {"provider_id": provider_id, "organization_id": organization_id}
    body = render_template(
        "clients/people.html",
        client=client,
        day=day,
        people=_people(provider_id, client, day),
        back_url=url_for("clients.manage", **here),
        csv_url=url_for("clients.client_people_csv", **here, day=day.day),
    )
    return make_response(body)


@bp.get("/providers/<uuid:provider_id>/clients/<uuid:organization_id>/people.csv")
@requires(Permission.PROVIDER_PEOPLE_READ)
def client_people_csv(provider_id: uuid.UUID, organization_id: uuid.UUID) -> FlaskResponse:
    """The same as a file."""
    client, day = _client(provider_id, organization_id), as_of()
    header = [_("Name"), _("E-mail address"), _("Role"), _("What they may do"), _("Why")]
    header += [_("Since"), _("Note")]
    keys = ("name", "email", "role", "level", "why", "since", "left")
    lines = ([row[key] for key in keys] for row in _people(provider_id, client, day))
    return csv.download(f"reach-{day.day}.csv", header, lines)


def _client(provider_id: uuid.UUID, organization_id: uuid.UUID) -> Any:
    found = scope_queries.client_named(db.session(), provider_id, organization_id)
    if found is None:
        abort(404)
    return found


def _people(provider_id: uuid.UUID, client: Any, day: AsOf) -> list[dict[str, str]]:
    found = scope_queries.people_reaching(db.session(), provider_id, client, day.at)
    return [reaching(row) for row in found]
