"""The key of an organization's API: who makes it, that it is shown once, replaced, revoked."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select, update

from portal.accounts.sessions import hash_token
from portal.domain.access import Role
from portal.domain.api_keys import PATTERN
from portal.domain.states import MemberState
from portal.models import ApiKey, Event, EventPerson, Organization
from tests.support.accounts import age, make_person
from tests.support.console import owner_of, streams, url
from tests.support.organizations import join, make_place
from tests.support.staff import hire, told

KEY = "/api-key"


@pytest.fixture
def place(database):
    return make_place(database)


@pytest.fixture
def owner(place):
    return place.browser_of(owner_of(place))


def shown(page):
    found = PATTERN.search(page.text("#api-key"))
    assert found
    return found[0]


def stored(place):
    return place.database.one(select(ApiKey))


def reads(place, key):
    headers = {"Authorization": f"Bearer {key}"}
    answer = place.database.app.test_client().get(f"/api{place.url}/members", headers=headers)
    return answer.status_code == 200


def make(place, owner):
    return shown(owner.submit(owner.get(url(place, KEY)), "Make a key", status=200))


def test_a_key_is_made_and_shown_once(place, owner):
    start = owner.get(url(place))
    page = owner.get(start.link("Key of the API"))
    page = owner.submit(page, "Make a key", status=200)
    key = shown(page)
    assert page.response.headers["Cache-Control"] == "no-store"
    assert reads(place, key)
    row = stored(place)
    assert row.key_hash == hash_token(key)
    assert key not in str(vars(row))
    later = owner.get(url(place, KEY))
    assert later.select("#api-key") == []
    assert key not in str(later)
    assert key[:18] in later, "how it begins stays in sight"
    assert "Key in use" in owner.get(url(place))
    kind = "organization:api_key:create"
    assert told(place, kind)[0] == {"key_id": row.id.hex}
    assert set(streams(place, kind)) == {place.organization.id, place.provider.id}


def test_no_log_and_no_row_holds_the_key(place, owner):
    key = make(place, owner)
    secret = key.rpartition("_")[2]
    for column in (Event.payload, EventPerson.about):
        assert not any(secret in str(text) for text in place.database.all(select(column)))


def test_replacing_kills_the_one_before_at_once(place, owner):
    first = make(place, owner)
    page = owner.get(owner.get(url(place, KEY)).link("Replace the key"))
    assert "stops working at once" in page
    second = shown(owner.submit(page, "Replace the key", status=200))
    assert not reads(place, first)
    assert reads(place, second)
    (event, *_rest) = told(place, "organization:api_key:rotate")
    assert event["before"] in first
    assert event["after"] in second


def test_a_page_sent_again_replaces_nothing(place, owner):
    make(place, owner)
    page = owner.get(url(place, KEY + "/rotate"))
    key = shown(owner.submit(page, "Replace the key", status=200))
    again = owner.submit(page, "Replace the key", status=409)
    assert "A key is shown only once: if nobody has noted down the one in use" in again
    assert reads(place, key)


def test_making_a_second_key_is_refused(place, owner):
    page = owner.get(url(place, KEY))
    key = shown(owner.submit(page, "Make a key", status=200))
    owner.submit(page, "Make a key", status=409)
    assert reads(place, key)


def test_revoking_ends_it(place, owner):
    key = make(place, owner)
    page = owner.get(owner.get(url(place, KEY)).link("Revoke the key"))
    assert "No program has used it so far." in page
    answer = owner.submit(page, "Revoke the key")
    page_after = owner.follow(answer)
    assert "The key of the API is revoked." in page_after
    assert "There is no key now" in page_after
    assert not reads(place, key)
    assert place.database.count(ApiKey) == 0
    answer = owner.submit(page, "Revoke the key")
    assert "revoked" not in owner.follow(answer).text("#notices")
    assert len(told(place, "organization:api_key:revoke")) == 2, "once, in two logs"


@pytest.mark.parametrize("typed", ["", "nonsense", "00000000-0000-0000-0000-000000000005"])
def test_a_key_that_is_not_there_is_not_replaced(place, owner, typed):
    key = make(place, owner)
    owner.post(url(place, KEY + "/rotate"), {"key": typed}, status=409)
    owner.post(url(place, KEY + "/revoke"), {"key": typed}, status=303)
    assert reads(place, key)


def test_without_a_key_there_is_nothing_to_decide(place, owner):
    for path in ("/rotate", "/revoke"):
        assert owner.get(url(place, KEY + path), status=303).location.endswith(KEY)


def test_each_step_asks_who_is_there(place):
    person = owner_of(place)
    browser = place.browser_of(person)
    make(place, browser)
    age(place.database, person, minutes=11)
    key = {"key": str(stored(place).id)}
    for path in ("/rotate", "/revoke"):
        assert "/reauthenticate" in browser.get(url(place, KEY + path), status=303).location
        assert "/reauthenticate" in browser.post(url(place, KEY + path), key, status=303).location
    assert "/reauthenticate" in browser.post(url(place, KEY), status=303).location
    assert place.database.count(ApiKey) == 1
    browser.get(url(place, KEY))


def test_the_provider_sees_and_revokes_but_never_makes(place, owner):
    admin = place.admins_browser()
    page = admin.get(url(place, KEY))
    assert "Only an owner of the organization makes one." in page
    assert page.select("main form") == []
    admin.post(url(place, KEY), status=403)
    key = make(place, owner)
    page = admin.get(url(place, KEY))
    admin.get(url(place, KEY + "/rotate"), status=403)
    admin.post(url(place, KEY + "/rotate"), {"key": str(stored(place).id)}, status=403)
    assert reads(place, key)
    admin.submit(admin.get(page.link("Revoke the key")), "Revoke the key")
    assert not reads(place, key)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.USER, Role.CUSTOM])
def test_nobody_else_of_the_client_reaches_it(place, owner, role):
    key = make(place, owner)
    person = place.person("somebody@acme.example", "Some Body", keys=True)
    join(place, person, role, MemberState.CONFIRMED)
    browser = place.browser_of(person)
    seen = {"key": str(stored(place).id)}
    for path in ("", "/rotate", "/revoke"):
        browser.get(url(place, KEY + path), status=403)
        browser.post(url(place, KEY + path), seen, status=403)
    assert reads(place, key)


def test_a_service_user_reaches_nothing_of_it(place):
    person, _row = hire(place)
    place.browser_of(person).get(url(place, KEY), status=403)


def test_the_key_dies_with_the_organization_and_stays_when_it_is_unlinked(place, owner):
    key = make(place, owner)
    place.database.run(
        update(Organization).values(
            provider_id=None, provider_since=None, provider_wrapped_key=None
        )
    )
    assert reads(place, key)
    place.database.run(Organization.__table__.delete())
    assert place.database.count(ApiKey) == 0
    assert not reads(place, key)


@pytest.mark.parametrize("path", ["", "/rotate"])
def test_two_at_once_make_one_key(committed, path):
    place = make_place(committed)
    browsers = [place.browser_of(owner_of(place, f"O {n}", f"o{n}@acme.example")) for n in (1, 2)]
    fields = {}
    if path:
        make(place, browsers[0])
        fields = {"key": str(stored(place).id)}
    gate = Barrier(2)

    def press(browser):
        data = fields | {"csrf_token": browser.csrf_token()}
        gate.wait()
        return browser.client.post(url(place, KEY + path), data=data)

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(press, browsers))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    keys = {found for answer in answers for found in PATTERN.findall(answer.text)}
    assert len(keys) == 1
    kind = "rotate" if path else "create"
    assert len(told(place, f"organization:api_key:{kind}")) == 2, "one, in two logs"


def test_the_pages_read_in_french(place, owner):
    make(place, owner)
    person = make_person(
        place.database, "fr@acme.example", "Françoise Petit", keys=True, locale="fr"
    )
    join(place, person, Role.OWNER, MemberState.CONFIRMED)
    browser = place.browser_of(person)
    assert browser.get(url(place, KEY)).heading.startswith("Clé de l")
    assert "Remplacer la clé" in browser.get(url(place, KEY + "/rotate"))
    assert "Révoquer la clé" in browser.get(url(place, KEY + "/revoke"))
