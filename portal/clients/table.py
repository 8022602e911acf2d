"""The Clients table as its template shows it: every text made once, no look-up left for a row."""

from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from markupsafe import Markup, escape

from portal.clients.listing import FEW_SEATS, PAGE_SIZE, Listing, SeatsLeft, Sort
from portal.clients.mark_queries import Marks, TagShown
from portal.clients.queries import COUNTED, KEYLESS_COUNTED
from portal.clients.table_parts import NOTHING, Asked, Header, Switch, Table, View
from portal.domain.names import colour_of_hex, initials
from portal.domain.paging import Cursor, Page
from portal.domain.plans import Plan
from portal.domain.states import ClientStatus
from portal.web.chips import Chip
from portal.web.languages import per_language


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
    at: str,
    marks: Marks,
    total: int | None,
    write_cursor: Callable[[Cursor], str],
    asked: Asked = NOTHING,
) -> Table:
    """The table of one page, the one at the cursor `at` or the first.

    `total` is the provider's number of clients, None in a scope.
    """
    first = page.rows[0] if page.rows else None
    found, keyless = (first.found or 0, first.keyless or 0) if first else (0, 0)
    query, labels = listing.query(), column_labels()
    here = urlencode(query)

    def beside(cursor: Cursor | None) -> str | None:
        return address(url, listing, at=write_cursor(cursor)) if cursor else None

    return Table(
        url=url,
        listing=listing,
        headers=_headers(url, listing, labels),
        labels={sort.value: label for sort, label in labels.items()},
        rows=_rows(page, marks.tags, asked.ticked),
        **_narrowing(url, listing, marks),
        views=_views(url, marks, here),
        query=here,
        at=at,
        asked=asked,
        order=query.get("sort", ""),
        size=query.get("size", ""),
        count=_count(listing, total, found),
        all_of_them=_all_of_them(listing, total, found),
        has_clients=bool(total or page.rows or (total is None and listing.is_filtered)),
        previous_url=beside(page.previous),
        next_url=beside(page.next),
        keyless=_keyless(keyless),
    )


def _narrowing(url: str, listing: Listing, marks: Marks) -> dict[str, Any]:
    """What the toolbar offers, what of it is in use, and the list without it and as a file."""
    return {
        "chips": _chips(url, listing, marks),
        "clear_url": address(url, listing.unfiltered()),
        "csv_url": address(f"{url}.csv", listing),
        "switches": _switches(listing),
        "plans": _plan_choices(),
        "statuses": _status_choices(),
        "tags": tuple((tag.id.hex, tag.name) for tag in marks.tags.values()),
        "seats": tuple(seat_labels().items()),
    }


def _views(url: str, marks: Marks, here: str) -> tuple[View, ...]:
    return tuple(View(view.name, f"{url}?{view.query}", view.query == here) for view in marks.views)


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


def _rows(
    page: Page[Any], known: Mapping[UUID, TagShown], ticked: frozenset[str]
) -> tuple[dict[str, str | int], ...]:
    """What the shape of a row has places for. Whatever is text is escaped here.

    The meter turns to warn at 90 % and to bad at the last seat: `fill` says so in fewer bytes than
    the element's own bounds.
    """
    write = grouping()
    plans = _plan_texts()
    facts, tags = _tagging(), labelling(known)
    warn, bad = ' class="warn"', ' class="bad"'
    rows = []
    for row in page.rows:
        hex_, name, status, plan, seats, used, remaining, done, total = row[:9]
        owner, keys, tagged, hidden, access, deviates = row[9:15]
        shown, letters = _who(name)
        rows.append(
            {
                "id": f"{hex_[:8]}-{hex_[8:12]}-{hex_[12:16]}-{hex_[16:20]}-{hex_[20:]}",
                "ticked": " checked" if hex_ in ticked else "",
                "name": shown,
                "initials": letters,
                "tone": colour_of_hex(hex_),
                "tags": facts(status, owner, keys, hidden, access, deviates),
                "labels": tags(tagged) if tagged else "",
                "assigned": write(seats),
                "used": write(used),
                "remaining": write(remaining),
                "seats": seats,
                "seats_used": used,
                "fill": "" if used * 10 < seats * 9 else warn if used < seats else bad,
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
def _tagging() -> Callable[[str, bool, bool, bool, str | None, bool], str]:
    """Writes the facts beside a name; the tone repeats what the words say."""
    shape = Markup(' <span class="tag {}">{}</span>')
    tones = {ClientStatus.SUSPENDED: "warn", ClientStatus.DELETING: "bad"}
    by_status = {kind.value: shape.format(tone, _(kind.label)) for kind, tone in tones.items()}
    no_owner = shape.format("warn", _("No confirmed owner"))
    no_keys = shape.format("bad", _("No keys"))
    not_live = shape.format("", _("Not live yet"))
    away = shape.format("warn", _("Deviates"))
    limits = {"ask": shape.format("", _("Ask first")), "never": shape.format("", _("No access"))}

    @cache
    def tags(
        status: str,
        owner_confirmed: bool,  # noqa: FBT001
        has_keys: bool,  # noqa: FBT001
        is_hidden: bool,  # noqa: FBT001
        access: str | None,
        deviates: bool,  # noqa: FBT001
    ) -> str:
        nothing = Markup()
        return str(
            by_status.get(status, nothing)
            + (nothing if owner_confirmed else no_owner)
            + (nothing if has_keys else no_keys)
            + (not_live if is_hidden else nothing)
            + (limits[access] if access else away if deviates else nothing)
        )

    return tags


def labelling(known: Mapping[UUID, TagShown]) -> Callable[[str], Markup]:
    """Writes the tags that a client's row carries, in the order of their names."""
    return _labels(tuple(known.values()))


# Kept from one look to the next, for as long as the provider's tags are the same.
@lru_cache(maxsize=64)
def _labels(known: tuple[TagShown, ...]) -> Callable[[str], Markup]:
    shape = Markup(' <span class="tag tone-{}">{}</span>')
    by_hex = {tag.id.hex: tag for tag in known}
    places = {name: place for place, name in enumerate(by_hex)}

    @cache
    def one(name: str) -> Markup:
        return shape.format(by_hex[name].colour, by_hex[name].name)

    @lru_cache(maxsize=1024)
    def tags(text: str) -> Markup:
        here = sorted(places.keys() & text.split(), key=places.__getitem__)
        return Markup().join(map(one, here))

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


@per_language
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
        "baseline": _("Deviates from baseline"),
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
        Switch("baseline", "deviates", _("Deviates from baseline"), listing.deviates),
    )


def _count(listing: Listing, total: int | None, found: int) -> str:
    write = grouping()
    some = f"{write(COUNTED)}+" if found > COUNTED else write(found)
    if total is None or not listing.is_filtered:
        number, text = (found, some) if total is None else (total, write(total))
        alone: str = ngettext("%(count)s client", "%(count)s clients", number, count=text)
        return alone
    part: str = ngettext(
        "%(found)s of %(total)s client",
        "%(found)s of %(total)s clients",
        total,
        found=some,
        total=write(total),
    )
    return part


def _all_of_them(listing: Listing, total: int | None, found: int) -> str:
    """How many a change of all clients that match would be about."""
    number = found if total is None or listing.is_filtered else total
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
