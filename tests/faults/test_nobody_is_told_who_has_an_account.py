"""An address with an account and one without are answered alike, by the same work."""

import re
import statistics
import time

import pytest
from sqlalchemy import delete

from portal.accounts import passwords
from portal.models import RateLimit
from tests.support.accounts import make_person
from tests.support.browsing import Browser

KNOWN, UNKNOWN = "ada@northwind.example", "eva@northwind.example"
HASH = "A" * 43 + "="
# What differs from answer to answer, whoever asks.
_PASSING = re.compile(r'(content|value|X-CSRFToken)[":=]+"[^"]{40,}"|[0-9a-f]{32}')
WAYS = {
    "the master password": ("/sign-in", {"signin_hash": HASH}, {}),
    "the master password by script": (
        "/sign-in",
        {"signin_hash": HASH},
        {"Accept": "application/json"},
    ),
    "the derivation": ("/sign-in/parameters", {}, {"Accept": "application/json"}),
    "a code by mail": ("/sign-in/code", {}, {}),
}
ROUNDS = 25


@pytest.fixture
def known(database):
    return make_person(database, KNOWN, keys=True)


def ask(app, database, way, email, pause=lambda: None):
    """(status, headers and body without what always differs) of one attempt."""
    path, fields, headers = WAYS[way]
    database.run(delete(RateLimit))
    browser = Browser(app)
    data = {"email": email, "csrf_token": browser.csrf_token(), **fields}
    pause()
    answer = browser.client.post(path, data=data, headers=headers)
    # The address comes back in the form; both have the same length here.
    text = _PASSING.sub("", answer.text).replace(email, "")
    # The random token in the page is packed, so its length differs by itself.
    passing = {"Set-Cookie", "X-Request-Id", "Content-Length"}
    kept = {name: value for name, value in answer.headers if name not in passing}
    cookies = [cookie.partition("=")[0] for cookie in answer.headers.getlist("Set-Cookie")]
    return answer.status_code, kept, cookies, text


@pytest.mark.parametrize("way", WAYS)
def test_the_answer_is_the_same(app, database, known, way):
    assert ask(app, database, way, KNOWN) == ask(app, database, way, UNKNOWN)


@pytest.mark.parametrize("way", WAYS)
def test_the_database_is_asked_the_same(app, database, statements, known, way):
    asked = {}
    # The first attempt of all begins the log in which attempts on no account are kept.
    ask(app, database, way, UNKNOWN)
    for email in (UNKNOWN, KNOWN):
        ask(app, database, way, email, statements.clear)
        asked[email] = [" ".join(statement.sql.split()) for statement in statements]
    assert asked[KNOWN] == asked[UNKNOWN]


def test_as_many_hashes_are_computed(app, database, known, monkeypatch):
    calls = []
    verify = type(passwords._now[0].hasher).verify
    monkeypatch.setattr(
        type(passwords._now[0].hasher),
        "verify",
        lambda self, *given: calls.append(given[0]) or verify(self, *given),
    )
    for email in (KNOWN, UNKNOWN):
        ask(app, database, "the master password", email)
    assert len(calls) == 2
    parameters = [stored.rpartition("$")[0].rpartition("$")[0] for stored in calls]
    assert parameters[0] == parameters[1], "the stand-in must cost what a real one costs"


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("way", WAYS)
def test_the_time_of_the_processor_does_not_tell_them_apart(app, database, known, way):
    """Medians of interleaved runs, in processor time; a busy machine may need another go."""
    ask(app, database, way, UNKNOWN)
    gaps = []
    for _go in range(4):
        spent = {KNOWN: [], UNKNOWN: []}
        for turn in range(2 * ROUNDS):
            email = (KNOWN, UNKNOWN)[turn % 2]
            began = []
            ask(app, database, way, email, lambda began=began: began.append(time.process_time()))
            spent[email].append(time.process_time() - began[0])
        known_median, unknown_median = (
            statistics.median(spent[email]) for email in (KNOWN, UNKNOWN)
        )
        gaps.append(abs(known_median - unknown_median) / known_median)
        if gaps[-1] < 0.15:
            return
    pytest.fail(f"the medians differ by {gaps}")
