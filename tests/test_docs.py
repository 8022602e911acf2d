"""The guides and the README: links lead somewhere, settings and commands are the real ones."""

import re

import pytest

from tests.support.organizations import make_place
from tests.support.project import ROOT, files_in, read

GUIDES = sorted(name.removeprefix("docs/en/") for name in files_in("docs/en/", ".md"))
PAGES = ["README.md", "CHANGELOG.md", *files_in("docs/", ".md")]
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
LARGEST_PICTURE = 60_000


def prose(name):
    """The text without code, in which brackets mean something else."""
    return re.sub(r"```.*?```|`[^`\n]*`", "", read(name), flags=re.DOTALL)


def slug(heading):
    """The name of a heading's anchor, as code hosts make it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def headings(name):
    return re.findall(r"^(#+) (.+)$", prose(name), flags=re.MULTILINE)


def pictures(name):
    return [target for mark, _alt, target in LINK.findall(prose(name)) if mark]


@pytest.mark.parametrize("name", PAGES)
def test_every_link_and_picture_leads_to_a_file_of_the_project(name):
    broken = []
    for _mark, _text, target in LINK.findall(prose(name)):
        path, _, anchor = target.partition("#")
        if path.startswith(("https:", "mailto:")):
            continue
        file = (ROOT / name).parent / path if path else ROOT / name
        if not file.resolve().is_relative_to(ROOT) or not file.exists():
            broken.append(target)
        elif anchor:
            there = str(file.resolve().relative_to(ROOT))
            broken += [target] * (anchor not in [slug(text) for _level, text in headings(there)])
    assert broken == []


@pytest.mark.parametrize("name", PAGES)
def test_every_picture_is_described(name):
    described = [(alt, target) for mark, alt, target in LINK.findall(prose(name)) if mark]
    assert [target for alt, target in described if len(alt) < 15] == []


@pytest.mark.parametrize("guide", GUIDES)
def test_a_guide_is_the_same_in_both_languages(guide):
    english, french = f"docs/en/{guide}", f"docs/fr/{guide}"
    assert [level for level, _text in headings(french)] == [
        level for level, _text in headings(english)
    ]
    assert pictures(french) == pictures(english)
    assert len(re.findall(r"^(?:- |\d\.)", read(french), re.MULTILINE)) == len(
        re.findall(r"^(?:- |\d\.)", read(english), re.MULTILINE)
    )


def test_every_picture_is_shown_somewhere_and_is_small():
    shown = {
        str(((ROOT / name).parent / target).resolve().relative_to(ROOT))
        for name in PAGES
        for target in pictures(name)
    }
    kept = set(files_in("docs/", ".png"))
    assert kept == shown
    assert [name for name in kept if (ROOT / name).stat().st_size > LARGEST_PICTURE] == []


@pytest.mark.parametrize("guide", GUIDES)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_help_shows_a_guide_with_its_pictures(browser, guide, language):
    browser.language = language
    page = browser.get(f"/help/{guide.removesuffix('.md')}")
    assert page.one("html")["lang"] == language
    assert page.heading == headings(f"docs/{language}/{guide}")[0][1]
    assert page.heading in page.title
    sources = [str(picture["src"]) for picture in page.select("article img")]
    assert len(sources) == len(pictures(f"docs/{language}/{guide}"))
    for source in sources:
        assert f"/{language}/" in source
        with browser.client.get(source) as answer:
            assert (answer.status_code, answer.mimetype) == (200, "image/png")
    assert all(picture["alt"] for picture in page.select("article img"))


def test_the_pages_of_the_main_job_link_to_the_guide(database):
    place = make_place(database)
    clients = f"/providers/{place.provider.id}/clients"
    visitor = place.admins_browser()
    for path in (clients, f"{clients}/new", f"{place.url}/setup"):
        page = visitor.get(path)
        assert visitor.get(page.link("Help")).heading == "Start a client organization"


@pytest.mark.parametrize(
    "path", ["/help/nothing", "/help/..%2Foperations", "/help/pictures/en/no.png", "/help/x.md"]
)
def test_help_shows_nothing_else(browser, path):
    browser.get(path, status=404)


def test_the_settings_table_names_what_the_code_reads_and_nothing_else():
    code = [
        *files_in("portal/", ".py"),
        *files_in("migrations/", ".py"),
        *[name for name in files_in("bin/", "") if "." not in name],
        "wsgi.py",
        "tests/support/chromium.py",
        "tests/support/postgres.py",
    ]
    named = {word for name in code for word in re.findall(r"\bPORTAL_[A-Z_]*[A-Z]\b", read(name))}
    table = read("README.md").split("## Settings")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    told = {word for row in rows for word in re.findall(r"PORTAL_[A-Z_]+", row)}
    assert told == named


def test_the_commands_that_are_told_exist(app):
    known = set(app.cli.commands)
    told = set()
    for name in PAGES:
        told |= set(re.findall(r"`bin/run ([a-z][a-z-]*)", read(name)))
        told |= set(re.findall(r"^bin/run ([a-z][a-z-]*)", read(name), re.MULTILINE))
        told |= set(re.findall(r"`flask ([a-z][a-z-]*)", read(name)))
    assert told
    assert told - known == set()
    table = read("README.md").split("## Commands")[1].split("\n## ")[0]
    scripts = set(re.findall(r"bin/[a-z]+", table))
    assert scripts == {name for name in files_in("bin/", "") if "_" not in name} - {"bin/peers"}
