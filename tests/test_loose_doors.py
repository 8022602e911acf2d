"""Doors that are closed for now: a suspended client, a provider that has not confirmed one yet."""

import json

import pytest
from sqlalchemy import select, update

from portal.crypto.fingerprint import fingerprint_phrase
from portal.domain.access import Trace
from portal.domain.invitations import Spent
from portal.domain.states import ClientStatus, MemberState
from portal.members import acceptance
from portal.models import Account, Collection, Event, Organization, Provider, new_id
from tests.support.accounts import keys_for, posted_keys
from tests.support.organizations import OWNER, make_place, posted_client_keys
from tests.support.staff import accept, confirm
from tests.test_clients_lifecycle import ask_deletion, press, url_of
from tests.test_invitations import join_by_script, owners_fields


@pytest.fixture
def place(database):
    return make_place(database)


@pytest.fixture
def bare(database):
    """A client that was made without keys."""
    return make_place(database, keys=False)


# Coming into a client that is closed


def test_into_a_suspended_client_nobody_comes_until_it_is_resumed(place, browser):
    admin = place.admins_browser()
    press(admin, place, "suspend", "Suspend Acme Ltd")
    page = browser.get(place.link(), status=409)
    assert page.heading == "Nobody can join at the moment"
    assert "Ask Northwind IT when it is open again" in page
    assert page.link("Check again") == place.link()
    join_by_script(browser, place, posted_keys(keys_for(OWNER)))
    assert place.member().state is MemberState.INVITED
    assert place.database.all(select(Account.email).where(Account.email == OWNER)) == []
    olga = place.browser_of(place.person(OWNER, "Olga Petrova", keys=True))
    olga.post(f"{place.link()}/accept", status=303)
    assert place.member().state is MemberState.INVITED
    press(admin, place, "resume", "Resume Acme Ltd")
    olga.submit(olga.get(place.link()), "Accept invitation")
    assert place.member().state is MemberState.ACCEPTED


def test_into_a_client_that_is_deleted_soon_nobody_comes_until_it_is_kept(place, browser):
    admin = place.admins_browser()
    ask_deletion(admin, place)
    assert "about to be deleted" in browser.get(place.link(), status=409)
    admin.submit(admin.get(url_of(place, "keep")), "Keep this client Acme Ltd")
    assert browser.get(place.link()).heading == "Join Acme Ltd"


def test_a_link_that_is_worth_nothing_says_so_also_while_the_client_is_closed(place, browser):
    press(place.admins_browser(), place, "suspend", "Suspend Acme Ltd")
    old = place.link(version=9)
    assert browser.get(old, status=410).heading == "A newer invitation was sent"


def test_who_accepts_while_it_is_being_suspended_has_accepted_nothing(place):
    person = place.person(OWNER, "Olga Petrova")
    with place.database.session() as session:
        link = acceptance.Link(place.organization.id, place.owner_row, 1)
        found = acceptance.find(session, link)
        session.execute(update(Organization).values(status=ClientStatus.SUSPENDED))
        with pytest.raises(Spent):
            acceptance.accept(
                session,
                found,
                lambda: session.get_one(Account, person.account_id),
                trace=Trace(request_id=str(new_id())),
            )
    assert place.member().state is MemberState.INVITED


# An owner who has an account makes the keys


def test_an_owner_with_an_account_makes_the_keys_and_is_confirmed(bare):
    olga = bare.browser_of(bare.person(OWNER, "Olga Petrova", keys=True))
    page = olga.get(bare.link())
    form = page.form("Accept invitation")
    assert form.has_attr("data-accept-invitation")
    assert form["data-collection-name"] == "Default collection"
    ring = json.loads(page.one("meta[name=key-ring]")["content"])
    assert ring["provider"]["public_key"] == bare.provider_keys.public_key
    answer = olga.post(f"{bare.link()}/accept", owners_fields(bare), status=303)
    assert bare.member().state is MemberState.CONFIRMED
    assert bare.client().owner_confirmed
    assert bare.database.one(select(Collection.sealed_name))
    assert olga.follow(answer).heading == "Collections"
    told = bare.database.all(select(Event.payload).where(Event.type == "organization:keys:create"))
    phrase = fingerprint_phrase(str(bare.provider.id), bare.provider_keys.public_key)
    assert {json.loads(each)["details"]["wrapped_to"] for each in told} == {phrase}


def test_with_a_locked_vault_an_owner_accepts_and_waits(bare):
    olga = bare.browser_of(bare.person(OWNER, "Olga Petrova", keys=True))
    page = olga.get(bare.link())
    assert "/unlock?next=" in page.one("[data-needs-unlock] a")["href"]
    olga.submit(page, "Accept invitation")
    assert bare.member().state is MemberState.ACCEPTED
    assert bare.client().public_key is None


def test_half_of_the_keys_make_nothing_and_accept_nothing(bare):
    olga = bare.browser_of(bare.person(OWNER, "Olga Petrova", keys=True))
    half = owners_fields(bare) | {"member_wrapped_key": "4.short"}
    olga.post(f"{bare.link()}/accept", half, status=409)
    assert bare.member().state is MemberState.INVITED
    assert bare.client().public_key is None


def test_nobody_makes_keys_that_are_there(place):
    olga = place.browser_of(place.person(OWNER, "Olga Petrova", keys=True))
    assert not olga.get(place.link()).select("[data-accept-invitation]")


def test_keys_for_a_client_that_has_some_are_dropped(place):
    stored = place.client().public_key
    olga = place.browser_of(place.person(OWNER, "Olga Petrova", keys=True))
    fields = owners_fields(place) | {"collection_name": posted_client_keys("X")["collection_name"]}
    olga.post(f"{place.link()}/accept", fields, status=303)
    assert place.member().state is MemberState.ACCEPTED
    assert place.client().public_key == stored


# Waiting for the provider


def test_who_waits_for_the_provider_reads_for_whom(place):
    _person, _row, browser = accept(place)
    waiting = f"/providers/{place.provider.id}/waiting"
    start = browser.get("/", status=303).location
    assert browser.get(start, status=303).location == waiting
    page = browser.get(waiting)
    assert page.heading == "Waiting to be confirmed"
    assert "Ada Nordström" in page
    assert len(page.text("fingerprint-phrase").split("-")) == 5
    for path in ("clients", "people", "keys", "events"):
        url = f"/providers/{place.provider.id}/{path}"
        assert browser.get(url, status=303).location == waiting
    browser.post(f"/providers/{place.provider.id}/clients/new", status=403)
    piece = browser.get(waiting, hx="providers-waiting")
    assert piece.one("#providers-waiting")


def test_once_confirmed_the_waiting_page_leads_on(place):
    person, row, browser = accept(place)
    waiting = f"/providers/{place.provider.id}/waiting"
    confirm(place, (row, person.email), status=303)
    clients = f"/providers/{place.provider.id}/clients"
    assert browser.get(waiting, status=303).location == clients
    answer = browser.get(waiting, hx="providers-waiting")
    assert answer.response.headers["HX-Redirect"] == clients


def test_without_keys_one_is_led_to_make_them(place):
    person, _row, _browser = accept(place, keys=False)
    place.database.run(update(Provider).values(second_factor_required=True))
    page = place.browser_of(person, method="code").get(f"/providers/{place.provider.id}/waiting")
    assert page.link("Make keys").startswith("/profile/keys?next=")


def test_nobody_else_finds_the_waiting_page(place, browser):
    waiting = f"/providers/{place.provider.id}/waiting"
    stranger = place.browser_of(place.person("bob@other.example", "Bob Other"))
    stranger.get(waiting, status=404)
    assert browser.get(waiting, status=303).location.startswith("/sign-in")
    assert place.admins_browser().get(waiting, status=303).location.endswith("/clients")


# Help


def test_help_leads_back_to_where_one_came_from(place):
    browser = place.admins_browser()
    page = browser.get(f"/providers/{place.provider.id}/people")
    guide = browser.get(page.link("Help"))
    assert guide.link("Back") == f"/providers/{place.provider.id}/people"
    name = "/help/start-a-client-organization"
    assert browser.get(name).link("Back") == "/"
    assert browser.get(f"{name}?from=//evil.example").link("Back") == "/"


def test_a_visitor_of_the_help_has_no_way_back_to_follow(browser):
    page = browser.get("/help/start-a-client-organization")
    assert not page.select(".back")
