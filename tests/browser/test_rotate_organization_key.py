"""The key of one organization rotated, with real keys in real browsers."""

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from portal.crypto.envelope import SymmetricKey, seal, unseal
from portal.crypto.keys import unwrap, wrap_for
from portal.domain.access import Role
from portal.domain.states import MemberState
from portal.models import Collection, Member, Organization
from tests.support.chromium import assert_accessible, sign_in
from tests.support.organizations import FIRST_COLLECTION, join, make_place
from tests.support.scope_keys import access, hire_scoped, key_for, reaches

pytestmark = pytest.mark.committed
CONFIRMED = MemberState.CONFIRMED


@pytest.fixture
def place(live):
    return make_place(live.database)


@pytest.fixture
def olga(place):
    person = place.person("owner@acme.example", "Olga Petrova", keys=True)
    join(place, person, Role.OWNER, CONFIRMED)
    return person


def open_page(live, place, page: Page) -> Page:
    page.goto(f"{live.url}{place.url}/keys/rotation")
    expect(page.locator("[data-ready]")).to_be_attached()
    expect(page.locator("fingerprint-phrase").first).to_have_attribute("data-state", "same")
    return page


def press(page: Page) -> None:
    page.get_by_role("button", name="Rotate the key").click()


def key_of(place, person) -> SymmetricKey:
    mine = select(Member.wrapped_organization_key).where(Member.email == person.email)
    raw = unwrap(place.database.one(mine), person.keys.private_key)
    return SymmetricKey.from_raw(raw)


def names(place, key) -> set[str]:
    sealed = place.database.all(select(Collection.sealed_name))
    return {unseal(name, key).decode() for name in sealed}


def test_a_provider_admin_rotates_and_everybody_who_had_the_key_has_the_next(
    live, people, place, olga
):
    kim, person_id = hire_scoped(place)
    reaches(place, person_id, place.organization, wrapped_key=key_for(kim, place.keys))
    sealed = seal("Second", place.keys.key)
    place.database.add(Collection(organization_id=place.organization.id, sealed_name=sealed))
    page = open_page(live, place, sign_in(live, people(locale="en").new_page(), place.admin))
    assert_accessible(page)
    press(page)
    expect(page.locator("#notices")).to_contain_text("The key of this organization is rotated")
    # Under the eyes of whoever did it, the names open with the next key.
    expect(page.locator("sealed-text", has_text=FIRST_COLLECTION)).to_be_visible()
    following = key_of(place, olga)
    assert following != place.keys.key
    assert unseal(place.client().provider_wrapped_key, place.provider_keys.key) == following.raw
    assert unwrap(access(place)[0].wrapped_key, kim.keys.private_key) == following.raw
    assert unseal(place.client().protected_private_key, following) == unseal(
        place.keys.protected_private_key, place.keys.key
    )
    assert names(place, following) == {FIRST_COLLECTION, "Second"}


def test_an_owner_rotates_and_the_provider_opens_it_with_its_pair(live, people, place, olga):
    page = open_page(live, place, sign_in(live, people(locale="en").new_page(), olga))
    press(page)
    expect(page.locator("#notices")).to_contain_text("The key of this organization is rotated")
    following = key_of(place, olga)
    private = unseal(place.provider_keys.protected_private_key, place.provider_keys.key)
    assert unwrap(place.client().provider_wrapped_key, private) == following.raw
    # The provider's admin reads on.
    admin = sign_in(live, people(locale="en").new_page(), place.admin)
    admin.goto(f"{live.url}{place.url}/collections")
    expect(admin.locator("sealed-text", has_text=FIRST_COLLECTION)).to_be_visible()


def test_of_two_tabs_the_second_is_told_that_the_world_has_changed(live, people, place, olga):
    first = open_page(live, place, sign_in(live, people(locale="en").new_page(), place.admin))
    second = open_page(live, place, sign_in(live, people(locale="en").new_page(), olga))
    press(first)
    expect(first.locator("#notices")).to_contain_text("The key of this organization is rotated")
    following = key_of(place, olga)
    press(second)
    expect(second.locator("[data-rotate-status]")).to_contain_text("have changed since")
    assert key_of(place, olga) == following


def test_a_name_that_does_not_open_stops_it_and_nothing_is_stored(live, people, place, olga):
    stray = seal("Elsewhere", SymmetricKey.new())
    place.database.add(Collection(organization_id=place.organization.id, sealed_name=stray))
    page = open_page(live, place, sign_in(live, people(locale="en").new_page(), place.admin))
    press(page)
    expect(page.locator("[data-rotate-status]")).to_contain_text("does not open")
    assert key_of(place, olga) == place.keys.key


def test_a_type_4_copy_of_the_provider_is_opened_too(live, people, place, olga):
    wrapped = wrap_for(place.provider_keys.public_key, place.keys.key.raw)
    place.database.run(update(Organization).values(provider_wrapped_key=wrapped))
    page = open_page(live, place, sign_in(live, people(locale="en").new_page(), place.admin))
    press(page)
    expect(page.locator("#notices")).to_contain_text("The key of this organization is rotated")
    following = key_of(place, olga)
    assert unseal(place.client().provider_wrapped_key, place.provider_keys.key) == following.raw
