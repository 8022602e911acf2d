"""Rotating the key of one organization: everything at once, or nothing."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select, update

from portal.crypto.envelope import SymmetricKey, seal, unseal
from portal.crypto.keys import new_key_pair, new_tenant_keys, unwrap, wrap_for
from portal.domain.access import Role
from portal.domain.states import MemberState
from portal.models import (
    Account,
    Collection,
    Member,
    Organization,
    Provider,
    ProviderKeyRotation,
    ProviderPerson,
    utc_now,
)
from tests.support.accounts import age
from tests.support.organizations import FIRST_COLLECTION, join, make_place
from tests.support.scope_keys import access, hire_scoped, key_for, reaches
from tests.support.staff import change, hire, told

CONFIRMED = MemberState.CONFIRMED
EVENT = "organization:keys:rotate"


@pytest.fixture
def place(database):
    return make_place(database)


@pytest.fixture
def olga(place):
    """The owner, with the organization key."""
    person = place.person("owner@acme.example", "Olga Petrova", keys=True)
    join(place, person, Role.OWNER, CONFIRMED)
    return person


def url(place, tail=""):
    return f"{place.url}/keys/rotation{tail}"


def work(place, browser=None):
    return (browser or place.admins_browser()).get(url(place, "/work")).response.get_json()


def made_of(place, found, following, *, as_provider=True):
    """What the browser posts: all that the old key wrapped, under the next one."""
    raw, old = following.raw, place.keys.key
    fields = {
        "version": found["version"],
        "organization_private_key": seal(unseal(found["private_key"], old), following),
        "provider_wrapped_key": "",
    }
    if found["provider_public_key"]:
        fields["provider_wrapped_key"] = (
            seal(raw, place.provider_keys.key)
            if as_provider
            else wrap_for(found["provider_public_key"], raw)
        )
    for row in found["collections"]:
        fields[f"collection-{row['id']}"] = seal(unseal(row["name"], old), following)
    for kind, rows in (("member", found["members"]), ("person", found["people"])):
        fields |= {f"{kind}-{row['id']}": wrap_for(row["public_key"], raw) for row in rows}
    return fields


def rotate(place, browser=None, following=None, *, as_provider=True, change=(), **options):
    browser = browser or place.admins_browser()
    following = following or SymmetricKey.new()
    fields = made_of(place, work(place, browser), following, as_provider=as_provider)
    page = browser.post(url(place), fields | dict(change), **options)
    return following, page


def unchanged(place):
    return (
        unseal(place.client().provider_wrapped_key, place.provider_keys.key) == place.keys.key.raw
        and unseal(place.database.one(select(Collection.sealed_name)), place.keys.key)
        == FIRST_COLLECTION.encode()
        and told(place, EVENT) == []
    )


def test_everything_hangs_on_the_next_key_and_nothing_on_the_old_one(place, olga):
    sam = place.person("sam@acme.example", "Sam Body", keys=True)
    join(place, sam, Role.USER, CONFIRMED)
    kim, person_id = hire_scoped(place)
    reaches(place, person_id, place.organization, wrapped_key=key_for(kim, place.keys))
    place.database.run(update(Organization).values(key_rotation_due_since=utc_now()))
    before = place.client()
    following, page = rotate(place)
    assert page.response.get_json()["next"].startswith(f"{place.url}/collections?saved=")
    client = place.client()
    assert unseal(client.provider_wrapped_key, place.provider_keys.key) == following.raw
    # The pair stays: what was wrapped for its public key still opens.
    assert client.public_key == before.public_key
    assert unseal(client.protected_private_key, following) == unseal(
        before.protected_private_key, place.keys.key
    )
    assert client.key_rotation_due_since is None
    sealed = place.database.one(select(Collection.sealed_name))
    assert unseal(sealed, following) == FIRST_COLLECTION.encode()
    for person in (olga, sam):
        mine = select(Member.wrapped_organization_key).where(Member.email == person.email)
        assert unwrap(place.database.one(mine), person.keys.private_key) == following.raw
    assert unwrap(access(place)[0].wrapped_key, kim.keys.private_key) == following.raw
    first, second = told(place, EVENT)
    assert first == second
    assert (first["members"], first["people"], first["collections"]) == (2, 1, 1)
    assert first["by_owner"] is False


def test_an_owner_rotates_and_wraps_for_the_providers_public_key(place, olga):
    browser = place.browser_of(olga)
    assert "Who gets the new key" in browser.get(url(place))
    following, _page = rotate(place, browser, as_provider=False)
    client = place.client()
    private = unseal(place.provider_keys.protected_private_key, place.provider_keys.key)
    assert unwrap(client.provider_wrapped_key, private) == following.raw
    assert told(place, EVENT)[0]["by_owner"] is True
    assert {event["by_owner"] for event in told(place, EVENT)} == {True}


def test_an_owner_cannot_seal_with_a_key_that_they_do_not_hold(place, olga):
    rotate(place, place.browser_of(olga), as_provider=True, status=422)
    assert unchanged(place)


def test_an_organization_of_its_own_needs_no_provider(place, olga):
    place.database.run(update(Organization).values(provider_id=None, provider_wrapped_key=None))
    browser = place.browser_of(olga)
    rotate(place, browser, change={"provider_wrapped_key": "4.x"}.items(), status=422)
    following, _page = rotate(place, browser)
    assert place.client().provider_wrapped_key is None
    assert unseal(place.client().protected_private_key, following)


@pytest.mark.parametrize("who", [Role.ADMIN, Role.USER])
def test_other_members_may_not(place, who):
    sam = place.person("sam@acme.example", "Sam Body", keys=True)
    join(place, sam, who, CONFIRMED)
    place.browser_of(sam).get(url(place), status=403)


# Whatever changes on the way.


def confirm_another(place):
    person = place.person("late@acme.example", "Late Comer", keys=True)
    join(place, person, Role.USER, CONFIRMED)


def add_collection(place):
    sealed = seal("Another", place.keys.key)
    place.database.add(Collection(organization_id=place.organization.id, sealed_name=sealed))


def hand_over(place):
    kim, person_id = hire_scoped(place)
    reaches(place, person_id, place.organization, wrapped_key=key_for(kim, place.keys))


def rotate_provider_key(place):
    place.database.run(update(Provider).values(public_key=new_tenant_keys().public_key))


def rotate_first(place):
    place.database.run(
        update(Organization).values(protected_private_key=new_tenant_keys().protected_private_key)
    )


@pytest.mark.parametrize(
    "happens",
    [confirm_another, add_collection, hand_over, rotate_provider_key, rotate_first],
)
def test_what_changed_in_the_meantime_stops_it_and_nothing_is_stored(place, olga, happens):
    browser = place.admins_browser()
    found = work(place, browser)
    happens(place)
    before = place.client().protected_private_key
    browser.post(url(place), made_of(place, found, SymmetricKey.new()), status=409)
    assert place.client().protected_private_key == before
    assert told(place, EVENT) == []
    assert work(place, browser)["version"] != found["version"]
    assert olga.keys


def test_a_member_whose_key_changed_since_they_were_confirmed_blocks(place, olga):
    other, _private = new_key_pair()
    place.database.run(update(Account).where(Account.email == olga.email).values(public_key=other))
    browser = place.admins_browser()
    page = browser.get(url(place))
    assert "The key of Olga Petrova is not the one" in page
    assert not page.select("[data-rotate-start]")
    rotate(place, browser, status=422)
    assert unchanged(place)


def test_nobody_is_left_out_and_nobody_is_added(place, olga):
    browser = place.admins_browser()
    found = work(place, browser)
    fields = made_of(place, found, SymmetricKey.new())
    for name in [name for name in fields if name.startswith(("member-", "collection-"))]:
        less = {key: value for key, value in fields.items() if key != name}
        browser.post(url(place), less, status=422)
    stranger = {f"person-{place.owner_row}": key_for(olga, place.keys)}
    browser.post(url(place), fields | stranger, status=422)
    assert unchanged(place)


@pytest.mark.parametrize(
    "field", ["organization_private_key", "provider_wrapped_key", "member-", "collection-"]
)
@pytest.mark.parametrize("value", ["", "clear", "2.a|b|c", "4.AAAA"])
def test_what_is_not_wrapped_is_not_kept(place, olga, field, value):
    browser = place.admins_browser()
    fields = made_of(place, work(place, browser), SymmetricKey.new())
    [name] = [name for name in fields if name.startswith(field)]
    browser.post(url(place), fields | {name: value}, status=422)
    assert unchanged(place)
    assert olga.keys


def test_rotating_asks_for_a_fresh_sign_in(place, olga):
    browser = place.admins_browser()
    fields = made_of(place, work(place, browser), SymmetricKey.new())
    age(place.database, place.admin, minutes=11)
    assert "reauthenticate" in browser.get(url(place), status=303).location
    browser.post(url(place), fields, status=303)
    assert unchanged(place)
    assert olga.keys


def test_somebody_who_is_no_owner_any_more_stores_nothing(place, olga):
    browser = place.browser_of(olga)
    fields = made_of(place, work(place, browser), SymmetricKey.new(), as_provider=False)
    place.database.run(update(Member).where(Member.email == olga.email).values(role=Role.ADMIN))
    browser.post(url(place), fields, status=403)
    assert unchanged(place)


def test_during_a_rotation_of_the_provider_key_it_is_wrapped_once_more(place, olga):
    following = new_tenant_keys()
    place.database.add(
        ProviderKeyRotation(
            provider_id=place.provider.id,
            public_key=following.public_key,
            protected_private_key=following.protected_private_key,
        )
    )
    address = f"/providers/{place.provider.id}/keys/rotation"
    browser = place.admins_browser()
    late = browser.get(f"{address}/work").response.get_json()
    [client] = late["clients"]
    batch = {
        "rotation": late["rotation"],
        f"client-{client['id']}": seal(place.keys.key.raw, following.key),
        f"version-{client['id']}": client["version"],
    }
    browser.post(f"{address}/batch", batch, status=204)
    assert place.client().next_wrapped_key
    rotate(place, browser)
    assert place.client().next_wrapped_key is None
    # What another tab had opened before wraps the old key: it is left out.
    browser.post(f"{address}/batch", batch, status=204)
    assert place.client().next_wrapped_key is None
    assert len(browser.get(f"{address}/work").response.get_json()["clients"]) == 1
    assert olga.keys


def test_a_member_is_not_confirmed_with_the_old_key(place, olga):
    sam = place.person("sam@acme.example", "Sam Body", keys=True)
    member = join(place, sam, Role.USER, MemberState.ACCEPTED)
    browser = place.admins_browser()
    confirm = f"{place.members}/{member}/confirm"
    version = browser.get(confirm).one("input[name=key_version]")["value"]
    rotate(place)
    fields = {
        "public_key": sam.keys.public_key,
        "wrapped_key": key_for(sam, place.keys),
        "key_version": version,
    }
    page = browser.post(confirm, fields, status=422)
    assert "was rotated in the meantime" in page
    # The page has the version of the next key by now.
    again = page.one("input[name=key_version]")["value"]
    assert again not in ("", version)
    browser.post(confirm, fields | {"key_version": again}, status=303)
    assert olga.keys


# Who can.


def test_the_provider_key_goes_first_where_it_is_due_too(place, olga):
    _jun, person_id = hire(place)
    change(place, "remove", person_id, status=303)
    page = place.admins_browser().get(url(place))
    assert page.link("Rotate the provider key").endswith("/keys/rotation")
    assert "Rotate the provider key" not in place.browser_of(olga).get(url(place))


def test_who_holds_no_key_is_told_who_can(place, olga):
    place.database.run(update(ProviderPerson).values(wrapped_provider_key=None))
    page = place.admins_browser().get(url(place))
    assert "You do not hold the key of this client yet" in page
    assert not page.select("[data-rotate-start]")
    assert olga.keys


def test_an_organization_without_keys_has_nothing_to_rotate(database):
    place = make_place(database, keys=False)
    page = place.admins_browser().get(url(place))
    assert "There is nothing to rotate" in page
    assert work(place) == {"version": None}
    place.admins_browser().post(url(place), {"version": ""}, status=422)


def test_a_thousand_members_fit_into_one_request(place, olga):
    browser = place.admins_browser()
    fields = made_of(place, work(place, browser), SymmetricKey.new())
    # Too many keys, for nobody: refused for what they are, not for their size.
    extra = {f"member-{number:032x}": key_for(olga, place.keys) for number in range(1, 1600)}
    browser.post(url(place), fields | extra, status=422)
    assert unchanged(place)


@pytest.mark.committed
def test_of_two_browsers_that_rotate_at_once_one_does(committed):
    place = make_place(committed)
    start = Barrier(2)

    def press(person):
        browser = place.browser_of(person)
        fields = made_of(place, work(place, browser), SymmetricKey.new(), as_provider=True)
        fields["csrf_token"] = browser.csrf_token()
        start.wait()
        return browser.client.post(url(place), data=fields).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(press, [place.admin, place.admin])) == [200, 409]
    assert len(told(place, EVENT)) == 2
    client = place.client()
    raw = unseal(client.provider_wrapped_key, place.provider_keys.key)
    assert unseal(client.protected_private_key, SymmetricKey.from_raw(raw))
