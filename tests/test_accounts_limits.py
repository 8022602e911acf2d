"""How often somebody may try, what it costs them, and that nobody learns who has an account."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from portal.models import utc_now
from tests.support.accounts import (
    JSON,
    WRONG,
    attempt,
    events,
    guess,
    make_person,
    sign_in_as,
)
from tests.support.browsing import Browser
from tests.support.databases import PATIENCE_SECONDS


@pytest.fixture
def ada(database):
    return make_person(database, keys=True)


@pytest.fixture(autouse=True)
def still_clock(monkeypatch):
    """A minute lasts as long as the test needs: a busy machine opens no new window."""
    now = utc_now()
    monkeypatch.setattr("portal.ratelimit.utc_now", lambda: now)


def test_a_thousand_guesses_on_one_account_reach_the_hash_ten_times(browser, database, ada):
    statuses = [guess(browser, ada.email) for _ in range(1000)]
    assert statuses == [422] * 10 + [429] * 990
    assert len(events(database, "account:session:refused")) == 10


def test_one_guess_each_on_many_accounts_stops_at_thirty(browser):
    statuses = [guess(browser, f"person{number}@northwind.example") for number in range(40)]
    assert statuses == [422] * 30 + [429] * 10


def test_many_sources_share_the_guesses_on_one_account_and_its_owner_still_gets_in(
    browser, app, ada
):

    attempt(browser, ada.email, ada.keys.signin_hash, status=303)
    browser.post("/sign-out", status=303)
    stranger = Browser(app)
    statuses = [guess(stranger, ada.email, f"127.1.{n // 9}.{n % 9}") for n in range(80)]
    # One of the hour's sixty was the owner's, before this browser was known.
    assert statuses == [422] * 59 + [429] * 21
    attempt(browser, ada.email, ada.keys.signin_hash, status=303)


def test_too_many_attempts_get_a_page_that_says_when_to_try_again(browser):
    for _ in range(10):
        guess(browser, "ada@northwind.example")
    page = attempt(browser, "ada@northwind.example", status=429)
    assert page.heading == "Too many attempts"
    assert 1 <= int(page.response.headers["Retry-After"]) <= 60


def test_too_many_attempts_of_a_module_are_told_in_json(browser):
    for _ in range(10):
        guess(browser, "ada@northwind.example")
    fields = {"email": "ada@northwind.example", "signin_hash": WRONG}
    answer = browser.post("/sign-in", fields, headers=JSON, status=429).response
    assert answer.json["errors"][""]
    assert answer.json["retry_after"] >= 1


@pytest.mark.parametrize("path", ["/sign-in", "/sign-in/code"])
def test_known_and_unknown_addresses_cost_the_same_statements(app, database, statements, ada, path):
    asked = []
    for email in (ada.email, "nob@northwind.example"):
        visitor = Browser(app)
        # The log of nobody exists from its first refusal on.
        attempt(visitor, email)
        statements.clear()
        fields = {"email": email, "signin_hash": WRONG}
        visitor.post(path, fields, status=422 if path == "/sign-in" else 303)
        asked.append([str(statement) for statement in statements])
    assert asked[0] == asked[1]
    assert len(asked[0]) >= 5


def test_a_signed_in_person_may_sign_in_again_while_limits_are_counted(committed_app, committed):
    """One request, two connections: on SQLite the second would wait for the first and fail."""
    person = make_person(committed, keys=True)
    visitor = Browser(committed_app)
    sign_in_as(visitor, committed, person)
    before = time.monotonic()
    attempt(visitor, person.email, person.keys.signin_hash, status=303)
    visitor.post("/reauthenticate", {"signin_hash": WRONG}, status=422)
    visitor.post("/step-up", {"code": "1"})
    assert time.monotonic() - before < PATIENCE_SECONDS / 2


def test_a_storm_of_sign_ins_waits_or_is_told_to_wait(committed_app, committed):
    person = make_person(committed, keys=True)

    def one(number):
        return guess(Browser(committed_app), person.email, f"127.2.0.{number}")

    with ThreadPoolExecutor(16) as pool:
        statuses = Counter(pool.map(one, range(48)))
    assert set(statuses) <= {422, 503}
    assert statuses[422] >= 1
