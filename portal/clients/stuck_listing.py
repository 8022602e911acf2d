"""What the page of stuck people shows, as its address says it: reason, age, client, order."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from portal.domain.attention import STUCK, AttentionKind

PAGE_SIZE = 50
LONGEST_SEARCH = 100
# As people ask for it: "for longer than a week".
AGES = (1, 7, 30)
SORT = "age"


@dataclass(frozen=True)
class StuckListing:
    """One way of looking at who is stuck. Without `youngest_first` the oldest come first."""

    search: str = ""
    kind: AttentionKind | None = None
    days: int | None = None
    youngest_first: bool = False

    @classmethod
    def read(cls, arguments: Mapping[str, str]) -> "StuckListing":
        """From the query string. What it does not know it leaves out, as if it were not there."""
        kind, days = arguments.get("reason", ""), arguments.get("older", "")
        return cls(
            search=" ".join(arguments.get("q", "").replace("\0", "").split())[:LONGEST_SEARCH],
            kind=AttentionKind(kind) if kind in STUCK else None,
            days=int(days) if days in {str(age) for age in AGES} else None,
            youngest_first=arguments.get("sort") == "-age",
        )

    def filters(self) -> dict[str, str]:
        """The filters in use, as the query string has them."""
        words = {
            "q": self.search,
            "reason": self.kind.value if self.kind else "",
            "older": str(self.days or ""),
        }
        return {name: word for name, word in words.items() if word}

    def query(self) -> dict[str, str]:
        """Everything that the query string must say to come here again; defaults are left out."""
        return self.filters() | ({"sort": "-age"} if self.youngest_first else {})

    def address(self, url: str, **more: str) -> str:
        """The address of this under `url`."""
        query = self.query() | more
        return f"{url}?{urlencode(query)}" if query else url

    def without(self, name: str) -> "StuckListing":
        """The same without one filter, named as in `filters`."""
        return StuckListing.read({key: word for key, word in self.query().items() if key != name})

    def turned(self) -> "StuckListing":
        """The same in the other order."""
        return replace(self, youngest_first=not self.youngest_first)

    def before(self, now: dt.datetime) -> dt.datetime | None:
        """Since when somebody must be stuck to be shown; None for any time."""
        return now - dt.timedelta(days=self.days) if self.days else None
