"""Rotating the provider key: begun once, carried on by anybody, finished at once."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select, update

from portal.crypto.envelope import SymmetricKey, seal, unseal
from portal.crypto.keys import new_tenant_keys, unwrap, wrap_for
from portal.domain.access import Role
from portal.models import Event, Organization, Provider, ProviderKeyRotation, ProviderPerson
from tests.support.accounts import age, make_person
from tests.support.clients import make_client
from tests.support.organizations import employ, make_place

ADMIN = Role.PROVIDER_ADMIN
JUN = "jun@northwind.example"


@pytest.fixture
def place(database):
    return make_place(database)


@pytest.fixture(scope="module")
def made():
    """The next keys, as a browser makes them."""
    return new_tenant_keys()


def url(place, tail=""):
    return f"/providers/{place.provider.id}/keys/rotation{tail}"


def hire(place, email=JUN, name="Jun Ito", *, holds=True):
    person = make_person(place.database, email, name, keys=True)
    key = place.provider_keys.key if holds else None
    employ(place.database, place.provider, person, ADMIN, wrapped=key)
    return person


def more_clients(place, count):
    """Clients whose key is that of the first one, wrapped anew."""
    for number in range(count):
        make_client(
            place.database,
            place.provider,
            f"Client {number}",
            public_key=place.keys.public_key,
            protected_private_key=place.keys.protected_private_key,
            provider_wrapped_key=seal(place.keys.key.raw, place.provider_keys.key),
        )


def begin(place, made, browser=None, person=None, **options):
    person = person or place.admin
    fields = {
        "public_key": made.public_key,
        "protected_private_key": made.protected_private_key,
        "wrapped_provider_key": wrap_for(person.keys.public_key, made.key.raw),
    }
    return (browser or place.admins_browser()).post(url(place), fields, **options)


def work(place, browser=None):
    return (browser or place.admins_browser()).get(url(place, "/work")).response.get_json()


def batch_of(place, made, found):
    """What the browser wraps of the work it was given."""
    fields = {"rotation": found["rotation"]}
    for person in found["people"]:
        fields[f"person-{person['id']}"] = wrap_for(person["public_key"], made.key.raw)
    for client in found["clients"]:
        raw = unseal(client["key"], place.provider_keys.key)
        fields[f"client-{client['id']}"] = seal(raw, made.key)
        fields[f"version-{client['id']}"] = client["version"]
    return fields


def wrap_batch(place, made, **options):
    browser = place.admins_browser()
    fields = batch_of(place, made, work(place, browser))
    return browser.post(url(place, "/batch"), fields, **options)


def finish(place, browser=None, **options):
    browser = browser or place.admins_browser()
    rotation = place.database.one(
        select(ProviderKeyRotation.id).where(ProviderKeyRotation.finished_at.is_(None))
    )
    return browser.post(url(place, "/finish"), {"rotation": str(rotation)}, **options)


def provider(place):
    return place.database.one(select(Provider).where(Provider.id == place.provider.id))


def people(place):
    return place.database.all(select(ProviderPerson).order_by(ProviderPerson.id))


def clients(place):
    return place.database.all(select(Organization).order_by(Organization.id))


def told(place, kind):
    found = place.database.all(select(Event).where(Event.type == kind))
    return [json.loads(event.payload)["details"] for event in found]


def test_rotating_puts_the_next_key_everywhere_at_once(place, made):
    jun = hire(place)
    more_clients(place, 3)
    place.database.run(update(Provider).values(recovery_wrapped_key="2.x"))
    begin(place, made, status=204)
    wrap_batch(place, made, status=204)
    # The old key is the provider's until the end.
    assert provider(place).public_key == place.provider_keys.public_key
    assert all(
        unseal(each.provider_wrapped_key, place.provider_keys.key) for each in clients(place)
    )
    finish(place, status=204)
    assert provider(place).public_key == made.public_key
    assert provider(place).protected_private_key == made.protected_private_key
    assert provider(place).recovery_wrapped_key is None
    for client in clients(place):
        assert unseal(client.provider_wrapped_key, made.key) == place.keys.key.raw
        assert client.next_wrapped_key is None
    for row, person in zip(people(place), [place.admin, jun], strict=True):
        raw = unwrap(row.wrapped_provider_key, person.keys.private_key)
        assert SymmetricKey.from_raw(raw) == made.key
        assert row.next_wrapped_key is None
    [event] = told(place, "provider:keys:rotate")
    assert (event["clients"], event["people"]) == (4, 2)
    assert event["before"] != event["after"]


def test_what_is_left_keeps_it_from_finishing_and_is_carried_on(place, made):
    more_clients(place, 2)
    begin(place, made, status=204)
    found = work(place)
    assert (found["done"], found["total"], len(found["clients"])) == (0, 3, 3)
    part = batch_of(place, made, found | {"clients": found["clients"][:1]})
    place.admins_browser().post(url(place, "/batch"), part, status=204)
    finish(place, status=409)
    assert provider(place).public_key == place.provider_keys.public_key
    # Another browser, after the tab was closed.
    page = place.admins_browser().get(url(place))
    assert "1 of 3 clients done" in page
    wrap_batch(place, made, status=204)
    finish(place, status=204)
    assert provider(place).public_key == made.public_key


def test_the_page_of_keys_says_what_is_not_finished(place, made):
    address = f"/providers/{place.provider.id}/keys"
    assert "A rotation is not finished" not in place.admins_browser().get(address)
    begin(place, made, status=204)
    page = place.admins_browser().get(address)
    assert "A rotation is not finished" in page
    assert page.text('main a[href$="/keys/rotation"]') == "Continue the rotation"


def test_a_client_that_is_created_meanwhile_is_included(place, made):
    begin(place, made, status=204)
    wrap_batch(place, made, status=204)
    more_clients(place, 1)
    finish(place, status=409)
    assert len(work(place)["clients"]) == 1
    wrap_batch(place, made, status=204)
    finish(place, status=204)
    for client in clients(place):
        assert unseal(client.provider_wrapped_key, made.key) == place.keys.key.raw


def test_keys_for_the_old_provider_key_come_too_late(database, made):
    place = make_place(database, keys=False)
    begin(place, made, status=204)
    finish(place, status=204)
    fields = {
        "organization_public_key": place.keys.public_key,
        "organization_private_key": place.keys.protected_private_key,
        "provider_wrapped_key": seal(place.keys.key.raw, place.provider_keys.key),
        "collection_name": seal("First", place.keys.key),
        "provider_public_key": place.provider_keys.public_key,
    }
    address = f"/providers/{place.provider.id}/clients/{place.organization.id}/keys"
    place.admins_browser().post(address, fields, status=409)
    assert place.client().public_key is None
    fields["provider_public_key"] = made.public_key
    place.admins_browser().post(address, fields, status=303)
    assert place.client().public_key


def test_a_second_rotation_is_not_begun_beside_the_first(place, made):
    jun = hire(place)
    begin(place, made, status=204)
    begin(place, new_tenant_keys(), place.browser_of(jun), jun, status=409)
    # Whoever came second carries on, once the first browser has wrapped the key for them.
    assert work(place, place.browser_of(jun))["next_key"] is None
    wrap_batch(place, made, status=204)
    assert work(place, place.browser_of(jun))["next_key"].startswith("4.")
    finish(place, place.browser_of(jun), status=204)


def test_a_rotation_whose_key_nobody_holds_is_begun_anew(place, made):
    begin(place, new_tenant_keys(), status=204)
    place.database.run(update(ProviderPerson).values(next_wrapped_key=None))
    assert work(place)["is_orphan"]
    begin(place, made, status=204)
    wrap_batch(place, made, status=204)
    finish(place, status=204)
    assert provider(place).public_key == made.public_key


def test_a_batch_of_an_earlier_rotation_is_dropped(place, made):
    begin(place, made, status=204)
    late = batch_of(place, made, work(place))
    wrap_batch(place, made, status=204)
    finish(place, status=204)
    place.admins_browser().post(url(place, "/batch"), late, status=409)
    assert clients(place)[0].next_wrapped_key is None


@pytest.mark.parametrize("value", ["", "clear", "4.AAAA", "2.a|b|c"])
def test_what_is_not_wrapped_is_not_kept(place, made, value):
    begin(place, made, status=204)
    found = work(place)
    for kind, rows in (("client", found["clients"]), ("person", people(place))):
        name = rows[0]["id"] if kind == "client" else rows[0].id
        fields = {"rotation": found["rotation"], f"{kind}-{name}": value}
        place.admins_browser().post(url(place, "/batch"), fields, status=422)
    assert clients(place)[0].next_wrapped_key is None


@pytest.mark.parametrize("action", ["suspend", "remove"])
def test_who_leaves_with_the_key_makes_a_rotation_due(place, made, action):
    jun = hire(place)
    row_id = people(place)[1].id
    fields = {"action": action, "person": str(row_id)}
    place.admins_browser().post(
        f"/providers/{place.provider.id}/people/changes", fields, status=303
    )
    assert provider(place).rotation_due_since
    browser = place.admins_browser()
    page = browser.get(f"/providers/{place.provider.id}/clients")
    page = browser.get(page.link("Rotate the provider key"))
    assert "What it cannot undo" in page
    assert jun.name not in page.text("main")
    begin(place, made, status=204)
    wrap_batch(place, made, status=204)
    finish(place, status=204)
    assert provider(place).rotation_due_since is None


def test_who_never_held_the_key_leaves_without_a_rotation(place):
    hire(place, holds=False)
    fields = {"action": "remove", "person": str(people(place)[1].id)}
    place.admins_browser().post(
        f"/providers/{place.provider.id}/people/changes", fields, status=303
    )
    assert provider(place).rotation_due_since is None


def test_who_leaves_on_the_way_makes_the_next_one_due(place, made):
    hire(place)
    begin(place, made, status=204)
    wrap_batch(place, made, status=204)
    fields = {"action": "remove", "person": str(people(place)[1].id)}
    place.admins_browser().post(
        f"/providers/{place.provider.id}/people/changes", fields, status=303
    )
    finish(place, status=204)
    assert provider(place).rotation_due_since


def test_rotating_asks_for_a_fresh_sign_in(place, made):
    browser = place.admins_browser()
    age(place.database, place.admin, minutes=11)
    assert "reauthenticate" in browser.get(url(place), status=303).location
    begin(place, made, browser, status=303)
    assert place.database.count(ProviderKeyRotation) == 0


def test_who_has_no_key_is_told_so(place, made):
    jun = hire(place, holds=False)
    page = place.browser_of(jun).get(url(place))
    assert "You do not hold the provider key" in page
    assert not page.select("[data-rotate-start]")
    begin(place, made, place.browser_of(jun), jun, status=422)


@pytest.mark.committed
def test_of_two_admins_who_begin_at_once_one_does(committed, made):
    place = make_place(committed)
    jun = hire(place)
    start = Barrier(2)

    def press(person):
        browser = place.browser_of(person)
        fields = {
            "public_key": made.public_key,
            "protected_private_key": made.protected_private_key,
            "wrapped_provider_key": wrap_for(person.keys.public_key, made.key.raw),
            "csrf_token": browser.csrf_token(),
        }
        start.wait()
        return browser.client.post(url(place), data=fields).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(press, [place.admin, jun])) == [204, 409]
    assert committed.count(ProviderKeyRotation) == 1
    assert len(told(place, "provider:keys:start_rotation")) == 1
