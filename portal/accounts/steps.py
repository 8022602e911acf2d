"""The answers that the pages of signing in have in common: for people and for browser modules."""

from typing import Any

from flask import jsonify, redirect, request, url_for
from flask_babel import gettext as _
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response

from portal.accounts.blueprint import bp
from portal.accounts.passwords import WAIT_SECONDS, Busy
from portal.web.answers import json_errors, wants_json
from portal.web.errors import error_page
from portal.web.forms import Form
from portal.web.paths import own_path


def next_path(otherwise: str = "accounts.home") -> str:
    """Where the person wanted to go, if that is a page of ours; else the page of an endpoint."""
    return own_path(request.values.get("next"), url_for(otherwise))


def onward(url: str, *, signed_in: bool, **more: Any) -> Response:
    """The step was right: go to `url`. Modules get a token that fits the new session."""
    if not wants_json():
        return redirect(url, 303)
    answer = jsonify(next=url, signed_in=signed_in, csrf_token=generate_csrf(), **more)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def errors_of(form: Form) -> Response:
    """The form's errors for a browser module."""
    errors = {name: str(texts[0]) for name, texts in form.errors.items() if name and texts}
    if form.form_errors:
        errors[""] = str(form.form_errors[0])
    return json_errors(errors, 422)


@bp.errorhandler(Busy)
def busy(_error: Busy) -> Response:
    """Every core is hashing: nothing was checked, try again."""
    return error_page(503, retry=int(WAIT_SECONDS) + 1)


def wrong_code() -> str:
    """The same sentence for every code that does not count."""
    return str(_("That code is not right. Check it, or wait for the next one."))
