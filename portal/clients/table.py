"""The Clients table as its template shows it: every text made once, no look-up left for a row."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from markupsafe import Markup, escape

from portal.clients.listing import FEW_SEATS, Listing, SeatsLeft, Sort
from portal.clients.mark_queries import Marks, TagShown
from portal.clients.queries import COUNTED, KEYLESS_COUNTED
from portal.domain.names import colour_class, initials
from portal.domain.paging import Cursor, Page
from portal.domain.plans import Plan
from portal.domain.states import ClientStatus


@dataclass(frozen=True)
class Header:
    """A sortable column; `direction` is how it is sorted now, as `aria-sort` says it."""

    name: str
    label: str
    url: str
    direction: str
    numeric: bool


@dataclass(frozen=True)
class Chip:
    """A filter in use; `url` is the list without it."""

    label: str
    url: str


class Switch(NamedTuple):
    """A filter that is on or off: its field, the value that turns it on, and its label."""

    name: str
    value: str
    label: str
    on: bool


class View(NamedTuple):
    """A saved view as a link; `current` where it is what is shown."""

    label: str
    url: str
    current: bool


@dataclass(frozen=True)
class Table:
    """What `clients/_table.html` shows."""

    url: str
    listing: Listing
    headers: tuple[Header, ...]
    labels: dict[str, str]
    rows: tuple[dict[str, str | int | float], ...]
    chips: tuple[Chip, ...]
    clear_url: str
    csv_url: str
    plans: tuple[tuple[str, str], ...]
    statuses: tuple[tuple[str, str], ...]
    tags: tuple[tuple[str, str], ...]
    seats: tuple[tuple[str, str], ...]
    views: tuple[View, ...]
    query: str
    switches: tuple[Switch, ...]
    order: str
    size: str
    count: str
    all_of_them: str
    has_clients: bool
    previous_url: str | None
    next_url: str | None
    keyless: str

    def fill(self, shape: Markup) -> Markup:
        """`shape` once for each row, its `%(name)s` places filled; `rows` are escaped already."""
        text = str(shape)
        return Markup("".join([text % row for row in self.rows]))  # noqa: S704 - see `_rows`


def column_labels() -> dict[Sort, str]:
    """The columns in the reader's language."""
    return {
        Sort.NAME: _("Client"),
        Sort.ASSIGNED: _("Assigned"),
        Sort.USED: _("Used"),
        Sort.REMAINING: _("Remaining"),
        Sort.PLAN: _("Plan"),
        Sort.SETUP: _("Set-up"),
    }


def address(url: str, listing: Listing, **more: str) -> str:
    """The address of `listing` under `url`."""
    query = listing.query() | more
    return f"{url}?{urlencode(query)}" if query else url


def build(
    page: Page[Any],
    listing: Listing,
    *,
    url: str,
    csv_url: str,
    marks: Marks,
    total: int,
    write_cursor: Callable[[Cursor], str],
) -> Table:
    """The table of one page; `total` is the provider's number of clients."""
    first = page.rows[0] if page.rows else None
    query, labels = listing.query(), column_labels()

    def beside(cursor: Cursor | None) -> str | None:
        return address(url, listing, at=write_cursor(cursor)) if cursor else None

    return Table(
        url=url,
        listing=listing,
        headers=_headers(url, listing, labels),
        labels={sort.value: label for sort, label in labels.items()},
        rows=_rows(page, marks.tags),
        chips=_chips(url, listing, marks),
        clear_url=address(url, listing.unfiltered()),
        csv_url=address(csv_url, listing),
        plans=tuple((plan.value, _(plan.label)) for plan in Plan),
        statuses=tuple((status.value, _(status.label)) for status in ClientStatus),
        tags=tuple((tag.id.hex, tag.name) for tag in marks.tags.values()),
        seats=tuple(seat_labels().items()),
        views=tuple(
            View(view.name, f"{url}?{view.query}", view.query == urlencode(query))
            for view in marks.views
        ),
        query=urlencode(query),
        switches=_switches(listing),
        order=query.get("sort", ""),
        size=query.get("size", ""),
        count=_count(listing, total, (first.found or 0) if first else 0),
        all_of_them=_all_of_them(listing, total, (first.found or 0) if first else 0),
        has_clients=bool(total or page.rows),
        previous_url=beside(page.previous),
        next_url=beside(page.next),
        keyless=_keyless((first.keyless or 0) if first else 0),
    )


def grouping() -> Callable[[int], str]:
    """Writes a whole number with its thousands apart; the locale is looked up once, not per row."""
    locale = get_locale()
    sign = locale.number_symbols["latn"]["group"] if locale else ","

    def write(number: int) -> str:
        return str(number) if number < 1000 else f"{number:,}".replace(",", sign)

    return write


def _rows(
    page: Page[Any], known: Mapping[UUID, TagShown]
) -> tuple[dict[str, str | int | float], ...]:
    """What the shape of a row has places for. Whatever is text is escaped here.

    `low` and `high` are where the meter turns to warn and to bad: at 90 % and at the last seat.
    """
    write = grouping()
    plans = {plan.value: escape(_(plan.label)) for plan in Plan}
    facts, tags = _tagging(), labelling(known)
    return tuple(
        {
            "id": str(row.id),
            "name": escape(row.name),
            "initials": escape(initials(row.name)),
            "tone": colour_class(row.id),
            "tags": facts(row.status, row.owner_confirmed, row.has_keys),
            "labels": tags(row.tags_shown) if row.tags_shown else "",
            "assigned": write(row.seats),
            "used": write(row.seats_used),
            "remaining": write(row.seats_remaining),
            "seats": row.seats,
            "seats_used": row.seats_used,
            "low": (row.seats * 9 + 9) // 10 - 0.5,
            "high": row.seats - 0.5,
            "plan": plans[row.plan],
            "done": row.setup_done,
            "total": row.setup_total,
        }
        for row in page.rows
    )


def _tagging() -> Callable[[str, bool, bool], Markup]:
    """Writes the facts beside a name; the tone repeats what the words say."""
    shape = Markup(' <span class="tag {}">{}</span>')
    tones = {ClientStatus.SUSPENDED: "warn", ClientStatus.DELETING: "bad"}
    by_status = {kind.value: shape.format(tone, _(kind.label)) for kind, tone in tones.items()}
    no_owner = shape.format("warn", _("No confirmed owner"))
    no_keys = shape.format("bad", _("No keys"))

    @cache
    def tags(status: str, owner_confirmed: bool, has_keys: bool) -> Markup:  # noqa: FBT001
        nothing = Markup()
        return (
            by_status.get(status, nothing)
            + (nothing if owner_confirmed else no_owner)
            + (nothing if has_keys else no_keys)
        )

    return tags


def labelling(known: Mapping[UUID, TagShown]) -> Callable[[str], Markup]:
    """Writes the tags that a client's row carries, in the order of their names."""
    shape = Markup(' <span class="tag tone-{}">{}</span>')
    by_hex = {tag_id.hex: tag for tag_id, tag in known.items()}
    places = {name: place for place, name in enumerate(by_hex)}

    @cache
    def one(name: str) -> Markup:
        return shape.format(by_hex[name].colour, by_hex[name].name)

    @cache
    def tags(text: str) -> Markup:
        here = sorted(places.keys() & text.split(), key=places.__getitem__)
        return Markup().join(map(one, here))

    return tags


def _headers(url: str, listing: Listing, labels: dict[Sort, str]) -> tuple[Header, ...]:
    now = "descending" if listing.descending else "ascending"
    return tuple(
        Header(
            name=sort,
            label=label,
            url=address(url, listing.by(sort)),
            direction=now if sort is listing.sort else "",
            numeric=sort in {Sort.ASSIGNED, Sort.USED, Sort.REMAINING},
        )
        for sort, label in labels.items()
    )


def seat_labels() -> dict[str, str]:
    """What the choices of free seats say, by their value in the query string."""
    return {
        SeatsLeft.NONE.value: _("No seats left"),
        SeatsLeft.FEW.value: _("Fewer than %(count)s seats left", count=FEW_SEATS),
    }


def filter_labels(listing: Listing, marks: Marks) -> dict[str, str]:
    """What each filter in use says, by its name in the query string."""
    plan, status = listing.plan, listing.status
    tag = marks.tags.get(listing.tag) if listing.tag else None
    labels = {
        "q": _("Name or reference contains “%(words)s”", words=listing.search),
        "plan": _("Plan: %(plan)s", plan=_(plan.label) if plan else ""),
        "status": _("Status: %(status)s", status=_(status.label) if status else ""),
        "tag": _("Tag: %(tag)s", tag=tag.name if tag else ""),
        "seats": seat_labels().get(listing.seats_left or "", ""),
        "setup": _("Set-up not finished"),
        "owner": _("No confirmed owner"),
    }
    return {name: labels[name] for name in listing.filters()}


def _chips(url: str, listing: Listing, marks: Marks) -> tuple[Chip, ...]:
    return tuple(
        Chip(label, address(url, listing.without(name)))
        for name, label in filter_labels(listing, marks).items()
    )


def _switches(listing: Listing) -> tuple[Switch, ...]:
    return (
        Switch("setup", "open", _("Set-up not finished"), listing.setup_open),
        Switch("owner", "none", _("No confirmed owner"), listing.no_owner),
    )


def _count(listing: Listing, total: int, found: int) -> str:
    write = grouping()
    if not listing.is_filtered:
        alone: str = ngettext("%(count)s client", "%(count)s clients", total, count=write(total))
        return alone
    some = f"{write(COUNTED)}+" if found > COUNTED else write(found)
    text: str = ngettext(
        "%(found)s of %(total)s client",
        "%(found)s of %(total)s clients",
        total,
        found=some,
        total=write(total),
    )
    return text


def _all_of_them(listing: Listing, total: int, found: int) -> str:
    """How many a change of all clients that match would be about."""
    number = found if listing.is_filtered else total
    return f"{grouping()(COUNTED)}+" if number > COUNTED else grouping()(number)


def _keyless(number: int) -> str:
    if not number:
        return ""
    text: str = ngettext(
        "%(count)s client has no keys yet.",
        "%(count)s clients have no keys yet.",
        number,
        count=number if number <= KEYLESS_COUNTED else f"{KEYLESS_COUNTED}+",
    )
    return text
