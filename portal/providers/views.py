"""A provider's home; its people and keys stand in the modules below."""

import uuid

from flask import redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from portal.domain.access import Permission
from portal.providers import (
    client_key_views,
    confirm_views,
    key_views,
    people_views,
    rotation_views,
)
from portal.providers.blueprint import bp
from portal.web.access import requires

__all__ = ["bp", "client_key_views", "confirm_views", "key_views", "people_views", "rotation_views"]


@bp.get("/providers/<uuid:provider_id>")
@requires(Permission.CLIENTS_READ)
def home(provider_id: uuid.UUID) -> AnyResponse:
    """The provider's first page is its clients."""
    return redirect(url_for("clients.index", provider_id=provider_id), 303)
