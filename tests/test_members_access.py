"""Members: keys made while confirming, who reaches what, and races."""

import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select, update

from portal.crypto.keys import new_key_pair
from portal.domain.access import Role
from portal.domain.errors import RuleError
from portal.domain.states import MemberState
from portal.models import (
    Collection,
    Member,
    Organization,
    utc_now,
)
from tests.support.browsing import Browser
from tests.support.clients import make_client
from tests.support.organizations import (
    OWNER,
    employ,
    join,
    make_place,
    posted_client_keys,
)
from tests.test_members import (
    confirm_url,
    events,
    handed_over,
    invite,
    let_owner_accept,
)


@pytest.fixture
def place(database):
    return make_place(database)


@pytest.fixture
def accepted(place):
    """The owner has accepted, with keys."""
    return let_owner_accept(place)


@pytest.fixture
def keyless(database):
    return let_owner_accept(make_place(database, keys=False))


def test_confirming_makes_the_keys_that_are_missing(keyless):
    page = keyless.admins_browser().get(confirm_url(keyless))
    ring = json.loads(page.one("meta[name=key-ring]")["content"])
    assert ring["organization"]["key"] is None
    assert ring["provider"]["key"].startswith("4.")
    data = handed_over(keyless) | posted_client_keys()
    keyless.admins_browser().post(confirm_url(keyless), data, status=303)
    assert keyless.member().state is MemberState.CONFIRMED
    assert keyless.client().public_key == keyless.keys.public_key
    assert keyless.database.one(select(Collection.sealed_name)) == data["collection_name"]
    (told,) = events(keyless, "organization:keys:create")
    assert told["by_owner"] is False


def test_a_key_of_nothing_is_not_handed_over(keyless):
    page = keyless.admins_browser().post(confirm_url(keyless), handed_over(keyless), status=422)
    assert "This organization has no keys yet." in page
    assert keyless.member().state is MemberState.ACCEPTED


def test_keys_that_somebody_else_made_first_are_kept(keyless):
    admin = keyless.admins_browser()
    data = handed_over(keyless) | posted_client_keys()
    other, _private = new_key_pair()
    keyless.database.run(
        update(Organization).values(
            public_key=other, protected_private_key="2.x", provider_wrapped_key="2.y"
        )
    )
    page = admin.post(confirm_url(keyless), data, status=409)
    assert "Another browser has made the keys in the meantime." in page
    assert keyless.client().public_key == other
    assert keyless.member().state is MemberState.ACCEPTED


def test_half_of_the_keys_is_refused(keyless):
    data = handed_over(keyless) | posted_client_keys() | {"collection_name": "in clear"}
    keyless.admins_browser().post(confirm_url(keyless), data, status=422)
    assert keyless.client().public_key is None
    assert keyless.member().state is MemberState.ACCEPTED


# Other tenants, and what each role may do.


def test_a_member_of_another_organization_is_not_found(place):
    other = make_other_client(place)
    admin = place.admins_browser()
    for page in ("confirm", "address"):
        admin.get(f"/organizations/{other.id}/members/{place.owner_row}/{page}", status=404)
    admin.post(f"/organizations/{other.id}/members/{place.owner_row}/invitation", status=404)
    assert place.member().invitation_version == 1


def make_other_client(place):
    return make_client(place.database, place.provider, "Other Ltd")


ROUTES = [
    ("GET", "members"),
    ("GET", "members/{owner}/confirm"),
    ("POST", "members/{owner}/confirm"),
    ("POST", "members/{owner}/invitation"),
    ("GET", "members/{owner}/address"),
    ("POST", "members/{owner}/address"),
    ("POST", "members/{owner}/address/fields/email"),
    ("GET", "setup"),
    ("GET", "collections"),
    ("POST", "keys"),
]
ALL, NONE = set(range(10)), set()
MAY = {
    "provider admin": ALL,
    "service user": ALL - {9},
    "owner": ALL,
    "admin": ALL - {9},
    "user": {8},
}


def somebody(place, who):
    """A browser of a person in that role."""
    if who == "provider admin":
        return place.admins_browser()
    person = place.person("sam@somewhere.example", "Sam Body", keys=True)
    if who == "service user":
        employ(place.database, place.provider, person, Role.SERVICE_USER)
    elif who == "accepted":
        join(place, person, Role.ADMIN, MemberState.ACCEPTED)
    elif who != "stranger":
        join(place, person, Role(who), MemberState.CONFIRMED)
    return place.browser_of(person)


def ask(place, browser, method, path):
    url = f"{place.url}/{path.format(owner=place.owner_row)}"
    data = {"csrf_token": browser.csrf_token()} if method == "POST" else None
    return browser.client.open(url, method=method, data=data)


@pytest.mark.parametrize("who", MAY)
def test_a_role_reaches_what_it_may_and_nothing_else(place, who):
    browser = somebody(place, who)
    answers = [ask(place, browser, *route).status_code for route in ROUTES]
    refused = {number for number, status in enumerate(answers) if status == 403}
    assert refused == ALL - MAY[who], dict(zip(ROUTES, answers, strict=True))
    assert 404 not in answers


def test_who_waits_reaches_the_waiting_page_alone(place):
    browser = somebody(place, "accepted")
    for method, path in ROUTES:
        answer = ask(place, browser, method, path)
        if method == "GET":
            assert answer.location == f"{place.url}/waiting"
        else:
            assert answer.status_code == 403


def test_a_stranger_finds_nothing(place):
    browser = somebody(place, "stranger")
    answers = {ask(place, browser, *route).status_code for route in [*ROUTES, ("GET", "waiting")]}
    assert answers == {404}


def test_a_visitor_is_sent_to_sign_in(place, browser):
    for route in [*ROUTES, ("GET", "waiting")]:
        assert ask(place, browser, *route).location.startswith("/sign-in")


def test_a_code_alone_does_not_open_an_owners_members(accepted):
    accepted.admins_browser().post(confirm_url(accepted), handed_over(accepted), status=303)
    browser = accepted.browser_of(accepted.others["owner"], method="code")
    assert browser.get(accepted.members, status=303).location.startswith("/step-up")
    assert browser.get(f"{accepted.url}/collections").heading == "Collections"


# Races.


@pytest.mark.committed
def test_of_eight_who_confirm_at_once_one_does(committed):
    place = let_owner_accept(make_place(committed))
    data, start = handed_over(place), Barrier(8)
    browsers = [place.admins_browser() for _turn in range(8)]

    def press(browser):
        token = {"csrf_token": browser.csrf_token()}
        start.wait()
        return browser.client.post(confirm_url(place), data=data | token).status_code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(press, browsers))
    assert answers.count(303) == 1, answers
    assert answers.count(422) == 7, answers
    assert len(events(place, "organization:member:confirm")) == 1


@pytest.mark.committed
def test_seats_are_not_given_away_twice(committed):
    place = make_place(committed)
    committed.run(update(Organization).values(seats=3))
    start = Barrier(8)

    def come(number):
        start.wait()
        try:
            invite(place, f"p{number}@acme.example")
        except RuleError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(come, range(8))) == 2
    assert place.client().seats_used == 3
    assert len(committed.all(select(Member.id))) == 3


def test_ages_are_told_from_the_newest_step(accepted):
    then = utc_now() - dt.timedelta(days=3)
    accepted.database.run(update(Member).values(accepted_at=then))
    assert "3 days ago" in accepted.admins_browser().get(accepted.members)


def test_a_name_is_shown_as_text(place):
    olga = place.person(OWNER, "<b>Olga</b>", keys=True)
    place.browser_of(olga).post(f"{place.link()}/accept", status=303)
    page = Browser.get(place.admins_browser(), place.members)
    assert "<b>Olga</b>" in page
