"""What the lines per client show, as their address says it: words and order."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

PAGE_SIZE = 50
LONGEST_SEARCH = 100


class Sort(StrEnum):
    """A sortable column, as the address names it."""

    NAME = "name"
    PLAN = "plan"
    SEATS = "seats"


@dataclass(frozen=True)
class Listing:
    """One way of looking at the lines."""

    search: str = ""
    sort: Sort = Sort.NAME
    descending: bool = False

    @classmethod
    def read(cls, arguments: Mapping[str, str]) -> "Listing":
        """From the query string. What it does not know it leaves out."""
        order = arguments.get("sort", "")
        name = order.removeprefix("-")
        return cls(
            search=" ".join(arguments.get("q", "").replace("\0", "").split())[:LONGEST_SEARCH],
            sort=Sort(name) if name in set(Sort) else Sort.NAME,
            descending=order.startswith("-"),
        )

    @property
    def order(self) -> str:
        """The column, with a hyphen before it where it runs down."""
        return f"-{self.sort}" if self.descending else str(self.sort)

    def query(self) -> dict[str, str]:
        """Everything that the query string must say to come here again; defaults are left out."""
        words = {"q": self.search, "sort": self.order if self.order != Sort.NAME else ""}
        return {name: word for name, word in words.items() if word}

    def by(self, sort: Sort) -> "Listing":
        """The same in the order of a column; a second time turns it round."""
        turned = sort is self.sort and not self.descending
        return Listing(self.search, sort, turned)
