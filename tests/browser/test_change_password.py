"""Another master password or address, in a real browser: the same keys open afterwards."""

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from portal.accounts.address import CONFIRM
from portal.crypto.tokens import Link, LinkSigner
from portal.models import AddressChange
from tests.support.accounts import PASSWORD
from tests.support.chromium import assert_accessible
from tests.support.databases import SECRET_KEY
from tests.support.organizations import FIRST_COLLECTION, make_place

pytestmark = pytest.mark.committed
NEW = "another horse battery staple"


@pytest.fixture
def place(live):
    return make_place(live.database)


def sign_in(live, page, email, password):
    page.goto(f"{live.url}/profile")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Master password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def fill(page, present, new, again):
    page.get_by_label("Present master password").fill(present)
    page.get_by_label("New master password", exact=True).fill(new)
    page.get_by_label("Repeat new master password").fill(again)
    page.get_by_role("button", name="Change the master password").click()


def assert_opens(page, live, place):
    page.goto(f"{live.url}{place.url}/collections")
    name = page.locator("sealed-text")
    expect(name).to_have_attribute("data-state", "open")
    assert name.evaluate("element => element.shadowRoot.textContent") == FIRST_COLLECTION


def test_the_new_master_password_signs_in_and_opens_the_same_keys(live, people, place):
    other = people(locale="en").new_page()
    sign_in(live, other, place.admin.email, PASSWORD)
    expect(other.locator("body.in")).to_be_visible()
    page = people(locale="en").new_page()
    sign_in(live, page, place.admin.email, PASSWORD)
    expect(page.locator("body.in")).to_be_visible()
    page.goto(f"{live.url}/profile/devices")
    expect(page.locator("tbody tr")).to_have_count(2)
    assert_accessible(page)
    page.goto(f"{live.url}/profile/password")
    assert_accessible(page)
    error = page.locator("[data-form-error]")
    fill(page, "not the one at all", NEW, NEW)
    expect(error).to_contain_text("That is not your master password")
    fill(page, PASSWORD, NEW, f"{NEW}x")
    expect(error).to_contain_text("differ")
    fill(page, PASSWORD, NEW, NEW)
    expect(page.locator("#notices")).to_contain_text("Your master password is changed")
    # The vault is open by the new one, and the keys are the same.
    assert_opens(page, live, place)

    other.goto(f"{live.url}/profile")
    expect(other).to_have_url(f"{live.url}/sign-in?next=/profile")
    sign_in(live, other, place.admin.email, PASSWORD)
    expect(other.locator("[data-form-error]")).not_to_be_empty()
    sign_in(live, other, place.admin.email, NEW)
    expect(other.locator("body.in")).to_be_visible()


def test_the_new_address_signs_in_with_the_same_master_password(live, people, place):
    page = people(locale="en").new_page()
    sign_in(live, page, place.admin.email, PASSWORD)
    expect(page.locator("body.in")).to_be_visible()
    page.goto(f"{live.url}/profile/address")
    assert_accessible(page)
    page.get_by_label("E-mail address").fill(" Ada@New.Example ")
    page.get_by_label("Master password").fill("not the one at all")
    page.get_by_role("button", name="Send the link").click()
    expect(page.locator("[data-form-error]")).to_contain_text("That is not your master password")
    page.get_by_label("Master password").fill(PASSWORD)
    page.get_by_role("button", name="Send the link").click()
    expect(page.locator("#notices")).to_contain_text("ada@new.example")
    change = place.database.one(select(AddressChange))
    link = Link(change.account_id, change.id, 1)
    token = LinkSigner((SECRET_KEY,), CONFIRM).sign(link)
    page.goto(f"{live.url}/address-changes/{token}")
    assert_accessible(page)
    page.get_by_role("button", name="Confirm the new address").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your address is changed")
    sign_in(live, page, "ada@new.example", PASSWORD)
    expect(page.locator("body.in")).to_be_visible()
    assert_opens(page, live, place)
