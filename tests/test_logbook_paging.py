"""Pages and files of the event logs: what they cost, and that no row is lost between them."""

import csv
import io
import itertools
import subprocess
import sys
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.events import Stream
from portal.logbook.queries import WINDOW, Filter, Scope, find
from tests.support.clients import make_client, make_provider, persona
from tests.support.eventlog import exported, fingerprint, sign
from tests.support.logbook import (
    many,
    provider_log,
    sentences,
    tell_story,
)
from tests.support.lookups import Database
from tests.support.project import ROOT


@pytest.fixture
def admin(database):
    return persona(database)


@pytest.fixture
def acme(database, admin):
    return make_client(database, admin.provider, "Acme Ltd")


@pytest.fixture
def story(database, admin, acme):
    return tell_story(database, admin, acme)


# Paging


def test_pages_follow_each_other_both_ways(database, admin, acme):
    rows = many(database, acme, 120)
    url = provider_log(admin, "/clients")
    links = []
    page = admin.browser.get(url)
    seen = [page]
    while any("Next" in text for text in page.texts(".pager a")):
        page = admin.browser.get(page.link("Next"))
        seen.append(page)
    shown = [tag["href"].rpartition("/")[2] for each in seen for tag in each.select("tbody th a")]
    assert shown == [str(row["id"]) for row in reversed(rows)]
    back = [page]
    while any("Previous" in text for text in page.texts(".pager a")):
        page = admin.browser.get(page.link("Previous"))
        back.append(page)
    links = [[tag["href"] for tag in each.select("tbody th a")] for each in (seen[0], back[-1])]
    assert links[0] == links[1]


def test_a_cursor_that_leads_nowhere_leads_to_the_first_page(database, admin, acme):
    many(database, acme, 3)
    page = admin.browser.get(f"{provider_log(admin, '/clients')}?type=*members&at=x", status=303)
    assert page.location.endswith("/clients?type=%2Amembers")


def test_htmx_gets_the_table_alone(database, admin, acme):
    many(database, acme, 3)
    page = admin.browser.get(provider_log(admin, "/clients"), hx="logbook-table")
    assert len(sentences(page)) == 3


@pytest.mark.parametrize("filters", ["", "type=*members", "q=row", f"person={uuid.UUID(int=1)}"])
def test_a_page_costs_the_same_however_many_rows_there_are(
    database, admin, acme, statements, filters, kind
):
    url = f"{provider_log(admin, '/clients')}?{filters}"
    many(database, acme, 2)
    admin.browser.get(url)
    statements.clear()
    admin.browser.get(url)
    few = len(statements)
    beta = make_client(database, admin.provider, "Beta")
    many(database, beta, 150)
    statements.clear()
    page = admin.browser.get(url)
    assert len(statements) <= few + 1
    statements.most(5)
    # The bar counts who is stuck, within a bound; of the events nothing is ever counted.
    of_events = [str(each).lower() for each in statements if "from events" in str(each).lower()]
    assert of_events
    assert not any("count(" in each for each in of_events)
    if kind == "postgresql":  # SQLAlchemy writes OFFSET 0 into each limit on SQLite
        assert " offset " not in str(statements).lower()
    assert page.response.status_code == 200


def test_a_search_pauses_and_goes_on(database, admin, acme, monkeypatch):
    monkeypatch.setattr("portal.logbook.queries.WINDOW", 40)
    many(database, acme, 100)
    page = admin.browser.get(f"{provider_log(admin, '/clients')}?q=row1x")
    assert sentences(page) == []
    assert "Searched back to" in page
    assert "There are older events to search through" in page
    page = admin.browser.get(page.link("Next"))
    page = admin.browser.get(page.link("Next"))
    assert len(sentences(page)) == 1
    assert "Searched back to" not in page
    assert WINDOW > 40


KINDS = ("organization:member:invite", "organization:member:accept", "organization:keys:create")


@settings(max_examples=25)
@given(
    kinds=st.sets(st.sampled_from(KINDS)),
    person=st.sampled_from([None, 0, 1]),
    words=st.sampled_from(["", "row1", "row2"]),
    size=st.integers(1, 9),
    window=st.integers(3, 30),
    upwards=st.booleans(),
)
def test_walking_page_by_page_finds_each_row_once(walked, upwards, window, **asked):
    database, scope, rows = walked
    kinds, person, words, size = (asked[name] for name in ("kinds", "person", "words", "size"))
    actors = [rows[0]["actor_id"], rows[1]["actor_id"]]
    wanted = Filter(
        kinds=tuple(sorted(kinds)),
        person=None if person is None else actors[person],
        words=words,
    )
    expected = [
        row["id"]
        for row in (rows if upwards else reversed(rows))
        if (not kinds or row["type"] in kinds)
        and (wanted.person in {None, row["actor_id"]})
        and words in f"row{row['seq']}x"
    ]
    found, beside = [], None
    # For this example alone: left behind, the small window would be the next test's as well.
    with pytest.MonkeyPatch.context() as patched, database.session() as session:
        patched.setattr("portal.logbook.queries.WINDOW", window)
        for _ in itertools.count():
            page = find(session, scope, wanted, beside=beside, upwards=upwards, limit=size)
            found += [row.id for row in page.rows]
            if page.reached is not None:
                beside = page.reached
            elif len(page.rows) < size:
                break
            else:
                beside = page.rows[-1].id
    assert found == expected


@pytest.fixture(scope="module")
def walked(databases):
    """One log that all examples walk through; they only read."""
    database = Database(databases.app("sqlite", "logbook-walk"))
    client = make_client(database, make_provider(database))
    return database, Scope(client.id), many(database, client, 60, types=KINDS)


# Files


def test_a_spreadsheet_gets_what_the_filters_leave(story, admin):
    answer = admin.browser.client.get(f"{provider_log(admin)}.csv?type=*members")
    table = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert [row["Event"] for row in table] == [
        "Invited zoé@acme.example as User",
        "Invited olga@acme.example as User",
    ]
    assert table[0]["Code"] == "1500"
    assert table[0]["Client"] == "Acme Ltd"
    assert table[0]["Person"] == "Bo Lind"


def check_file(tmp_path, text, *options):
    file = tmp_path / "events.jsonl"
    file.write_text(text)
    program = ROOT / "portal/events/verifier.py"
    return subprocess.run(
        [sys.executable, "-I", "-S", str(program), str(file), *options],
        capture_output=True,
        text=True,
    )


def test_a_whole_log_is_downloaded_with_its_proof(story, database, admin, tmp_path):
    sign(database, admin.provider.id)
    answer = admin.browser.client.get(f"{provider_log(admin)}.jsonl")
    assert answer.mimetype == "application/jsonl"
    done = check_file(tmp_path, answer.text, "--key", fingerprint(database))
    assert done.returncode == 0, done.stdout
    assert "GOOD 4 rows, 1 checkpoints" in done.stdout
    log = Stream("provider", admin.provider.id)
    assert len(exported(database, log).splitlines()) == len(answer.text.splitlines())


@pytest.mark.parametrize("rest", [".jsonl?type=*members", "/clients.jsonl", ".jsonl?q=lind"])
def test_a_filtered_file_proves_each_of_its_rows(story, admin, tmp_path, rest):
    answer = admin.browser.client.get(provider_log(admin, rest))
    done = check_file(tmp_path, answer.text)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "filtered export" in done.stdout
    changed = answer.text.replace('"role\\":\\"user', '"role\\":\\"owner')
    assert changed != answer.text
    assert check_file(tmp_path, changed).returncode == 1


def test_a_large_file_is_read_while_it_is_sent(database, admin, acme, statements):
    many(database, acme, 1200)
    answer = admin.browser.client.get(f"{provider_log(admin, '/clients')}.csv")
    assert answer.text.count("\n") == 1201
    # Some hundred rows at a time, whatever their number.
    assert len([each for each in statements if "event_people.about_salt" in str(each)]) == 3
