"""The event logs as tables, and one event."""

import uuid

from flask import abort, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from portal.domain.access import Permission
from portal.extensions import db
from portal.logbook import file_views, proof_views, queries, service
from portal.logbook.blueprint import bp, clients_log, organization_log, provider_log
from portal.logbook.listing import LogListing
from portal.logbook.page import address
from portal.logbook.reading import Astray, Log, clients_of, table
from portal.logbook.telling import Row, changes, origin, told
from portal.organizations import service as organizations
from portal.web.access import requires
from portal.web.fragments import respond
from portal.web.paging import CursorSigner

__all__ = ["bp", "file_views", "proof_views"]
TABLE = "logbook/_table.html"


def _signer() -> CursorSigner:
    return CursorSigner(current_app.extensions["settings"].secret_keys, "logbook")


def _show(log: Log, tabs: tuple[tuple[str, str, bool], ...], proof_url: str | None) -> AnyResponse:
    try:
        found = table(db.session(), log, request, _signer())
    except Astray:
        return redirect(address(log.url, LogListing.read(request.args)), 303)
    return respond("logbook/index.html", TABLE, table=found, tabs=tabs, proof_url=proof_url)


@bp.get("/providers/<uuid:provider_id>/events")
@requires(Permission.PROVIDER_EVENTS_READ)
def provider_events(provider_id: uuid.UUID) -> AnyResponse:
    """The provider's own log."""
    proof = url_for("logbook.provider_events_proof", provider_id=provider_id)
    return _show(provider_log(provider_id), tabs=_tabs(provider_id), proof_url=proof)


@bp.get("/providers/<uuid:provider_id>/events/clients")
@requires(Permission.PROVIDER_EVENTS_READ)
def client_events(provider_id: uuid.UUID) -> AnyResponse:
    """All clients' logs together."""
    return _show(clients_log(provider_id), tabs=_tabs(provider_id), proof_url=None)


@bp.get("/organizations/<uuid:organization_id>/events")
@requires(Permission.ORGANIZATION_EVENTS_READ)
def organization_events(organization_id: uuid.UUID) -> AnyResponse:
    """The organization's log."""
    proof = url_for("logbook.organization_events_proof", organization_id=organization_id)
    return _show(organization_log(organization_id), tabs=(), proof_url=proof)


def _tabs(provider_id: uuid.UUID) -> tuple[tuple[str, str, bool], ...]:
    """(label, address, whether it is shown) of the provider's two logs."""
    own = url_for("logbook.provider_events", provider_id=provider_id)
    clients = url_for("logbook.client_events", provider_id=provider_id)
    return (
        (_("This provider"), own, request.path == own),
        (_("All clients"), clients, request.path == clients),
    )


# One event


@bp.get("/providers/<uuid:provider_id>/events/<uuid:event_id>")
@requires(Permission.PROVIDER_EVENTS_READ)
def provider_events_one(provider_id: uuid.UUID, event_id: uuid.UUID) -> str:
    """All that is known of one event of the provider's log."""
    return _show_one(provider_log(provider_id), event_id)


@bp.get("/providers/<uuid:provider_id>/events/clients/<uuid:event_id>")
@requires(Permission.PROVIDER_EVENTS_READ)
def client_events_one(provider_id: uuid.UUID, event_id: uuid.UUID) -> str:
    """All that is known of one event of a client's log."""
    return _show_one(clients_log(provider_id), event_id)


@bp.get("/organizations/<uuid:organization_id>/events/<uuid:event_id>")
@requires(Permission.ORGANIZATION_EVENTS_READ)
def organization_events_one(organization_id: uuid.UUID, event_id: uuid.UUID) -> str:
    """All that is known of one event of the organization's log."""
    return _show_one(organization_log(organization_id), event_id)


def _show_one(log: Log, event_id: uuid.UUID) -> str:
    found = queries.one(db.session(), log.scope, event_id)
    if found is None:
        abort(404)
    row = Row(found)
    return render_template(
        "logbook/event.html",
        back_url=log.url,
        sentence=row.sentence,
        erased=row.erased,
        at=found.at,
        client=clients_of(db.session(), log, [row]).get(row.client_id, "") if row.client_id else "",
        told=told(row),
        origin=origin(row),
        changes=changes(row.details),
        seq=found.seq,
        hash=found.hash.hex(),
        previous=found.previous.hex() if found.previous else "",
    )


def init_logbook() -> None:
    """Let an entry into a client tell the owners who want to know."""
    organizations.ENTERED[:] = [service.tell_watchers]
