"""Browsers in which somebody has signed in before.

A guesser uses up the attempts that an address has from strangers' browsers; its owner's own
browser has attempts of its own, so nobody can be locked out by being attacked. The cookie proves
nothing else and opens nothing.
"""

import hashlib
import secrets

from flask import Response, after_this_request, current_app, request
from itsdangerous import BadData, URLSafeSerializer

from portal.config import Settings
from portal.crypto.tokens import derive_key
from portal.domain.emails import normalise

COOKIE = "portal_known"
_YEAR = 365 * 86400
_PEOPLE = 5


def bucket(email: str) -> str:
    """Where the attempts on an address are counted: with its browser if known, else together."""
    person = _mark(email)
    browser, people = _read()
    return f"{browser}:{person}" if person in people else person


def remember(email: str) -> None:
    """Note with the answer that this browser belongs to the address's owner."""
    browser, people = _read()
    person = _mark(email)
    people = [person, *(other for other in people if other != person)][:_PEOPLE]
    value = _serializers()[0].dumps([browser or secrets.token_hex(8), people])

    @after_this_request
    def keep(response: Response) -> Response:
        response.set_cookie(
            COOKIE,
            str(value),
            max_age=_YEAR,
            secure=_settings().https,
            httponly=True,
            samesite="Lax",
        )
        return response


def _mark(email: str) -> str:
    return hashlib.sha256(normalise(email).encode("utf-8", "replace")).hexdigest()[:32]


def _read() -> tuple[str, list[str]]:
    cookie = request.cookies.get(COOKIE, "")
    for serializer in _serializers():
        try:
            browser, people = serializer.loads(cookie)
            return str(browser), [str(person) for person in people]
        except (BadData, ValueError, TypeError):
            continue
    return "", []


def _serializers() -> list[URLSafeSerializer]:
    return [
        URLSafeSerializer(
            derive_key(key, "known-browser"), signer_kwargs={"digest_method": hashlib.sha256}
        )
        for key in _settings().secret_keys
    ]


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings
