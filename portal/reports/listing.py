"""What the member access report is asked for, and how its address says so."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from portal.domain.collection_access import Level

LONGEST_SEARCH = 100


@dataclass(frozen=True)
class AccessList:
    """What is looked for; each part is None or empty where it does not matter.

    `group` is the group through which something is reached, `collection` what is reached.
    """

    words: str = ""
    level: Level | None = None
    group: uuid.UUID | None = None
    collection: uuid.UUID | None = None

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "AccessList":
        """From the parts of an address; what cannot be read does not matter."""
        level = query.get("level", "")
        return cls(
            words=" ".join(query.get("q", "").replace("\0", "").split())[:LONGEST_SEARCH],
            level=Level(level) if level in set(Level) else None,
            group=_id(query.get("group", "")),
            collection=_id(query.get("collection", "")),
        )

    @property
    def query(self) -> dict[str, str]:
        """The parts of the address that bring the same list."""
        parts = {
            "q": self.words,
            "level": str(self.level or ""),
            "group": str(self.group or ""),
            "collection": str(self.collection or ""),
        }
        return {name: value for name, value in parts.items() if value}

    def but(self, **changes: Any) -> "AccessList":
        """The same list, changed in these parts."""
        return replace(self, **changes)


def _id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
