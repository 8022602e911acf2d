"""What a log's page shows, as its address says it: days, type, person, client and words."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

PAGE_SIZE = 50
LONGEST_SEARCH = 100


@dataclass(frozen=True)
class LogListing:
    """One way of looking at a log. `until` is the last day that is shown, in the reader's zone.

    `kind` is a type of event or, with a leading `*`, a group of them. `client` is an id or words of
    a name.
    """

    search: str = ""
    kind: str = ""
    person: uuid.UUID | None = None
    client: str = ""
    since: dt.date | None = None
    until: dt.date | None = None

    @classmethod
    def read(cls, arguments: Mapping[str, str]) -> "LogListing":
        """From the query string. What it does not know it leaves out, as if it were not there."""
        return cls(
            search=_words(arguments.get("q", "")),
            kind=_words(arguments.get("type", "")),
            person=as_id(arguments.get("person", "")),
            client=_words(arguments.get("client", "")),
            since=_day(arguments.get("from", "")),
            until=_day(arguments.get("to", "")),
        )

    def query(self) -> dict[str, str]:
        """Everything that the query string must say to come here again."""
        words = {
            "q": self.search,
            "type": self.kind,
            "person": str(self.person or ""),
            "client": self.client,
            "from": self.since.isoformat() if self.since else "",
            "to": self.until.isoformat() if self.until else "",
        }
        return {name: word for name, word in words.items() if word}

    def without(self, *names: str) -> "LogListing":
        """The same without some filters, named as in `query`."""
        return LogListing.read({key: v for key, v in self.query().items() if key not in names})

    @property
    def is_filtered(self) -> bool:
        return bool(self.query())


def as_id(text: str) -> uuid.UUID | None:
    """The UUID that a text is, or None."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _words(text: str) -> str:
    return " ".join(text.replace("\0", "").split())[:LONGEST_SEARCH]


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None
