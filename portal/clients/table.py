"""The Clients table as its template shows it: every text made once, no look-up left for a row."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlencode

from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from markupsafe import Markup, escape

from portal.clients.listing import PAGE_SIZE, Listing, Sort
from portal.clients.queries import COUNTED, KEYLESS_COUNTED
from portal.domain.names import colour_of_hex, initials
from portal.domain.paging import Cursor, Page
from portal.domain.plans import Plan
from portal.domain.states import ClientStatus
from portal.web.languages import per_language


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
    switches: tuple[Switch, ...]
    order: str
    size: str
    count: str
    has_clients: bool
    previous_url: str | None
    next_url: str | None
    keyless: str

    def fill(self, shape: Markup) -> Markup:
        """`shape` once for each row, its `%(name)s` places filled; `rows` are escaped already."""
        text = str(shape)
        return Markup("".join([text % row for row in self.rows]))  # noqa: S704 - see `_rows`


@per_language
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
        rows=_rows(page),
        chips=_chips(url, listing),
        clear_url=address(url, listing.unfiltered()),
        csv_url=address(csv_url, listing),
        plans=_plan_choices(),
        statuses=_status_choices(),
        switches=_switches(listing),
        order=query.get("sort", ""),
        size=query.get("size", ""),
        count=_count(listing, total, (first.found or 0) if first else 0),
        has_clients=bool(total or page.rows),
        previous_url=beside(page.previous),
        next_url=beside(page.next),
        keyless=_keyless((first.keyless or 0) if first else 0),
    )


@per_language
def grouping() -> Callable[[int], str]:
    """Writes a whole number with its thousands apart, as the language does."""
    locale = get_locale()
    sign = locale.number_symbols["latn"]["group"] if locale else ","

    @lru_cache(maxsize=4096)
    def write(number: int) -> str:
        return f"{number:,}".replace(",", sign)

    return write


# Plain strings, not markup: filling a row in would escape them, or ask each whether it must.
@lru_cache(maxsize=8192)
def _who(name: str) -> tuple[str, str]:
    """A name and its initials, escaped."""
    return str(escape(name)), str(escape(initials(name)))


def _rows(page: Page[Any]) -> tuple[dict[str, str | int | float], ...]:
    """What the shape of a row has places for. Whatever is text is escaped here.

    `low` and `high` are where the meter turns to warn and to bad: at 90 % and at the last seat.
    """
    write = grouping()
    plans = _plan_texts()
    tags = _tagging()
    rows = []
    for (
        hex_,
        name,
        status,
        plan,
        seats,
        used,
        remaining,
        done,
        total,
        owner,
        keys,
        *_more,
    ) in page.rows:
        shown, letters = _who(name)
        rows.append(
            {
                "id": f"{hex_[:8]}-{hex_[8:12]}-{hex_[12:16]}-{hex_[16:20]}-{hex_[20:]}",
                "name": shown,
                "initials": letters,
                "tone": colour_of_hex(hex_),
                "tags": tags(status, owner, keys),
                "assigned": write(seats),
                "used": write(used),
                "remaining": write(remaining),
                "seats": seats,
                "seats_used": used,
                "low": (seats * 9 + 9) // 10 - 0.5,
                "high": seats - 0.5,
                "plan": plans[plan],
                "done": done,
                "total": total,
            }
        )
    return tuple(rows)


@per_language
def _plan_texts() -> dict[str, str]:
    return {plan.value: str(escape(_(plan.label))) for plan in Plan}


@per_language
def _plan_choices() -> tuple[tuple[str, str], ...]:
    return tuple((plan.value, _(plan.label)) for plan in Plan)


@per_language
def _status_choices() -> tuple[tuple[str, str], ...]:
    return tuple((status.value, _(status.label)) for status in ClientStatus)


@per_language
def _tagging() -> Callable[[str, bool, bool], str]:
    """Writes the facts beside a name; the tone repeats what the words say."""
    shape = Markup(' <span class="tag {}">{}</span>')
    tones = {ClientStatus.SUSPENDED: "warn", ClientStatus.DELETING: "bad"}
    by_status = {kind.value: shape.format(tone, _(kind.label)) for kind, tone in tones.items()}
    no_owner = shape.format("warn", _("No confirmed owner"))
    no_keys = shape.format("bad", _("No keys"))

    @cache
    def tags(status: str, owner_confirmed: bool, has_keys: bool) -> str:  # noqa: FBT001
        nothing = Markup()
        return str(
            by_status.get(status, nothing)
            + (nothing if owner_confirmed else no_owner)
            + (nothing if has_keys else no_keys)
        )

    return tags


def _headers(url: str, listing: Listing, labels: dict[Sort, str]) -> tuple[Header, ...]:
    now = "descending" if listing.descending else "ascending"
    before = urlencode(listing.filters())
    after = f"size={listing.size}" if listing.size != PAGE_SIZE else ""

    def by(sort: Sort) -> str:
        turned = sort is listing.sort and not listing.descending
        order = f"sort=-{sort}" if turned else "" if sort is Sort.NAME else f"sort={sort}"
        query = "&".join(filter(None, (before, order, after)))
        return f"{url}?{query}" if query else url

    return tuple(
        Header(
            name=sort,
            label=label,
            url=by(sort),
            direction=now if sort is listing.sort else "",
            numeric=sort in {Sort.ASSIGNED, Sort.USED, Sort.REMAINING},
        )
        for sort, label in labels.items()
    )


def filter_labels(listing: Listing) -> dict[str, str]:
    """What each filter in use says, by its name in the query string."""
    plan, status = listing.plan, listing.status
    labels = {
        "q": _("Name contains “%(words)s”", words=listing.search),
        "plan": _("Plan: %(plan)s", plan=_(plan.label) if plan else ""),
        "status": _("Status: %(status)s", status=_(status.label) if status else ""),
        "setup": _("Set-up not finished"),
        "seats": _("No seats left"),
        "owner": _("No confirmed owner"),
    }
    return {name: labels[name] for name in listing.filters()}


def _chips(url: str, listing: Listing) -> tuple[Chip, ...]:
    return tuple(
        Chip(label, address(url, listing.without(name)))
        for name, label in filter_labels(listing).items()
    )


def _switches(listing: Listing) -> tuple[Switch, ...]:
    return (
        Switch("setup", "open", _("Set-up not finished"), listing.setup_open),
        Switch("seats", "none", _("No seats left"), listing.no_seats),
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
