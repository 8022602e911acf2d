"""A small portal for the browser modules: it serves `static/` and speaks their JSON contract.

It keeps what it was sent, so that a test can look for what must never be sent.
"""

import base64
import json
import os
import threading
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from flask import Flask, Response, jsonify, redirect, request
from werkzeug.serving import make_server

from portal.crypto.keys import AccountKeys

STATIC = Path(__file__).parents[2] / "static"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
ACCOUNT_ID = "a1b2c3d4-0000-4000-8000-000000000001"
EMAIL = "ada@example.com"
PASSWORD = "correct horse battery"


@dataclass
class State:
    """What the server holds, and all it was sent."""

    keys: AccountKeys | None = None
    session_id: str = "session-1"
    signed_in: bool = False
    second_factor: str | None = None
    secret: bytes | None = None
    iterations: int = 600_000
    lock_minutes: int = 15
    pages: dict[str, str] = field(default_factory=dict)
    answers: dict[str, list[tuple[int, dict[str, Any]]]] = field(default_factory=dict)
    posts: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def posted(self, path: str) -> list[dict[str, str]]:
        return [fields for where, fields in self.posts if where == path]


def document(state: State, body: str, *, key_ring: dict[str, Any] | None = None) -> str:
    """A page as base.html would render it."""
    has_keys = state.signed_in and state.keys
    vault = ("unlocked" if state.secret else "locked") if has_keys else "none"
    ids = f'data-account-id="{ACCOUNT_ID}" data-session-id="{state.session_id}"'
    ring = escape(json.dumps(key_ring or {}), quote=True)
    return f"""<!doctype html>
<html lang="en" {ids if state.signed_in else ""} data-vault="{vault}"
      data-lock-minutes="{state.lock_minutes}" data-text-failed="That did not work. Try again.">
<head><title>Test</title><meta name="csrf-token" content="token">
<link rel="icon" href="data:,">
<meta name="key-ring" content="{ring}">
<script type="module" src="/static/js/portal.js"></script></head>
<body><main>{body}</main></body></html>"""


def _vault_answer(state: State) -> dict[str, Any]:
    keys = state.keys
    secret = base64.b64encode(state.secret).decode() if state.secret else None
    return {
        "account_id": ACCOUNT_ID,
        "session_id": state.session_id,
        "email": EMAIL,
        "secret": secret,
        "kdf": "pbkdf2-sha256",
        "iterations": state.iterations,
        "public_key": keys.public_key if keys else None,
        "protected_user_key": keys.protected_user_key if keys else None,
        "protected_private_key": keys.protected_private_key if keys else None,
        "lock_minutes": state.lock_minutes,
        "expires_at": "2999-01-01T00:00:00+00:00",
    }


def _sign_in_routes(app: Flask, state: State) -> None:
    @app.post("/sign-in/parameters")
    def parameters() -> Response:
        return jsonify(kdf="pbkdf2-sha256", iterations=state.iterations)

    @app.post("/sign-in")
    def sign_in() -> tuple[Response, int]:
        if not state.keys or request.form["signin_hash"] != state.keys.signin_hash:
            return jsonify(errors={"": "Wrong address or password."}), 422
        if state.second_factor:
            return jsonify(next="/sign-in/second-factor", signed_in=False), 200
        state.signed_in = True
        return jsonify(next="/home", signed_in=True), 200

    @app.post("/sign-in/second-factor")
    def second_factor() -> tuple[Response, int]:
        if request.form["code"] != state.second_factor:
            return jsonify(errors={"code": "That code is not right."}), 422
        state.signed_in = True
        return jsonify(next="/home", signed_in=True, csrf_token="fresh"), 200

    @app.post("/session/vault")
    def open_vault() -> Response:
        state.secret = os.urandom(32)
        return jsonify(_vault_answer(state))

    @app.get("/session/vault")
    def read_vault() -> Response:
        return jsonify(_vault_answer(state))

    @app.post("/session/lock")
    def lock() -> Any:
        state.secret = None
        if "json" in request.headers.get("Accept", ""):
            return "", 204
        return redirect("/home", 303)


def _app(state: State) -> Flask:
    app = Flask(__name__, static_folder=str(STATIC), static_url_path="/static")

    @app.before_request
    def remember() -> None:
        state.paths.append(f"{request.method} {request.full_path.rstrip('?')}")
        if request.method == "POST":
            state.bodies.append(request.get_data(cache=True))
            state.posts.append((request.path, request.form.to_dict()))

    @app.after_request
    def protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Cache-Control"] = "no-store"
        return response

    _sign_in_routes(app, state)

    @app.get("/<path:path>")
    def page(path: str) -> tuple[str, int]:
        body = state.pages.get("/" + path)
        if body is None:
            return "", 404
        return (body if body.startswith(("<!doctype", "<ul")) else document(state, body)), 200

    @app.post("/<path:path>")
    def receive(path: str) -> Any:
        planned = state.answers.get("/" + path)
        if planned:
            status, data = planned.pop(0)
            return jsonify(data), status
        return document(state, "<h1>Received</h1>")

    return app


class VaultServer:
    """Runs the app on a free port of localhost, which is a secure context for browsers."""

    def __init__(self) -> None:
        self.state = State(pages={"/blank": "<h1>Blank</h1>", "/home": "<h1>Home</h1>"})
        self._server = make_server("127.0.0.1", 0, _app(self.state), threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def url(self, path: str) -> str:
        return f"http://localhost:{self._server.port}{path}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
