"""What an organization sets about its collections: four switches of its owners."""

import uuid
from dataclasses import asdict

from flask import Response, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from portal.collections import queries, settings
from portal.collections.blueprint import bp
from portal.collections.forms import SettingsForm
from portal.domain.access import Permission
from portal.domain.errors import RuleError
from portal.extensions import db
from portal.web import fragments, notices
from portal.web.access import actor, requires

PAGE = "/organizations/<uuid:organization_id>/settings/collections"


@bp.get(PAGE)
@requires(Permission.ORGANIZATION_SETTINGS)
def rules(organization_id: uuid.UUID) -> Response:
    """The switches as they stand."""
    found, version = queries.settings(db.session(), organization_id)
    return _page(SettingsForm(data={**asdict(found), "version": version}), organization_id)


@bp.post(PAGE)
@requires(Permission.ORGANIZATION_SETTINGS)
def save_rules(organization_id: uuid.UUID) -> AnyResponse:
    """Store them; each switch that turns is an event."""
    form = SettingsForm()
    try:
        changed = settings.save(
            db.session(), actor(), organization_id, form.wanted(), version=form.seen
        )
    except RuleError as error:
        _found, version = queries.settings(db.session(), organization_id)
        form["version"].data = str(version)
        form.blame(error)
        return _page(form, organization_id, 409)
    saved = notices.add(_("The rules for collections are saved.")) if changed else ""
    db.session.commit()
    return fragments.done(url_for("collections.rules", organization_id=organization_id), saved)


def _page(form: SettingsForm, organization_id: uuid.UUID, status: int = 200) -> Response:
    found, _version = queries.settings(db.session(), organization_id)
    body = render_template(
        "collections/settings.html",
        form=form,
        orphans=queries.orphans(db.session(), organization_id),
        reaches_all=found.admins_reach_all,
    )
    return Response(body, status, mimetype="text/html")
