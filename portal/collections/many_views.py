"""Many collections at once: deleted, or shared with the same groups and members."""

import uuid
from collections.abc import Callable
from typing import Any

from flask import Response, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from portal.collections import queries, service
from portal.collections.blueprint import (
    ALL,
    AT_ONCE,
    Line,
    bp,
    keeper,
    levels,
    line,
    offered,
    shares,
    ticked,
    words,
)
from portal.domain.access import Permission
from portal.domain.collection_rules import Keeper
from portal.domain.errors import RuleError
from portal.extensions import db
from portal.organizations.key_rings import ring_of
from portal.web import fragments, notices
from portal.web.access import actor, requires
from portal.web.forms import sentence

Row = tuple[Any, Line]


def _rows(organization_id: uuid.UUID, by: Keeper) -> list[Row]:
    """The ticked collections that the asker may see, at most AT_ONCE."""
    found = queries.chosen(db.session(), organization_id, actor().account_id, ticked()[:AT_ONCE])
    return [(row, line(by, row)) for row in found if by.sees_all or row.level]


@bp.post(f"{ALL}/many")
@requires(Permission.COLLECTIONS_OWN)
def many(organization_id: uuid.UUID) -> AnyResponse:
    """What will be done with the ticked ones; nothing is done yet."""
    by = keeper(organization_id)
    rows = _rows(organization_id, by)
    back = url_for("collections.index", organization_id=organization_id)
    if not rows:
        saved = notices.add(_("Tick at least one collection first."))
        db.session.commit()
        return fragments.done(back, saved)
    if request.form.get("do") == "delete":
        return _page(
            "collections/delete.html",
            rows=[row for row, seen in rows if seen.may_delete],
            problem="",
            action=url_for("collections.delete_many", organization_id=organization_id),
            back_url=back,
        )
    return _share_page(organization_id, rows)


def _share_page(organization_id: uuid.UUID, rows: list[Row], status: int = 200) -> Response:
    return _page(
        "collections/share.html",
        status,
        rows=[row for row, seen in rows if seen.may_manage],
        problem=_("Choose a level for at least one group or member.") if status == 422 else "",
        url=url_for("collections.many", organization_id=organization_id),
        action=url_for("collections.share_many", organization_id=organization_id),
        offered=offered(organization_id, None),
        levels=levels(),
        words=words(),
        back_url=url_for("collections.index", organization_id=organization_id),
    )


def _page(template: str, status: int = 200, **context: Any) -> Response:
    body = render_template(template, key_ring=ring_of(db.session(), actor()), **context)
    return Response(body, status, mimetype="text/html")


@bp.post(f"{ALL}/many/delete")
@requires(Permission.COLLECTIONS_OWN)
def delete_many(organization_id: uuid.UUID) -> AnyResponse:
    """Delete them, with an answer for each."""

    def delete(row: Any, seen: Line) -> str:
        if not seen.may_delete:
            return str(_("You may not delete this collection."))
        service.remove(db.session(), actor(), row)
        return str(_("Deleted"))

    return _result(organization_id, keeper(organization_id), delete)


@bp.post(f"{ALL}/many/access")
@requires(Permission.COLLECTIONS_OWN)
def share_many(organization_id: uuid.UUID) -> AnyResponse:
    """Give the chosen groups and members their level in each, with an answer for each."""
    by, chosen = keeper(organization_id), shares()
    if not chosen.groups and not chosen.members:
        return _share_page(organization_id, _rows(organization_id, by), 422)

    def share(row: Any, seen: Line) -> str:
        if not seen.may_manage:
            return str(_("You may not share this collection."))
        changed = service.share(db.session(), actor(), by, row, chosen, row.version)
        return str(_("Saved") if changed else _("Nothing to change"))

    return _result(organization_id, by, share)


def _result(
    organization_id: uuid.UUID, by: Keeper, work: Callable[[Any, Line], str]
) -> AnyResponse:
    """One that is refused stops no other."""
    answers = []
    for row, seen in _rows(organization_id, by):
        try:
            with db.session().begin_nested():
                answers.append((row, work(row, seen)))
        except RuleError as error:
            answers.append((row, sentence(error.text)))
    body = render_template(
        "collections/result.html",
        answers=answers,
        key_ring=ring_of(db.session(), actor()),
        back_url=url_for("collections.index", organization_id=organization_id),
    )
    db.session.commit()
    return Response(body, mimetype="text/html")
