"""The blueprint that the pages of groups stand on, and what they all need."""

import uuid
from typing import Any

from flask import Blueprint, abort, request, url_for

from portal.extensions import db
from portal.groups import queries

bp = Blueprint("groups", __name__)
ALL = "/organizations/<uuid:organization_id>/groups"
ONE = f"{ALL}/<uuid:group_id>"
LONGEST_SEARCH = 100


def words() -> str:
    """What is searched for, as the address says it."""
    text = request.args.get("q", "").replace("\0", "")
    return " ".join(text.split())[:LONGEST_SEARCH]


def ids(values: list[str]) -> list[uuid.UUID]:
    """The ids of ticked rows, at most a page of them; anything else is a broken request."""
    try:
        return [uuid.UUID(value) for value in values[:100]]
    except ValueError:
        abort(400)


def find(organization_id: uuid.UUID, group_id: uuid.UUID) -> Any:
    """The group, or 404."""
    found = queries.find(db.session(), organization_id, group_id)
    if found is None:
        abort(404)
    return found


def page_of(organization_id: uuid.UUID, group_id: uuid.UUID) -> str:
    """Where a group is looked at."""
    return url_for("groups.group", organization_id=organization_id, group_id=group_id)
