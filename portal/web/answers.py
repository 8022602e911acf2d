"""JSON for the API, and for the browser modules.

The modules send a page's form by fetch and ask for `application/json`.
"""

from collections.abc import Mapping
from typing import Any

from flask import Response, g, jsonify, request
from flask_babel import get_locale
from flask_babel import gettext as _

from portal.domain.errors import N_

# The API's own words for what is refused, as message ids; programs go by the code.
_API = {
    400: ("bad_request", N_("The request could not be read.")),
    401: ("unauthorized", N_("Send a key that is in use.")),
    403: ("forbidden", N_("This may not be read now.")),
    404: ("not_found", N_("There is nothing at this address for this key.")),
    405: ("method_not_allowed", N_("The API is only read: send GET.")),
    429: ("too_many_requests", N_("There were too many requests in a minute.")),
    503: ("busy", N_("The portal is busy. Try again in a moment.")),
}
_FAULT = ("server_error", N_("Something went wrong here."))


def is_api() -> bool:
    """Whether a program asks the API, which speaks JSON whatever happens."""
    return request.path.startswith("/api/")


def api_error(status: int, message: str = "", retry_after: int | None = None) -> Response:
    """`{"error": {code, message, request_id}}`; `message` says more than the code's own one.

    The message is in the language of `Accept-Language`, the code never changes.
    """
    code, usual = _API.get(status, _FAULT if status >= 500 else _API[400])
    said = {"code": code, "message": message or _(usual), "request_id": g.get("request_id", "")}
    if retry_after is not None:
        said["retry_after"] = retry_after
    response = jsonify(error=said)
    response.status_code = status
    response.content_language.add(str(get_locale() or "en"))
    response.vary.add("Accept-Language")
    response.headers["Cache-Control"] = "no-store"
    return response


def wants_json() -> bool:
    """Whether a browser module asks; people and htmx accept HTML."""
    return request.accept_mimetypes.best == "application/json"


def json_errors(errors: Mapping[str, str], status: int, **more: Any) -> Response:
    """`{"errors": {field or "": sentence}}`, the shape that every module shows."""
    response = jsonify(errors=dict(errors), **more)
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    return response
