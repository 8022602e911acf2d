"""The collections of an organization; their names are ciphertext here."""

import uuid

from flask import Blueprint, Response, abort
from flask_babel import gettext as _

from portal.collections import queries
from portal.domain.access import Actor, Permission, Role
from portal.extensions import db
from portal.organizations.key_rings import opening_of
from portal.organizations.queries import setup_facts
from portal.organizations.setup import SetupView, setup_view
from portal.web.access import actor, can, requires
from portal.web.fragments import respond

bp = Blueprint("collections", __name__)


@bp.get("/organizations/<uuid:organization_id>/collections")
@requires(Permission.ORGANIZATION_READ)
def index(organization_id: uuid.UUID) -> Response:
    """The list, under the set-up steps until those are done."""
    opening = opening_of(db.session(), actor())
    return respond(
        "collections/index.html",
        "collections/_table.html",
        collections=queries.listed(db.session(), organization_id, actor().account_id),
        permission=_permission(actor()),
        key_ring=opening.ring,
        opening=opening,
        setup=_setup(organization_id),
    )


def _setup(organization_id: uuid.UUID) -> SetupView | None:
    """The steps for whoever may act on them."""
    if not can(Permission.MEMBERS_READ):
        return None
    found = setup_facts(db.session(), organization_id)
    if found is None:
        abort(404)
    return setup_view(organization_id, *found, can=can)


def _permission(found: Actor) -> str:
    """What the role alone lets somebody do in every collection; empty for a plain user."""
    if found.role in {Role.OWNER, Role.ADMIN, Role.PROVIDER_ADMIN}:
        return str(_("Can manage"))
    return ""
