"""A client's set-up page, its waiting room, its banner and its keys."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select, update

from portal.crypto.envelope import seal
from portal.domain.access import Role
from portal.domain.plans import Plan
from portal.domain.states import ClientStatus, MemberState
from portal.models import Collection, Event, Organization, ProviderEntry
from portal.organizations.service import recount_setup
from tests.support.browsing import Browser
from tests.support.organizations import (
    OWNER,
    employ,
    join,
    make_place,
    posted_client_keys,
)


@pytest.fixture
def place(database):
    return make_place(database)


def states(page):
    return page.texts(".step-list .step-state")


# Set-up.


def test_on_teams_two_steps_need_the_other_plan(place):
    page = place.admins_browser().get(f"{place.url}/setup")
    assert page.heading == "Set-up"
    todo = "To do"
    assert states(page) == ["Done", todo, "Enterprise only", "Enterprise only", todo, todo]
    assert "1/4" in page


def test_on_enterprise_all_six_count(place):
    place.database.run(update(Organization).values(plan=Plan.ENTERPRISE))
    page = place.admins_browser().get(f"{place.url}/setup")
    assert states(page) == ["Done"] + ["To do"] * 5
    assert "1/6" in page


def test_a_step_whose_pages_are_not_built_has_no_link(place):
    page = place.admins_browser().get(f"{place.url}/setup")
    links = [link["href"] for link in page.select(".step-list h2 a")]
    assert links == [f"{place.url}/{name}" for name in ("collections", "groups", "members")]


def test_the_page_tells_who_did_what(place):
    olga = place.person(OWNER, "Olga Petrova", keys=True)
    place.admins_browser().post(f"{place.members}/{place.owner_row}/invitation", status=303)
    place.browser_of(olga).post(f"{place.link()}/accept", status=303)
    told = place.admins_browser().get(f"{place.url}/setup").texts(".facts dd")
    assert told == [
        "Olga Petrova accepted the invitation.",
        f"Ada Nordström sent the invitation to {OWNER} again.",
        f"Ada Nordström invited {OWNER}.",
    ]


def test_the_invitation_can_be_sent_again_from_here(place):
    admin = place.admins_browser()
    admin.submit(admin.get(f"{place.url}/setup"), "Re-send invitation")
    assert place.member().invitation_version == 2


def test_confirming_more_than_the_owner_settles_the_last_step(place):
    for number, role in enumerate([Role.OWNER, Role.USER]):
        person = place.person(f"p{number}@acme.example", f"Person {number}", keys=True)
        join(place, person, role, MemberState.CONFIRMED)
        with place.database.session() as session:
            counted = recount_setup(session, place.organization.id)
        client = place.client()
        assert (client.setup_done, client.setup_total) == (counted.done, 4) == (number + 1, 4)


def test_an_unknown_organization_is_not_counted(database):
    place = make_place(database)
    with database.session() as session, pytest.raises(LookupError):
        recount_setup(session, place.provider.id)


# Waiting.


@pytest.fixture
def waiting(place):
    olga = place.person(OWNER, "Olga Petrova", keys=True)
    browser = place.browser_of(olga)
    browser.post(f"{place.link()}/accept", status=303)
    return browser


def test_a_waiting_member_reads_who_must_act_and_has_no_other_page(place, waiting):
    page = waiting.get(f"{place.url}/waiting")
    assert "Ada Nordström" in page
    assert not page.select("nav.main a[href*='/members']")
    assert page.link("Check again") == f"{place.url}/waiting"


def test_the_waiting_page_asks_again_by_itself(place, waiting):
    section = waiting.get(f"{place.url}/waiting").one("#organizations-waiting")
    assert (section["hx-get"], section["hx-trigger"]) == (f"{place.url}/waiting", "every 10s")
    piece = waiting.get(f"{place.url}/waiting", hx="organizations-waiting")
    assert piece.select("#organizations-waiting")


def test_whoever_is_confirmed_is_led_in(place):
    person = place.person("sam@acme.example", "Sam Body", keys=True)
    join(place, person, Role.USER, MemberState.CONFIRMED)
    browser = place.browser_of(person)
    there = f"{place.url}/collections"
    assert browser.get(f"{place.url}/waiting", status=303).location == there
    assert browser.get(f"{place.url}/waiting", hx="organizations-waiting").location == there


# The provider's people inside.


def test_a_providers_person_reads_the_banner_and_leaves_one_trace_a_day(place):
    admin = place.admins_browser()
    for _turn in range(2):
        page = admin.get(f"{place.url}/collections")
        assert page.text("aside.banner p") == "You are accessing Acme Ltd as Northwind IT"
        assert page.link("Leave") == f"/providers/{place.provider.id}/clients"
    assert place.database.count(ProviderEntry) == 1
    opened = select(Event.stream_id).where(Event.type == "organization:organization:open")
    assert set(place.database.all(opened)) == {place.organization.id, place.provider.id}


def test_who_is_asked_for_a_second_factor_first_leaves_no_trace(place):
    browser = place.browser_of(place.admin, method="code")
    page = browser.get(f"{place.url}/collections", status=303)
    assert page.location.startswith("/step-up")
    opened = select(Event.stream_id).where(Event.type == "organization:organization:open")
    assert place.database.all(opened) == []


def test_a_member_reads_no_banner_and_leaves_no_trace(place):
    person = place.person("sam@acme.example", "Sam Body", keys=True)
    join(place, person, Role.USER, MemberState.CONFIRMED)
    page = place.browser_of(person).get(f"{place.url}/collections")
    assert page.select("aside.banner") == []
    assert place.database.count(ProviderEntry) == 0


def test_a_suspended_client_is_closed_to_members_and_open_to_the_provider(place):
    person = place.person("sam@acme.example", "Sam Body", keys=True)
    join(place, person, Role.OWNER, MemberState.CONFIRMED)
    place.database.run(update(Organization).values(status=ClientStatus.SUSPENDED))
    browser = place.browser_of(person)
    page = browser.follow(browser.get(f"{place.url}/collections", status=303))
    assert page.heading == "Acme Ltd is suspended"
    assert "Northwind IT looks after this organization." in page
    assert "Ada Nordström" in page
    place.admins_browser().get(f"{place.url}/collections")


def test_a_provider_admin_who_is_invited_as_a_member_too_keeps_their_rights(place):
    join(place, place.admin, Role.USER, MemberState.ACCEPTED)
    assert place.admins_browser().get(place.members).heading == "Members"


# Keys.


@pytest.fixture
def bare(database):
    return make_place(database, keys=False)


def test_keys_are_stored_once(bare):
    admin, made = bare.admins_browser(), posted_client_keys()
    headers = {"Accept": "application/json"}
    admin.post(f"{bare.url}/keys", made, headers=headers, status=204)
    client = bare.client()
    assert client.public_key == bare.keys.public_key
    assert client.provider_wrapped_key == made["provider_wrapped_key"]
    assert bare.database.one(select(Collection.sealed_name)) == made["collection_name"]
    second = posted_client_keys("Another name")
    admin.post(f"{bare.url}/keys", second, headers=headers, status=409)
    assert bare.database.one(select(Collection.sealed_name)) == made["collection_name"]


WRONG = [
    ("organization_public_key", "x" * 392),
    ("organization_private_key", "in clear"),
    ("provider_wrapped_key", ""),
    ("provider_wrapped_key", "4.short"),
    ("collection_name", "In clear"),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_what_is_not_wrapped_is_refused_and_stored_nowhere(bare, name, value):
    data = posted_client_keys() | {name: value}
    bare.admins_browser().post(f"{bare.url}/keys", data, status=409)
    assert bare.client().public_key is None
    assert bare.database.one(select(Collection.sealed_name)) is None


@pytest.mark.committed
def test_of_eight_browsers_that_make_keys_one_is_first(committed):
    bare = make_place(committed, keys=False)
    start = Barrier(8)
    browsers = [bare.admins_browser() for _turn in range(8)]

    def send(browser: Browser):
        data = posted_client_keys() | {"csrf_token": browser.csrf_token()}
        start.wait()
        headers = {"Accept": "application/json"}
        return browser.client.post(f"{bare.url}/keys", data=data, headers=headers).status_code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, browsers))
    assert answers.count(204) == 1, answers
    assert answers.count(409) == 7, answers
    made = committed.all(select(Event).where(Event.type == "organization:keys:create"))
    assert len({event.id for event in made}) == 1


# Collections.


def test_the_first_collection_has_translated_words_until_there_are_keys(bare):
    browser = bare.admins_browser()
    page = browser.get(f"{bare.url}/collections")
    assert page.text("#collections-table [data-row] th") == "Default collection"
    assert "This organization has no keys yet." in page


def test_a_collections_name_is_ciphertext_and_the_word_locked(place):
    sealed = place.database.one(select(Collection.sealed_name))
    page = place.admins_browser().get(f"{place.url}/collections")
    element = page.one("sealed-text")
    assert element["sealed"] == sealed
    assert element.get_text() == "Locked"
    assert "Unlock your vault" in page


def test_the_steps_stand_above_until_they_are_done(place):
    admin = place.admins_browser()
    assert len(admin.get(f"{place.url}/collections").select("nav.steps li")) == 6


def ring_of(place, browser):
    page = browser.get(f"{place.url}/collections")
    return json.loads(page.one("meta[name=key-ring]")["content"])


def test_a_member_gets_the_key_that_is_wrapped_for_them_alone(place):
    person = place.person("sam@acme.example", "Sam Body", keys=True)
    join(place, person, Role.USER, MemberState.CONFIRMED)
    ring = ring_of(place, place.browser_of(person))
    assert ring["provider"] is None
    assert ring["organization"]["wrapped_by"] == "account"
    assert ring["organization"]["key"].startswith("4.")


def test_a_providers_person_gets_the_providers_copy(place):
    ring = ring_of(place, place.admins_browser())
    assert ring["provider"]["key"].startswith("4.")
    assert ring["organization"]["wrapped_by"] == "provider"
    wrapped = place.provider_keys.public_key
    assert ring["provider"]["public_key"] == wrapped


def test_who_holds_no_provider_key_gets_nothing_that_opens(place):
    person = place.person("tom@northwind.example", "Tom Tech", keys=True)
    employ(place.database, place.provider, person, Role.SERVICE_USER)
    ring = ring_of(place, place.browser_of(person))
    assert ring["provider"]["key"] is None


def test_a_key_made_by_the_owner_is_opened_with_the_providers_pair(place):
    key = seal(place.keys.key.raw, place.provider_keys.key).replace("2.", "4.", 1)
    place.database.run(update(Organization).values(provider_wrapped_key=key))
    ring = ring_of(place, place.admins_browser())
    assert ring["organization"]["wrapped_by"] == "provider-public"
    assert ring["provider"]["private_key"].startswith("2.")
