"""The list of a provider's people: how it can be narrowed, and how its address says so."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar

from portal.domain.access import PROVIDER_ROLES, Role
from portal.domain.states import ProviderPersonState

PAGE_SIZE = 50
LONGEST_SEARCH = 100
# The one order that there is: the longest here first.
SORT = "joined"

Known = TypeVar("Known", bound=StrEnum)


@dataclass(frozen=True)
class PeopleList:
    """What is looked for; each part is None or empty where it does not matter."""

    words: str = ""
    state: ProviderPersonState | None = None
    role: Role | None = None

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "PeopleList":
        """From the parts of an address; what cannot be read does not matter."""
        role = _known(Role, query.get("role", ""))
        return cls(
            words=" ".join(query.get("q", "").replace("\0", "").split())[:LONGEST_SEARCH],
            state=_known(ProviderPersonState, query.get("state", "")),
            role=role if role in PROVIDER_ROLES else None,
        )

    @property
    def query(self) -> dict[str, str]:
        """The parts of the address that bring the same list."""
        parts = {"q": self.words, "state": self.state or "", "role": self.role or ""}
        return {name: str(value) for name, value in parts.items() if value}

    def but(self, **changes: Any) -> "PeopleList":
        """The same list, changed in these parts."""
        return replace(self, **changes)


def _known(kind: type[Known], text: str) -> Known | None:
    return kind(text) if text in set(kind) else None
