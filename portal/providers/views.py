"""A provider's home and people."""

import uuid

from flask import Response, redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.domain.access import Permission
from portal.extensions import db
from portal.providers import key_views, queries
from portal.providers.blueprint import bp
from portal.providers.people import rows_of
from portal.web import fragments
from portal.web.access import requires

__all__ = ["bp", "key_views"]


@bp.get("/providers/<uuid:provider_id>")
@requires(Permission.CLIENTS_READ)
def home(provider_id: uuid.UUID) -> AnyResponse:
    """The provider's first page is its clients."""
    return redirect(url_for("clients.index", provider_id=provider_id), 303)


@bp.get("/providers/<uuid:provider_id>/people")
@requires(Permission.PROVIDER_PEOPLE_READ)
def people(provider_id: uuid.UUID) -> Response:
    """Who works for the provider, and how well their sign-in is guarded."""
    rows = rows_of(queries.people(db.session(), provider_id))
    return fragments.respond("providers/people.html", "providers/_people.html", rows=rows)
