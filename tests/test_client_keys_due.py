"""Which clients' keys are due to be rotated, since when, and how they come off the list."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from portal.domain.access import Role
from portal.domain.states import MemberState
from portal.models import Organization, utc_now
from portal.providers import client_key_views
from tests.support.organizations import join, make_place
from tests.support.scope_keys import client_with_keys, hire_scoped, key_for, reaches
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
