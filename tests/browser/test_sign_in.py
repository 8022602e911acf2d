"""Signing in as people do it: Chromium derives, the running portal checks, the vault opens."""

import pyotp
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from portal.models import Account, AuthSession
from tests.support.accounts import PASSWORD, age, make_person, newest_code
from tests.support.chromium import assert_accessible, follow


@pytest.fixture
def ada(live):
    return make_person(live.database, keys=True)


@pytest.fixture
def bo(live):
    return make_person(live.database, "bo@northwind.example", "Bo Lind", keys=True, second=True)


def sign_in(page: Page, url: str, email: str, password: str = PASSWORD) -> None:
    page.goto(f"{url}/profile")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Master password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def vault(page: Page) -> str:
    return page.evaluate("document.documentElement.dataset.vault")


def test_the_master_password_signs_in_and_unlocks_and_never_leaves_the_browser(page, live, ada):
    sent = []
    page.on("request", lambda request: sent.append((request.url, request.post_data or "")))
    sign_in(page, live.url, ada.email)
    page.wait_for_url(f"{live.url}/profile")
    expect(page.get_by_role("heading", name="Profile", exact=True)).to_be_visible()
    assert vault(page) == "unlocked"
    assert not [url for url, body in sent if PASSWORD in url or PASSWORD in body]
    assert not [body for _, body in sent if "correct" in body]
    assert live.database.one(select(AuthSession)).method == "password"


def test_a_wrong_password_is_told_at_once_and_the_next_try_may_be_right(page, live, ada):
    sign_in(page, live.url, ada.email, "not the right password")
    expect(page.locator("[data-form-error]")).to_contain_text("do not belong together")
    page.get_by_label("Master password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{live.url}/profile")


def test_with_a_second_factor_the_key_survives_the_second_step(page, live, bo):
    sign_in(page, live.url, bo.email)
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("[data-form-error]")).to_contain_text("not right")
    page.get_by_label("Code").fill(bo.totp)
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{live.url}/profile")
    assert vault(page) == "unlocked"


def test_locking_and_unlocking_and_signing_out(page, live, ada):
    sign_in(page, live.url, ada.email)
    page.wait_for_url(f"{live.url}/profile")
    follow(page, page.get_by_role("button", name="Lock"))
    follow(page, page.get_by_role("link", name="Unlock"))
    page.get_by_label("Master password").fill("not the right password")
    page.get_by_role("button", name="Unlock").click()
    expect(page.locator("[data-form-error]")).to_contain_text("not your master password")
    page.get_by_label("Master password").fill(PASSWORD)
    page.get_by_role("button", name="Unlock").click()
    page.wait_for_url(f"{live.url}/profile")
    assert vault(page) == "unlocked"
    page.locator("main").get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert page.evaluate("indexedDB.databases().then((all) => all.length)") == 0


def test_the_master_password_proves_once_more_who_it_is(page, live, ada):
    sign_in(page, live.url, ada.email)
    page.wait_for_url(f"{live.url}/profile")
    age(live.database, ada, minutes=11)
    page.goto(f"{live.url}/profile/second-factor")
    page.get_by_label("Master password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").first.click()
    expect(page.get_by_role("heading", name="Set up your second factor")).to_be_visible()


def test_an_account_without_keys_makes_them_and_sets_up_a_second_factor(page, live):
    cy = make_person(live.database, "cy@northwind.example", "Cy Winter")
    page.goto(f"{live.url}/profile/keys")
    follow(page, page.get_by_role("link", name="Send me a code instead"))
    page.get_by_label("E-mail address").fill(cy.email)
    follow(page, page.get_by_role("button", name="Send code"))
    page.get_by_label("Code").fill(newest_code(live.database, cy.email))
    follow(page, page.get_by_role("button", name="Continue"))
    page.get_by_label("Master password", exact=True).fill(PASSWORD)
    page.get_by_label("Repeat master password").fill(PASSWORD)
    page.get_by_role("button", name="Make keys").click()
    expect(page.locator("fingerprint-phrase")).to_be_visible()
    assert vault(page) == "unlocked"
    page.goto(f"{live.url}/profile/second-factor")
    secret = page.locator("p.code").inner_text().replace(" ", "")
    page.get_by_label("Code").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Turn on").click()
    expect(page.locator(".codes li")).to_have_count(10)
    account = live.database.one(select(Account))
    assert account.public_key
    assert account.totp_secret


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_of_the_area_is_accessible(people, live, ada, scheme):
    page = people(locale="en", color_scheme=scheme).new_page()
    page.goto(f"{live.url}/sign-in")
    assert_accessible(page)
    page.goto(f"{live.url}/sign-in/code")
    assert_accessible(page)
    page.get_by_label("E-mail address").fill(ada.email)
    follow(page, page.get_by_role("button", name="Send code"))
    assert_accessible(page)
    sign_in(page, live.url, ada.email)
    page.wait_for_url(f"{live.url}/profile")
    for path in ("/profile", "/", "/step-up", "/profile/keys", "/reauthenticate"):
        page.goto(f"{live.url}{path}")
        assert_accessible(page)
    follow(page, page.get_by_role("button", name="Lock"))
    follow(page, page.get_by_role("link", name="Unlock"))
    expect(page.get_by_role("heading", name="Unlock your vault")).to_be_visible()
    assert_accessible(page)
    page.goto(f"{live.url}/profile/second-factor")
    assert_accessible(page)
    secret = page.locator("p.code").inner_text().replace(" ", "")
    page.get_by_label("Code").fill(pyotp.TOTP(secret).now())
    page.get_by_role("button", name="Turn on").click()
    expect(page.locator(".codes li")).to_have_count(10)
    assert_accessible(page)
    for path in ("", "/recovery-codes", "/off"):
        page.goto(f"{live.url}/profile/second-factor{path}")
        assert_accessible(page)
