"""The same kind of page in another tenant: what the switcher keeps when a person changes places.

A kind is the part of an address that follows the tenant's id: `people`, `events`, `settings`. What
comes after it names things of one tenant and is left behind.
"""

from typing import Any

from flask import Flask, current_app, request

from portal.accounts.affiliations import Opened
from portal.domain.access import Permission, Role
from portal.web.links import link

_START = {"provider": "clients.index", "organization": "collections.index"}
_Kinds = dict[tuple[str, str], tuple[str, Permission]]


def first_page(row: Opened) -> str:
    """Where a place begins."""
    return link(_START[row.kind], **_id(row))


def same_page(row: Opened) -> str:
    """The page of the present kind in another place; its first page where the person's role there
    has no such page.
    """
    found = _kinds().get((row.kind, _present(row.kind)))
    if found is None or row.state != "confirmed":
        return first_page(row)
    endpoint, permission = found
    may_see = permission in Role(row.role).permissions
    return link(endpoint, **_id(row)) if may_see else first_page(row)


def _id(row: Opened) -> dict[str, Any]:
    return {f"{row.kind}_id": row.tenant_id}


def _present(kind: str) -> str:
    """What follows the tenant's id in the address that is shown; empty for other tenants."""
    rule = request.url_rule.rule if request.url_rule else ""
    parts = rule.split("/")
    return parts[3] if parts[1:3] == _head(kind) and len(parts) > 3 else ""


def _head(kind: str) -> list[str]:
    return [f"{kind}s", f"<uuid:{kind}_id>"]


def _kinds() -> _Kinds:
    """(kind of tenant, kind of page) to its view and the right that it asks for; read once."""
    known: _Kinds | None = current_app.extensions.get("kinds_of_pages")
    if known is None:
        known = current_app.extensions["kinds_of_pages"] = _read(current_app)
    return known


def _read(app: Flask) -> _Kinds:
    found: _Kinds = {}
    for rule in app.url_map.iter_rules():
        parts = rule.rule.split("/")
        for kind in _START:
            if parts[1:3] == _head(kind) and len(parts) == 4 and "GET" in (rule.methods or ()):
                view: Any = app.view_functions[rule.endpoint]
                found[kind, parts[3]] = rule.endpoint, view.access.permission
    return found
