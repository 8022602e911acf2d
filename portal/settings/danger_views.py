"""Settings → General, its last part: deleting the provider."""

import uuid
from typing import Any

from flask import render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts.freshness import fresh
from portal.domain.access import Permission
from portal.extensions import db
from portal.settings import deletion, queries
from portal.settings.blueprint import bp
from portal.settings.forms import DeleteProviderForm
from portal.web import notices
from portal.web.access import actor, requires
from portal.web.fragments import done


@bp.get("/providers/<uuid:provider_id>/settings/delete")
@requires(Permission.PROVIDER_SETTINGS)
@fresh
def general_delete(provider_id: uuid.UUID) -> Response:
    """What is lost and what is kept; the name must be typed."""
    found = queries.settings(db.session(), provider_id)
    return _page(found, DeleteProviderForm(found.name))


@bp.post("/providers/<uuid:provider_id>/settings/delete")
@requires(Permission.PROVIDER_SETTINGS)
@fresh
def general_delete_submit(provider_id: uuid.UUID) -> Response:
    """Delete it; its people go on with what else they have."""
    found = queries.settings(db.session(), provider_id)
    form = DeleteProviderForm(found.name)
    if not form.validate():
        return _page(found, form, 422)
    try:
        deletion.delete_provider(db.session(), actor())
    except deletion.HasClients as error:
        db.session.rollback()
        form.blame(error)
        return _page(queries.settings(db.session(), provider_id), form, 409)
    saved = notices.add(_("%(name)s is deleted.", name=found.name))
    db.session.commit()
    return done(url_for("accounts.home"), saved)


def _page(found: Any, form: DeleteProviderForm, status: int = 200) -> Response:
    people = queries.people_count(db.session(), found.id)
    body = render_template("settings/delete.html", found=found, form=form, people=people)
    return Response(body, status, mimetype="text/html")
