"""Keeping the provider out and letting it in again, with real keys in real browsers."""

import pytest
from playwright.sync_api import expect

from portal.domain.provider_access import AccessMode
from tests.browser.test_owner_comes_in import read_collection, sign_in
from tests.browser.test_rotate_keys import key_of
from tests.support.chromium import assert_accessible, follow
from tests.support.grants import make_house
from tests.support.organizations import FIRST_COLLECTION

pytestmark = pytest.mark.committed


@pytest.fixture
def house(live):
    return make_house(live.database)


def test_the_key_is_deleted_and_comes_back_from_the_owners_browser(live, people, house):
    owner = sign_in(live, people, house.owner.email)
    owner.goto(f"{live.url}{house.url}/mode/never")
    assert_accessible(owner)
    owner.get_by_role("button", name="Keep the provider out").click()
    expect(owner.get_by_text("the provider's key is gone")).to_be_visible()
    assert_accessible(owner)
    assert house.place.client().provider_wrapped_key is None

    admin = sign_in(live, people, house.place.admin.email)
    admin.goto(f"{live.url}{house.place.url}/collections")
    expect(admin.get_by_role("heading", name="Acme Ltd keeps the provider out")).to_be_visible()
    assert_accessible(admin)

    owner.goto(f"{live.url}{house.url}/mode/ask")
    expect(owner.locator("fingerprint-phrase")).to_have_attribute("data-state", "same")
    assert_accessible(owner)
    owner.get_by_role("button", name="Hand over the key and let them ask").click()
    expect(owner.get_by_text("have to ask from now on")).to_be_visible()
    assert house.mode() is AccessMode.ASK

    admin.goto(f"{live.url}{house.place.url}/collections")
    admin.get_by_label("Reason").fill("Ticket 4711")
    assert_accessible(admin)
    admin.get_by_role("button", name="Ask the owners").click()
    expect(admin.get_by_text("Waiting for an answer")).to_be_visible()
    owner.goto(f"{live.url}{house.url}")
    follow(owner, owner.get_by_role("link", name="Answer"))
    assert_accessible(owner)
    owner.get_by_role("button", name="Let them in").click()
    expect(owner.get_by_text("can come in now")).to_be_visible()
    assert read_collection(admin, live, house.place) == FIRST_COLLECTION
    expect(admin.locator("aside.banner")).to_contain_text("until")

    follow(owner, owner.get_by_role("button", name="End access"))
    assert_accessible(owner)
    admin.reload()
    expect(admin.get_by_role("heading", name="Ask for access to Acme Ltd")).to_be_visible()


def test_a_locked_vault_hands_nothing_over(live, people, house):
    owner = sign_in(live, people, house.owner.email)
    owner.goto(f"{live.url}{house.url}/mode/never")
    owner.get_by_role("button", name="Keep the provider out").click()
    expect(owner.get_by_text("the provider's key is gone")).to_be_visible()
    follow(owner, owner.get_by_role("button", name="Lock"))
    expect(owner.locator("html")).to_have_attribute("data-vault", "locked")
    owner.goto(f"{live.url}{house.url}/mode/always")
    owner.get_by_role("button", name="Hand over the key and let them in").click()
    expect(owner.locator("[data-form-error]")).to_contain_text("Your vault is locked.")
    assert house.mode() is AccessMode.NEVER
    assert house.place.client().provider_wrapped_key is None


def test_a_key_that_a_rotation_withholds_comes_back_from_the_owners_browser(live, people, house):
    house.set_mode(AccessMode.ASK)
    place, before = house.place, house.place.provider_keys.key
    admin = sign_in(live, people, place.admin.email)
    admin.goto(f"{live.url}/providers/{place.provider.id}/keys/rotation")
    expect(admin.locator("[data-ready]")).to_be_attached()
    admin.get_by_role("button", name="Rotate the provider key").click()
    expect(admin.get_by_role("heading", level=1)).to_have_text("Recovery sheet")
    admin.goto(f"{live.url}/providers/{place.provider.id}/keys/rotation")
    expect(admin.get_by_text("Clients whose key the provider has no more")).to_be_visible()
    assert_accessible(admin)
    assert place.client().provider_wrapped_key is None
    assert len(house.mails("key_withheld")) == 1

    owner = sign_in(live, people, house.owner.email)
    owner.goto(f"{live.url}{house.url}")
    assert_accessible(owner)
    follow(owner, owner.get_by_role("link", name="Hand over the key"))
    expect(owner.locator("fingerprint-phrase")).to_have_attribute("data-state", "same")
    assert_accessible(owner)
    owner.get_by_role("button", name="Hand over the key").click()
    expect(owner.locator("#notices")).to_contain_text("The provider has the key again.")
    assert house.mode() is AccessMode.ASK
    assert key_of(place, place.admin) != before

    # With the rotated provider key, a person who is let in reads what the owner's key has sealed.
    house.grant(person=place.admin)
    assert read_collection(admin, live, place) == FIRST_COLLECTION
