"""Codes by mail: one browser, ten minutes, five tries, one use, five an hour."""

import datetime as dt
import json

import pytest
from sqlalchemy import select, update

from portal.models import AuthSession, Event, Outbox, SignInCode
from tests.support.accounts import make_person, newest_code
from tests.support.browsing import Browser

WRONG = "00000000"


@pytest.fixture
def ada(database):
    return make_person(database)


def ask(browser, email):
    page = browser.submit(browser.get("/sign-in/code?next=/profile"), "Send code", {"email": email})
    return browser.follow(page)


def test_the_labels_are_those_that_everybody_knows(browser, ada):
    page = browser.get("/sign-in/code")
    assert page.texts("label") == ["E-mail address"]
    assert page.form("Send code")
    page = ask(browser, ada.email)
    assert page.texts("label") == ["Code"]
    assert page.form("Continue")


def test_a_code_signs_in_without_scripts(browser, database, ada):
    page = ask(browser, ada.email)
    code = newest_code(database, ada.email)
    page = browser.submit(page, "Continue", {"code": code})
    assert page.location == "/profile"
    assert browser.follow(page).heading == "Profile"
    assert database.one(select(AuthSession)).method == "code"


def test_such_a_session_ends_after_eight_hours(browser, database, ada):
    page = ask(browser, ada.email)
    browser.submit(page, "Continue", {"code": newest_code(database, ada.email)})
    session = database.one(select(AuthSession))
    assert session.expires_at - session.created_at == pytest.approx(
        dt.timedelta(hours=8), abs=dt.timedelta(seconds=5)
    )
    past = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
    database.run(update(AuthSession).values(expires_at=past))
    browser.get("/profile", status=303)


def test_blanks_and_dashes_in_a_code_do_not_matter(browser, database, ada):
    page = ask(browser, ada.email)
    code = newest_code(database, ada.email)
    browser.submit(page, "Continue", {"code": f" {code[:4]} - {code[4:]} "})


def test_the_mail_is_queued_with_ids_and_a_language_only(browser, database, ada):
    ask(browser, ada.email)
    job = database.one(select(Outbox).where(Outbox.topic == "mail.sign_in_code"))
    challenge = database.one(select(SignInCode))
    assert job.payload == {"challenge": str(challenge.id), "locale": "en"}
    assert job.account_id == ada.account_id
    assert newest_code(database, ada.email) not in json.dumps(job.payload)


def test_an_unknown_address_gets_the_same_pages_and_row_and_no_mail(browser, app, database, ada):
    known, unknown = ada.email, "nob@northwind.example"
    pages = []
    for email in (known, unknown):
        visitor = Browser(app)
        page = ask(visitor, email)
        failed = visitor.submit(page, "Continue", {"code": WRONG}, status=422)
        pages.append(
            [text.replace(email, "@") for text in (page.text("main"), failed.text("main"))]
        )
    assert pages[0] == pages[1]
    rows = database.all(select(SignInCode.email, SignInCode.tries))
    assert sorted(rows) == sorted([(known, 1), (unknown, 1)])
    assert database.count(Outbox) == 1


def test_a_code_is_good_once(browser, app, database, ada):
    page = ask(browser, ada.email)
    with browser.client.session_transaction() as session:
        kept = dict(session)
    code = newest_code(database, ada.email)
    browser.submit(page, "Continue", {"code": code})
    copy = Browser(app)
    with copy.client.session_transaction() as session:
        session.update(kept)
    page = copy.post("/sign-in/code/enter", {"code": code}, status=422)
    assert "can no longer be used" in page.text("#code-error")


def test_a_code_counts_only_in_the_browser_that_asked(browser, app, database, ada):
    ask(browser, ada.email)
    code = newest_code(database, ada.email)
    other = Browser(app)
    ask(other, "somebody@northwind.example")
    with browser.client.session_transaction() as session:
        challenge = session["challenge"][0]
    with other.client.session_transaction() as session:
        session["challenge"] = [challenge, "another value"]
    page = other.post("/sign-in/code/enter", {"code": code}, status=422)
    assert "can no longer be used" in page.text("#code-error")
    assert database.one(select(SignInCode.tries).where(SignInCode.email == ada.email)) == 0


def test_after_five_tries_the_right_code_is_worth_nothing(browser, database, ada):
    page = ask(browser, ada.email)
    for _ in range(4):
        page = browser.submit(page, "Continue", {"code": WRONG}, status=422)
        assert "is not right" in page.text("#code-error")
    page = browser.submit(page, "Continue", {"code": WRONG}, status=422)
    assert "can no longer be used" in page.text("#code-error")
    code = newest_code(database, ada.email)
    browser.submit(page, "Continue", {"code": code}, status=422)
    assert database.one(select(SignInCode.tries)) == 5
    assert database.count(AuthSession) == 0


def test_the_fifth_try_may_be_the_right_one(browser, database, ada):
    page = ask(browser, ada.email)
    for _ in range(4):
        browser.submit(page, "Continue", {"code": WRONG}, status=422)
    browser.submit(page, "Continue", {"code": newest_code(database, ada.email)})


def test_a_code_is_good_for_ten_minutes(browser, database, ada):
    page = ask(browser, ada.email)
    past = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)
    database.run(update(SignInCode).values(expires_at=past))
    code = newest_code(database, ada.email)
    browser.submit(page, "Continue", {"code": code}, status=422)


def test_five_codes_an_hour_and_no_more(app, database, ada):
    for _ in range(5):
        ask(Browser(app), ada.email)
    visitor = Browser(app)
    page = visitor.post("/sign-in/code", {"email": ada.email}, status=429)
    assert page.heading == "Too many attempts"
    assert int(page.response.headers["Retry-After"]) > 60
    ask(visitor, "bo@northwind.example")


def test_all_tries_on_an_address_count_together(app, database, ada):
    statuses = []
    for _ in range(4):
        visitor = Browser(app)
        ask(visitor, ada.email)
        fields = {"code": WRONG, "csrf_token": visitor.csrf_token()}
        statuses += [
            visitor.client.post("/sign-in/code/enter", data=fields).status_code for _ in range(5)
        ]
    assert statuses == [422] * 15 + [429] * 5


def test_refused_codes_are_in_the_accounts_log(browser, database, ada):
    page = ask(browser, ada.email)
    browser.submit(page, "Continue", {"code": WRONG}, status=422)
    event = database.one(select(Event).where(Event.type == "account:session:refused"))
    assert event.stream_id == ada.account_id


def test_entering_without_having_asked_leads_to_asking(browser):
    assert browser.get("/sign-in/code/enter", status=303).location == "/sign-in/code?next=/"


def test_asking_again_gives_another_code_and_the_old_one_is_forgotten(browser, database, ada):
    page = ask(browser, ada.email)
    old = newest_code(database, ada.email)
    page = browser.follow(browser.submit(page, "Send a new code"))
    browser.submit(page, "Continue", {"code": old}, status=422)
    browser.submit(page, "Continue", {"code": newest_code(database, ada.email)})


@pytest.mark.parametrize(
    "address",
    ["ada@northwind.example\r\nBcc: eve@evil.example", "ada\u2028x@northwind.example", "a@b@c.d"],
)
def test_an_address_that_would_break_a_mails_head_is_refused(browser, database, address):
    browser.post("/sign-in/code", {"email": address}, status=422)
    assert database.count(SignInCode) == 0


def test_the_code_is_nowhere_in_the_database(browser, database, ada):
    ask(browser, ada.email)
    row = database.one(select(SignInCode))
    assert newest_code(database, ada.email) not in repr(vars(row))
    with browser.client.session_transaction() as session:
        assert session["challenge"][1] not in repr(vars(row))
