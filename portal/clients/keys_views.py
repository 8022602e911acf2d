"""Finish keys: an unlocked browser makes them for the clients that were created without."""

import uuid

from flask import abort, make_response, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from portal.billing import client_queries
from portal.clients import queries
from portal.clients.blueprint import bp
from portal.domain.access import Permission
from portal.domain.errors import refuse
from portal.extensions import db
from portal.organizations.forms import OrganizationKeysForm
from portal.organizations.keys import INCOMPLETE, store_keys
from portal.web import notices
from portal.web.access import actor, requires
from portal.web.answers import wants_json
from portal.web.fragments import done
from portal.web.keyring import of_provider


@bp.get("/providers/<uuid:provider_id>/clients/keys")
@requires(Permission.PROVIDER_KEYS)
def finish_keys(provider_id: uuid.UUID) -> Response:
    """The clients without keys; the browser makes them one after the other."""
    body = render_template(
        "clients/keys.html",
        clients=queries.keyless_clients(db.session(), actor().scope),
        provider_id=provider_id,
        key_ring=of_provider(current_user),
        has_keys=current_user.has_keys,
        is_unlocked=current_user.is_unlocked,
        back_url=url_for("clients.index", provider_id=provider_id),
    )
    return make_response(body)


@bp.post("/providers/<uuid:provider_id>/clients/<uuid:organization_id>/keys")
@requires(Permission.PROVIDER_KEYS)
def save_keys(provider_id: uuid.UUID, organization_id: uuid.UUID) -> Response:
    """Keys for one client that was created without; 409 for whoever comes second."""
    if client_queries.client(db.session(), actor().scope, organization_id) is None:
        abort(404)
    form = OrganizationKeysForm()
    made = form.organization_keys() if form.validate() else None
    if made is None:
        raise refuse(INCOMPLETE)
    store_keys(db.session(), actor(), organization_id, made, by_owner=False)
    if wants_json():
        db.session.commit()
        return make_response("", 204)
    saved = notices.add(_("The keys are made."))
    db.session.commit()
    return done(url_for("clients.finish_keys", provider_id=provider_id), saved)
