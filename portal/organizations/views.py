"""Waiting to be confirmed, a closed door, and the organization's keys."""

import uuid

from flask import Response, g, make_response, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user

from portal.crypto.fingerprint import fingerprint_phrase
from portal.domain.access import Permission
from portal.domain.errors import refuse
from portal.extensions import db
from portal.organizations import key_rotation_views, queries, setup_views
from portal.organizations.blueprint import bp
from portal.organizations.forms import OrganizationKeysForm
from portal.organizations.keys import INCOMPLETE, store_keys
from portal.web import fragments, notices
from portal.web.access import actor, requires
from portal.web.answers import wants_json

__all__ = ["bp", "key_rotation_views", "setup_views"]


@bp.get("/organizations/<uuid:organization_id>/waiting")
@requires(Permission.ORGANIZATION_READ)
def waiting(organization_id: uuid.UUID) -> Response:
    """For a member who has accepted: who must act now, and what they will ask for."""
    if not g.waits:
        return fragments.done(url_for("collections.index", organization_id=organization_id))
    key = current_user.public_key
    return fragments.respond(
        "organizations/waiting.html",
        "organizations/_waiting.html",
        organization=current_user.place.organization_name,
        here=url_for("organizations.waiting", organization_id=organization_id),
        admins=_confirmers(organization_id),
        account_id=current_user.account_id,
        public_key=key,
        phrase=fingerprint_phrase(str(current_user.account_id), key) if key else "",
    )


def _confirmers(organization_id: uuid.UUID) -> list[str]:
    """Who can confirm: the provider's admins, or the owners where those may not come in freely."""
    if current_user.place.access_mode is None:
        return queries.provider_admins(db.session(), organization_id)
    owners = queries.confirmed_owners(db.session(), organization_id)
    return [owner.name for owner in owners if not owner.is_of_provider]


@bp.get("/organizations/<uuid:organization_id>/closed")
@requires(Permission.ORGANIZATION_READ)
def closed(organization_id: uuid.UUID) -> Response:
    """For the members of a client that is suspended or being deleted: why, and whom to ask."""
    if not g.closed:
        return fragments.done(url_for("collections.index", organization_id=organization_id))
    body = render_template(
        "organizations/closed.html",
        organization_id=organization_id,
        state=queries.closing(db.session(), organization_id),
        admins=queries.provider_admins(db.session(), organization_id),
    )
    return make_response(body)


@bp.post("/organizations/<uuid:organization_id>/keys")
@requires(Permission.ORGANIZATION_KEYS)
def keys(organization_id: uuid.UUID) -> Response:
    """Keys for an organization that was made without; 409 for whoever comes second."""
    form = OrganizationKeysForm()
    made = form.organization_keys() if form.validate() else None
    if made is None:
        raise refuse(INCOMPLETE)
    store_keys(db.session(), actor(), organization_id, made, by_owner=not actor().via_provider)
    if wants_json():
        db.session.commit()
        return make_response("", 204)
    saved = notices.add(_("The keys are made."))
    db.session.commit()
    return fragments.done(url_for("collections.index", organization_id=organization_id), saved)
