"""Where things lie and how long they may be."""

import ast
import re

import pytest

from tests.support.project import files_in, project_files, read

TOP_LEVEL = {
    "portal",
    "templates",
    "static",
    "migrations",
    "tests",
    "wsgi.py",
    "pyproject.toml",
    "README.md",
    "bin",
    "docs",
    "requirements",
    ".ci",
    "CHANGELOG.md",
    "LICENSE",
    ".gitignore",
}
LONGEST_FILE = 400
LONGEST_FUNCTION = 40
OURS = [
    name
    for name in project_files()
    # A style sheet is one file because a browser asks for it in one request.
    if name.endswith((".py", ".html", ".js"))
    and not name.startswith(("static/vendor/", "migrations/versions/"))
]
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def test_the_top_level_holds_what_the_readme_says():
    assert {name.split("/")[0] for name in project_files()} == TOP_LEVEL


@pytest.mark.parametrize("name", OURS)
def test_a_file_stays_readable_in_one_sitting(name):
    lines = read(name).count("\n")
    assert lines < LONGEST_FILE, f"{name} has {lines} lines"


@pytest.mark.parametrize("name", files_in("portal/", ".py"))
def test_a_function_fits_on_a_screen(name):
    long = [
        f"{name}:{node.lineno} {node.name} has {_lines(node)} lines"
        for node in ast.walk(ast.parse(read(name)))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and _lines(node) > LONGEST_FUNCTION
    ]
    assert long == []


def _lines(function):
    """Its length without the docstring, which may say what it has to."""
    described = function.body[0] if ast.get_docstring(function) else None
    words = described.end_lineno - described.lineno + 1 if described else 0
    return function.end_lineno - function.lineno + 1 - words


def test_nothing_is_left_for_later():
    marks = [
        f"{name}: {mark.group()}"
        for name in project_files()
        if name.endswith((".py", ".html", ".js", ".css", ".md", ".toml"))
        and not name.startswith("static/vendor/")
        and name != "tests/test_layout.py"
        for mark in UNFINISHED.finditer(read(name))
    ]
    stubs = [name for name in files_in("portal/", ".py") if "NotImplementedError" in read(name)]
    assert marks + stubs == []


@pytest.mark.parametrize("name", ["boot", "run", "dev"])
def test_requirements_say_what_and_not_from_where(name):
    text = read(f"requirements/{name}.txt")
    assert "://" not in text
    assert re.search(r"^uv==", text, re.MULTILINE), "synchronizing would remove uv itself"
    pins = re.findall(r"^[a-z0-9][^\s\\]*", text, re.MULTILINE)
    assert all("==" in pin for pin in pins)
    assert text.count("--hash=sha256:") >= len(pins)


def test_what_runs_is_what_was_tested():
    pins = {name: _pins(name) for name in ("run", "dev")}
    assert pins["run"].items() <= pins["dev"].items()


def _pins(name):
    text = read(f"requirements/{name}.txt")
    return dict(re.findall(r"^([a-z0-9][^=\s]*)==([^\s;\\]+)", text, re.MULTILINE))
