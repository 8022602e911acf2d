"""The event logs: tables, one event, files."""

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from portal.domain.access import Permission
from portal.events import export, verifier
from portal.events.codes import code_of
from portal.extensions import db
from portal.logbook import queries, service
from portal.logbook.listing import LogListing
from portal.logbook.page import IN_ORGANIZATION, IN_PROVIDER, address
from portal.logbook.queries import Scope
from portal.logbook.reading import Astray, Log, all_pages, table, wanted_of
from portal.logbook.telling import Row, changes, origin, told
from portal.organizations import service as organizations
from portal.web import csv
from portal.web.access import actor, requires, signed_in
from portal.web.formats import instant
from portal.web.fragments import respond
from portal.web.languages import zone
from portal.web.paging import CursorSigner
from portal.web.streams import streamed

bp = Blueprint("logbook", __name__)
TABLE = "logbook/_table.html"


def provider_log(provider_id: uuid.UUID) -> Log:
    """What was done at the provider, and by its people inside clients."""
    return Log(
        Scope(provider_id),
        IN_PROVIDER,
        url_for("logbook.provider_events", provider_id=provider_id),
        url_for("logbook.provider_events_csv", provider_id=provider_id),
        url_for("logbook.provider_events_jsonl", provider_id=provider_id),
        url_for("logbook.client_events", provider_id=provider_id),
        provider_id,
    )


def clients_log(provider_id: uuid.UUID) -> Log:
    """What was done in all clients while they were the provider's."""
    return Log(
        Scope(provider_id, clients=True, account_id=actor().account_id),
        IN_ORGANIZATION,
        url_for("logbook.client_events", provider_id=provider_id),
        url_for("logbook.client_events_csv", provider_id=provider_id),
        url_for("logbook.client_events_jsonl", provider_id=provider_id),
        url_for("logbook.client_events", provider_id=provider_id),
        provider_id,
    )


def organization_log(organization_id: uuid.UUID) -> Log:
    """What was done in an organization."""
    return Log(
        Scope(organization_id),
        IN_ORGANIZATION,
        url_for("logbook.organization_events", organization_id=organization_id),
        url_for("logbook.organization_events_csv", organization_id=organization_id),
        url_for("logbook.organization_events_jsonl", organization_id=organization_id),
    )


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
        client=_client_of(log, [row]).get(row.client_id, "") if row.client_id else "",
        told=told(row),
        origin=origin(row),
        changes=changes(row.details),
        seq=found.seq,
        hash=found.hash.hex(),
        previous=found.previous.hex() if found.previous else "",
    )


def _client_of(log: Log, rows: Iterable[Row]) -> dict[uuid.UUID, str]:
    """The names of the clients that rows tell of, where the log is a provider's."""
    if log.provider_id is None:
        return {}
    ids = {row.client_id for row in rows if row.client_id}
    return queries.names_of_clients(db.session(), log.provider_id, ids)


# Files


@bp.get("/providers/<uuid:provider_id>/events.csv")
@requires(Permission.PROVIDER_EVENTS_READ)
def provider_events_csv(provider_id: uuid.UUID) -> Response:
    """What the filters leave, for a spreadsheet."""
    return _csv(provider_log(provider_id))


@bp.get("/providers/<uuid:provider_id>/events/clients.csv")
@requires(Permission.PROVIDER_EVENTS_READ)
def client_events_csv(provider_id: uuid.UUID) -> Response:
    """What the filters leave, for a spreadsheet."""
    return _csv(clients_log(provider_id))


@bp.get("/organizations/<uuid:organization_id>/events.csv")
@requires(Permission.ORGANIZATION_EVENTS_READ)
def organization_events_csv(organization_id: uuid.UUID) -> Response:
    """What the filters leave, for a spreadsheet."""
    return _csv(organization_log(organization_id))


@bp.get("/providers/<uuid:provider_id>/events.jsonl")
@requires(Permission.PROVIDER_EVENTS_READ)
def provider_events_jsonl(provider_id: uuid.UUID) -> Response:
    """The log as the verifier reads it."""
    return _jsonl(provider_log(provider_id))


@bp.get("/providers/<uuid:provider_id>/events/clients.jsonl")
@requires(Permission.PROVIDER_EVENTS_READ)
def client_events_jsonl(provider_id: uuid.UUID) -> Response:
    """The clients' rows as the verifier reads them."""
    return _jsonl(clients_log(provider_id))


@bp.get("/organizations/<uuid:organization_id>/events.jsonl")
@requires(Permission.ORGANIZATION_EVENTS_READ)
def organization_events_jsonl(organization_id: uuid.UUID) -> Response:
    """The log as the verifier reads it."""
    return _jsonl(organization_log(organization_id))


def _csv(log: Log) -> Response:
    header = [
        _("Time (UTC)"),
        _("Event"),
        _("Type"),
        _("Code"),
        _("Client"),
        _("Person"),
        _("E-mail address"),
        _("IP address"),
        _("Browser"),
        _("Subject"),
        _("On behalf of the provider"),
        _("Request"),
        _("Number"),
        _("Hash"),
    ]
    return csv.download(_file_name("csv"), header, _cells(log))


def _cells(log: Log) -> Iterator[list[csv.Cell]]:
    session = db.session()
    wanted, _problem = wanted_of(session, log, LogListing.read(request.args))
    if wanted is None:
        return
    for page in all_pages(session, log, wanted):
        rows = [Row(found) for found in page]
        clients = _client_of(log, rows)
        for row in rows:
            found = row.row
            yield [
                instant(found.at),
                row.sentence,
                found.type,
                code_of(found.type) or "",
                clients.get(row.client_id, "") if row.client_id else "",
                row.who,
                row.actor.get("email", ""),
                row.actor.get("source", ""),
                row.actor.get("browser", ""),
                row.payload["subject"] or "",
                row.payload["provider"] or "",
                row.payload["request"] or "",
                found.seq,
                found.hash.hex(),
            ]


def _jsonl(log: Log) -> Response:
    session = db.session()
    listing = LogListing.read(request.args)
    about: export.Record = {"scope": "clients" if log.scope.clients else "log"}
    about |= {"of": str(log.scope.id), "filters": listing.query()}
    if listing.is_filtered or log.scope.clients:
        wanted, _problem = wanted_of(session, log, listing)
        pages = all_pages(session, log, wanted, upwards=True) if wanted else iter(())
        records = export.of_some(session, pages, about)
    else:
        records = export.of_stream(session, log.scope.id, about)
    lines = (export.line(record) for record in records)
    response = Response(streamed(lines), mimetype="application/jsonl")
    response.headers["Content-Disposition"] = f'attachment; filename="{_file_name("jsonl")}"'
    return response


def _file_name(extension: str) -> str:
    return f"events-{dt.datetime.now(zone()).date()}.{extension}"


@bp.get("/events/verify_log.py")
@signed_in
def verifier_file() -> Response:
    """The program that checks an export without the portal."""
    source = Path(verifier.__file__).read_text(encoding="utf-8")
    response = Response(source, mimetype="text/x-python")
    response.headers["Content-Disposition"] = 'attachment; filename="verify_log.py"'
    return response


def init_logbook() -> None:
    """Let an entry into a client tell the owners who want to know."""
    organizations.ENTERED[:] = [service.tell_watchers]


# The pages about proof and the settings register themselves on `bp`.
from portal.logbook import proof_views  # noqa: E402

__all__ = ["bp", "proof_views"]
