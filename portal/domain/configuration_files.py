"""A configuration as the tree of a file, and back: strictly, each mistake with its place.

A tree is what a reader of YAML or JSON makes: mappings, lists, texts, whole numbers, true and
false. Mistakes are collected, so that a file is corrected once and not once for each of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any, TypeVar

from portal.domain.collection_access import Level
from portal.domain.collection_rules import CollectionSettings
from portal.domain.configuration import (
    COLLECTIONS,
    GROUPS,
    NO_ACCESS,
    ON,
    POLICIES,
    SETTINGS,
    Configuration,
    GroupSetting,
    PolicySetting,
    in_order,
    pointer,
)
from portal.domain.errors import N_, Message, RuleError
from portal.domain.names import check_external_id, check_name
from portal.domain.policies import DATA, PolicyKind, read
from portal.domain.policy_data import Data, to_store

FORMAT = 1
GROUPS_LIMIT = 500
COLLECTIONS_LIMIT = 500
MISTAKES_SHOWN = 20
NAME_LIMIT = 100

_SECTIONS = ("format", "others", POLICIES, SETTINGS, COLLECTIONS, GROUPS)
_UNKNOWN = N_("This name is not known here. Known are: %(known)s.")
_TYPES = {
    bool: N_("Write true or false."),
    int: N_("Write a whole number."),
    str: N_("Write a text."),
    dict: N_("Write names and values here, each name on a line of its own."),
    list: N_("Write a list here, each entry after a dash."),
}
_CHOICES = N_("Write one of: %(known)s.")
_TWICE = N_("This stands in the file twice.")
_MISSING = N_("“%(name)s” is missing here.")
_TOO_MANY = N_("There are more than %(limit)s entries.")
_FORMAT = N_("This portal reads format %(format)s.")
_EMPTY = N_("Write the external id of a collection.")
_NAMED = N_(
    "The names of a client's collections are sealed. Only a baseline names collections that are"
    " to be made."
)

Kind = TypeVar("Kind")
Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Mistake:
    """What is wrong, where: a path in words, and the line if the reader of the text knew it."""

    path: str
    line: int | None
    text: Message


class BadFile(RuleError):
    """A file that cannot be used, with all that is wrong with it."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__(N_("This file cannot be used. Correct it as the list says."))
        self.mistakes = mistakes[:MISTAKES_SHOWN]


@dataclass(frozen=True)
class Rules:
    """What a file may say: the policies there are, and whether it may name collections."""

    policies: tuple[PolicyKind, ...] = tuple(PolicyKind)
    names_collections: bool = False


def read_tree(
    tree: object,
    rules: Rules,
    line_of: Callable[[Place], int | None] = lambda _place: None,
) -> Configuration:
    """The configuration that a tree says. Raises `BadFile` with every mistake."""
    reader = _Reader(rules, line_of)
    configuration = reader.configuration(tree)
    if reader.mistakes:
        raise BadFile(reader.mistakes)
    return configuration


class _Reader:
    def __init__(self, rules: Rules, line_of: Callable[[Place], int | None]) -> None:
        self.rules, self.line_of = rules, line_of
        self.mistakes: list[Mistake] = []

    def configuration(self, tree: object) -> Configuration:
        top = self.mapping(tree, (), _SECTIONS)
        if top.get("format", FORMAT) != FORMAT:
            self.blame(("format",), _FORMAT, format=FORMAT)
        others = self.choice(top.get("others", "keep"), ("others",), ("keep", "remove"))
        return Configuration(
            policies=self.policies(top.get(POLICIES)),
            settings=self.settings(top.get(SETTINGS)),
            groups=self.groups(top.get(GROUPS)),
            collections=self.collections(top.get(COLLECTIONS)),
            removes_others=others == "remove",
        )

    def blame(self, place: Place, text: str, **params: object) -> None:
        self.blame_message(place, Message.of(text, **params))

    def blame_message(self, place: Place, text: Message) -> None:
        words = tuple(str(part + 1) if isinstance(part, int) else part for part in place)
        self.mistakes.append(Mistake(pointer(words), self.line_of(place), text))

    def a(self, kind: type[Kind], value: object, place: Place) -> Kind | None:
        """The value, if it is of that type; true and false are no numbers."""
        if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
            return value
        self.blame(place, _TYPES[kind])
        return None

    def choice(self, value: object, place: Place, known: tuple[str, ...]) -> str | None:
        if value in known:
            return str(value)
        self.blame(place, _CHOICES, known=", ".join(known))
        return None

    def mapping(
        self, value: object, place: Place, known: tuple[str, ...] | None = None
    ) -> dict[str, Any]:
        """Names and values; a section without anything under it says nothing."""
        if value is None:
            return {}
        found = self.a(dict, value, place) or {}
        for name in found:
            if known is not None and name not in known:
                self.blame((*place, name), _UNKNOWN, known=", ".join(known))
        return found

    def entries(self, value: object, place: Place, limit: int) -> list[Any]:
        if value is None:
            return []
        found = self.a(list, value, place) or []
        if len(found) > limit:
            self.blame(place, _TOO_MANY, limit=limit)
        return found[:limit]

    def policies(self, tree: object) -> dict[PolicyKind, PolicySetting]:
        offered = tuple(kind.value for kind in self.rules.policies)
        found = {}
        for name, said in self.mapping(tree, (POLICIES,), offered).items():
            if name in offered:
                kind = PolicyKind(name)
                policy = self.policy(kind, said, (POLICIES, name))
                if policy:
                    found[kind] = policy
        return {kind: found[kind] for kind in sorted(found)}

    def policy(self, kind: PolicyKind, tree: object, place: Place) -> PolicySetting | None:
        shape = DATA.get(kind)
        names = tuple(each.name for each in fields(shape)) if shape else ()
        said = self.mapping(tree, place, (ON, *names))
        if ON not in said:
            self.blame(place, _MISSING, name=ON)
            return None
        before = len(self.mistakes)
        is_on = self.a(bool, said[ON], (*place, ON))
        values = self.values(shape, {name: said[name] for name in names if name in said}, place)
        if len(self.mistakes) > before or is_on is None:
            return None
        return PolicySetting(is_on, self.data(kind, values, place) if is_on else None)

    def values(
        self, shape: type[Data] | None, said: Mapping[str, Any], place: Place
    ) -> dict[str, Any]:
        """Values of the types that the defaults have."""
        defaults = {each.name: each.default for each in fields(shape)} if shape else {}
        for name, value in said.items():
            default, here = defaults[name], (*place, name)
            if isinstance(default, StrEnum):
                self.choice(value, here, tuple(each.value for each in type(default)))
            else:
                self.a(type(default), value, here)
        return dict(said)

    def data(self, kind: PolicyKind, values: Mapping[str, Any], place: Place) -> Data | None:
        try:
            found = read(kind, values)
            if found:
                found.check_on()
        except RuleError as error:
            self.blame_message((*place, error.field) if error.field else place, error.text)
            return None
        return found

    def settings(self, tree: object) -> dict[str, bool]:
        known = tuple(asdict(CollectionSettings()))
        said = self.mapping(tree, (SETTINGS,), known)
        return {
            name: bool(self.a(bool, said[name], (SETTINGS, name))) for name in known if name in said
        }

    def collections(self, tree: object) -> dict[str, str]:
        found: dict[str, str] = {}
        known = ("external_id", "name")
        for at, entry in enumerate(self.entries(tree, (COLLECTIONS,), COLLECTIONS_LIMIT)):
            place: Place = (COLLECTIONS, at)
            said = self.mapping(entry, place, known)
            key = self.external_id(said.get("external_id", ""), (*place, "external_id"))
            if key == "":
                self.blame(place, _EMPTY)
            if key in found:
                self.blame(place, _TWICE)
            if "name" in said and not self.rules.names_collections:
                self.blame((*place, "name"), _NAMED)
            name = self.name(said["name"], (*place, "name"), 200) if "name" in said else ""
            if key:
                found[key] = name or ""
        return {key: found[key] for key in sorted(found)}

    def external_id(self, value: object, place: Place) -> str | None:
        text = self.a(str, value, place)
        return None if text is None else self.checked(check_external_id, text, place)

    def name(self, value: object, place: Place, limit: int = NAME_LIMIT) -> str | None:
        text = self.a(str, value, place)
        if text is None:
            return None
        return self.checked(lambda name: check_name(name, limit=limit), text, place)

    def checked(self, check: Callable[[str], str], text: str, place: Place) -> str | None:
        try:
            return check(text)
        except RuleError as error:
            self.blame_message(place, error.text)
            return None

    def groups(self, tree: object) -> tuple[GroupSetting, ...]:
        found: list[GroupSetting] = []
        for at, entry in enumerate(self.entries(tree, (GROUPS,), GROUPS_LIMIT)):
            group = self.group(entry, (GROUPS, at))
            if group is None:
                continue
            if any(_is_twice(group, other) for other in found):
                self.blame((GROUPS, at), _TWICE)
            found.append(group)
        return tuple(in_order(found))

    def group(self, tree: object, place: Place) -> GroupSetting | None:
        said = self.mapping(tree, place, ("name", "external_id", COLLECTIONS))
        if "name" not in said:
            self.blame(place, _MISSING, name="name")
            return None
        name = self.name(said["name"], (*place, "name"))
        external_id = None
        if "external_id" in said:
            external_id = self.external_id(said["external_id"], (*place, "external_id"))
        levels = self.levels(said.get(COLLECTIONS), (*place, COLLECTIONS))
        return None if name is None else GroupSetting(name, external_id, levels)

    def levels(self, tree: object, place: Place) -> dict[str, Level | None]:
        known = (*(level.value for level in Level), NO_ACCESS)
        found: dict[str, Level | None] = {}
        for key, value in self.mapping(tree, place).items():
            external_id = self.external_id(key, (*place, key))
            chosen = self.choice(value, (*place, key), known)
            if external_id and chosen:
                found[external_id] = None if chosen == NO_ACCESS else Level(chosen)
        return {key: found[key] for key in sorted(found)}


def _is_twice(one: GroupSetting, other: GroupSetting) -> bool:
    """Whether two entries can only be the same group.

    Clients may have several groups of one name, so entries of one name are each a group.
    """
    return bool(one.external_id) and one.external_id == other.external_id


def write_tree(configuration: Configuration) -> dict[str, Any]:
    """The tree of a configuration: always in the same order, and without what says nothing."""
    tree: dict[str, Any] = {
        "format": FORMAT,
        "others": "remove" if configuration.removes_others else "keep",
        POLICIES: {
            kind.value: _policy_tree(kind, configuration.policies[kind])
            for kind in PolicyKind
            if kind in configuration.policies
        },
        SETTINGS: {
            name: configuration.settings[name]
            for name in asdict(CollectionSettings())
            if name in configuration.settings
        },
        COLLECTIONS: [
            {"external_id": key, **({"name": name} if name else {})}
            for key, name in sorted(configuration.collections.items())
        ],
        GROUPS: [_group_tree(group) for group in in_order(configuration.groups)],
    }
    return {name: value for name, value in tree.items() if value not in ({}, [])}


def _policy_tree(kind: PolicyKind, policy: PolicySetting) -> dict[str, Any]:
    if not policy.is_on or kind not in DATA:
        return {ON: policy.is_on}
    return {ON: True, **to_store(policy.data or DATA[kind]())}


def _group_tree(group: GroupSetting) -> dict[str, Any]:
    tree: dict[str, Any] = {"name": group.name}
    if group.external_id is not None:
        tree["external_id"] = group.external_id
    if group.collections:
        tree[COLLECTIONS] = {
            key: level.value if level else NO_ACCESS
            for key, level in sorted(group.collections.items())
        }
    return tree
