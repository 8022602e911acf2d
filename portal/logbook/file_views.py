"""The logs as files: for a spreadsheet, and for the verifier, which is a file too."""

import datetime as dt
import uuid
from collections.abc import Iterator
from pathlib import Path

from flask import Response, request
from flask_babel import gettext as _

from portal.domain.access import Permission
from portal.events import export, verifier
from portal.events.codes import code_of
from portal.extensions import db
from portal.logbook.blueprint import bp, clients_log, organization_log, provider_log
from portal.logbook.listing import LogListing
from portal.logbook.reading import Log, all_pages, clients_of, wanted_of
from portal.logbook.telling import Row
from portal.web import csv
from portal.web.access import requires, signed_in
from portal.web.formats import instant
from portal.web.languages import zone
from portal.web.streams import streamed


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
        clients = clients_of(session, log, rows)
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
