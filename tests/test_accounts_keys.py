"""Keys of an account, and the session secret of an unlocked vault."""

import base64
import datetime as dt

import pytest
from sqlalchemy import select, update

from portal.crypto.fingerprint import fingerprint_phrase
from portal.models import AuthSession, Event
from tests.support.accounts import (
    keys_for,
    make_person,
    posted_keys,
    sign_in_as,
    stored_account,
)
from tests.support.browsing import Browser

JSON = {"Accept": "application/json"}


@pytest.fixture
def ada(database):
    return make_person(database, keys=True)


@pytest.fixture
def cy(database):
    return make_person(database, "cy@northwind.example", "Cy Winter")


def unlock(browser):
    return browser.post("/session/vault", headers=JSON).response.json


# The vault


def test_a_locked_vault_says_so_and_gives_what_unlocking_needs(browser, database, ada):
    sign_in_as(browser, database, ada)
    answer = browser.get("/session/vault", headers=JSON, status=409).response
    assert answer.json["locked"] is True
    assert answer.json["secret"] is None
    assert answer.json["protected_user_key"] == ada.keys.protected_user_key
    assert answer.headers["Cache-Control"] == "no-store"


def test_unlocking_gives_a_secret_that_the_session_keeps(browser, database, ada):
    sign_in_as(browser, database, ada)
    answer = unlock(browser)
    assert len(base64.b64decode(answer["secret"])) == 32
    assert answer["email"] == ada.email
    assert (answer["kdf"], answer["iterations"]) == ("pbkdf2-sha256", 600_000)
    assert answer["lock_minutes"] == 15
    assert dt.datetime.fromisoformat(answer["expires_at"]).tzinfo
    again = browser.get("/session/vault", headers=JSON).response.json
    assert again["secret"] == answer["secret"]
    assert browser.get("/profile").soup.html["data-vault"] == "unlocked"


def test_each_unlocking_and_each_session_has_a_secret_of_its_own(browser, app, database, ada):
    other = Browser(app)
    sign_in_as(browser, database, ada)
    sign_in_as(other, database, ada)
    secrets = [unlock(browser)["secret"], unlock(browser)["secret"], unlock(other)["secret"]]
    assert len(set(secrets)) == 3
    assert browser.get("/session/vault", headers=JSON).response.json["secret"] == secrets[1]


def test_locking_drops_the_secret(browser, database, ada):
    sign_in_as(browser, database, ada)
    unlock(browser)
    assert browser.post("/session/lock", headers=JSON, status=204).response.data == b""
    browser.get("/session/vault", headers=JSON, status=409)
    assert database.one(select(AuthSession)).vault_secret is None


def test_locking_by_the_form_goes_back_where_it_was(browser, database, ada):
    sign_in_as(browser, database, ada)
    unlock(browser)
    page = browser.submit(browser.get("/profile?a=1"), "Lock")
    assert page.location == "/profile?a=1"


def test_the_secret_lies_sealed_in_the_database(browser, database, ada):
    sign_in_as(browser, database, ada)
    secret = unlock(browser)["secret"]
    assert secret not in database.one(select(AuthSession)).vault_secret


@pytest.mark.parametrize(("minutes", "state"), [(14, "unlocked"), (21, "locked")])
def test_a_vault_that_nobody_uses_locks_itself(browser, database, ada, minutes, state):
    sign_in_as(browser, database, ada)
    unlock(browser)
    then = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=minutes)
    database.run(update(AuthSession).values(seen_at=then))
    assert browser.get("/profile").soup.html["data-vault"] == state
    assert browser.get("/profile").soup.html["data-vault"] == state
    kept = database.one(select(AuthSession)).vault_secret is not None
    assert kept is (state == "unlocked")


def test_an_unlocked_vault_survives_a_second_factor_but_not_signing_in_again(
    browser, database, ada
):
    sign_in_as(browser, database, ada)
    unlock(browser)
    fields = {"signin_hash": ada.keys.signin_hash, "next": "/profile"}
    browser.post("/reauthenticate", fields, status=303)
    assert browser.get("/profile").soup.html["data-vault"] == "unlocked"
    fields["email"] = ada.email
    browser.post("/sign-in", fields, status=303)
    assert browser.get("/profile").soup.html["data-vault"] == "locked"


def test_an_account_without_keys_has_no_vault(browser, database, cy):
    sign_in_as(browser, database, cy)
    answer = browser.post("/session/vault", headers=JSON, status=409).response.json
    assert answer["protected_user_key"] is None
    assert browser.get("/profile").soup.html["data-vault"] == "none"
    assert browser.get("/unlock?next=/profile", status=303).location.startswith("/profile/keys")


def test_the_unlock_page_sends_nothing_by_itself(browser, database, ada):
    sign_in_as(browser, database, ada)
    form = browser.get("/unlock?next=/profile").one("form[data-unlock]")
    assert form["data-next"] == "/profile"
    assert "name" not in form.select_one("[data-master-password]").attrs


def test_without_scripts_the_unlock_page_says_that_it_needs_them(browser, database, ada):
    sign_in_as(browser, database, ada)
    page = browser.submit(browser.get("/unlock?next=/profile"), "Unlock", status=422)
    assert page.text("[data-form-error]") == "Unlocking needs scripts."


# Making keys


def test_keys_made_by_the_browser_are_stored_once(browser, database, cy):
    sign_in_as(browser, database, cy, method="code")
    keys = keys_for(cy.email)
    answer = browser.post("/profile/keys", posted_keys(keys) | {"next": "/profile"}, headers=JSON)
    assert answer.response.json["next"] == "/profile"
    account = stored_account(database, cy)
    assert account.public_key == keys.public_key
    assert account.signin_hash.startswith("$argon2id$")
    event = database.one(select(Event).where(Event.type == "account:keys:create"))
    phrase = fingerprint_phrase(str(cy.account_id), keys.public_key)
    assert phrase in event.payload
    assert phrase in browser.get("/profile")
    other = keys_for("other@northwind.example")
    browser.post("/profile/keys", posted_keys(other), headers=JSON, status=409)
    assert stored_account(database, cy).public_key == keys.public_key


def test_afterwards_the_master_password_signs_in(browser, app, database, cy):
    sign_in_as(browser, database, cy, method="code")
    keys = keys_for(cy.email)
    browser.post("/profile/keys", posted_keys(keys), status=303)
    fields = {"email": cy.email, "signin_hash": keys.signin_hash}
    Browser(app).post("/sign-in", fields, status=303)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kdf_iterations": "1000"},
        {"kdf_iterations": "9999999"},
        {"kdf_iterations": "٦٠٠٠٠٠"},
        {"signin_hash": "correct horse battery staple"},
        {"protected_user_key": "in the clear"},
        {"protected_private_key": ""},
        {"public_key": "A" * 392},
        {"public_key": ""},
    ],
    ids=str,
)
def test_what_does_not_look_like_keys_is_refused(browser, database, cy, wrong):
    sign_in_as(browser, database, cy, method="code")
    fields = posted_keys(keys_for(cy.email)) | wrong
    page = browser.post("/profile/keys", fields, status=422)
    assert "did not make the keys" in page.text("[data-form-error]")
    assert stored_account(database, cy).public_key is None
