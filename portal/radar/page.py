"""What the radar's templates show: every text and address made once."""

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import url_for
from flask_babel import gettext as _

from portal.domain.attention import AttentionKind
from portal.domain.expiries import Window, days_left
from portal.domain.paging import Cursor, Page
from portal.radar.listing import Listing
from portal.radar.queries import COUNTED, Counts
from portal.radar.words import distance, kind_label, thing
from portal.web.links import link

SOON = 7


@dataclass(frozen=True)
class Tile:
    """A window as a link that filters; pressed again it shows everything."""

    name: str
    label: str
    explained: str
    count: str
    url: str
    current: bool
    tone: str


@dataclass(frozen=True)
class Choice:
    """A kind as a link that filters."""

    label: str
    url: str
    current: bool


@dataclass(frozen=True)
class Line:
    """One thing that ends. `client_url` and `help_url` are None where there is nothing to open."""

    text: str
    client: str
    client_url: str | None
    due_at: dt.datetime
    distance: str
    tone: str
    help_label: str
    help_url: str


@dataclass(frozen=True)
class Table:
    """What `radar/_table.html` shows."""

    tiles: tuple[Tile, ...]
    choices: tuple[Choice, ...]
    lines: tuple[Line, ...]
    is_filtered: bool
    all_url: str
    csv_url: str
    previous_url: str | None
    next_url: str | None


def build(
    found: Page[Any],
    counts: Counts,
    listing: Listing,
    *,
    provider_id: uuid.UUID,
    now: dt.datetime,
    zone: ZoneInfo,
    write_cursor: Callable[[Cursor], str],
) -> Table:
    """The table of one page."""
    url = url_for("radar.index", provider_id=provider_id)

    def beside(cursor: Cursor | None) -> str | None:
        return address(url, listing, at=write_cursor(cursor)) if cursor else None

    return Table(
        tiles=tuple(_tile(url, listing, window, counts) for window in Window),
        choices=_choices(url, listing, counts),
        lines=tuple(line_of(row, provider_id, now, zone) for row in found.rows),
        is_filtered=bool(listing.query()),
        all_url=url,
        csv_url=address(url_for("radar.download", provider_id=provider_id), listing),
        previous_url=beside(found.previous),
        next_url=beside(found.next),
    )


def address(url: str, listing: Listing, **more: str) -> str:
    """The address of `listing` under `url`."""
    query = listing.query() | more
    return f"{url}?{urlencode(query)}" if query else url


def _tile(url: str, listing: Listing, window: Window, counts: Counts) -> Tile:
    number, current = counts.windows[window], listing.window is window
    alarming = {Window.OVERDUE: "bad", Window.ONE: "warn"}
    return Tile(
        name=window.name.lower(),
        label=_(window.label),
        explained=_(window.explained),
        count=f"{COUNTED}+" if number > COUNTED else str(number),
        url=address(url, listing.within(None if current else window)),
        current=current,
        tone=alarming.get(window, "") if number else "",
    )


def _choices(url: str, listing: Listing, counts: Counts) -> tuple[Choice, ...]:
    """The kinds there are; none where there is nothing to choose between."""
    kinds = [kind for kind in _KINDS_IN_ORDER if kind in counts.kinds or kind is listing.kind]
    if len(kinds) < 2 and listing.kind is None:
        return ()
    everything = Choice(_("All kinds"), address(url, listing.of_kind(None)), listing.kind is None)
    return (
        everything,
        *(
            Choice(kind_label(kind), address(url, listing.of_kind(kind)), kind is listing.kind)
            for kind in kinds
        ),
    )


_KINDS_IN_ORDER = tuple(AttentionKind)


def line_of(row: Any, provider_id: uuid.UUID, now: dt.datetime, zone: ZoneInfo) -> Line:
    """One row of the table."""
    days, is_over = days_left(row.due_at, now, zone), row.due_at < now
    label, url = helps(row, provider_id)
    client_url = None
    if row.organization_id is not None:
        client_url = link("collections.index", organization_id=row.organization_id)
    return Line(
        text=thing(row.kind, row.label),
        client=row.client or "",
        client_url=client_url,
        due_at=row.due_at,
        distance=distance(days, is_over=is_over),
        tone="bad" if is_over else "warn" if days <= SOON else "",
        help_label=label,
        help_url=url,
    )


def helps(row: Any, provider_id: uuid.UUID) -> tuple[str, str]:
    """Where something can be done about it: a label and a path."""
    if row.organization_id is None:
        person = link("providers.person", provider_id=provider_id, person_id=row.subject_id)
        return _("Person"), person
    client = {"organization_id": row.organization_id}
    if row.kind is AttentionKind.INVITED:
        return _("Members"), link("members.index", **client)
    if row.kind is AttentionKind.TRIAL:
        return _("Subscription"), link("clients.subscription", provider_id=provider_id, **client)
    if row.kind is AttentionKind.DEVIATION:
        return _("Baseline"), link("baselines.client", provider_id=provider_id, **client)
    if row.kind is AttentionKind.DOMAIN_CHECK:
        return _("Domains"), link("domains.index", **client)
    return _("Set-up"), link("organizations.setup", **client)
