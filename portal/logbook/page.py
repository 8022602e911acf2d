"""What the log's templates show: every text and address made once."""

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from portal.domain.paging import Cursor, Page
from portal.logbook.kinds import Group, choices, chosen, label_of_choice
from portal.logbook.listing import LogListing, as_id
from portal.logbook.queries import Filter, id_at
from portal.logbook.telling import Line, line_of
from portal.web.chips import Chip
from portal.web.formats import day, moment

IN_PROVIDER = ("provider", "organization", "system")
IN_ORGANIZATION = ("organization", "system")


@dataclass(frozen=True)
class LogTable:
    """What `logbook/_table.html` shows.

    `paused` is a sentence on how far a search came, empty where it came to the end of the page.
    """

    url: str
    listing: LogListing
    lines: tuple[Line, ...]
    kinds: tuple[Group, ...]
    chips: tuple[Chip, ...]
    clear_url: str
    csv_url: str
    jsonl_url: str
    previous_url: str | None
    next_url: str | None
    paused: str
    problem: str
    with_clients: bool
    clients_url: str

    def by_person(self, line: Line) -> str:
        """The log of one person's acts alone."""
        return address(self.url, self.listing, person=str(line.person))

    def by_client(self, line: Line) -> str:
        """The log of one client alone."""
        if self.clients_url == self.url:
            return address(self.url, self.listing, client=str(line.client_id))
        return f"{self.clients_url}?client={line.client_id}"

    @property
    def asks_client(self) -> bool:
        """Whether this log can be narrowed to one client."""
        return self.clients_url == self.url


@dataclass(frozen=True)
class Names:
    """How the person and the client that are looked for are called, and clients by their ids."""

    person: str = ""
    client: str = ""
    clients: Mapping[uuid.UUID, str] = field(default_factory=dict)


def address(url: str, listing: LogListing, **more: str) -> str:
    """The address of `listing` under `url`."""
    query = listing.query() | {name: word for name, word in more.items() if word}
    return f"{url}?{urlencode(query)}" if query else url


def filter_of(
    listing: LogListing,
    sources: tuple[str, ...],
    zone: ZoneInfo,
    streams: tuple[uuid.UUID, ...] = (),
) -> Filter:
    """What the queries look for; days begin and end in the reader's zone."""
    return Filter(
        kinds=chosen(listing.kind, sources),
        person=listing.person,
        streams=streams,
        words=listing.search,
        low=id_at(_midnight(listing.since, zone)) if listing.since else None,
        high=_after(listing.until, zone) if listing.until else None,
    )


def _after(day_: dt.date, zone: ZoneInfo) -> uuid.UUID | None:
    if day_ >= dt.date.max - dt.timedelta(days=1):
        return None
    return id_at(_midnight(day_ + dt.timedelta(days=1), zone))


def _midnight(day_: dt.date, zone: ZoneInfo) -> dt.datetime:
    # The first and last days of the calendar have no zone that could move them out of it.
    known = min(max(day_, dt.date(1970, 1, 2)), dt.date(9999, 12, 30))
    return dt.datetime(known.year, known.month, known.day, tzinfo=zone)


def build(
    page: Page[Any],
    listing: LogListing,
    *,
    urls: Mapping[str, str],
    sources: tuple[str, ...],
    names: Names,
    reached: dt.datetime | None,
    problem: str,
    write_cursor: Callable[[Cursor], str],
) -> LogTable:
    """The table of one page; `urls` has `page`, `csv`, `jsonl` and `clients` (or "")."""

    def beside(cursor: Cursor | None) -> str | None:
        return address(urls["page"], listing, at=write_cursor(cursor)) if cursor else None

    paused = _("Searched back to %(time)s.", time=moment(reached)) if reached else ""
    return LogTable(
        url=urls["page"],
        listing=listing,
        lines=tuple(line_of(row, names.clients) for row in page.rows),
        kinds=choices(sources),
        chips=_chips(urls["page"], listing, sources, names),
        clear_url=urls["page"],
        csv_url=address(urls["csv"], listing),
        jsonl_url=address(urls["jsonl"], listing),
        previous_url=beside(page.previous),
        next_url=beside(page.next),
        paused=paused,
        problem=problem,
        with_clients=bool(urls["clients"]),
        clients_url=urls["clients"],
    )


def _chips(
    url: str, listing: LogListing, sources: tuple[str, ...], names: Names
) -> tuple[Chip, ...]:
    labels = {
        "q": _("Contains “%(words)s”", words=listing.search),
        "type": _("Type: %(type)s", type=label_of_choice(listing.kind, sources) or listing.kind),
        "person": _("Person: %(name)s", name=names.person or _("unknown")),
        "client": _("Client: %(name)s", name=names.client or listing.client),
        "from": _("From %(day)s", day=day(listing.since) if listing.since else ""),
        "to": _("Until %(day)s", day=day(listing.until) if listing.until else ""),
    }
    return tuple(
        Chip(labels[name], address(url, listing.without(name))) for name in listing.query()
    )


def client_id(listing: LogListing) -> uuid.UUID | None:
    """The client that the filter names by its id."""
    return as_id(listing.client)
