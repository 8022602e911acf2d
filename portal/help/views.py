"""`/help/<name>`: a guide as a page."""

from flask import Blueprint, Response, abort, render_template, send_file
from flask_babel import get_locale

from portal.help import pages
from portal.web.access import public

bp = Blueprint("help", __name__, url_prefix="/help")


@bp.get("/<name>")
@public
def page(name: str) -> str:
    """The guide in the reader's language."""
    locale = get_locale()
    guide = pages.find(locale.language if locale else "en", name)
    if guide is None:
        abort(404)
    return render_template("help/page.html", guide=guide)


@bp.get("/pictures/<language>/<name>")
@public
def picture(language: str, name: str) -> Response:
    """A picture of a guide."""
    file = pages.picture(language, name)
    if file is None:
        abort(404)
    return send_file(file, max_age=3600)
