"""The start page and the language switch; the area's other pages stand in the modules below."""

from flask import current_app, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from portal.accounts import (
    address_views,
    code_views,
    devices_views,
    identity_views,
    keys_views,
    password_views,
    profile_views,
    second_factor_views,
    service,
    sign_in_views,
)
from portal.accounts import home as places
from portal.accounts.blueprint import bp
from portal.extensions import db
from portal.web.access import public, signed_in
from portal.web.languages import COOKIE, LANGUAGES
from portal.web.paths import own_path

__all__ = [
    "address_views",
    "bp",
    "code_views",
    "devices_views",
    "identity_views",
    "keys_views",
    "password_views",
    "profile_views",
    "second_factor_views",
    "sign_in_views",
]
_YEAR = 365 * 86400


@bp.get("/")
@signed_in
def home() -> str | Response:
    """Straight to the one place a person has; a list that can be searched if there are several."""
    search = " ".join(request.args.get("q", "").replace("\0", "").split())[:100]
    found = places.places(search)
    if len(found) == 1 and not search:
        return redirect(found[0].url, 303)
    many = bool(search) or len(found) > places.SHOWN
    return render_template("accounts/home.html", places=found, search=search, many=many)


@bp.post("/language")
@public
def change_language() -> Response:
    """The switch on every page: the person's setting, or this browser's."""
    locale = request.form.get("locale", "")
    response = redirect(own_path(request.form.get("next"), url_for("accounts.home")), 303)
    if locale not in LANGUAGES:
        return response
    if current_user.is_authenticated:
        service.change_language(db.session(), current_user.account_id, locale)
        db.session.commit()
    response.set_cookie(
        COOKIE,
        locale,
        max_age=_YEAR,
        secure=current_app.extensions["settings"].https,
        httponly=True,
        samesite="Lax",
    )
    return response
