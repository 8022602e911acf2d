"""Keys of clients are handed to people with a limited scope, batch by batch."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import update

from portal.crypto.envelope import unseal
from portal.crypto.keys import new_key_pair, new_tenant_keys, unwrap, wrap_for
from portal.domain.scope import Level, Reach
from portal.domain.states import ProviderPersonState
from portal.models import Account, ClientAccess, Organization, Provider, ProviderPerson, utc_now
from portal.providers import client_keys
from tests.support.organizations import make_place
from tests.support.scope_keys import (
    KIM,
    access,
    client_with_keys,
    hire_scoped,
    key_for,
    reaches,
)
from tests.support.staff import people_url, told

EVENT = "provider:person:hand_over_client_keys"


@pytest.fixture
def place(database):
    return make_place(database)


@pytest.fixture
def kim(place):
    return hire_scoped(place)


def url(place, tail=""):
    return f"/providers/{place.provider.id}/keys/hand-over{tail}"


def work(place, person_id, after="", browser=None):
    address = url(place, f"/work?person={person_id}&after={after}")
    return (browser or place.admins_browser()).get(address).response.get_json()


def batch_of(place, person_id, found, public_key=None):
    """What the browser wraps of the work that it was given."""
    public_key = public_key or found["public_key"]
    fields = {
        "person": str(person_id),
        "public_key": public_key,
        "provider_public_key": place.provider_keys.public_key,
    }
    for item in found["items"]:
        raw = unseal(item["key"], place.provider_keys.key)
        fields[f"key-{item['id']}"] = wrap_for(public_key, raw)
        fields[f"version-{item['id']}"] = item["version"]
    return fields


def send(place, fields, **options):
    return place.admins_browser().post(url(place, "/batch"), fields, **options)


def opened(place, person, row):
    return unwrap(row.wrapped_key, person.keys.private_key)


def test_a_person_gets_the_keys_of_their_clients_and_of_no_other(place, kim):
    person, person_id = kim
    client_with_keys(place, "Out of scope")
    birch, keys = client_with_keys(place)
    reaches(place, person_id, birch)
    reaches(place, person_id, place.organization)
    found = work(place, person_id)
    assert len(found["items"]) == 2
    answer = send(place, batch_of(place, person_id, found))
    assert answer.response.get_json() == {"done": 2}
    first, second = access(place)
    assert opened(place, person, first) == keys.key.raw
    assert opened(place, person, second) == place.keys.key.raw
    [event] = told(place, EVENT)
    assert (event["email"], event["clients"]) == (KIM, 2)
    assert event["fingerprint"].count("-") == 4
    assert work(place, person_id)["items"] == []


@pytest.mark.parametrize(
    "columns",
    [
        {"level": Level.READ_ONLY},
        {"reach": Reach.ALL},
        {"state": ProviderPersonState.SUSPENDED},
    ],
)
def test_nobody_else_gets_any(place, kim, columns):
    _person, person_id = kim
    reaches(place, person_id, place.organization)
    late = batch_of(place, person_id, work(place, person_id))
    place.database.run(
        update(ProviderPerson).where(ProviderPerson.id == person_id).values(**columns)
    )
    assert work(place, person_id)["items"] == []
    send(place, late)
    assert access(place)[0].wrapped_key is None
    assert told(place, EVENT) == []
    assert "No key waits" in place.admins_browser().get(url(place))


def test_a_client_that_left_the_scope_meanwhile_gets_none(place, kim):
    _person, person_id = kim
    reaches(place, person_id, place.organization)
    late = batch_of(place, person_id, work(place, person_id))
    place.database.run(update(ClientAccess).values(until_at=utc_now()))
    assert send(place, late).response.get_json() == {"done": 0}
    assert access(place)[0].wrapped_key is None


def test_a_client_whose_key_was_rotated_meanwhile_waits_for_the_next_batch(place, kim):
    person, person_id = kim
    reaches(place, person_id, place.organization)
    late = batch_of(place, person_id, work(place, person_id))
    made = new_tenant_keys()
    place.database.run(
        update(Organization).values(protected_private_key=made.protected_private_key)
    )
    assert send(place, late).response.get_json() == {"done": 0}
    assert access(place)[0].wrapped_key is None
    assert len(work(place, person_id)["items"]) == 1
    assert person.keys


def test_a_rotated_provider_key_stops_the_batch(place, kim):
    _person, person_id = kim
    reaches(place, person_id, place.organization)
    late = batch_of(place, person_id, work(place, person_id))
    place.database.run(update(Provider).values(public_key=new_tenant_keys().public_key))
    send(place, late, status=409)
    assert access(place)[0].wrapped_key is None


def test_another_public_key_blocks_and_alarms(place, kim):
    _person, person_id = kim
    reaches(place, person_id, place.organization)
    late = batch_of(place, person_id, work(place, person_id))
    other, _private = new_key_pair()
    place.database.run(update(Account).where(Account.email == KIM).values(public_key=other))
    send(place, late, status=409)
    assert access(place)[0].wrapped_key is None
    [alarm] = told(place, "provider:person:key_changed")
    assert alarm["shown"] != alarm["fingerprint"]


@pytest.mark.parametrize("value", ["", "clear", "4.AAAA", "2.a|b|c"])
def test_what_is_not_wrapped_is_not_kept(place, kim, value):
    _person, person_id = kim
    row = reaches(place, person_id, place.organization)
    fields = batch_of(place, person_id, work(place, person_id))
    send(place, fields | {f"key-{row.id}": value}, status=409)
    assert access(place)[0].wrapped_key is None


def test_a_key_that_is_there_is_not_replaced(place, kim):
    person, person_id = kim
    reaches(place, person_id, place.organization)
    fields = batch_of(place, person_id, work(place, person_id))
    send(place, fields)
    before = access(place)[0].wrapped_key
    send(place, batch_of(place, person_id, work(place, person_id)) | fields)
    assert access(place)[0].wrapped_key == before
    assert opened(place, person, access(place)[0]) == place.keys.key.raw


def test_batches_go_on_behind_the_last_one(place, kim, monkeypatch):
    _person, person_id = kim
    monkeypatch.setattr(client_keys, "BATCH", 2)
    for number in range(3):
        client, _keys = client_with_keys(place, f"Client {number}")
        reaches(place, person_id, client)
    first = work(place, person_id)["items"]
    # Whatever could not be opened is not offered twice in one run.
    second = work(place, person_id, first[-1]["id"])["items"]
    assert (len(first), len(second)) == (2, 1)
    assert work(place, person_id, second[-1]["id"])["items"] == []


def test_the_page_shows_each_phrase_and_how_many_clients_wait(place, kim):
    _person, person_id = kim
    reaches(place, person_id, place.organization)
    reaches(place, person_id, client_with_keys(place)[0])
    lee, other = hire_scoped(place, "lee@northwind.example", "Lee Wong", keys=False)
    reaches(place, other, place.organization)
    page = place.admins_browser().get(url(place))
    [row] = page.texts("[data-person]")
    assert "Kim Larsen" in row
    assert "clients: 2" in row
    assert f"{lee.name} has no keys yet" in page
    assert page.one("progress")["max"] == "2"


def test_a_client_without_keys_waits_for_its_keys_first(place, kim):
    _person, person_id = kim
    place.database.run(
        update(Organization).values(
            public_key=None, protected_private_key=None, provider_wrapped_key=None
        )
    )
    reaches(place, person_id, place.organization)
    assert work(place, person_id)["items"] == []


def test_the_first_page_tells_that_keys_wait_and_its_fragment_does_not_ask(place, kim, statements):
    _person, person_id = kim
    browser = place.admins_browser()
    clients = f"/providers/{place.provider.id}/clients"
    assert "wait to be handed over" not in browser.get(clients)
    reaches(place, person_id, place.organization)
    page = browser.get(clients)
    assert page.link("Hand keys over") == url(place)
    statements.clear()
    browser.get(clients, hx="clients-table")
    assert not [
        one for one in statements if "client_access" in one.sql.lower() and "wrapped_key" in one.sql
    ]


def test_the_keys_page_and_the_persons_page_lead_there(place, kim):
    _person, person_id = kim
    reaches(place, person_id, place.organization)
    browser = place.admins_browser()
    page = browser.get(f"/providers/{place.provider.id}/keys")
    assert "Keys that wait to be handed over: 1" in page
    assert page.link("Hand keys over") == url(place)
    page = browser.get(f"{people_url(place)}/{person_id}")
    assert page.link("Hand keys over") == url(place)


def test_who_does_not_hold_the_provider_key_is_told_so(place, kim):
    _person, person_id = kim
    reaches(place, person_id, place.organization)
    place.database.run(update(ProviderPerson).values(wrapped_provider_key=None))
    page = place.admins_browser().get(url(place))
    assert "You do not hold the provider key" in page
    assert not page.select("[data-hand-over-start]")


def test_a_person_of_another_provider_is_nobody(place, kim):
    _person, person_id = kim
    reaches(place, person_id, place.organization)
    found = work(place, person_id)
    elsewhere = place.database.add(
        Provider(
            name="Other",
            second_factor_required=False,
            public_key=place.provider_keys.public_key,
            protected_private_key=place.provider_keys.protected_private_key,
        )
    )
    admin, _row = hire_scoped(place, "eve@other.example", "Eve")
    place.database.run(
        update(ProviderPerson)
        .where(ProviderPerson.email == "eve@other.example")
        .values(provider_id=elsewhere.id, role="provider_admin", reach=Reach.ALL)
    )
    eve = place.browser_of(admin)
    address = f"/providers/{elsewhere.id}/keys/hand-over"
    answer = eve.get(f"{address}/work?person={person_id}").response.get_json()
    assert answer == {"items": [], "public_key": None}
    eve.post(f"{address}/batch", batch_of(place, person_id, found), status=409)
    assert access(place)[0].wrapped_key is None


# In use.


def ring_of(place, browser, client=None):
    client = client or place.organization
    page = browser.get(f"/organizations/{client.id}/collections")
    return json.loads(page.one("meta[name=key-ring]")["content"]), page


def test_a_scoped_manager_opens_the_client_with_a_key_of_their_own_and_nothing_else(place, kim):
    person, person_id = kim
    reaches(place, person_id, place.organization, wrapped_key=key_for(person, place.keys))
    ring, page = ring_of(place, place.browser_of(person))
    assert ring["provider"] is None
    assert ring["organization"]["wrapped_by"] == "account"
    raw = unwrap(ring["organization"]["key"], person.keys.private_key)
    assert raw == place.keys.key.raw
    assert "Unlock your vault" in page


def test_who_has_no_key_yet_reads_who_can_hand_it_over(place, kim):
    person, person_id = kim
    reaches(place, person_id, place.organization)
    ring, page = ring_of(place, place.browser_of(person))
    assert ring["organization"]["key"] is None
    assert "These people can hand it over: Ada Nordström." in page


def test_who_only_reads_is_told_that_no_key_is_meant_for_them(place):
    person, person_id = hire_scoped(place, level=Level.READ_ONLY)
    reaches(place, person_id, place.organization)
    ring, page = ring_of(place, place.browser_of(person))
    assert (ring["provider"], ring["organization"]["key"]) == (None, None)
    assert "no key is meant for you" in page


@pytest.mark.committed
def test_of_two_browsers_that_hand_over_at_once_one_keeps_each_key(committed):
    place = make_place(committed)
    person, person_id = hire_scoped(place)
    for number in range(5):
        reaches(place, person_id, client_with_keys(place, f"Client {number}")[0])
    found = work(place, person_id)
    start = Barrier(2)

    def press(_turn):
        browser = place.admins_browser()
        fields = batch_of(place, person_id, found) | {"csrf_token": browser.csrf_token()}
        start.wait()
        return browser.client.post(url(place, "/batch"), data=fields).get_json()["done"]

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(press, range(2))) == [0, 5]
    assert all(row.wrapped_key for row in access(place))
    assert [event["clients"] for event in told(place, EVENT)] == [5]
    assert person.keys
