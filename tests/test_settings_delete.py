"""The end of a provider: deleting it, and leaving it."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select, update

from portal.domain.states import ProviderPersonState
from portal.models import Affiliation, Organization, Provider, ProviderPerson
from tests.support.accounts import age
from tests.support.clients import persona
from tests.support.new_client import new_client
from tests.support.organizations import make_place
from tests.support.staff import ADMIN, hire, told


@pytest.fixture
def place(database):
    return make_place(database)


def url(place, path="/delete"):
    return f"/providers/{place.provider.id}/settings{path}"


def let_go(place):
    """The provider has no client any more."""
    place.database.run(update(Organization).values(provider_id=None))
    place.database.run(update(Provider).values(clients_count=0))


def test_a_provider_with_clients_is_not_deleted(place):
    page = place.admins_browser().get(url(place))
    assert "The provider still has 1 client." in page
    assert page.link("Go to the clients").endswith("/clients")
    assert page.select("main form") == []
    page = place.admins_browser().post(url(place), {"name": "Northwind IT"}, status=409)
    assert "The provider still has 1 client." in page
    assert place.database.count(Provider) == 1


def test_deleting_asks_for_the_name_and_says_what_is_lost(place):
    let_go(place)
    hire(place)
    browser = place.admins_browser()
    page = browser.get(browser.get(url(place, "")).link("Delete the provider"))
    assert "2 people lose their places here" in page
    page = browser.submit(page, "Delete the provider", {"name": "Northwind"}, status=422)
    assert "Type the name of the provider, Northwind IT" in page.text("#name-field")
    assert place.database.count(Provider) == 1
    answer = browser.submit(page, "Delete the provider", {"name": " northwind  it"})
    assert answer.location.startswith("/?saved=")
    assert "Northwind IT is deleted." in browser.get(answer.location)
    assert place.database.count(Provider) == place.database.count(ProviderPerson) == 0
    kinds = place.database.all(select(Affiliation.kind))
    assert "provider" not in kinds
    assert told(place, "provider:provider:delete") == [{"name": "Northwind IT", "people": 2}]
    browser.get(f"/providers/{place.provider.id}/clients", status=404)
    assert place.database.count(Organization) == 1


def test_deleting_asks_who_is_there(place):
    let_go(place)
    browser = place.admins_browser()
    age(place.database, place.admin, minutes=11)
    for answer in (
        browser.get(url(place), status=303),
        browser.post(url(place), {"name": "Northwind IT"}, status=303),
    ):
        assert "/reauthenticate" in answer.location
    assert place.database.count(Provider) == 1


def test_a_second_click_finds_nothing(place):
    let_go(place)
    browser = place.admins_browser()
    browser.post(url(place), {"name": "Northwind IT"}, status=303)
    browser.post(url(place), {"name": "Northwind IT"}, status=404)
    assert len(told(place, "provider:provider:delete")) == 1


def test_a_service_user_does_not_delete(place):
    let_go(place)
    jun, _row = hire(place)
    place.browser_of(jun).post(url(place), {"name": "Northwind IT"}, status=403)
    assert place.database.count(Provider) == 1


@pytest.mark.committed
@pytest.mark.parametrize("_round", range(4))
def test_deleting_while_a_client_is_created_ends_with_both_or_neither(committed, _round):
    ada, ben = (persona(committed) for _ in range(2))
    committed.run(
        update(ProviderPerson)
        .where(ProviderPerson.account_id == ben.account.id)
        .values(provider_id=ada.provider.id)
    )
    start = Barrier(2)

    def send(browser, path, data):
        data |= {"csrf_token": browser.csrf_token()}
        start.wait()
        return browser.client.post(f"/providers/{ada.provider.id}{path}", data=data).status_code

    with ThreadPoolExecutor(2) as pool:
        deleted = pool.submit(send, ada.browser, "/settings/delete", {"name": "Northwind IT"})
        created = pool.submit(send, ben.browser, "/clients/new", new_client())
        codes = deleted.result(), created.result()
    is_there = bool(committed.all(select(Provider.id).where(Provider.id == ada.provider.id)))
    clients = committed.all(
        select(Organization.id).where(Organization.provider_id == ada.provider.id)
    )
    if is_there:
        assert (codes, len(clients)) == ((409, 303), 1)
    else:
        assert codes[0] == 303
        assert codes[1] in {404, 409, 422}
        assert committed.count(Organization) == 0


# Leaving


def leave(place, person, *, status=303):
    return place.browser_of(person).post(f"/providers/{place.provider.id}/leave", status=status)


def test_the_last_admin_stays(place):
    hire(place)
    page = place.admins_browser().get(f"/providers/{place.provider.id}/leave")
    assert "This is the last confirmed provider admin." in page
    assert page.select("main form") == []
    page = leave(place, place.admin, status=409)
    assert "This is the last confirmed provider admin." in page
    assert place.database.count(ProviderPerson) == 2


def test_whoever_leaves_loses_the_place_and_the_key_and_lands_at_home(place):
    jun, row_id = hire(place, role=ADMIN)
    browser = place.browser_of(jun)
    page = browser.get(f"/providers/{place.provider.id}/people/{row_id}")
    page = browser.get(page.link("Leave the provider"))
    assert "Your copy of the provider key is deleted" in page
    answer = browser.submit(page, "Leave the provider")
    assert answer.location.startswith("/?saved=")
    assert "You have left Northwind IT." in browser.get(answer.location)
    browser.get(f"/providers/{place.provider.id}/clients", status=404)
    assert place.database.all(select(ProviderPerson.account_id)) == [place.admin.account_id]
    provider = place.database.one(select(Provider))
    assert provider.rotation_due_since is not None
    assert told(place, "provider:person:leave") == [
        {
            "email": "jun@northwind.example",
            "before": {"role": "provider_admin", "state": "confirmed"},
        }
    ]
    found = select(Affiliation).where(Affiliation.account_id == jun.account_id)
    assert place.database.all(found) == []


def test_a_service_user_leaves_too(place):
    jun, _row = hire(place)
    leave(place, jun)
    assert place.database.count(ProviderPerson) == 1


@pytest.mark.committed
def test_of_two_last_admins_who_leave_at_once_one_stays(committed):
    place = make_place(committed)
    jun, _row = hire(place, role=ADMIN)
    browsers = [place.browser_of(place.admin), place.browser_of(jun)]
    start = Barrier(2)

    def go(browser):
        data = {"csrf_token": browser.csrf_token()}
        start.wait()
        return browser.client.post(f"/providers/{place.provider.id}/leave", data=data).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(go, browsers)) == [303, 409]
    states = committed.all(select(ProviderPerson.state))
    assert states == [ProviderPersonState.CONFIRMED]
