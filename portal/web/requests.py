"""The request class: htmx-flask's, plus what htmx 4 sends under other names."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, request
from htmx_flask.requests import HtmxAwareRequest

from portal.extensions import htmx

View = TypeVar("View", bound=Callable[..., Any])


class PortalRequest(HtmxAwareRequest):  # type: ignore[misc]
    """`request.htmx` as before; `hx_source` is htmx 4's name for what caused the request."""

    @property
    def hx_source(self) -> str:
        """The id of the element that asked (`HX-Source: tag#id`), or an empty string."""
        return (self.headers.get("HX-Source") or "").rpartition("#")[2]


def init_requests(app: Flask) -> None:
    """`Htmx.init_app` sets its own request class; ours, derived from it, goes over it."""
    htmx.init_app(app)
    app.request_class = PortalRequest
    # Before the check of the token, which reads the form.
    app.before_request(_make_room)


def takes(largest_body: int) -> Callable[[View], View]:
    """A view to which more bytes may be sent than to others, such as a file."""

    def mark(view: View) -> View:
        view.largest_body = largest_body  # type: ignore[attr-defined]
        return view

    return mark


def _make_room() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    largest = getattr(view, "largest_body", None)
    if largest is not None:
        request.max_content_length = request.max_form_memory_size = largest
