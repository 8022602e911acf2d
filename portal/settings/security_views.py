"""Settings → Security: whether everybody who works for the provider needs a second factor."""

import uuid

from flask import render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from portal.accounts.freshness import fresh
from portal.domain.access import Permission
from portal.domain.emails import shown
from portal.extensions import db
from portal.settings import queries, service
from portal.settings.blueprint import bp
from portal.web import notices
from portal.web.access import actor, requires
from portal.web.fragments import done


@bp.get("/providers/<uuid:provider_id>/settings/security")
@requires(Permission.PROVIDER_SETTINGS)
def security(provider_id: uuid.UUID) -> str:
    """How it is now, and who would have to set one up."""
    found = queries.settings(db.session(), provider_id)
    return render_template(
        "settings/security.html",
        found=found,
        lacking=_lacking(provider_id),
        provider_id=provider_id,
    )


@bp.get("/providers/<uuid:provider_id>/settings/security/require")
@requires(Permission.PROVIDER_SETTINGS)
@fresh
def security_require(provider_id: uuid.UUID) -> str | Response:
    """Whom it concerns; whoever asks has one first."""
    if queries.settings(db.session(), provider_id).second_factor_required:
        return done(_overview(provider_id))
    return render_template(
        "settings/security_require.html",
        lacking=_lacking(provider_id),
        provider_id=provider_id,
        has=current_user.has_second_factor,
    )


@bp.post("/providers/<uuid:provider_id>/settings/security/require")
@requires(Permission.PROVIDER_SETTINGS)
@fresh
def security_require_submit(provider_id: uuid.UUID) -> Response:
    """From now on nobody reaches the provider or its clients without one."""
    if not current_user.has_second_factor:
        return done(url_for("settings.security_require", provider_id=provider_id))
    return _switch(provider_id, _("Everybody needs a second factor from now on."), on=True)


@bp.get("/providers/<uuid:provider_id>/settings/security/release")
@requires(Permission.PROVIDER_SETTINGS)
@fresh
def security_release(provider_id: uuid.UUID) -> str | Response:
    """What that weakens."""
    if not queries.settings(db.session(), provider_id).second_factor_required:
        return done(_overview(provider_id))
    return render_template("settings/security_release.html", provider_id=provider_id)


@bp.post("/providers/<uuid:provider_id>/settings/security/release")
@requires(Permission.PROVIDER_SETTINGS)
@fresh
def security_release_submit(provider_id: uuid.UUID) -> Response:
    """A second factor is each person's own choice again."""
    return _switch(provider_id, _("A second factor is no longer required."), on=False)


def _switch(provider_id: uuid.UUID, told: str, *, on: bool) -> Response:
    changed = service.require_second_factor(db.session(), actor(), on=on)
    saved = notices.add(told) if changed else ""
    db.session.commit()
    return done(_overview(provider_id), saved)


def _overview(provider_id: uuid.UUID) -> str:
    return url_for("settings.security", provider_id=provider_id)


def _lacking(provider_id: uuid.UUID) -> list[tuple[str, str, str]]:
    """(name, address, role) of each."""
    found = queries.without_second_factor(db.session(), provider_id)
    return [(row.name, shown(row.email), _(row.role.label)) for row in found]
