"""Groups and collections as forms send them."""

import uuid

from flask import abort, request

from portal.domain.collection_access import Level

TICKED_LIMIT = 1000


def ticked_groups() -> set[uuid.UUID]:
    """`group`, as often as there are ticks; anything else is a broken request."""
    try:
        return {uuid.UUID(value) for value in request.form.getlist("group")[:TICKED_LIMIT]}
    except ValueError:
        abort(400)


def chosen_levels() -> dict[uuid.UUID, Level]:
    """`level-<collection id>`; one without a level is not given."""
    chosen: dict[uuid.UUID, Level] = {}
    for name, value in request.form.items():
        if not name.startswith("level-") or not value:
            continue
        try:
            chosen[uuid.UUID(name.removeprefix("level-"))] = Level(value)
        except ValueError:
            abort(400)
    return chosen
