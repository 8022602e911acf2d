"""JSON for the browser modules: they send a page's form by fetch and ask for `application/json`."""

from collections.abc import Mapping
from typing import Any

from flask import Response, jsonify, request


def wants_json() -> bool:
    """Whether a browser module asks; people and htmx accept HTML."""
    return request.accept_mimetypes.best == "application/json"


def json_errors(errors: Mapping[str, str], status: int, **more: Any) -> Response:
    """`{"errors": {field or "": sentence}}`, the shape that every module shows."""
    response = jsonify(errors=dict(errors), **more)
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    return response
