"""The list of members: how it can be sorted and filtered, and how its address says so."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from portal.domain.access import ORGANIZATION_ROLES, Role
from portal.domain.states import MemberState

PAGE_SIZE = 50
LONGEST_SEARCH = 100


class Sort(StrEnum):
    """The columns that a list of members can be sorted by."""

    JOINED = "joined"
    EMAIL = "email"
    ROLE = "role"
    STATE = "state"


class SecondFactor(StrEnum):
    """Whether an account has a second factor; who has no account yet is neither."""

    ON = "on"
    OFF = "off"


class Enrolled(StrEnum):
    """Whether a member is enrolled in account recovery."""

    YES = "yes"
    NO = "no"


# The owners first; who waits for somebody before who needs nobody.
ROLE_ORDER = {Role.OWNER: 1, Role.ADMIN: 2, Role.CUSTOM: 3, Role.USER: 4}
STATE_ORDER = {
    MemberState.STAGED: 1,
    MemberState.INVITED: 2,
    MemberState.ACCEPTED: 3,
    MemberState.CONFIRMED: 4,
    MemberState.REVOKED: 5,
}


@dataclass(frozen=True)
class MemberList:
    """What is looked for; each part is None or empty where it does not matter."""

    words: str = ""
    state: MemberState | None = None
    role: Role | None = None
    group: uuid.UUID | None = None
    second_factor: SecondFactor | None = None
    recovery: Enrolled | None = None
    sort: Sort = Sort.JOINED
    descending: bool = False

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "MemberList":
        """From the parts of an address; what cannot be read does not matter."""
        sort = query.get("sort", "")
        role = _one_of(Role, query.get("role", ""))
        return cls(
            words=" ".join(query.get("q", "").replace("\0", "").split())[:LONGEST_SEARCH],
            state=_one_of(MemberState, query.get("state", "")),
            role=role if role in ORGANIZATION_ROLES else None,
            group=_id(query.get("group", "")),
            second_factor=_one_of(SecondFactor, query.get("second_factor", "")),
            recovery=_one_of(Enrolled, query.get("recovery", "")),
            sort=_one_of(Sort, sort.removeprefix("-")) or Sort.JOINED,
            descending=sort.startswith("-"),
        )

    @property
    def query(self) -> dict[str, str]:
        """The parts of the address that bring the same list."""
        sort = f"-{self.sort}" if self.descending else self.sort.value
        parts = {
            "q": self.words,
            "state": self.state or "",
            "role": self.role or "",
            "group": str(self.group or ""),
            "second_factor": self.second_factor or "",
            "recovery": self.recovery or "",
            "sort": "" if sort == Sort.JOINED else sort,
        }
        return {name: str(value) for name, value in parts.items() if value}

    @property
    def is_narrowed(self) -> bool:
        return bool(self.query.keys() - {"sort"})

    def but(self, **changes: Any) -> "MemberList":
        """The same list, changed in these parts."""
        return replace(self, **changes)

    def sorted_by(self, sort: Sort) -> "MemberList":
        """By that column; turned round where it is the one already."""
        return self.but(sort=sort, descending=sort is self.sort and not self.descending)


def _one_of(kind: Any, text: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        return None


def _id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
