"""The blueprint of the pages on the provider's access, and the rows they are about."""

import uuid
from typing import Any

from flask import Blueprint, abort, url_for

from portal.extensions import db
from portal.grants import queries

bp = Blueprint("grants", __name__)
ALL = "/organizations/<uuid:organization_id>/settings/provider-access"
ONE = f"{ALL}/grants/<uuid:grant_id>"


def find(organization_id: uuid.UUID, grant_id: uuid.UUID) -> Any:
    """The request or grant, or 404."""
    found = queries.grant(db.session(), organization_id, grant_id)
    if found is None:
        abort(404)
    return found


def page_of(organization_id: uuid.UUID, grant_id: uuid.UUID) -> str:
    """Where a request or grant is looked at."""
    return url_for("grants.grant", organization_id=organization_id, grant_id=grant_id)


def end_of(organization_id: uuid.UUID, session_id: uuid.UUID) -> str:
    """Where a live session of somebody of the provider is ended."""
    here: dict[str, Any] = {"organization_id": organization_id, "visit": session_id}
    return url_for("grants.end_session", **here)
