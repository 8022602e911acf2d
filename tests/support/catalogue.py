"""The French catalogue, and the sentences that the code would put into one."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from typing import NamedTuple

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po
from bs4 import BeautifulSoup

from tests.support.project import ROOT, files_in

FRENCH = "portal/translations/fr/LC_MESSAGES/messages.po"
MAPPING = "portal/translations/babel.cfg"
KEYWORDS = DEFAULT_KEYWORDS | {"_l": None, "NN_": (1, 2)}
_SPOKEN = ("alt", "aria-label", "placeholder", "title")
_JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")
# What is called with a sentence first, so a bare literal there is a sentence nobody translates.
_SAYS = re.compile(r"(Field|ValidationError|InputRequired|refuse|notices\.add|RuleError)$")


class Sentence(NamedTuple):
    """A sentence with its translations: one form, or the singular and the plural."""

    english: tuple[str, ...]
    french: tuple[str, ...]

    def __str__(self) -> str:
        return self.english[0]


class Found(NamedTuple):
    """A sentence where it stands in the code: one English form, or the singular and the plural."""

    file: str
    line: int
    context: str | None
    forms: tuple[str, ...]


def _forms(text: str | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


@cache
def catalogue() -> Catalog:
    return read_po(BytesIO((ROOT / FRENCH).read_bytes()), locale="fr", abort_invalid=True)


def sentences() -> list[Sentence]:
    return [Sentence(_forms(found.id), _forms(found.string)) for found in catalogue() if found.id]


@cache
def found_in_the_code() -> tuple[Found, ...]:
    """Each sentence in the code and the templates, as often as it stands there."""
    with (ROOT / MAPPING).open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    return tuple(
        Found(name, line, context, _forms(text))
        for name, line, text, _, context in extract_from_dir(ROOT, methods, options, KEYWORDS)
    )


def in_the_code() -> frozenset[tuple[str | None, tuple[str, ...]]]:
    return frozenset((found.context, found.forms) for found in found_in_the_code())


def in_the_catalogue() -> frozenset[tuple[str | None, tuple[str, ...]]]:
    return frozenset((found.context, _forms(found.id)) for found in catalogue() if found.id)


def untranslated(template: str) -> Iterator[str]:
    """Words that a template writes itself, in its text or where screen readers find them."""
    soup = BeautifulSoup(_PLACEHOLDER.sub("", _JINJA.sub("", template)), "html.parser")
    for unseen in soup(["style", "script"]):
        unseen.decompose()
    words = [*soup.stripped_strings]
    words += [
        str(tag[name]) for tag in soup.find_all(True) for name in _SPOKEN if tag.has_attr(name)
    ]
    yield from (text for text in words if re.search(r"[^\W\d_]{2,}", text) and "hx-" not in text)


def spoken_literals(code: str) -> Iterator[str]:
    """Sentences that Python code hands to a reader without translating them."""
    for call in ast.walk(ast.parse(code)):
        if not isinstance(call, ast.Call) or not call.args:
            continue
        first = call.args[0]
        literal = isinstance(first, ast.JoinedStr) or (
            isinstance(first, ast.Constant) and isinstance(first.value, str)
        )
        if literal and _SAYS.search(ast.unparse(call.func)):
            yield ast.unparse(call)


def templates() -> list[str]:
    return files_in("templates/", ".html") + files_in("templates/", ".txt")


def modules() -> list[str]:
    return [name for name in files_in("portal/", ".py") if not name.startswith("portal/cli/")]
