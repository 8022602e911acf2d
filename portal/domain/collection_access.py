"""What a member may do in a collection, and how direct and group assignments come together.

The rule is of the product description, members and collections: a direct assignment replaces what
groups give, also where it gives less; between groups the widest wins. Widest is decided part by
part: who may edit by one group and see passwords by another may do both.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from portal.domain.errors import N_, RuleError

K = TypeVar("K")
V = TypeVar("V")


class Level(StrEnum):
    """The five levels, the narrowest first."""

    VIEW_HIDDEN = "view_hidden"
    VIEW = "view"
    EDIT_HIDDEN = "edit_hidden"
    EDIT = "edit"
    MANAGE = "manage"

    @property
    def label(self) -> str:
        """The level as a message id."""
        return _LABELS[self]

    @property
    def can_edit(self) -> bool:
        return self in (Level.EDIT_HIDDEN, Level.EDIT, Level.MANAGE)

    @property
    def shows_passwords(self) -> bool:
        return self in (Level.VIEW, Level.EDIT, Level.MANAGE)

    @property
    def rank(self) -> int:
        """1 for the narrowest; a number that both databases can compare."""
        return _RANKS[self]


_LABELS = {
    Level.VIEW_HIDDEN: N_("View items, hidden passwords"),
    Level.VIEW: N_("View items"),
    Level.EDIT_HIDDEN: N_("Edit items, hidden passwords"),
    Level.EDIT: N_("Edit items"),
    Level.MANAGE: N_("Manage collection"),
}
_RANKS = {level: rank for rank, level in enumerate(Level, start=1)}


def level_of(*, can_edit: bool, shows_passwords: bool, manages: bool = False) -> Level:
    """The level that grants exactly these."""
    if manages:
        return Level.MANAGE
    if can_edit:
        return Level.EDIT if shows_passwords else Level.EDIT_HIDDEN
    return Level.VIEW if shows_passwords else Level.VIEW_HIDDEN


def widest(levels: Iterable[Level]) -> Level | None:
    """What several groups give together; None for none."""
    given = list(levels)
    if not given:
        return None
    return level_of(
        can_edit=any(level.can_edit for level in given),
        shows_passwords=any(level.shows_passwords for level in given),
        manages=Level.MANAGE in given,
    )


@dataclass(frozen=True)
class Access:
    """What a member may do in one collection, and whether by name or by groups."""

    level: Level
    is_direct: bool


def effective(direct: Level | None, by_groups: Iterable[Level]) -> Access | None:
    """The one level that counts; None where the member does not reach the collection."""
    if direct is not None:
        return Access(direct, is_direct=True)
    given = widest(by_groups)
    return None if given is None else Access(given, is_direct=False)


class Meanwhile(RuleError):
    """Somebody has changed what a page began with; `proposal` has their changes and the page's."""

    def __init__(self, proposal: Mapping[Any, Any]) -> None:
        self.proposal = proposal
        super().__init__(
            N_(
                "Somebody has changed this in the meantime. Their changes and yours are below. "
                "Look again, then save."
            )
        )


def settled(now: Mapping[K, V], seen: Mapping[K, V] | None, wanted: Mapping[K, V]) -> dict[K, V]:
    """What is `wanted`, by somebody who has `seen` it begin as it is `now`.

    Raises `Meanwhile` where it would take back what somebody else has done since. Without `seen`
    nobody has looked, and what is wanted counts.
    """
    if seen is not None:
        kept = {each: value for each, value in now.items() if wanted.get(each) == seen.get(each)}
        chosen = {each: value for each, value in wanted.items() if value != seen.get(each)}
        if kept | chosen != wanted:
            raise Meanwhile(kept | chosen)
    return dict(wanted)
