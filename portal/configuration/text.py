"""YAML in and out, of the plain kind that a configuration needs.

The text comes from people, so it is read event by event: no tags, no anchors and no aliases (of
which a few lines can grow to gigabytes), no name twice, and limits on length, depth and number of
values. Only `true`, `false`, `null` and whole numbers are anything but text, as in YAML 1.2.
"""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from portal.domain.configuration import Configuration
from portal.domain.configuration_files import BadFile, Mistake, Place, Rules, read_tree
from portal.domain.errors import N_, Message
from portal.domain.names import is_printable

LENGTH = 200_000
DEPTH = 8
VALUES = 20_000

# The same events; written in C where the library has been built with it.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,11})\Z")
_TOO_LONG = N_("The file is longer than %(limit)s characters.")
_BROKEN = N_("This is not readable as YAML: look for a missing colon, quote or space here.")
_TWICE = N_("“%(name)s” stands here twice.")
_NO_NAME = N_("A name must be a single text.")
_FANCY = N_("Tags, anchors and aliases are not read here. Write the values out.")
_DEEP = N_("This is nested too deep.")
_CONTROL = N_("Remove the invisible control characters here.")
_MANY = N_("The file has more than %(limit)s values.")
_ONE = N_("The file holds more than one document. Leave one of them.")


class Text:
    """A tree read from YAML, and the line on which each of its places begins."""

    def __init__(self, tree: object, lines: dict[Place, int]) -> None:
        self.tree, self._lines = tree, lines

    def line_of(self, place: Place) -> int | None:
        """The line of a place, or of what it would stand in."""
        while place and place not in self._lines:
            place = place[:-1]
        return self._lines.get(place)


def parse(text: str) -> Text:
    """Read YAML. Raises `BadFile` for what is none, or is not of the plain kind."""
    if len(text) > LENGTH:
        raise _bad(None, _TOO_LONG, limit=LENGTH)
    try:
        text.encode("utf-8")
        return _Builder().document(yaml.parse(text, Loader=_LOADER))
    except UnicodeEncodeError as error:
        raise _bad(text.count("\n", 0, error.start) + 1, _BROKEN) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _bad(mark.line + 1 if mark else None, _BROKEN) from error
    except yaml.YAMLError as error:
        # Control characters, lone surrogates: the reader names an offset and no line.
        at = getattr(error, "position", 0)
        raise _bad(text.count("\n", 0, at) + 1, _BROKEN) from error


def read(words: str, rules: Rules) -> Configuration:
    """The configuration that YAML says. Raises `BadFile` with every mistake and its line."""
    found = parse(words)
    return read_tree(found.tree, rules, found.line_of)


def write(tree: object, heading: str = "") -> str:
    """The tree as YAML; each line of `heading` before it, as a comment."""
    comment = "".join(f"# {line}\n" for line in heading.splitlines())
    dumped: str = yaml.safe_dump(tree, sort_keys=False, allow_unicode=True, width=100)
    return comment + dumped


def _bad(line: int | None, text: str, **params: object) -> BadFile:
    return BadFile([Mistake("", line, Message.of(text, **params))])


class _Builder:
    def __init__(self) -> None:
        self.lines: dict[Place, int] = {}
        self.values = 0

    def document(self, events: Iterator[Any]) -> Text:
        tree: object = None
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _bad(_line(event), _ONE)
                tree = self.value(next(events), events, ())
        return Text(tree, self.lines)

    def value(self, event: Any, events: Iterator[Any], place: Place) -> Any:
        self.values += 1
        self.lines.setdefault(place, _line(event))
        if self.values > VALUES:
            raise _bad(_line(event), _MANY, limit=VALUES)
        if isinstance(event, yaml.AliasEvent) or event.anchor or _is_tagged(event):
            raise _bad(_line(event), _FANCY)
        if isinstance(event, yaml.ScalarEvent):
            _check_printable(event)
            return _scalar(event)
        if len(place) >= DEPTH:
            raise _bad(_line(event), _DEEP)
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(events, place)
        return self.mapping(events, place)

    def sequence(self, events: Iterator[Any], place: Place) -> list[Any]:
        found: list[Any] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            found.append(self.value(event, events, (*place, len(found))))
        return found

    def mapping(self, events: Iterator[Any], place: Place) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            if not isinstance(event, yaml.ScalarEvent):
                raise _bad(_line(event), _NO_NAME)
            if event.anchor or _is_tagged(event):
                raise _bad(_line(event), _FANCY)
            _check_printable(event)
            if event.value in found:
                raise _bad(_line(event), _TWICE, name=event.value)
            here = (*place, event.value)
            self.lines[here] = _line(event)
            found[event.value] = self.value(next(events), events, here)
        return found


def _line(event: Any) -> int:
    line: int = event.start_mark.line
    return line + 1


def _is_tagged(event: Any) -> bool:
    return getattr(event, "tag", None) is not None


def _check_printable(event: Any) -> None:
    """Escapes may write what no database keeps: control characters and halves of characters."""
    if not is_printable(event.value.replace("\n", "").replace("\t", "")):
        raise _bad(_line(event), _CONTROL)


def _scalar(event: Any) -> str | int | bool | None:
    text: str = event.value
    is_plain, _is_quoted = event.implicit
    if not is_plain:
        return text
    if text in _WORDS:
        return _WORDS[text]
    return int(text) if _NUMBER.match(text) else text
