"""Three ways to arrange a new organization's collections and groups, to be changed and applied."""

from dataclasses import dataclass
from enum import StrEnum

from portal.domain.collection_access import Level
from portal.domain.errors import N_


class Pattern(StrEnum):
    """What collections follow: who people are, or what they do."""

    DEPARTMENTS = "departments"
    FUNCTIONS = "functions"
    BOTH = "both"

    @property
    def label(self) -> str:
        """Its name as a message id."""
        return _LABELS[self]

    @property
    def about(self) -> str:
        """What it is good for, as a message id."""
        return _ABOUT[self]

    @property
    def starter_set(self) -> "StarterSet":
        return _SETS[self]


_LABELS = {
    Pattern.DEPARTMENTS: N_("Collections by department"),
    Pattern.FUNCTIONS: N_("Collections by function"),
    Pattern.BOTH: N_("Groups by department, collections by function"),
}
_ABOUT = {
    Pattern.DEPARTMENTS: N_(
        "Each department has its own collection. Simple, and fit for small teams that share little."
    ),
    Pattern.FUNCTIONS: N_(
        "Each kind of work has a collection, whoever does it. Fit for teams that work across"
        " departments."
    ),
    Pattern.BOTH: N_(
        "People join the group of their department, and each group gets a level in the"
        " collections of its work. Fit for growing organizations."
    ),
}


@dataclass(frozen=True)
class StarterSet:
    """Names as message ids; `levels` says what a group (its place) may do in a collection."""

    collections: tuple[str, ...]
    groups: tuple[str, ...] = ()
    levels: tuple[tuple[Level | None, ...], ...] = ()
    shared: bool = False

    def level(self, group: int, collection: int) -> Level | None:
        return self.levels[group][collection]

    def lines(self) -> list[tuple[int, int, bool]]:
        """(who, collection, may change) of each line that a diagram draws.

        Without groups people stand for them: `shared` says that two at a time meet in one.
        """
        if not self.groups:
            places = range(len(self.collections))
            beside = [(at, at - 1, True) for at in places if self.shared and at]
            return [(at, at, True) for at in places] + beside
        return [
            (group, at, level != Level.VIEW)
            for group, row in enumerate(self.levels)
            for at, level in enumerate(row)
            if level is not None
        ]


_DEPARTMENTS = (N_("Management"), N_("Finance"), N_("Sales"), N_("Marketing"), N_("IT"))
_FUNCTIONS = (
    N_("Accounts and banking"),
    N_("Customers"),
    N_("Social media"),
    N_("Personnel"),
    N_("Servers and networks"),
)
_MANAGE, _EDIT, _VIEW = Level.MANAGE, Level.EDIT, Level.VIEW
_SETS = {
    Pattern.DEPARTMENTS: StarterSet(_DEPARTMENTS),
    Pattern.FUNCTIONS: StarterSet(_FUNCTIONS, shared=True),
    Pattern.BOTH: StarterSet(
        _FUNCTIONS,
        _DEPARTMENTS,
        (
            (_MANAGE, _VIEW, None, _MANAGE, None),
            (_EDIT, _VIEW, None, None, None),
            (None, _MANAGE, _VIEW, None, None),
            (None, _VIEW, _MANAGE, None, None),
            (None, None, None, None, _MANAGE),
        ),
    ),
}
