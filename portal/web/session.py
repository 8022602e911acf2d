"""The session cookie and what the deployment decides about it."""

import datetime as dt
import re
from typing import Any

from flask import Flask, Response, abort, request
from werkzeug.middleware.proxy_fix import ProxyFix

from portal.config import Settings, is_loopback

# Which messages of organizations were read, in the browser's signed cookie.
SEEN_MESSAGES = "messages"


def init_session(app: Flask, settings: Settings) -> None:
    """Cookie name and flags from the base URL, keys from the settings, proxies that count."""
    app.config.update(
        SECRET_KEY=settings.secret_keys[0],
        SECRET_KEY_FALLBACKS=list(settings.secret_keys[1:]),
        SESSION_COOKIE_NAME="__Host-portal" if settings.https else "portal",
        SESSION_COOKIE_SECURE=settings.https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        PERMANENT_SESSION_LIFETIME=dt.timedelta(days=30),
        SESSION_REFRESH_EACH_REQUEST=False,
        PREFERRED_URL_SCHEME="https" if settings.https else "http",
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
        MAX_CONTENT_LENGTH=1_000_000,
        MAX_FORM_MEMORY_SIZE=500_000,
        MAX_FORM_PARTS=1_000,
    )
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=0, x_port=0, x_prefix=0
        )

    @app.before_request
    def refuse_foreign_hosts() -> None:
        if request.path not in {"/healthz", "/readyz"} and not is_our_host(request.host, settings):
            abort(400)

    @app.before_request
    def refuse_cross_site_writes() -> None:
        if request.method in {"GET", "HEAD", "OPTIONS"}:
            return
        if not same_origin(request.headers, settings):
            abort(400)


def is_our_host(host: str, settings: Settings) -> bool:
    """Whether a Host header names this portal; on loopback any of its names will do."""
    name = host.rpartition(":")[0] if re.search(r":\d+$", host) else host
    name = name.strip("[]").lower()
    return name == settings.hostname or (settings.is_local and is_loopback(name))


def same_origin(headers: Any, settings: Settings) -> bool:
    """Whether a write comes from our own pages, as far as the browser tells.

    Text browsers send neither header; the CSRF token guards them, this is the second wall.
    """
    if headers.get("Sec-Fetch-Site") not in {None, "same-origin", "none"}:
        return False
    origin = headers.get("Origin")
    if not origin:
        return True
    if origin == settings.base_url:
        return True
    if not settings.is_local:
        return False
    return is_loopback(origin.partition("://")[2].rpartition(":")[0] or origin.partition("://")[2])


def no_store(response: Response) -> Response:
    """For pages that show a secret once, and for signing in: leave no copy anywhere."""
    response.headers["Cache-Control"] = "no-store"
    return response
