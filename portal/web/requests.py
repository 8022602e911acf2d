"""The request class: htmx-flask's, plus what htmx 4 sends under other names."""

from flask import Flask
from htmx_flask.requests import HtmxAwareRequest

from portal.extensions import htmx


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
