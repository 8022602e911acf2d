"""The blueprint that the pages of collections stand on, and what they all need."""

import uuid
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, request, url_for
from flask_babel import gettext as _

from portal.collections import queries
from portal.collections.service import Shares
from portal.domain.access import Permission
from portal.domain.collection_access import Access, Level
from portal.domain.collection_rules import Keeper
from portal.domain.emails import shown
from portal.domain.names import colour_class, initials
from portal.extensions import db
from portal.web.access import actor

bp = Blueprint("collections", __name__)
ALL = "/organizations/<uuid:organization_id>/collections"
ONE = f"{ALL}/<uuid:collection_id>"
LONGEST_SEARCH = 100
AT_ONCE = 100


@dataclass(frozen=True)
class Line:
    """A collection as lists and its own page show it."""

    id: uuid.UUID
    url: str
    sealed_name: str | None
    external_id: str
    groups: str
    permission: str
    is_orphan: bool
    may_manage: bool
    may_delete: bool


def keeper(organization_id: uuid.UUID) -> Keeper:
    """Who acts, as the rules about collections want them."""
    settings, _version = queries.settings(db.session(), organization_id)
    found = actor()
    return Keeper(found.role, found.permissions, found.via_provider, settings)


def line(by: Keeper, row: Any) -> Line:
    """What `by` sees of a row of `queries.listed`."""
    assigned = Access(row.level, bool(row.is_direct)) if row.level else None
    level = by.level(assigned)
    orphan = not row.is_managed and not by.settings.admins_reach_all
    here = {"organization_id": row.organization_id, "collection_id": row.id}
    return Line(
        id=row.id,
        url=url_for("collections.collection", **here),
        sealed_name=row.sealed_name,
        external_id=row.external_id,
        groups=_groups(row),
        permission=_(level.label) if level else _("No access"),
        is_orphan=orphan and by.sees_all,
        may_manage=by.may_manage(assigned, is_orphan=orphan),
        may_delete=by.may_delete(assigned, is_orphan=orphan),
    )


def _groups(row: Any) -> str:
    if row.groups > 1:
        return str(_("%(group)s and %(count)s more", group=row.first_group, count=row.groups - 1))
    return str(row.first_group or "")


def find(organization_id: uuid.UUID, collection_id: uuid.UUID, by: Keeper) -> Any:
    """The collection as the asker may see it, or 404."""
    row = queries.find(db.session(), organization_id, actor().account_id, collection_id)
    if row is None or not (by.sees_all or row.level):
        abort(404)
    return row


def managed(organization_id: uuid.UUID, collection_id: uuid.UUID) -> tuple[Keeper, Any, Line]:
    """The collection for who may change it: 404 for others' eyes, 403 without the right."""
    by = keeper(organization_id)
    row = find(organization_id, collection_id, by)
    shown_line = line(by, row)
    if not shown_line.may_manage:
        abort(403)
    return by, row, shown_line


def words() -> str:
    """What is searched for, as the address says it."""
    text = request.args.get("q", "").replace("\0", "")
    return " ".join(text.split())[:LONGEST_SEARCH]


def after() -> uuid.UUID | None:
    """Where a list goes on; anything unreadable is its beginning."""
    try:
        return uuid.UUID(request.args.get("after", ""))
    except ValueError:
        return None


def ticked() -> list[uuid.UUID]:
    """The ids of ticked collections; anything else is a broken request."""
    try:
        return [uuid.UUID(value) for value in request.form.getlist("collection")]
    except ValueError:
        abort(400)


def shares() -> Shares:
    """`group-<id>` and `member-<id>` of the form: a level, `none` to take away, or nothing."""
    found: dict[str, dict[uuid.UUID, Level | None]] = {"group": {}, "member": {}}
    for name, value in request.form.items():
        kind, dash, text = name.partition("-")
        if kind not in found or not dash or not value:
            continue
        try:
            found[kind][uuid.UUID(text)] = None if value == "none" else Level(value)
        except ValueError:
            abort(400)
    return Shares(found["group"], found["member"])


def levels() -> list[tuple[str, str]]:
    """The five levels as a form offers them."""
    return [(level.value, _(level.label)) for level in Level]


def person(row: Any) -> dict[str, Any]:
    """A member as the tables of holders show them."""
    address = shown(row.email)
    name = row.name or address
    return {
        "id": row.id,
        "kind": "member",
        "name": name,
        "about": address if row.name else "",
        "state": _(row.state.label),
        "initials": initials(name),
        "tone": colour_class(row.id),
        "level": getattr(row, "level", None),
    }


def group(row: Any) -> dict[str, Any]:
    """A group in the same tables."""
    return {
        "id": row.id,
        "kind": "group",
        "name": row.name,
        "about": "",
        "state": "",
        "initials": "",
        "tone": 0,
        "level": getattr(row, "level", None),
    }


def offered(organization_id: uuid.UUID, collection_id: uuid.UUID | None) -> list[dict[str, Any]]:
    """Who could be given access: those that the search finds."""
    groups, members = queries.candidates(db.session(), organization_id, collection_id, words())
    return [*map(group, groups), *map(person, members)]


def unassigned(by: Keeper) -> str:
    """What somebody may do with items that are in no collection; empty where that is not shown."""
    if not by.sees_all:
        return ""
    edits = by.via_provider or by.reaches_all
    may = edits and Permission.COLLECTIONS_MANAGE in by.permissions
    return str(_("Can edit") if may else _("No access"))
