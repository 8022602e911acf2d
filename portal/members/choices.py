"""Groups as forms send them."""

import uuid

from flask import abort, request

TICKED_LIMIT = 1000


def ticked_groups() -> set[uuid.UUID]:
    """`group`, as often as there are ticks; anything else is a broken request."""
    try:
        return {uuid.UUID(value) for value in request.form.getlist("group")[:TICKED_LIMIT]}
    except ValueError:
        abort(400)


def seen_groups() -> set[uuid.UUID] | None:
    """`had`: the ids of the groups that were ticked when the form was shown; or None."""
    if "had" not in request.form:
        return None
    try:
        return {uuid.UUID(each) for each in request.form["had"].split()[:TICKED_LIMIT]}
    except ValueError:
        abort(400)
