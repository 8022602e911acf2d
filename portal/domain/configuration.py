"""What a client is set to, in one form that can be compared: policies, rules, groups, collections.

A configuration may say less than everything: what it does not say is not compared. It is laid out
flat, as one plain value for each path, so that neither the order of a list nor a default that is
or is not written down can look like a difference.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TypeVar

from portal.domain.collection_access import Level
from portal.domain.collection_rules import CollectionSettings
from portal.domain.names import name_ci
from portal.domain.policies import DATA, PolicyKind
from portal.domain.policy_data import Data, to_store

Path = tuple[str, ...]
Value = str | int | bool
Flat = dict[Path, Value]

POLICIES, SETTINGS, GROUPS, COLLECTIONS = "policies", "settings", "groups", "collections"
# The leaf of a policy that says whether it is on; the level of a group that reaches nothing.
ON, NO_ACCESS = "enabled", "none"


@dataclass(frozen=True)
class PolicySetting:
    """A policy that is on has data of its kind; one that is off asks nothing and has none."""

    is_on: bool
    data: Data | None = None


@dataclass(frozen=True)
class GroupSetting:
    """A group. `external_id` None says nothing of it; a level None says that there is no access."""

    name: str
    external_id: str | None = None
    collections: Mapping[str, Level | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Configuration:
    """What is said of a client. `collections` maps external ids to plain names, or to nothing.

    With `removes_others` groups, and levels of groups, that are not said are to go.
    """

    policies: Mapping[PolicyKind, PolicySetting] = field(default_factory=dict)
    settings: Mapping[str, bool] = field(default_factory=dict)
    groups: Sequence[GroupSetting] = ()
    collections: Mapping[str, str] = field(default_factory=dict)
    removes_others: bool = False


@dataclass(frozen=True)
class Change:
    """One value that is not as it is wanted. `before` None: it is not there; `after`: it goes."""

    path: Path
    before: Value | None
    after: Value | None

    @property
    def section(self) -> str:
        return self.path[0]


def pointer(path: Path) -> str:
    """A path as one text, as JSON pointers are written."""
    return "/".join(part.replace("~", "~0").replace("/", "~1") for part in path)


def in_order(groups: Iterable[GroupSetting]) -> list[GroupSetting]:
    """Groups in the one order in which they are written and told apart."""
    return sorted(groups, key=_place)


def _place(group: GroupSetting) -> tuple[str, str, str, bool, list[tuple[str, str]]]:
    levels = sorted((key, level or NO_ACCESS) for key, level in group.collections.items())
    # An id that is said to be none is written, one that is not said is not: two different lines.
    says_id = group.external_id is not None
    return name_ci(group.name), group.name, group.external_id or "", says_id, levels


def keys_of(groups: Sequence[GroupSetting]) -> list[str]:
    """What each of `groups`, in their order, is called in paths: no two the same."""
    taken: set[str] = set()
    keys = []
    for group in groups:
        base = group.external_id or group.name
        key, number = base, 1
        while key in taken:
            number += 1
            key = f"{base} ({number})"
        taken.add(key)
        keys.append(key)
    return keys


Found = TypeVar("Found", bound=GroupSetting)


def match(
    present: Sequence[Found], wanted: Sequence[GroupSetting]
) -> tuple[list[Found | None], list[Found]]:
    """For each wanted group the present one that it is, by external id, else by name; and the rest.

    A name stands for a group only where their external ids do not contradict each other.
    """
    left = in_order_of(present)
    found: list[Found | None] = [None] * len(wanted)
    order = sorted(range(len(wanted)), key=lambda at: _place(wanted[at]))
    for is_same in (_same_id, _same_all, _same_name):
        for at in order:
            if found[at] is None:
                found[at] = next((each for each in left if is_same(each, wanted[at])), None)
                if found[at] is not None:
                    left = [each for each in left if each is not found[at]]
    return found, left


def in_order_of(groups: Iterable[Found]) -> list[Found]:
    """The same as `in_order` for whatever is a group."""
    return sorted(groups, key=_place)


def _same_id(present: GroupSetting, wanted: GroupSetting) -> bool:
    return bool(wanted.external_id) and present.external_id == wanted.external_id


def _same_all(present: GroupSetting, wanted: GroupSetting) -> bool:
    return present.name == wanted.name and _same_name(present, wanted)


def _same_name(present: GroupSetting, wanted: GroupSetting) -> bool:
    contradict = present.external_id and wanted.external_id
    return not contradict and name_ci(present.name) == name_ci(wanted.name)


def flat(configuration: Configuration) -> Flat:
    """All that is said, a value for each path."""
    groups = in_order(configuration.groups)
    return _flat(configuration, zip(keys_of(groups), groups, strict=True))


def _flat(configuration: Configuration, groups: Iterable[tuple[str, GroupSetting]]) -> Flat:
    found: Flat = {}
    for kind, policy in configuration.policies.items():
        found |= _flat_policy(kind, policy)
    for name, is_on in configuration.settings.items():
        found[SETTINGS, name] = is_on
    for external_id in configuration.collections:
        found[COLLECTIONS, external_id] = True
    for key, group in groups:
        found[GROUPS, key, "name"] = group.name
        if group.external_id is not None:
            found[GROUPS, key, "external_id"] = group.external_id
        for external_id, level in group.collections.items():
            found[GROUPS, key, COLLECTIONS, external_id] = level.value if level else NO_ACCESS
    return found


def _flat_policy(kind: PolicyKind, policy: PolicySetting) -> Flat:
    here = (POLICIES, kind.value)
    found: Flat = {(*here, ON): policy.is_on}
    if policy.is_on and kind in DATA:
        said = to_store(policy.data or DATA[kind]())
        found |= {(*here, name): value for name, value in said.items()}
    return found


def beside(present: Configuration, wanted: Configuration) -> tuple[Flat, Flat]:
    """Both laid out flat, a group of both under the same path: that of the wanted one."""
    groups = in_order(wanted.groups)
    keys = keys_of(groups)
    found, left = match(present.groups, groups)
    pairs = [(key, group) for key, group in zip(keys, found, strict=True) if group]
    taken = set(keys)
    for key, group in zip(keys_of(left), left, strict=True):
        free = key
        while free in taken:
            free = f"{free} +"
        taken.add(free)
        pairs.append((free, group))
    return _flat(present, pairs), _flat(wanted, zip(keys, groups, strict=True))


def diff(present: Flat, wanted: Flat, *, removes_others: bool = False) -> tuple[Change, ...]:
    """What would have to change in `present` for all that `wanted` says to hold, by path."""
    changes = [
        Change(path, before, value)
        for path, value in wanted.items()
        if (before := present.get(path, _absent(path))) != value
    ]
    if removes_others:
        changes += _removals(present, wanted)
    return tuple(sorted(changes, key=lambda change: change.path))


def _absent(path: Path) -> Value | None:
    """What a value that nobody ever set stands for."""
    if path[0] == POLICIES and path[-1] == ON:
        return False
    if path[0] == SETTINGS:
        found: Value | None = asdict(CollectionSettings()).get(path[1])
        return found
    if path[0] == GROUPS and len(path) == 4:
        return NO_ACCESS
    return "" if path[0] == GROUPS and path[-1] == "external_id" else None


def _removals(present: Flat, wanted: Flat) -> list[Change]:
    """Groups that are not said, whole; and levels that are not said, of those that are."""
    found = []
    for path, value in present.items():
        if path[0] != GROUPS or path in wanted or value == NO_ACCESS:
            continue
        stays = (GROUPS, path[1], "name") in wanted
        if path[-1] == "name" and len(path) == 3 and not stays:
            found.append(Change(path, value, None))
        elif stays and len(path) == 4:
            found.append(Change(path, value, NO_ACCESS))
    return found


def apply(changes: Iterable[Change], present: Flat) -> Flat:
    """What `present` is once the changes are made."""
    after = dict(present)
    for change in changes:
        if change.after is None:
            after = {path: value for path, value in after.items() if path[:2] != change.path[:2]}
        else:
            after[change.path] = change.after
    off = {path[:2] for path, value in after.items() if path[-1] == ON and value is False}
    return {
        path: value
        for path, value in after.items()
        if value != _absent(path) or path[-1] == ON or path[0] == SETTINGS
        if path[:2] not in off or path[-1] == ON
    }


def diff_of(present: Configuration, wanted: Configuration) -> tuple[Change, ...]:
    """`diff` of two configurations, their groups matched."""
    return diff(*beside(present, wanted), removes_others=wanted.removes_others)
