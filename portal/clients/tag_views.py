"""The provider's tags: all of them, a new one, another name or colour, none any more."""

import uuid
from typing import Any

from flask import abort, render_template, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from portal.clients import mark_queries, tagging
from portal.clients.blueprint import bp
from portal.clients.mark_forms import TagForm
from portal.domain.access import Permission
from portal.domain.errors import Message, RuleError
from portal.domain.scope import Reach
from portal.domain.tags import next_colour
from portal.extensions import db
from portal.web import notices
from portal.web.access import actor, requires
from portal.web.forms import sentence
from portal.web.fragments import done


@bp.get("/providers/<uuid:provider_id>/clients/tags")
@requires(Permission.CLIENTS_ANNOTATE)
def tags(provider_id: uuid.UUID) -> str:
    """Every tag and how many clients have it."""
    return render_template(
        "clients/tags.html",
        tags=mark_queries.tags(db.session(), actor().scope),
        may_change=tagging.may_change_tags(actor()),
        provider_id=provider_id,
        back_url=url_for("clients.index", provider_id=provider_id),
    )


@bp.get("/providers/<uuid:provider_id>/clients/tags/new")
@requires(Permission.CLIENTS_ANNOTATE)
def new_tag(provider_id: uuid.UUID) -> Response:
    """A tag, to be named; the colour that is used least is chosen already."""
    known = mark_queries.tags(db.session(), actor().scope)
    form = TagForm(data={"colour": str(next_colour(tag.colour for tag in known))})
    return _page(form, provider_id, None)


@bp.post("/providers/<uuid:provider_id>/clients/tags/new")
@requires(Permission.CLIENTS_ANNOTATE)
def create_tag(provider_id: uuid.UUID) -> Response:
    """Make the tag."""
    form = TagForm()
    try:
        name, colour = form.wanted()
        tagging.create_tag(db.session(), actor(), name, colour)
    except RuleError as error:
        form.blame(error)
        return _page(form, provider_id, None, 422)
    saved = notices.add(_("The tag %(tag)s is there now.", tag=name))
    db.session.commit()
    return done(_all(provider_id), saved)


@bp.get("/providers/<uuid:provider_id>/clients/tags/<uuid:tag_id>")
@requires(Permission.CLIENTS_ANNOTATE)
def tag(provider_id: uuid.UUID, tag_id: uuid.UUID) -> Response:
    """Name and colour, to be changed."""
    found = _tag(tag_id)
    form = TagForm(data={"name": found.name, "colour": str(found.colour)})
    return _page(form, provider_id, found)


@bp.post("/providers/<uuid:provider_id>/clients/tags/<uuid:tag_id>")
@requires(Permission.CLIENTS_ANNOTATE)
def save_tag(provider_id: uuid.UUID, tag_id: uuid.UUID) -> Response:
    """Store them; every client that has the tag shows it so at once."""
    found, form = _tag(tag_id), TagForm()
    try:
        name, colour = form.wanted()
        changed = tagging.change_tag(db.session(), actor(), found, name=name, colour=colour)
    except RuleError as error:
        form.blame(error)
        return _page(form, provider_id, found, 422)
    saved = notices.add(_("The tag %(tag)s is saved.", tag=name)) if changed else ""
    db.session.commit()
    return done(_all(provider_id), saved)


@bp.get("/providers/<uuid:provider_id>/clients/tags/<uuid:tag_id>/delete")
@requires(Permission.CLIENTS_ANNOTATE)
def delete_tag(provider_id: uuid.UUID, tag_id: uuid.UUID) -> Response:
    """What deleting the tag takes from how many clients."""
    return _delete_page(provider_id, _tag(tag_id))


def _delete_page(provider_id: uuid.UUID, found: Any, status: int = 200) -> Response:
    scopes = tagging.scopes_with(db.session(), actor(), found.id)
    body = render_template(
        "clients/tag_delete.html",
        tag=found,
        scopes=scopes.get(Reach.ONLY, 0),
        leaves_out=sentence(Message(tagging.LEAVES_OUT)) if Reach.ALL_BUT in scopes else "",
        back_url=_all(provider_id),
    )
    return Response(body, status, mimetype="text/html")


@bp.post("/providers/<uuid:provider_id>/clients/tags/<uuid:tag_id>/delete")
@requires(Permission.CLIENTS_ANNOTATE)
def delete_tag_submit(provider_id: uuid.UUID, tag_id: uuid.UUID) -> Response:
    """Delete it."""
    found = _tag(tag_id)
    try:
        count = tagging.delete_tag(db.session(), actor(), found)
    except RuleError:
        return _delete_page(provider_id, found, 409)
    text = ngettext(
        "The tag %(tag)s is deleted. %(count)s client had it.",
        "The tag %(tag)s is deleted. %(count)s clients had it.",
        count,
        tag=found.name,
        count=count,
    )
    saved = notices.add(text)
    db.session.commit()
    return done(_all(provider_id), saved)


def _all(provider_id: uuid.UUID) -> str:
    return url_for("clients.tags", provider_id=provider_id)


def _tag(tag_id: uuid.UUID) -> Any:
    """A tag that this person may change: others have clients with it that some do not reach."""
    known = mark_queries.tags(db.session(), actor().scope)
    found = next((each for each in known if each.id == tag_id), None)
    if found is None:
        abort(404)
    if not tagging.may_change_tags(actor()):
        abort(403)
    return found


def _page(form: TagForm, provider_id: uuid.UUID, found: Any, status: int = 200) -> Response:
    body = render_template("clients/tag.html", form=form, tag=found, back_url=_all(provider_id))
    return Response(body, status, mimetype="text/html")
