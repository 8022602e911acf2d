"""A small portal for the browser modules: it serves `static/` and speaks their JSON contract.

It keeps what it was sent, so that a test can look for what must never be sent.
"""

import base64
import os
import threading
from dataclasses import dataclass, field
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
    signs_out: bool = False
    pages: dict[str, str] = field(default_factory=dict)
    answers: dict[str, list[tuple[int, dict[str, Any]]]] = field(default_factory=dict)
    posts: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    def posted(self, path: str) -> list[dict[str, str]]:
        return [fields for where, fields in self.posts if where == path]


def document(state: State, body: str) -> str:
    """A page as base.html would render it."""
    has_keys = state.signed_in and state.keys
    vault = ("unlocked" if state.secret else "locked") if has_keys else "none"
    ids = f'data-account-id="{ACCOUNT_ID}" data-session-id="{state.session_id}"'
    return f"""<!doctype html>
<html lang="en" {ids if state.signed_in else ""} data-vault="{vault}"
      data-lock-minutes="{state.lock_minutes}" data-text-failed="That did not work. Try again.">
<head><title>Test</title><meta name="csrf-token" content="token">
<link rel="icon" href="data:,">
<script type="module" src="/static/js/portal.js" blocking="render"></script></head>
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
        "signs_out": state.signs_out,
        "expires_at": "2999-01-01T00:00:00+00:00",
    }


class _Portal:
    """The answers, one method each."""

    def __init__(self, state: State) -> None:
        self.state = state

    def parameters(self) -> Response:
        return jsonify(kdf="pbkdf2-sha256", iterations=self.state.iterations)

    def sign_in(self) -> tuple[Response, int]:
        keys = self.state.keys
        if not keys or request.form["signin_hash"] != keys.signin_hash:
            return jsonify(errors={"": "Wrong address or password."}), 422
        if self.state.second_factor:
            return jsonify(next="/sign-in/second-factor", signed_in=False), 200
        self.state.signed_in = True
        return jsonify(next="/home", signed_in=True), 200

    def second_factor(self) -> tuple[Response, int]:
        if request.form["code"] != self.state.second_factor:
            return jsonify(errors={"code": "That code is not right."}), 422
        self.state.signed_in = True
        return jsonify(next="/home", signed_in=True, csrf_token="fresh"), 200

    def open_vault(self) -> Response:
        self.state.secret = os.urandom(32)
        return jsonify(_vault_answer(self.state))

    def read_vault(self) -> Response:
        return jsonify(_vault_answer(self.state))

    def lock(self) -> Any:
        self.state.secret = None
        if "json" in request.headers.get("Accept", ""):
            return "", 204
        return redirect("/home", 303)

    def page(self, path: str) -> tuple[str, int]:
        body = self.state.pages.get("/" + path)
        if body is None:
            return "", 404
        return (body if body.startswith("<ul") else document(self.state, body)), 200

    def receive(self, path: str) -> Any:
        planned = self.state.answers.get("/" + path)
        if planned:
            status, data = planned.pop(0)
            return jsonify(data), status
        return document(self.state, "<h1>Received</h1>")

    def remember(self) -> None:
        self.state.paths.append(f"{request.method} {request.full_path.rstrip('?')}")
        if request.method == "POST":
            self.state.bodies.append(request.get_data(cache=True))
            self.state.posts.append((request.path, request.form.to_dict()))

    def protect(self, response: Response) -> Response:
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Cache-Control"] = "no-store"
        return response


def _app(state: State) -> Flask:
    app = Flask(__name__, static_folder=str(STATIC), static_url_path="/static")
    portal = _Portal(state)
    app.before_request(portal.remember)
    app.after_request(portal.protect)
    app.post("/sign-in/parameters")(portal.parameters)
    app.post("/sign-in")(portal.sign_in)
    app.post("/sign-in/second-factor")(portal.second_factor)
    app.post("/session/vault")(portal.open_vault)
    app.get("/session/vault")(portal.read_vault)
    app.post("/session/lock")(portal.lock)
    app.get("/")(lambda: document(state, "<h1>Root</h1>"))
    app.get("/<path:path>")(portal.page)
    app.post("/<path:path>")(portal.receive)
    return app


class VaultServer:
    """Runs the app on a free port of localhost, which is a secure context for browsers."""

    def __init__(self) -> None:
        self.state = State(pages=dict.fromkeys(("/blank", "/home", "/sealed"), "<h1>Home</h1>"))
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
