"""`/help/<name>`: a guide as a page."""

from flask import Blueprint, Response, abort, render_template, request, send_file, url_for
from flask_babel import get_locale
from flask_login import current_user

from portal.help import pages
from portal.web.access import public
from portal.web.paths import own_path

bp = Blueprint("help", __name__, url_prefix="/help")


@bp.get("/<name>")
@public
def page(name: str) -> str:
    """The guide in the reader's language."""
    locale = get_locale()
    guide = pages.find(locale.language if locale else "en", name)
    if guide is None:
        abort(404)
    return render_template("help/page.html", guide=guide, back_url=_back())


def _back() -> str | None:
    """The page with the link to the guide; else the start page, which visitors do not have."""
    start = url_for("accounts.home") if current_user.is_authenticated else ""
    return own_path(request.args.get("from"), start) or None


@bp.get("/pictures/<language>/<name>")
@public
def picture(language: str, name: str) -> Response:
    """A picture of a guide."""
    file = pages.picture(language, name)
    if file is None:
        abort(404)
    return send_file(file, max_age=3600)
