"""The parts of the Clients table, as its template shows them."""

from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from portal.clients.listing import Listing
from portal.web.chips import Chip


@dataclass(frozen=True)
class Header:
    """A sortable column; `direction` is how it is sorted now, as `aria-sort` says it."""

    name: str
    label: str
    url: str
    direction: str
    numeric: bool


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


class Asked(NamedTuple):
    """What was wanted of several clients and refused: what was ticked, chosen and typed, and why.

    `field` is the one to blame, empty for the ticks.
    """

    ticked: frozenset[str] = frozenset()
    action: str = ""
    tag: str = ""
    seats: str = ""
    error: str = ""
    field: str = ""


NOTHING = Asked()


@dataclass(frozen=True)
class Table:
    """What `clients/_table.html` shows."""

    url: str
    listing: Listing
    headers: tuple[Header, ...]
    labels: dict[str, str]
    rows: tuple[dict[str, str | int], ...]
    chips: tuple[Chip, ...]
    clear_url: str
    csv_url: str
    plans: tuple[tuple[str, str], ...]
    statuses: tuple[tuple[str, str], ...]
    tags: tuple[tuple[str, str], ...]
    seats: tuple[tuple[str, str], ...]
    views: tuple[View, ...]
    query: str
    at: str
    asked: Asked
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
