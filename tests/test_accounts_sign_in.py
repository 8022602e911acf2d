"""Signing in with the master password: same answers for everybody, rotation, cookies, limits."""

import json

import pytest
from argon2 import PasswordHasher
from bs4 import BeautifulSoup
from sqlalchemy import select, update

from portal import create_app
from portal.accounts import passwords
from portal.extensions import db
from portal.migrate import upgrade
from portal.models import Account, AuthSession, Base
from portal.web.logs import configure_logs
from tests.support.accounts import JSON, WRONG, attempt, events, make_person, sign_in_as
from tests.support.browsing import Browser
from tests.support.databases import settings


@pytest.fixture
def ada(database):
    return make_person(database, keys=True)


def token_in(browser):
    with browser.client.session_transaction() as session:
        return session.get("_user_id")


def test_the_page_has_the_labels_that_everybody_knows(browser):
    page = browser.get("/sign-in")
    assert page.heading == "Sign in"
    assert page.texts("label") == ["E-mail address", "Master password", "Remember this address"]
    assert page.form("Sign in")
    assert page.link("Send me a code instead") == "/sign-in/code?next=/"


def test_the_master_password_has_no_name_and_so_is_never_sent(browser):
    assert "name" not in browser.get("/sign-in").one("[data-master-password]").attrs


def test_the_right_hash_signs_in_and_goes_where_the_person_wanted(browser, database, ada):
    page = attempt(browser, ada.email, ada.keys.signin_hash, status=303, next="/profile?a=1")
    assert page.location == "/profile?a=1"
    assert browser.get("/profile").heading == "Profile"
    (session,) = database.all(select(AuthSession))
    assert (session.method, session.pending) == ("password", False)
    assert events(database, "account:session:begin")[0]["details"] == {"method": "password"}


def test_an_address_is_the_same_in_capitals_and_with_blanks(browser, ada):
    attempt(browser, f" {ada.email.upper()} ", ada.keys.signin_hash, status=303)


def test_a_module_is_answered_in_json_with_a_token_for_the_new_session(browser, ada):
    fields = {"email": ada.email, "signin_hash": ada.keys.signin_hash}
    answer = browser.post("/sign-in", fields, headers=JSON).response
    assert answer.json.keys() == {"next", "signed_in", "csrf_token"}
    assert (answer.json["next"], answer.json["signed_in"]) == ("/", True)
    assert "no-store" in answer.headers["Cache-Control"]
    token = {"X-CSRFToken": answer.json["csrf_token"]} | JSON
    assert browser.client.post("/session/vault", headers=token).status_code == 200


def test_known_and_unknown_addresses_and_those_without_keys_get_the_same_answer(
    browser, database, ada
):
    make_person(database, "no-keys@northwind.example")
    answers = {
        attempt(browser, email).response.text.replace(email, "@")
        for email in (ada.email, "no-keys@northwind.example", "nobody@northwind.example")
    }
    assert len({without_token(answer) for answer in answers}) == 1


def test_they_get_the_same_answer_in_json_too(browser, ada):
    answers = [
        browser.post(
            "/sign-in", {"email": email, "signin_hash": WRONG}, headers=JSON, status=422
        ).response.text
        for email in (ada.email, "nobody@northwind.example")
    ]
    assert answers[0] == answers[1]
    assert json.loads(answers[0])["errors"][""].startswith("This address and this master password")


def without_token(text):
    soup = BeautifulSoup(text, "html5lib")
    for tag in soup.select("[name=csrf_token], [name=csrf-token], body"):
        tag.attrs.pop("value", None)
        tag.attrs.pop("content", None)
        tag.attrs.pop("hx-headers:inherited", None)
    return str(soup)


def test_a_refused_attempt_is_kept_in_the_accounts_log(browser, database, ada):
    attempt(browser, ada.email)
    (event,) = events(database, "account:session:refused")
    assert event["subject"] == str(ada.account_id)
    assert event["details"] == {"method": "password"}


def test_without_scripts_the_page_says_that_a_code_works(browser, ada):
    page = attempt(browser, ada.email, "")
    assert "works only with scripts" in page.text("[data-form-error]")
    assert page.one("[name=email]")["value"] == ada.email


def test_what_was_typed_stays_and_the_hash_does_not(browser, ada):
    page = attempt(browser, ada.email)
    assert page.one("[name=email]")["value"] == ada.email
    assert page.one("[name=signin_hash]")["value"] == ""


def test_an_address_that_is_none_is_told_so_at_its_field(browser):
    page = attempt(browser, "ada")
    assert page.text("#email-error") == "Enter an e-mail address in the form name@example.com."
    assert page.title.startswith("Error: ")


def test_signing_in_gives_another_token_and_ends_the_session_before(browser, database, ada):
    before = sign_in_as(browser, database, ada)
    attempt(browser, ada.email, ada.keys.signin_hash, status=303)
    assert token_in(browser) != before
    assert database.count(AuthSession) == 1


def test_a_token_that_was_planted_before_means_nothing_afterwards(browser, ada):
    with browser.client.session_transaction() as session:
        session["_user_id"] = "planted"
        session["challenge"] = ["planted", "planted"]
    attempt(browser, ada.email, ada.keys.signin_hash, status=303)
    with browser.client.session_transaction() as session:
        assert session["_user_id"] != "planted"
        assert "challenge" not in session


def test_the_address_is_remembered_only_if_asked_for(browser, ada):
    attempt(browser, ada.email, ada.keys.signin_hash, status=303)
    assert browser.client.get_cookie("portal_address") is None
    browser.post("/sign-out", status=303)
    attempt(browser, ada.email, ada.keys.signin_hash, status=303, remember_address="y")
    browser.post("/sign-out", status=303)
    page = browser.get("/sign-in")
    assert page.one("[name=email]")["value"] == ada.email
    assert page.one("[name=remember_address]").has_attr("checked")


def test_parameters_are_the_same_for_everybody_and_every_time(browser, ada):
    answers = [
        browser.post("/sign-in/parameters", {"email": email}).response.json
        for email in (ada.email, "nobody@northwind.example", "nobody@northwind.example", "")
    ]
    assert answers[0]["email"] == ada.email
    assert {(answer["kdf"], answer["iterations"]) for answer in answers} == {
        ("pbkdf2-sha256", 600_000)
    }


def test_a_hash_that_is_busy_says_so_with_a_wait(browser, ada, monkeypatch):

    monkeypatch.setattr(passwords, "WAIT_SECONDS", 0.01)
    taken = 0
    while passwords._slots.acquire(blocking=False):
        taken += 1
    try:
        page = attempt(browser, ada.email, ada.keys.signin_hash, status=503)
    finally:
        for _ in range(taken):
            passwords._slots.release()
    assert int(page.response.headers["Retry-After"]) >= 1


# Signing out


def test_signing_out_ends_the_session_and_clears_what_the_browser_stored(browser, database, ada):
    sign_in_as(browser, database, ada)
    page = browser.submit(browser.get("/profile"), "Sign out")
    assert page.response.headers["Clear-Site-Data"] == '"storage"'
    assert page.location == "/sign-in"
    assert database.count(AuthSession) == 0
    browser.get("/profile", status=303)


def test_a_copied_cookie_is_worth_nothing_after_signing_out(browser, app, database, ada):

    token = sign_in_as(browser, database, ada)
    thief = Browser(app)
    with thief.client.session_transaction() as session:
        session["_user_id"] = token
    thief.get("/profile")
    browser.post("/sign-out", status=303)
    thief.get("/profile", status=303)


def test_signing_out_everywhere_ends_every_session_of_the_person_alone(browser, app, database, ada):

    other, stranger = Browser(app), Browser(app)
    sign_in_as(browser, database, ada)
    sign_in_as(other, database, ada)
    sign_in_as(stranger, database, make_person(database, "bo@northwind.example"))
    browser.submit(browser.get("/profile"), "Sign out everywhere")
    other.get("/profile", status=303)
    stranger.get("/profile")
    assert [event["details"] for event in events(database, "account:session:end")] == [
        {"everywhere": True}
    ]


# Cookies and requests


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(browser, ada):
    answer = attempt(browser, ada.email, ada.keys.signin_hash, status=303).response
    (cookie,) = [c for c in answer.headers.getlist("Set-Cookie") if c.startswith("portal=")]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


def test_over_https_every_cookie_is_secure_and_the_session_has_the_host_prefix(tmp_path):

    app = create_app(
        settings(f"sqlite:///{tmp_path}/p.db", tmp_path, base_url="https://portal.example")
    )
    with app.app_context():
        upgrade(db.engine)
    client = app.test_client()
    answer = client.get("/sign-in", base_url="https://portal.example")
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-portal=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    with app.app_context():
        db.engine.dispose()


def test_a_forged_form_is_refused(browser, ada):
    fields = {"email": ada.email, "signin_hash": ada.keys.signin_hash, "csrf_token": "forged"}
    assert browser.client.post("/sign-in", data=fields).status_code == 400


def test_a_form_of_another_site_is_refused(browser, ada):
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        fields = {"email": ada.email, "signin_hash": ada.keys.signin_hash}
        browser.post("/sign-in", fields, headers=headers, status=400)


def test_a_signed_out_fragment_is_401_and_sends_htmx_to_the_sign_in_page(browser):
    page = browser.get("/profile", hx="anything", status=401)
    assert page.response.headers["HX-Redirect"].startswith("/sign-in")
    assert page.response.text == ""


def test_a_signed_out_module_is_401_in_json(browser):
    page = browser.get("/session/vault", headers=JSON, status=401)
    assert page.response.json["next"].startswith("/sign-in")


def test_signed_in_people_skip_the_page(browser, database, ada):
    sign_in_as(browser, database, ada)
    assert browser.get("/sign-in?next=/profile", status=303).location == "/profile"


def test_no_secret_lies_in_the_database_in_clear(browser, database, ada):
    attempt(browser, ada.email, ada.keys.signin_hash, status=303)
    token = token_in(browser)
    dump = everything(database)
    assert token not in dump
    assert ada.keys.signin_hash not in dump
    assert "$argon2id$" in dump


def everything(database):

    return "\n".join(
        repr(row) for table in Base.metadata.sorted_tables for row in database.all(select(table))
    )


def test_no_secret_lies_in_the_log(browser, ada, capfd):

    configure_logs("INFO")
    try:
        attempt(browser, ada.email, ada.keys.signin_hash, status=303)
        log = capfd.readouterr().err
    finally:
        configure_logs("ERROR")
    assert '"rule": "/sign-in"' in log
    assert token_in(browser) not in log
    assert ada.keys.signin_hash not in log
    assert ada.email not in log


def test_hashes_are_argon2id_with_the_owasp_profile():

    profile = passwords.OWASP
    assert (profile.memory_cost, profile.time_cost, profile.parallelism) == (19 * 1024, 2, 1)


def test_parameters_name_the_salt_in_its_stored_form(browser):
    fields = {"email": " Zoë@BÜCHER.example "}
    answer = browser.post("/sign-in/parameters", fields).response.json
    assert answer["email"] == "zoë@xn--bcher-kva.example"


def test_a_hash_of_older_parameters_is_renewed(browser, database, ada):
    older = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(ada.keys.signin_hash)
    database.run(update(Account).values(signin_hash=older))
    attempt(browser, ada.email, ada.keys.signin_hash, status=303)
    renewed = database.one(select(Account.signin_hash))
    assert renewed != older
    assert passwords.matches(renewed, ada.keys.signin_hash)
