"""Settings → Organization, its key of the API: shown once, replaced, revoked."""

import uuid

from flask import current_app, make_response, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts.freshness import fresh
from portal.console import keys, queries
from portal.console.blueprint import bp
from portal.domain.access import Permission
from portal.domain.api_keys import hint
from portal.domain.plans import Feature
from portal.extensions import db
from portal.settings.service import Changed
from portal.web import notices
from portal.web.access import actor, requires
from portal.web.fragments import done
from portal.web.session import no_store

PAGE = "/organizations/<uuid:organization_id>/settings/api-key"


@bp.get(PAGE)
@requires(Permission.ORGANIZATION_SETTINGS, feature=Feature.API)
def api_key(organization_id: uuid.UUID) -> Response:
    """Whether there is one, since when, and what can be done with it."""
    return _page(organization_id)


@bp.post(PAGE)
@requires(Permission.ORGANIZATION_API, feature=Feature.API)
@fresh
def make_api_key(organization_id: uuid.UUID) -> Response:
    """The first key, shown this once."""
    try:
        key = keys.make(db.session(), actor())
    except Changed:
        return _refused(organization_id)
    db.session.commit()
    return _page(organization_id, key)


@bp.get(f"{PAGE}/rotate")
@requires(Permission.ORGANIZATION_API, feature=Feature.API)
@fresh
def rotate_api_key(organization_id: uuid.UUID) -> Response:
    """What replacing stops."""
    return _decide(organization_id, revokes=False)


@bp.post(f"{PAGE}/rotate")
@requires(Permission.ORGANIZATION_API, feature=Feature.API)
@fresh
def rotate_api_key_submit(organization_id: uuid.UUID) -> Response:
    """Another key, shown this once; the one before dies at once."""
    try:
        key = keys.rotate(db.session(), actor(), _seen())
    except Changed:
        return _refused(organization_id)
    db.session.commit()
    return _page(organization_id, key)


@bp.get(f"{PAGE}/revoke")
@requires(Permission.ORGANIZATION_SETTINGS, feature=Feature.API)
@fresh
def revoke_api_key(organization_id: uuid.UUID) -> Response:
    """What revoking stops."""
    return _decide(organization_id, revokes=True)


@bp.post(f"{PAGE}/revoke")
@requires(Permission.ORGANIZATION_SETTINGS, feature=Feature.API)
@fresh
def revoke_api_key_submit(organization_id: uuid.UUID) -> Response:
    """No program reads any more; gone already is gone."""
    saved = ""
    if keys.revoke(db.session(), actor(), _seen()):
        saved = notices.add(_("The key of the API is revoked."))
    db.session.commit()
    return done(url_for("console.api_key", organization_id=organization_id), saved)


def _seen() -> uuid.UUID:
    """The key that the page showed; nobody's for what is no id."""
    try:
        return uuid.UUID(request.form.get("key", ""))
    except ValueError:
        return uuid.UUID(int=0)


def _decide(organization_id: uuid.UUID, *, revokes: bool) -> Response:
    key = queries.api_key(db.session(), organization_id)
    if key is None:
        return done(url_for("console.api_key", organization_id=organization_id))
    body = render_template(
        "console/api_key_decide.html",
        organization_id=organization_id,
        key=key,
        hint=hint(key.id),
        revokes=revokes,
    )
    return make_response(body)


def _refused(organization_id: uuid.UUID) -> Response:
    """A second click is answered in place of the first: its key was never seen."""
    db.session.rollback()
    text = _(
        "The key was made, replaced or revoked in the meantime, perhaps by a second click. A key "
        "is shown only once: if nobody has noted down the one in use, replace it."
    )
    return _page(organization_id, refusal=str(text))


def _page(organization_id: uuid.UUID, made: str = "", refusal: str = "") -> Response:
    """`made` is the key itself, which no later page has."""
    key = queries.api_key(db.session(), organization_id)
    body = render_template(
        "console/api_key.html",
        organization_id=organization_id,
        key=key,
        hint=hint(key.id) if key else "",
        made=made,
        refusal=refusal,
        command=_command(organization_id),
    )
    return no_store(make_response(body, 409 if refusal else 200))


def _command(organization_id: uuid.UUID) -> str:
    """What somebody types to try the key."""
    base_url = current_app.extensions["settings"].base_url
    return (
        'curl -H "Authorization: Bearer $KEY" \\\n'
        f"  {base_url}/api/organizations/{organization_id}/members"
    )
