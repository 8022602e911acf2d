"""The blueprint that the pages of baselines stand on, and what they all need."""

import uuid
from typing import Any

from flask import Blueprint, abort

from portal.baselines import queries
from portal.extensions import db
from portal.web.access import actor

bp = Blueprint("baselines", __name__)
ALL = "/providers/<uuid:provider_id>/baselines"
ONE = f"{ALL}/<uuid:baseline_id>"
CLIENT = "/providers/<uuid:provider_id>/clients/<uuid:organization_id>/baseline"


def find(provider_id: uuid.UUID, baseline_id: uuid.UUID) -> Any:
    """The baseline, or 404."""
    found = queries.find(db.session(), provider_id, baseline_id)
    return found or abort(404)


def find_client(organization_id: uuid.UUID) -> Any:
    """A client of the actor's scope with its baseline, or 404."""
    found = queries.client(db.session(), actor(), organization_id)
    return found or abort(404)
