"""Suspend and resume, unlink, delete and keep: each a page that names what it brings about."""

import uuid
from dataclasses import dataclass
from typing import Any

from flask import abort, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from portal.accounts.freshness import fresh, refuse_stale
from portal.billing import client_queries
from portal.clients import lifecycle
from portal.clients.blueprint import bp
from portal.clients.change_forms import DeleteForm
from portal.clients.handover import Handover, handover
from portal.domain.access import Permission
from portal.domain.errors import Changed
from portal.domain.names import NAME_LIMIT
from portal.domain.states import ClientStatus
from portal.extensions import db
from portal.web import notices
from portal.web.access import actor, requires
from portal.web.formats import day
from portal.web.fragments import done


@dataclass(frozen=True)
class Decision:
    """A page that asks once more: what it is about, what follows, and the button."""

    title: str
    text: str
    consequences: tuple[str, ...]
    button: str
    icon: str
    kind: str = "primary"


@bp.get("/providers/<uuid:provider_id>/clients/<uuid:organization_id>/suspend")
@requires(Permission.CLIENTS_SUSPEND)
def suspend(provider_id: uuid.UUID, organization_id: uuid.UUID) -> Response:
    """What suspending does."""
    client = _client(organization_id)
    if client.status is not ClientStatus.ACTIVE:
        return done(_manage(provider_id, organization_id))
    decision = Decision(
        _("Suspend %(client)s", client=client.name),
        _("Suspending locks the members out and keeps everything. You can resume at any time."),
        (
            _("Members, its owners too, can no longer open the organization, from this moment on."),
            _("They read that it is suspended, and that they should ask you."),
            _("Your own people can still open it."),
            _("Seats stay assigned and are billed as before."),
            _("Invitations cannot be accepted before the client is resumed."),
        ),
        _("Suspend"),
        "lock",
        "danger",
    )
    return _page(provider_id, client, decision)


@bp.post("/providers/<uuid:provider_id>/clients/<uuid:organization_id>/suspend")
@requires(Permission.CLIENTS_SUSPEND)
def suspend_submit(provider_id: uuid.UUID, organization_id: uuid.UUID) -> Response:
    """Lock the members out."""
    client = _client(organization_id, as_seen=True)
    lifecycle.suspend(db.session(), actor(), client)
    return _saved(provider_id, client, _("%(client)s is suspended.", client=client.name))


@bp.get("/providers/<uuid:provider_id>/clients/<uuid:organization_id>/resume")
@requires(Permission.CLIENTS_SUSPEND)
def resume(provider_id: uuid.UUID, organization_id: uuid.UUID) -> Response:
    """What resuming does."""
    client = _client(organization_id)
    if client.status is not ClientStatus.SUSPENDED:
        return done(_manage(provider_id, organization_id))
    decision = Decision(
        _("Resume %(client)s", client=client.name),
        _("Resuming lets the members in again. Nothing was lost in the meantime."),
        (
            _("Members open the organization with the rights they had."),
            _("Invitations that have not expired can be accepted again."),
        ),
        _("Resume"),
        "lock-open",
    )
    return _page(provider_id, client, decision)


@bp.post("/providers/<uuid:provider_id>/clients/<uuid:organization_id>/resume")
@requires(Permission.CLIENTS_SUSPEND)
def resume_submit(provider_id: uuid.UUID, organization_id: uuid.UUID) -> Response:
    """Let the members in again."""
    client = _client(organization_id, as_seen=True)
    lifecycle.resume(db.session(), actor(), client)
    return _saved(provider_id, client, _("%(client)s is active again.", client=client.name))


@bp.get("/providers/<uuid:provider_id>/clients/<uuid:organization_id>/unlink")
@requires(Permission.CLIENTS_UNLINK)
@fresh
def unlink(provider_id: uuid.UUID, organization_id: uuid.UUID) -> Response:
    """What the owner takes over, and that somebody is there to do it."""
    client = _client(organization_id)
    if client.status is ClientStatus.DELETING:
        return done(_manage(provider_id, organization_id))
    found: Handover = handover(db.session(), actor().scope, client)
    return _render("clients/unlink.html", provider_id, client, handover=found)


@bp.post("/providers/<uuid:provider_id>/clients/<uuid:organization_id>/unlink")
@requires(Permission.CLIENTS_UNLINK)
@fresh
def unlink_submit(provider_id: uuid.UUID, organization_id: uuid.UUID) -> Response:
    """Give the organization to its owner."""
    client = _client(organization_id, as_seen=True)
    lifecycle.unlink(db.session(), actor(), client)
    told = _("%(client)s is unlinked and belongs to its owner alone.", client=client.name)
    saved = notices.add(told)
    db.session.commit()
    return done(url_for("clients.index", provider_id=provider_id), saved)


@bp.get("/providers/<uuid:provider_id>/clients/<uuid:organization_id>/delete")
@requires(Permission.CLIENTS_DELETE)
@fresh
def delete(provider_id: uuid.UUID, organization_id: uuid.UUID) -> Response:
    """What deleting destroys, and when; the name must be typed."""
    client = _client(organization_id)
    if client.status is ClientStatus.DELETING:
        return done(_manage(provider_id, organization_id))
    typed = {"name": request.args.get("name", ""), "version": str(client.version)}
    form = DeleteForm(client.name, formdata=None, **typed)
    return _render("clients/delete.html", provider_id, client, form=form)


@bp.post("/providers/<uuid:provider_id>/clients/<uuid:organization_id>/delete")
@requires(Permission.CLIENTS_DELETE)
def delete_submit(provider_id: uuid.UUID, organization_id: uuid.UUID) -> Response:
    """Close the client now, and delete it in seven days."""
    back = url_for(
        "clients.delete",
        provider_id=provider_id,
        organization_id=organization_id,
        name=request.form.get("name", "")[:NAME_LIMIT],
    )
    if stale := refuse_stale(back):
        return stale
    client = _client(organization_id)
    form = DeleteForm(client.name)
    if not form.validate():
        return _render("clients/delete.html", provider_id, client, 422, form=form)
    client = _client(organization_id, as_seen=True)
    delete_at = lifecycle.ask_deletion(db.session(), actor(), client)
    told = _(
        "%(client)s is deleted on %(day)s. Until then you can keep it.",
        client=client.name,
        day=day(delete_at),
    )
    return _saved(provider_id, client, told)


@bp.get("/providers/<uuid:provider_id>/clients/<uuid:organization_id>/keep")
@requires(Permission.CLIENTS_DELETE)
def keep(provider_id: uuid.UUID, organization_id: uuid.UUID) -> Response:
    """What taking the deletion back does."""
    client = _client(organization_id)
    if client.status is not ClientStatus.DELETING:
        return done(_manage(provider_id, organization_id))
    back = {
        ClientStatus.ACTIVE: _("Members can open the organization again at once."),
        ClientStatus.SUSPENDED: _("It is suspended again, as it was before."),
    }
    decision = Decision(
        _("Keep %(client)s", client=client.name),
        _("The client is to be deleted on %(day)s. Keeping it undoes that.", day=_due(client)),
        (back[client.status_before_deletion], _("Nothing has been deleted yet.")),
        _("Keep this client"),
        "refresh-cw",
    )
    return _page(provider_id, client, decision)


@bp.post("/providers/<uuid:provider_id>/clients/<uuid:organization_id>/keep")
@requires(Permission.CLIENTS_DELETE)
def keep_submit(provider_id: uuid.UUID, organization_id: uuid.UUID) -> Response:
    """Take the deletion back."""
    client = _client(organization_id, as_seen=True)
    lifecycle.keep(db.session(), actor(), client)
    return _saved(provider_id, client, _("%(client)s is kept.", client=client.name))


def _client(organization_id: uuid.UUID, *, as_seen: bool = False) -> Any:
    """The client; with `as_seen` only if it is the version that the page was made from."""
    found = client_queries.client(db.session(), actor().scope, organization_id)
    if found is None:
        abort(404)
    if as_seen and request.form.get("version") != str(found.version):
        raise Changed
    return found


def _manage(provider_id: uuid.UUID, organization_id: uuid.UUID) -> str:
    return url_for("clients.manage", provider_id=provider_id, organization_id=organization_id)


def _due(client: Any) -> str:
    return day(client.delete_at)


def _saved(provider_id: uuid.UUID, client: Any, text: str) -> Response:
    saved = notices.add(text)
    db.session.commit()
    return done(_manage(provider_id, client.id), saved)


def _page(provider_id: uuid.UUID, client: Any, decision: Decision) -> Response:
    return _render("clients/decision.html", provider_id, client, decision=decision)


def _render(
    template: str, provider_id: uuid.UUID, client: Any, status: int = 200, **context: Any
) -> Response:
    back_url = _manage(provider_id, client.id)
    body = render_template(template, client=client, back_url=back_url, here=request.path, **context)
    return Response(body, status, mimetype="text/html")
