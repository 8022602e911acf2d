"""Rules that hold for every template, and for what templates name, checked on the source."""

import ast
import hashlib
import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

import pytest
from bs4 import BeautifulSoup
from jinja2 import nodes

from portal.web.fragments import fragment_id
from tests.support.templates import ENV, FOLDER, ROOT

NAMES = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.html"))
FRAGMENTS = [
    name
    for name in NAMES
    if "/_" in name and not name.startswith(("mail/", "macros/"))
]  # fmt: skip

FORBIDDEN = {
    "an inline script": r"<script(?![^>]*\ssrc=)",
    "a style element": r"<style",
    "a style attribute": r"\sstyle\s*=",
    "a handler attribute": r"\son[a-z]+\s*=",
    "a script in an attribute": r"\bhx-on\b|\bjs:|javascript:",
    "unescaped output": r"\|\s*safe\b|\bautoescape\s+false",
    "a name of htmx 1 or 2": r"\bhx-(ext|disabled-elt|vars|prompt|history|request|params|sse|ws)\b"
    r"|htmx:(after|before|config|send|response|swap|load|xhr|on)[A-Z]",
    "a filter in a trigger": r"hx-trigger=\"[^\"]*\[",
    "what text browsers send elsewhere": r"\bformaction\b|<(button|input|select)[^>]*\sform=",
    "what text browsers show": r"<(dialog|template)\b|<[a-z][^>]*\shidden(?=[\s>=])",
    "context in an import": r"\bimport\b[^%]*\bwith context\b",
    "an address of another site": r"\b(src|href)=\"(https?:)?//",
}
ALLOWED = {("mail/_layout.html", "a style element")}


def source(name: str) -> str:
    text = (FOLDER / name).read_text(encoding="utf-8")
    return re.sub(r"\{#.*?#\}", "", text, flags=re.DOTALL)


def faults(text: str) -> set[str]:
    return {what for what, pattern in FORBIDDEN.items() if re.search(pattern, text)}


@pytest.mark.parametrize("name", NAMES)
def test_no_template_holds_what_the_house_forbids(name):
    assert {fault for fault in faults(source(name)) if (name, fault) not in ALLOWED} == set()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("<script>go()</script>", "an inline script"),
        ("<p style='color: red'>", "a style attribute"),
        ('<a onclick="go()">', "a handler attribute"),
        ('<a hx-on:click="go()">', "a script in an attribute"),
        ("{{ name | safe }}", "unescaped output"),
        ('<form hx-disabled-elt="find button">', "a name of htmx 1 or 2"),
        ('<p hx-trigger="htmx:afterSwap">', "a name of htmx 1 or 2"),
        ("<input hx-trigger=\"keyup[key=='Enter']\">", "a filter in a trigger"),
        ('<button formaction="/x">', "what text browsers send elsewhere"),
        ('<button form="other">', "what text browsers send elsewhere"),
        ("<div hidden>", "what text browsers show"),
        ('{% from "a.html" import b with context %}', "context in an import"),
        ('<img src="https://cdn.test/x.png">', "an address of another site"),
    ],
)
def test_the_rules_catch_what_they_name(text, fault):
    assert faults(text) == {fault}


def test_ordinary_markup_breaks_no_rule():
    text = '<form action="/x" hx-post="/x"><input type="hidden" name="a"><script src="/a.js" defer>'
    assert faults(text) == set()


def roots(name: str) -> list[str]:
    """The ids of a fragment's outermost elements, with "x" for what Jinja would fill in."""
    text = re.sub(r"\{\{.*?\}\}", "x", source(name), flags=re.DOTALL)
    text = re.sub(r"\{%.*?%\}", "", text, flags=re.DOTALL)
    page = BeautifulSoup(text, "html.parser")
    return [str(tag.get("id", "")) for tag in page.find_all(recursive=False)]


@pytest.mark.parametrize("name", FRAGMENTS)
def test_a_fragment_has_one_root_whose_id_follows_its_file_name(name):
    (root,) = roots(name)
    assert root == fragment_id(name) or root.startswith(fragment_id(name) + "-x")


# Icons and static files


ICON_POSITION = {"icon": 0, "link_button": 2, "action": 2, "empty": 2, "submit_row": 1}
SPRITE = ET.parse(ROOT / "static/icons.svg").getroot()
SYMBOLS = [symbol.get("id") for symbol in SPRITE.iter("{http://www.w3.org/2000/svg}symbol")]


def strings(node: nodes.Node) -> Iterator[str]:
    found = [node, *node.find_all(nodes.Const)]
    yield from (n.value for n in found if isinstance(n, nodes.Const) and isinstance(n.value, str))


@pytest.mark.parametrize("name", NAMES)
def test_a_template_imports_only_what_it_uses(name):
    parsed = ENV.parse((FOLDER / name).read_text(encoding="utf-8"))
    imported = {
        each[-1] if isinstance(each, tuple) else each
        for found in parsed.find_all(nodes.FromImport)
        for each in found.names
    }
    assert imported <= {found.name for found in parsed.find_all(nodes.Name)}


def icons_in_template(name: str) -> set[str]:
    used: set[str] = set()
    for call in ENV.parse((FOLDER / name).read_text(encoding="utf-8")).find_all(nodes.Call):
        called = getattr(call.node, "name", "")
        if called not in ICON_POSITION:
            continue
        arguments = call.args[ICON_POSITION[called] :][:1]
        arguments += [pair.value for pair in call.kwargs if pair.key == "icon_name"]
        used.update(text for argument in arguments for text in strings(argument) if text)
    return used


def icons_in_python() -> set[str]:
    used: set[str] = set()
    for path in (ROOT / "portal").rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call) or getattr(call.func, "id", "") not in {
                "NavItem",
                "Product",
            }:
                continue
            given = call.args[2:3] + [word.value for word in call.keywords if word.arg == "icon"]
            used |= {str(node.value) for node in given if isinstance(node, ast.Constant)}
    return used


@pytest.mark.parametrize("name", NAMES)
def test_every_icon_a_template_names_is_in_the_sprite(name):
    assert icons_in_template(name) <= set(SYMBOLS)


def test_every_icon_the_shell_names_is_in_the_sprite():
    assert icons_in_python() <= set(SYMBOLS)


def test_the_sprite_is_clean():
    assert len(SYMBOLS) == len(set(SYMBOLS))
    assert {element.tag.rpartition("}")[2] for element in SPRITE.iter()} <= {
        "svg", "symbol", "path", "circle", "rect", "line", "polyline", "polygon", "ellipse",
    }  # fmt: skip
    assert all(symbol.get("viewBox") for symbol in SPRITE)


@pytest.mark.parametrize("name", NAMES)
def test_every_static_file_a_template_names_is_there(name):
    for path in re.findall(r"\bstatic\([\"']([^\"']+)", source(name)):
        assert (ROOT / "static" / path).is_file()


def test_vendored_files_are_the_released_ones_and_carry_their_licences():
    listed = (ROOT / "static/vendor/CHECKSUMS.sha256").read_text().split()
    sums = dict(zip(listed[1::2], listed[::2], strict=True))
    scripts = sorted((ROOT / "static/vendor").glob("*.js"))
    assert [path.name for path in scripts] == sorted(sums)
    for path in scripts:
        assert hashlib.sha256(path.read_bytes()).hexdigest() == sums[path.name]
        assert (path.parent / f"{path.name.split('.')[0]}.LICENSE.txt").is_file()
    assert (ROOT / "static/icons.LICENSE.txt").is_file()
