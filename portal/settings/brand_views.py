"""Settings → Brand: the logo and the colour, and the two files that show them everywhere."""

import uuid
from contextlib import closing
from typing import Any

from flask import abort, make_response, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.domain import brand as colours
from portal.domain.access import Permission
from portal.domain.errors import RuleError
from portal.extensions import db
from portal.providers.brand import brand_of, version_of
from portal.settings import branding, queries
from portal.settings.blueprint import bp
from portal.settings.forms import AccentForm, LogoForm
from portal.settings.pictures import LARGEST_FILE, redraw
from portal.settings.service import Changed
from portal.web import notices
from portal.web.access import actor, public, requires
from portal.web.fragments import done
from portal.web.requests import takes

# What a camera writes is larger than what is taken; who chose it reads that at the field.
_LARGEST_BODY = 8_000_000
_FOREVER = "public, max-age=31536000, immutable"
# A picture or a style sheet asks for nothing and runs nothing, whoever opens it by itself.
_ALONE = "default-src 'none'; sandbox"


@bp.get("/providers/<uuid:provider_id>/settings/brand")
@requires(Permission.PROVIDER_SETTINGS)
def brand(provider_id: uuid.UUID) -> Response:
    """Both, as they are."""
    found = queries.settings(db.session(), provider_id)
    return _page(provider_id, found, AccentForm.of(found.accent), LogoForm())


@bp.post("/providers/<uuid:provider_id>/settings/brand")
@requires(Permission.PROVIDER_SETTINGS)
def brand_save(provider_id: uuid.UUID) -> Response:
    """Store the colour, or only show what it looks like (`step` is preview)."""
    form = AccentForm()
    found = queries.settings(db.session(), provider_id)
    try:
        accent = colours.check_accent(form.typed(), field="accent")
    except RuleError as error:
        form.blame(error)
        return _page(provider_id, found, form, LogoForm(), 422, nearest=_nearest(form.typed()))
    form.show(accent)
    if request.form.get("step") == "preview":
        return _page(provider_id, found, form, LogoForm(), shown=accent)
    try:
        changed = branding.save_accent(db.session(), actor(), accent, seen=form.seen.data or "")
    except Changed as error:
        db.session.rollback()
        found = queries.settings(db.session(), provider_id)
        form.seen.data = found.accent
        form.blame(error)
        return _page(provider_id, found, form, LogoForm(), 409, shown=accent)
    return _saved(provider_id, _("The colour is saved."), changed=changed)


@bp.post("/providers/<uuid:provider_id>/settings/brand/logo")
@takes(_LARGEST_BODY)
@requires(Permission.PROVIDER_SETTINGS)
def brand_logo(provider_id: uuid.UUID) -> Response:
    """Take a picture as the logo."""
    form = LogoForm()
    try:
        picture = redraw(_uploaded())
    except RuleError as error:
        form.blame(error)
        found = queries.settings(db.session(), provider_id)
        return _page(provider_id, found, AccentForm.of(found.accent), form, 422)
    branding.save_logo(db.session(), actor(), picture)
    return _saved(provider_id, _("The logo is saved."), changed=True)


@bp.post("/providers/<uuid:provider_id>/settings/brand/logo/remove")
@requires(Permission.PROVIDER_SETTINGS)
def brand_logo_remove(provider_id: uuid.UUID) -> Response:
    """The name stands alone again."""
    changed = branding.remove_logo(db.session(), actor())
    return _saved(provider_id, _("The logo is removed."), changed=changed)


@bp.get("/providers/<uuid:owner>/logo/<uuid:logo>")
@public
def logo(owner: uuid.UUID, logo: uuid.UUID) -> Response:
    """The picture, for pages and mails; its address is known to whoever has seen one of them."""
    found = queries.logo(db.session(), owner, logo)
    if found is None:
        abort(404)
    answer = _file(found.content, found.media_type)
    # Mail programs show it on pages of their own.
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return answer


@bp.get("/providers/<uuid:owner>/brand/<version>.css")
@public
def style(owner: uuid.UUID, version: str) -> Response:
    """The colour's tokens, and nothing else, in place of the portal's."""
    accent = queries.accent(db.session(), owner)
    if not accent or version != version_of(accent):
        abort(404)
    return _file(_sheet(colours.palette(accent)).encode(), "text/css")


def _uploaded() -> bytes:
    """The file that was chosen, as far as one may be; nothing where none was."""
    upload = request.files.get("logo")
    if upload is None:
        return b""
    # A large one lies on the disk until it is closed.
    with closing(upload):
        return upload.stream.read(LARGEST_FILE + 1)


def _sheet(palette: colours.Palette) -> str:
    return (
        f":root{{--accent:light-dark({palette.light},{palette.dark});"
        f"--accent-ink:light-dark({palette.light_ink},{palette.dark_ink});"
        f"--wash:light-dark({palette.light_wash},{palette.dark_wash})}}\n"
    )


def _file(content: bytes, media_type: str) -> Response:
    answer = make_response(content)
    answer.mimetype = media_type
    answer.headers["Cache-Control"] = _FOREVER
    answer.headers["Content-Security-Policy"] = _ALONE
    return answer


def _nearest(typed: str) -> str:
    """What to offer instead; empty where it is no colour at all."""
    try:
        return colours.nearest_readable(colours.read_colour(typed, field="accent"))
    except RuleError:
        return ""


def _saved(provider_id: uuid.UUID, told: str, *, changed: bool) -> Response:
    saved = notices.add(told) if changed else ""
    db.session.commit()
    return done(url_for("settings.brand", provider_id=provider_id), saved)


def _page(
    provider_id: uuid.UUID,
    found: Any,
    form: AccentForm,
    logo_form: LogoForm,
    status: int = 200,
    *,
    nearest: str = "",
    shown: str | None = None,
) -> Response:
    accent = found.accent if shown is None else shown
    body = render_template(
        "settings/brand.html",
        form=form,
        logo_form=logo_form,
        provider_id=provider_id,
        found=found,
        brand=brand_of(provider_id, found.name, found.accent, found.logo_id),
        palette=colours.palette(accent),
        is_preview=accent != found.accent,
        nearest=nearest,
    )
    return Response(body, status, mimetype="text/html")
