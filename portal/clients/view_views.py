"""Saved views of the Clients table: keep one, rename or share it, forget it."""

import uuid
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import abort, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.clients import mark_queries, saved, table
from portal.clients.blueprint import bp
from portal.clients.listing import Listing
from portal.clients.mark_forms import ViewForm
from portal.domain.access import Permission
from portal.domain.errors import RuleError
from portal.extensions import db
from portal.web import notices
from portal.web.access import actor, requires
from portal.web.fragments import done


@bp.get("/providers/<uuid:provider_id>/clients/views")
@requires(Permission.CLIENTS_READ)
def views(provider_id: uuid.UUID) -> str:
    """The views that the person sees, and which of them they may change."""
    found = mark_queries.views(db.session(), provider_id, actor().account_id)
    marks = mark_queries.marks(db.session(), provider_id, actor().account_id)
    return render_template(
        "clients/views.html",
        views=[
            (view, saved.may_change(actor(), view), _filters(view.query, marks)) for view in found
        ],
        provider_id=provider_id,
        mine=actor().account_id,
        back_url=url_for("clients.index", provider_id=provider_id),
    )


@bp.get("/providers/<uuid:provider_id>/clients/views/new")
@requires(Permission.CLIENTS_SAVE_VIEWS)
def new_view(provider_id: uuid.UUID) -> Response:
    """A name for what the address says."""
    query = urlencode(Listing.read(request.args).query())
    return _page(ViewForm(data={"query": query}), provider_id, None)


@bp.post("/providers/<uuid:provider_id>/clients/views/new")
@requires(Permission.CLIENTS_SAVE_VIEWS)
def create_view(provider_id: uuid.UUID) -> Response:
    """Keep it. What the table does not know is dropped."""
    form = ViewForm()
    query = urlencode(_listing(form["query"].data or "").query())
    form["query"].data = query
    try:
        name = form.cleaned()
        shared = form["is_shared"].data
        saved.create(db.session(), actor(), name=name, query=query, is_shared=shared)
    except RuleError as error:
        form.blame(error)
        return _page(form, provider_id, None, 422)
    notice = notices.add(_("The view %(view)s is saved.", view=name))
    db.session.commit()
    url = url_for("clients.index", provider_id=provider_id)
    return done(f"{url}?{query}" if query else url, notice)


@bp.get("/providers/<uuid:provider_id>/clients/views/<uuid:view_id>")
@requires(Permission.CLIENTS_SAVE_VIEWS)
def view(provider_id: uuid.UUID, view_id: uuid.UUID) -> Response:
    """Name and sharing, to be changed."""
    found = _view(provider_id, view_id)
    return _page(
        ViewForm(data={"name": found.name, "is_shared": found.is_shared}), provider_id, found
    )


@bp.post("/providers/<uuid:provider_id>/clients/views/<uuid:view_id>")
@requires(Permission.CLIENTS_SAVE_VIEWS)
def save_view(provider_id: uuid.UUID, view_id: uuid.UUID) -> Response:
    """Store them."""
    found, form = _view(provider_id, view_id), ViewForm()
    try:
        name = form.cleaned()
        shared = form["is_shared"].data
        changed = saved.change(db.session(), actor(), found, name=name, is_shared=shared)
    except RuleError as error:
        form.blame(error)
        return _page(form, provider_id, found, 422)
    notice = notices.add(_("The view %(view)s is saved.", view=name)) if changed else ""
    db.session.commit()
    return done(_all(provider_id), notice)


@bp.get("/providers/<uuid:provider_id>/clients/views/<uuid:view_id>/delete")
@requires(Permission.CLIENTS_SAVE_VIEWS)
def delete_view(provider_id: uuid.UUID, view_id: uuid.UUID) -> str:
    """Whether to forget the view."""
    found = _view(provider_id, view_id)
    return render_template("clients/view_delete.html", view=found, back_url=_all(provider_id))


@bp.post("/providers/<uuid:provider_id>/clients/views/<uuid:view_id>/delete")
@requires(Permission.CLIENTS_SAVE_VIEWS)
def delete_view_submit(provider_id: uuid.UUID, view_id: uuid.UUID) -> Response:
    """Forget it."""
    found = _view(provider_id, view_id)
    saved.remove(db.session(), actor(), found)
    notice = notices.add(_("The view %(view)s is deleted.", view=found.name))
    db.session.commit()
    return done(_all(provider_id), notice)


def _listing(query: str) -> Listing:
    return Listing.read(dict(parse_qsl(query[:2000])))


def _filters(query: str, marks: mark_queries.Marks) -> str:
    """What a view shows, in words."""
    words = table.filter_labels(marks.known(_listing(query)), marks).values()
    return ", ".join(words) or _("All clients")


def _all(provider_id: uuid.UUID) -> str:
    return url_for("clients.views", provider_id=provider_id)


def _view(provider_id: uuid.UUID, view_id: uuid.UUID) -> Any:
    """A view that this person may change; whoever only sees it is refused."""
    found = mark_queries.view(db.session(), provider_id, actor().account_id, view_id)
    if found is None:
        abort(404)
    if not saved.may_change(actor(), found):
        abort(403)
    return found


def _page(form: ViewForm, provider_id: uuid.UUID, found: Any, status: int = 200) -> Response:
    query = found.query if found else form["query"].data or ""
    marks = mark_queries.marks(db.session(), provider_id, actor().account_id)
    body = render_template(
        "clients/view.html",
        form=form,
        view=found,
        shows=_filters(query, marks),
        post_url=request.path,
        back_url=_all(provider_id) if found else _clients(provider_id, query),
    )
    return Response(body, status, mimetype="text/html")


def _clients(provider_id: uuid.UUID, query: str) -> str:
    url = url_for("clients.index", provider_id=provider_id)
    return f"{url}?{query}" if query else url
