"""Security and cache headers of every answer."""

from flask import Flask, Response, request
from flask_login import current_user

from portal.web.fragments import VARY

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "font-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
# A page loads twenty files, and only pages obey the others.
_OF_FILES = {"X-Content-Type-Options", "Cross-Origin-Resource-Policy"}


def init_headers(app: Flask, *, https: bool) -> None:
    """Add the headers to every answer, errors included."""

    @app.after_request
    def add_headers(response: Response) -> Response:
        if https:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        file = request.endpoint == "static" and response.status_code in {200, 206, 304}
        for name, value in _HEADERS.items():
            if not file or name in _OF_FILES:
                response.headers.setdefault(name, value)
        if file:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
            return response
        response.vary.update(VARY)
        if "Cache-Control" not in response.headers:
            signed_in = getattr(current_user, "is_authenticated", False)
            response.headers["Cache-Control"] = "private, no-cache" if signed_in else "no-store"
        return response
