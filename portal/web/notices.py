"""The sentence a person reads after a change: a row on the server, fetched by `?saved=<key>`.

The store is a list that `create_app` fills (accounts.notices), since this package knows no tables.
"""

import secrets
from typing import NamedTuple, Protocol

from flask import request
from flask_login import current_user


class Shown(NamedTuple):
    """A notice as the page shows it; `kind` is success, warning or error."""

    kind: str
    text: str


class Store(Protocol):
    """Where notices wait for the next page."""

    def add(self, account_id: object, key: str, kind: str, text: str) -> None: ...

    def find(self, account_id: object, key: str) -> Shown | None: ...


STORE: list[Store] = []


def add(text: str, kind: str = "success") -> str:
    """Keep a translated sentence for the next page, in the current transaction; returns its key."""
    key = secrets.token_hex(3)
    STORE[0].add(current_user.account_id, key, kind, text)
    return key


def waiting() -> list[Shown]:
    """The notices of this request: none, or the one that `?saved=` names and that is ours."""
    key = request.args.get("saved", "")
    if len(key) != 6 or not current_user.is_authenticated:
        return []
    found = STORE[0].find(current_user.account_id, key)
    return [found] if found else []
