"""What the Clients table shows, as its address says it: words, filters, order and size."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from portal.domain.plans import Plan
from portal.domain.states import ClientStatus

PAGE_SIZE = 50
LARGEST_PAGE = 100
LONGEST_SEARCH = 100

Known = TypeVar("Known", bound=StrEnum)


class Sort(StrEnum):
    """A sortable column, as the address names it."""

    NAME = "name"
    ASSIGNED = "assigned"
    USED = "used"
    REMAINING = "remaining"
    PLAN = "plan"
    SETUP = "setup"


class SeatsLeft(StrEnum):
    """How many seats are free, as the address names it."""

    NONE = "none"
    FEW = "few"


# Fewer free seats than this are few.
FEW_SEATS = 3


@dataclass(frozen=True)
class Listing:
    """One way of looking at the clients. `descending` is what the reader sees in the column."""

    search: str = ""
    plan: Plan | None = None
    status: ClientStatus | None = None
    tag: UUID | None = None
    seats_left: SeatsLeft | None = None
    setup_open: bool = False
    no_owner: bool = False
    deviates: bool = False
    sort: Sort = Sort.NAME
    descending: bool = False
    size: int = PAGE_SIZE

    @classmethod
    def read(cls, arguments: Mapping[str, str]) -> "Listing":
        """From the query string. What it does not know it leaves out, as if it were not there."""
        sort = arguments.get("sort", "")
        return cls(
            search=" ".join(arguments.get("q", "").replace("\0", "").split())[:LONGEST_SEARCH],
            plan=_known(Plan, arguments.get("plan")),
            status=_known(ClientStatus, arguments.get("status")),
            tag=_id(arguments.get("tag", "")),
            seats_left=_known(SeatsLeft, arguments.get("seats")),
            setup_open=arguments.get("setup") == "open",
            no_owner=arguments.get("owner") == "none",
            deviates=arguments.get("baseline") == "deviates",
            sort=_known(Sort, sort.removeprefix("-")) or Sort.NAME,
            descending=sort.startswith("-"),
            size=_size(arguments.get("size", "")),
        )

    def filters(self) -> dict[str, str]:
        """The filters in use, as the query string has them."""
        words = {
            "q": self.search,
            "plan": self.plan or "",
            "status": self.status or "",
            "tag": self.tag.hex if self.tag else "",
            "seats": self.seats_left or "",
            "setup": "open" if self.setup_open else "",
            "owner": "none" if self.no_owner else "",
            "baseline": "deviates" if self.deviates else "",
        }
        return {name: str(word) for name, word in words.items() if word}

    def query(self) -> dict[str, str]:
        """Everything that the query string must say to come here again; defaults are left out."""
        words = self.filters()
        if self.order != Sort.NAME:
            words["sort"] = self.order
        if self.size != PAGE_SIZE:
            words["size"] = str(self.size)
        return words

    @property
    def order(self) -> str:
        """The column, with a hyphen before it where it runs down."""
        return f"-{self.sort}" if self.descending else str(self.sort)

    @property
    def is_filtered(self) -> bool:
        return bool(self.filters())

    def without(self, name: str) -> "Listing":
        """The same without one filter, named as in `filters`."""
        left = {key: word for key, word in self.query().items() if key != name}
        return Listing.read(left)

    def unfiltered(self) -> "Listing":
        return Listing(sort=self.sort, descending=self.descending, size=self.size)


def _known(kind: type[Known], text: str | None) -> Known | None:
    return kind(text) if text in set(kind) else None


def _id(text: str) -> UUID | None:
    try:
        return UUID(hex=text)
    except ValueError:
        return None


def _size(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 4:
        return PAGE_SIZE
    return min(max(int(text), 1), LARGEST_PAGE)
