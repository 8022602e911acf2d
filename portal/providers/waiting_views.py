"""For somebody of a provider who has accepted: who must act now, and what they will ask for."""

import uuid

from flask import Response, g, url_for
from flask_login import current_user

from portal.crypto.fingerprint import fingerprint_phrase
from portal.domain.access import Permission
from portal.extensions import db
from portal.providers import invitations
from portal.providers.blueprint import bp
from portal.web import fragments
from portal.web.access import requires


@bp.get("/providers/<uuid:provider_id>/waiting")
@requires(Permission.CLIENTS_READ)
def waiting(provider_id: uuid.UUID) -> Response:
    """The one page of whoever is not confirmed yet; on to the clients for whoever is."""
    if not g.waits:
        return fragments.done(url_for("clients.index", provider_id=provider_id))
    key = current_user.public_key
    return fragments.respond(
        "providers/waiting.html",
        "providers/_waiting.html",
        provider=current_user.place.provider_name,
        here=url_for("providers.waiting", provider_id=provider_id),
        admins=invitations.admin_names(db.session(), provider_id),
        account_id=current_user.account_id,
        public_key=key,
        phrase=fingerprint_phrase(str(current_user.account_id), key) if key else "",
    )
