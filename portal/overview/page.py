"""What the home's template shows: every number, text and address made once."""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flask import current_app
from flask_babel import format_date, ngettext
from flask_babel import gettext as _

from portal.domain.periods import add_months
from portal.domain.plans import Plan
from portal.domain.states import ClientStatus
from portal.web.access import can
from portal.web.charts import Bar, Column, bar, columns
from portal.web.formats import number
from portal.web.links import link

MONTHS = 12
NEW_DAYS = 30


@dataclass(frozen=True)
class Tile:
    """A number that matters; `url` is empty where it leads nowhere."""

    label: str
    figure: str
    about: str
    url: str


@dataclass(frozen=True)
class Share:
    """A row of a table with a bar: `cells` stand after the label."""

    label: str
    url: str
    cells: tuple[str, ...]
    shape: Bar


@dataclass(frozen=True)
class Growth:
    """Clients at the end of each of the last months, drawn and as (month, number)."""

    shapes: tuple[Column, ...]
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Home:
    """What `overview/home.html` shows, but for money and events."""

    has_clients: bool
    tiles: tuple[Tile, ...]
    concerns: tuple[Tile, ...]
    plans: tuple[Share, ...]
    setup: tuple[Share, ...]
    growth: Growth


def months_before(today: dt.date) -> list[dt.date]:
    """The first days of the last twelve months but the oldest, and of the next month."""
    first = today.replace(day=1)
    return [add_months(first, number) for number in range(2 - MONTHS, 2)]


class Counted:
    """The groups of `queries.counts`, asked for sums."""

    def __init__(self, groups: Sequence[Any]) -> None:
        self.groups = groups

    def sum(self, column: str = "clients", **having: Any) -> int:
        """The sum of a column over the groups that have these values."""
        return sum(
            int(getattr(group, column))
            for group in self.groups
            if all(getattr(group, name) == value for name, value in having.items())
        )

    def by(self, name: str) -> Counter[Any]:
        """The number of clients by the values of a column."""
        found: Counter[Any] = Counter()
        for group in self.groups:
            found[getattr(group, name)] += int(group.clients)
        return found


def build(
    provider_id: uuid.UUID,
    counted: Counted,
    stuck: int,
    ending: int,
    months: Sequence[dt.date],
) -> Home:
    """The page from its counts; `months` as `months_before` gives them."""
    return Home(
        has_clients=counted.sum() > 0,
        tiles=tuple(_tiles(provider_id, counted, stuck, ending)),
        concerns=tuple(tile for tile in _concerns(provider_id, counted) if tile.figure != "0"),
        plans=tuple(_plans(provider_id, counted)),
        setup=tuple(_setup(counted)),
        growth=_growth(counted, months),
    )


def _clients(provider_id: uuid.UUID, query: str = "") -> str:
    url = link("clients.index", provider_id=provider_id)
    return f"{url}?{query}" if query else url


def _page(endpoint: str, provider_id: uuid.UUID) -> str:
    """The address of a page of an area after this one; empty in a portal without it."""
    return link(endpoint, provider_id=provider_id) if endpoint in current_app.view_functions else ""


def _tiles(provider_id: uuid.UUID, counted: Counted, stuck: int, ending: int) -> Iterator[Tile]:
    fresh = counted.sum("fresh")
    new = _("New in the last 30 days: %(count)s", count=number(fresh))
    yield Tile(_("Clients"), number(counted.sum()), new, _clients(provider_id))
    seats, used = counted.sum("seats"), counted.sum("used")
    left = _(
        "%(assigned)s assigned, %(remaining)s remaining",
        assigned=number(seats),
        remaining=number(seats - used),
    )
    yield Tile(_("Seats used"), number(used), left, "")
    yield Tile(
        _("Stuck people"),
        number(stuck),
        _("Somebody has to act") if stuck else _("Nobody waits"),
        _page("clients.stuck_people", provider_id),
    )
    yield Tile(
        _("Ends within 30 days"),
        number(ending),
        _("Invitations, checks, trials and access"),
        link("radar.index", provider_id=provider_id),
    )


def _concerns(provider_id: uuid.UUID, counted: Counted) -> Iterator[Tile]:
    """Clients that somebody should look at, each number a filter of the table."""
    suspended = counted.sum(status=ClientStatus.SUSPENDED.value)
    deleting = counted.sum(status=ClientStatus.DELETING.value)
    for label, count, query in (
        (_("Suspended"), suspended, "status=suspended"),
        (_("Being deleted"), deleting, "status=deleting"),
        (_("No confirmed owner"), counted.sum(owner=False), "owner=none"),
        (_("No seats left"), counted.sum("full"), "seats=none"),
    ):
        yield Tile(label, number(count), "", _clients(provider_id, query))
    keys = link("clients.finish_keys", provider_id=provider_id) if can("provider.keys") else ""
    yield Tile(_("No keys"), number(counted.sum(has_keys=False)), "", keys)


def _plans(provider_id: uuid.UUID, counted: Counted) -> Iterator[Share]:
    assigned = {plan: counted.sum("seats", plan=plan.value) for plan in Plan}
    for plan in Plan:
        seats, used = assigned[plan], counted.sum("used", plan=plan.value)
        yield Share(
            _(plan.label),
            _clients(provider_id, f"plan={plan.value}"),
            (number(seats), number(used), number(seats - used)),
            bar(seats, used, max(assigned.values())),
        )


def _setup(counted: Counted) -> Iterator[Share]:
    """How many clients have how many steps of the set-up before them, the finished first."""
    by_open = counted.by("setup_open")
    for steps in sorted(by_open):
        count = by_open[steps]
        label: str = ngettext("%(count)s step open", "%(count)s steps open", steps, count=steps)
        yield Share(
            label if steps else str(_("Finished")),
            "",
            (number(count),),
            bar(count, count, max(by_open.values())),
        )


def _growth(counted: Counted, months: Sequence[dt.date]) -> Growth:
    by_month = counted.by("month")
    sums = [sum(by_month[place] for place in range(last + 1)) for last in range(len(months))]
    names = [format_date(add_months(month, -1), "MMM yyyy") for month in months]
    return Growth(columns(sums), tuple(zip(names, _numbers(sums), strict=True)))


def _numbers(values: Iterable[int]) -> list[str]:
    return [number(value) for value in values]
