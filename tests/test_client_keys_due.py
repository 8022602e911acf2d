"""Which clients' keys are due to be rotated, since when, and how they come off the list."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from portal.crypto.keys import wrap_for
from portal.domain.access import Role
from portal.domain.scope import Reach
from portal.domain.states import MemberState
from portal.models import Organization, ProviderPerson, utc_now
from portal.providers import client_key_views, reach
from tests.support.organizations import employ, join, make_place
from tests.support.scope_keys import access, client_with_keys, due, hire_scoped, key_for, reaches
from tests.support.staff import change


@pytest.fixture
def place(database):
    return make_place(database)


def test_the_list_tells_whose_key_is_due_and_since_when_page_by_page(place):
    names = [client_with_keys(place, f"Client {number}")[0].name for number in range(3)]
    for number, name in enumerate(names):
        place.database.run(
            update(Organization)
            .where(Organization.name == name)
            .values(key_rotation_due_since=utc_now() - timedelta(days=10 - number))
        )
    address = f"/providers/{place.provider.id}/keys/clients"
    browser = place.admins_browser()
    page = browser.get(address)
    assert [text.split()[-1] for text in page.texts("tbody th")] == ["0", "1", "2"]
    browser.get(f"{address}?at=forged")
    page = browser.get(address, hx="providers-due-keys")
    assert len(page.select("tbody tr")) == 3


def test_the_list_goes_on_behind_the_last_one(place, monkeypatch):
    monkeypatch.setattr(client_key_views, "PAGE_SIZE", 2)
    for number in range(5):
        client_with_keys(place, f"Client {number}")
    # All of one moment: the id decides.
    moment = utc_now()
    place.database.run(
        update(Organization)
        .where(Organization.name != "Acme Ltd")
        .values(key_rotation_due_since=moment)
    )
    browser = place.admins_browser()
    page = browser.get(f"/providers/{place.provider.id}/keys/clients")
    seen = page.texts("tbody th")
    for _turn in range(2):
        page = browser.get(page.link("Next"))
        seen += page.texts("tbody th")
    assert sorted(seen) == [f"Client {number}" for number in range(5)]
    page = browser.get(page.link("Previous"))
    assert len(page.select("tbody tr")) == 2


def test_a_leaver_leads_to_the_list_and_to_the_page_that_rotates(place):
    olga = place.person("owner@acme.example", "Olga Petrova", keys=True)
    join(place, olga, Role.OWNER, MemberState.CONFIRMED)
    kim, person_id = hire_scoped(place)
    reaches(place, person_id, place.organization, wrapped_key=key_for(kim, place.keys))
    change(place, "remove", person_id, status=303)
    browser = place.admins_browser()
    page = browser.get(f"/providers/{place.provider.id}/clients")
    page = browser.get(page.link("Client keys to rotate"))
    page = browser.get(page.link("Rotate the key Acme Ltd"))
    assert "Another key is offered, not required" in page
    assert "Another key is offered" in place.browser_of(olga).get(f"{place.url}/collections")
    place.database.run(update(Organization).values(key_rotation_due_since=None))
    page = browser.get(f"/providers/{place.provider.id}/keys/clients")
    assert "No client needs another key" in page


def test_whoever_manages_every_client_by_now_leaves_no_key_to_be_changed(place):
    kim, person_id = hire_scoped(place)
    reaches(place, person_id, place.organization, wrapped_key=key_for(kim, place.keys))
    place.database.run(
        update(ProviderPerson).where(ProviderPerson.id == person_id).values(reach=Reach.ALL)
    )
    with place.database.session() as session:
        reach.settle(session, place.provider.id, people=[person_id])
    assert access(place)[0].until_at
    assert due(place) == set()


def test_a_client_that_leaves_somebodys_scope_is_due(place):
    kim, person_id = hire_scoped(place)
    birch, keys = client_with_keys(place)
    # No part of the scope names it: settling closes the row.
    reaches(place, person_id, birch, wrapped_key=key_for(kim, keys))
    with place.database.session() as session:
        reach.settle(session, place.provider.id, people=[person_id])
    assert access(place)[0].wrapped_key is None
    assert due(place) == {birch.id}


def test_an_owner_whose_provider_unlinked_them_is_offered_another_key(place):
    olga = place.person("owner@acme.example", "Olga Petrova", keys=True)
    join(place, olga, Role.OWNER, MemberState.CONFIRMED)
    address = f"/providers/{place.provider.id}/clients/{place.organization.id}/unlink"
    browser = place.admins_browser()
    browser.submit(browser.get(address), "Unlink Acme Ltd")
    assert place.client().provider_id is None
    page = place.browser_of(olga).get(f"{place.url}/collections")
    assert page.link("Rotate the key") == f"{place.url}/keys/rotation"


def test_a_key_that_was_rotated_since_is_not_handed_to_a_new_provider(place):
    olga = place.person("owner@acme.example", "Olga Petrova", keys=True)
    join(place, olga, Role.OWNER, MemberState.CONFIRMED)
    employ(place.database, place.provider, olga, wrapped=place.provider_keys.key)
    place.database.run(update(Organization).values(provider_id=None, provider_wrapped_key=None))
    browser = place.browser_of(olga)
    address = f"/providers/{place.provider.id}/clients/existing/{place.organization.id}"
    fields = {
        "wrapped_key": wrap_for(place.provider_keys.public_key, place.keys.key.raw),
        "public_key": place.provider_keys.public_key,
        "version": browser.get(address).one("input[name=version]")["value"],
    }
    place.database.run(update(Organization).values(version=Organization.version + 1))
    browser.post(address, fields, status=409)
    assert place.client().provider_id is None


def test_who_leaves_by_themselves_keeps_no_key(place):
    kim, person_id = hire_scoped(place)
    reaches(place, person_id, place.organization, wrapped_key=key_for(kim, place.keys))
    place.browser_of(kim).post(f"/providers/{place.provider.id}/leave", status=303)
    assert access(place)[0].until_at
    assert access(place)[0].wrapped_key is None
    assert due(place) == {place.organization.id}
