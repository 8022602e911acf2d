"""Levels of collections as forms send them, and what those forms began with."""

import uuid
from collections.abc import Mapping

from flask import abort, request

from portal.domain.collection_access import Level


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


def as_seen(levels: Mapping[uuid.UUID, Level | None]) -> str:
    """What a form has shown as given, to be sent back in its field `had`."""
    return " ".join(f"{each}={Level(level).value}" for each, level in levels.items() if level)


def seen_levels() -> dict[uuid.UUID, Level] | None:
    """`had`, as `as_seen` writes it; None where the form has not said what it showed."""
    if "had" not in request.form:
        return None
    pairs = (pair.partition("=") for pair in request.form["had"].split())
    try:
        return {uuid.UUID(each): Level(level) for each, _equals, level in pairs}
    except ValueError:
        abort(400)
