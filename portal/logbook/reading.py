"""One page of a log for a view: from the address to the table."""

import datetime as dt
import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from portal.domain.paging import Cursor, Page, page_of
from portal.logbook import queries
from portal.logbook.listing import PAGE_SIZE, LogListing
from portal.logbook.page import LogTable, Names, build, client_id, filter_of
from portal.logbook.queries import Filter, Scope
from portal.logbook.telling import Row
from portal.web.languages import zone
from portal.web.paging import CursorSigner

SORT = "id"
AT_ONCE = 500


@dataclass(frozen=True)
class Log:
    """Which log, and where its pages are. `sources` as the kinds of its events begin."""

    scope: Scope
    sources: tuple[str, ...]
    url: str
    csv_url: str
    jsonl_url: str
    clients_url: str = ""
    provider_id: uuid.UUID | None = None


class Astray(Exception):
    """The address has a cursor that leads nowhere; `url` is the first page."""


def table(session: Session, log: Log, request: Request, signer: CursorSigner) -> LogTable:
    """The page that the request asks for. Raises `Astray`."""
    listing = LogListing.read(request.args)
    at = request.args.get("at", "")
    cursor = signer.read(at, sort=SORT, descending=True) if at else None
    if at and cursor is None:
        raise Astray
    wanted, problem = wanted_of(session, log, listing)
    page: Page[Any] = Page([])
    reached = None
    if wanted is not None:
        page, reached = _page(session, log, wanted, cursor)
    if at and not page.rows and reached is None:
        raise Astray
    return build(
        page,
        listing,
        urls={
            "page": log.url,
            "csv": log.csv_url,
            "jsonl": log.jsonl_url,
            "clients": log.clients_url,
        },
        sources=log.sources,
        names=_names(session, log, listing, page),
        reached=_time_of(reached),
        problem=problem,
        write_cursor=signer.write,
    )


def wanted_of(session: Session, log: Log, listing: LogListing) -> tuple[Filter | None, str]:
    """What to look for, or None and a sentence that says why nothing can be found."""
    streams: tuple[uuid.UUID, ...] = ()
    if log.scope.clients and listing.client:
        one = client_id(listing)
        streams = (
            (one,) if one else tuple(queries.clients_called(session, log.scope.id, listing.client))
        )
        if not streams:
            return None, _("No client has these words in its name.")
        if len(streams) > queries.MOST_CLIENTS:
            return None, _("More than 20 clients have these words in their names. Add a word.")
    return filter_of(listing, log.sources, zone(), streams), ""


def _page(
    session: Session, log: Log, wanted: Filter, cursor: Cursor | None
) -> tuple[Page[Any], uuid.UUID | None]:
    upwards = cursor is not None and cursor.backwards
    found = queries.find(
        session,
        log.scope,
        wanted,
        beside=cursor.id if cursor else None,
        upwards=upwards,
        limit=PAGE_SIZE + 1,
    )
    page = page_of(
        found.rows,
        size=PAGE_SIZE,
        sort=SORT,
        descending=True,
        cursor=cursor,
        place=lambda row: (0, row.id),
    )
    if found.reached is None:
        return page, None
    on = Cursor(SORT, descending=True, value=0, id=found.reached, backwards=upwards)
    if upwards:
        back = page.next or Cursor(SORT, descending=True, value=0, id=found.reached)
        return Page(page.rows, previous=on, next=back), found.reached
    return Page(page.rows, previous=page.previous, next=on), found.reached


def _time_of(event_id: uuid.UUID | None) -> dt.datetime | None:
    if event_id is None:
        return None
    return dt.datetime.fromtimestamp((event_id.int >> 80) / 1000, dt.UTC)


def _names(session: Session, log: Log, listing: LogListing, page: Page[Any]) -> Names:
    person = client = ""
    if listing.person:
        actor = queries.name_of_person(session, log.scope, listing.person)
        person = json.loads(actor).get("name", "") if actor else ""
    clients: dict[uuid.UUID, str] = {}
    if log.provider_id:
        one = client_id(listing)
        told = [Row(row).client_id for row in page.rows]
        clients = queries.names_of_clients(
            session, log.provider_id, [each for each in (*told, one) if each]
        )
        client = clients.get(one, "") if one else ""
    return Names(person, client, clients)


def all_pages(
    session: Session, log: Log, wanted: Filter, *, upwards: bool = False
) -> Iterator[Sequence[Any]]:
    """All rows that the filter leaves, some hundred at a time: constant memory."""
    beside: uuid.UUID | None = None
    while True:
        found = queries.find(
            session, log.scope, wanted, beside=beside, upwards=upwards, limit=AT_ONCE
        )
        yield found.rows
        if found.reached is not None:
            beside = found.reached
        elif len(found.rows) < AT_ONCE:
            return
        else:
            beside = found.rows[-1].id


def clients_of(session: Session, log: Log, rows: Iterable[Row]) -> dict[uuid.UUID, str]:
    """The names of the clients that rows tell of, where the log is a provider's."""
    if log.provider_id is None:
        return {}
    ids = {row.client_id for row in rows if row.client_id}
    return queries.names_of_clients(session, log.provider_id, ids)
