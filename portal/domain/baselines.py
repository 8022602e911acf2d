"""Which differences from a baseline are drift, and which somebody has accepted, and for how long.

An accepted deviation stays watched: it covers one value of one path, until its last day.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from portal.domain.configuration import COLLECTIONS, Change, Value, pointer
from portal.domain.errors import N_, refuse
from portal.domain.names import check_name

NAME_LIMIT = 100
NOTE_LIMIT = 500
REASON_LIMIT = 500
LONGEST = dt.timedelta(days=366)

NO_NAME = N_("Enter a name for the baseline.")
_NO_REASON = N_("Say why the client may deviate.")
_NO_OWNER = N_("Say who looks after this deviation.")
_ENDS = N_("Enter a day from tomorrow to a year from now.")


@dataclass(frozen=True)
class Deviation:
    """What was accepted: the value that the client had, why, who looks after it, the last day."""

    path: str
    value: Value | None
    reason: str
    owner: str
    ends_on: dt.date

    def covers(self, change: Change, today: dt.date) -> bool:
        """Whether the client still has the accepted value, in time."""
        return self.ends_on >= today and (self.value, type(self.value)) == (
            change.before,
            type(change.before),
        )


@dataclass(frozen=True)
class Difference:
    """One difference from a baseline; `accepted` where a deviation covers it, else it is drift.

    `lapsed` is a deviation of the same path that covers it no more. What `waits` for a browser to
    seal a name is no drift: nobody has changed anything.
    """

    change: Change
    accepted: Deviation | None = None
    lapsed: Deviation | None = None
    waits: bool = False


def differences(
    changes: Sequence[Change],
    accepted: Mapping[str, Deviation],
    today: dt.date,
    gone: AbstractSet[str] = frozenset(),
) -> list[Difference]:
    """Each change that would bring the client to its baseline, with what was accepted of it.

    `gone` are external ids that collections of the client had since the baseline was applied.
    """
    unmade = missing_collections(changes) - gone
    found = []
    for change in changes:
        deviation = accepted.get(pointer(change.path))
        if deviation is not None and deviation.covers(change, today):
            found.append(Difference(change, deviation, None))
        else:
            found.append(Difference(change, None, deviation, _waits(change, unmade)))
    return found


def missing_collections(changes: Iterable[Change]) -> set[str]:
    """The external ids of the collections that are not there."""
    return {change.path[1] for change in changes if change.path[0] == COLLECTIONS}


def _waits(change: Change, unmade: AbstractSet[str]) -> bool:
    """Whether it is one of these collections, or what groups may do in one."""
    return COLLECTIONS in {change.path[0], *change.path[2:3]} and change.path[-1] in unmade


def drift(found: Iterable[Difference]) -> int:
    """How many of them nobody has accepted."""
    return sum(each.accepted is None and not each.waits for each in found)


def waiting(found: Iterable[Difference]) -> int:
    """How many collections wait for a browser to seal their names."""
    return sum(each.waits and each.change.path[0] == COLLECTIONS for each in found)


def check_deviation(
    change: Change, *, reason: str, owner: str, ends_on: dt.date | None, today: dt.date
) -> Deviation:
    """The deviation as it is stored, or a `RuleError` on the field that is wrong."""
    why = check_name(reason, field="reason", missing=_NO_REASON, limit=REASON_LIMIT)
    who = check_name(owner, field="owner", missing=_NO_OWNER, limit=NAME_LIMIT)
    if ends_on is None or not today < ends_on <= today + LONGEST:
        raise refuse(_ENDS, field="ends_on")
    return Deviation(pointer(change.path), change.before, why, who, ends_on)


def reversed_change(change: Change) -> Change:
    """The same the other way round: what was said once, and is not any more."""
    return Change(change.path, change.after, None)
