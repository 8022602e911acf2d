"""One JSON line a request, with its id and without secrets."""

import logging
import sys
import time
from collections.abc import MutableMapping
from typing import Any

import structlog
from flask import Flask, Response, g, request

from portal.domain.access import Trace
from portal.models.base import new_id
from portal.web.source import source

_SECRET_WORDS = ("password", "secret", "token", "cookie", "authorization", "hash", "code", "key")
log = structlog.get_logger("portal")
# Without the local variables: they hold what people typed, and keys.
_tracebacks = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)


def redact(logger: object, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blank every value whose name smells of a secret."""
    for name in line:
        if any(word in name.lower() for word in _SECRET_WORDS):
            line[name] = "***"
    return line


def configure_logs(level: str) -> None:
    """JSON lines on standard error, for the app and for libraries that use `logging`."""
    number = logging.getLevelNamesMapping().get(level, logging.INFO)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redact,
            _tracebacks,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        # Made anew for each line: what standard error is may change (a test, a daemon).
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def init_logs(app: Flask, level: str) -> None:
    """Give each request an id and write one line when it ends."""
    configure_logs(level)

    @app.before_request
    def begin() -> None:
        g.request_id = new_id().hex
        g.began = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    def end(response: Response) -> Response:
        if request.endpoint != "static" or response.status_code >= 400:
            response.headers["X-Request-Id"] = g.get("request_id", "")
        if request.endpoint not in {"static", "health.healthz"}:
            # The rule, not the path: links in invitations are secrets.
            rule = request.url_rule.rule if request.url_rule else "-"
            log.info(
                "request",
                method=request.method,
                rule=rule,
                status=response.status_code,
                ms=round((time.perf_counter() - g.get("began", 0)) * 1000, 1),
                source=source(),
            )
        return response


def trace() -> Trace:
    """Where this request comes from, for the event log."""
    return Trace(
        source=source(),
        browser=(request.user_agent.string or "")[:200],
        request_id=g.get("request_id", ""),
    )
