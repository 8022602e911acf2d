"""Dangerous pages ask once more who is there, and lead back to what was filled in."""

from urllib.parse import parse_qs, quote, urlsplit

import pytest
from sqlalchemy import select

from portal.crypto.recovery import new_code, wrap_with_code
from portal.domain.access import Role
from portal.domain.states import ClientStatus, MemberState
from portal.models import Provider, ProviderPerson
from tests.support.accounts import JSON, age
from tests.support.organizations import join, make_place
from tests.support.staff import change, hire, people_url, row
from tests.test_clients_lifecycle import url_of


@pytest.fixture
def place(database):
    place = make_place(database)
    sue = place.person("sue@acme.example", "Sue Owner", keys=True)
    join(place, sue, Role.OWNER, MemberState.CONFIRMED)
    return place


def old_browser(place, minutes=11):
    """The admin's browser, some minutes after they signed in."""
    browser = place.admins_browser()
    age(place.database, place.admin, minutes=minutes)
    return browser


def back_from(answer):
    """Where the detour leads to in the end."""
    assert urlsplit(answer.location).path == "/reauthenticate"
    return parse_qs(urlsplit(answer.location).query)["next"][0]


def prove(browser, place, answer):
    """Give the master password, and go on to where the detour leads."""
    fields = {"signin_hash": place.admin.keys.signin_hash, "next": back_from(answer)}
    return browser.follow(browser.post("/reauthenticate", fields, status=303))


DANGEROUS = ["make-admin", "make-service-user", "suspend", "remove"]


@pytest.mark.parametrize("action", DANGEROUS)
def test_a_change_of_who_has_a_say_asks_first_and_keeps_the_ticks(place, action):
    role = Role.PROVIDER_ADMIN if action == "make-service-user" else Role.SERVICE_USER
    _, jun = hire(place, role=role)
    before = row(place, "jun@northwind.example")
    browser = old_browser(place)
    review = f"{people_url(place)}/changes?action={action}&person={jun}"
    assert back_from(browser.get(review, status=303)) == review
    answer = change(place, action, jun, browser=browser, status=303)
    after = row(place, "jun@northwind.example")
    assert (after.role, after.state) == (before.role, before.state)
    page = prove(browser, place, answer)
    assert page.one("input[name=person]")["value"] == str(jun)
    change(place, action, jun, browser=browser, status=303)
    found = select(ProviderPerson.role, ProviderPerson.state).where(ProviderPerson.id == jun)
    assert place.database.all(found) != [(before.role, before.state)]


@pytest.mark.parametrize("action", ["resend", "resume"])
def test_what_takes_nothing_away_does_not_ask(place, action):
    _, jun = hire(place)
    url = f"{people_url(place)}/changes?action={action}&person={jun}"
    assert not old_browser(place).get(url).location


def test_more_ticks_than_an_address_holds_lead_back_to_the_list(place):
    _, jun = hire(place)
    browser = old_browser(place)
    answer = change(place, "remove", *[jun] * 100, browser=browser, status=303)
    back = back_from(answer)
    assert back == f"{people_url(place)}/changes"
    assert browser.get(back, status=303).location == people_url(place)


def test_unlinking_asks_before_the_page_and_before_the_deed(place):
    browser = place.admins_browser()
    page = browser.get(url_of(place, "unlink"))
    age(place.database, place.admin, minutes=11)
    assert back_from(browser.get(url_of(place, "unlink"), status=303)) == url_of(place, "unlink")
    answer = browser.submit(page, "Unlink Acme Ltd")
    assert place.client().provider_id == place.provider.id
    page = prove(browser, place, answer)
    browser.submit(page, "Unlink Acme Ltd")
    assert place.client().provider_id is None


def test_the_typed_name_of_a_client_is_there_again_after_the_detour(place):
    browser = place.admins_browser()
    page = browser.get(url_of(place, "delete"))
    age(place.database, place.admin, minutes=11)
    answer = browser.submit(page, "Delete in seven days", {"name": "ACME & ltd"})
    assert place.client().status is ClientStatus.ACTIVE
    page = prove(browser, place, answer)
    assert page.one("input[name=name]")["value"] == "ACME & ltd"


def test_a_shorter_life_of_events_asks_and_keeps_the_choice(place, database):
    base = f"/providers/{place.provider.id}/events"
    browser = old_browser(place)
    page = browser.get(f"{base}/proof")
    answer = browser.submit(page, "Save", {"months": "6"})
    kept = select(Provider.events_kept_months)
    assert database.one(kept) is None
    page = prove(browser, place, answer)
    assert page.one("select[name=months] option[selected]")["value"] == "6"
    browser.submit(page, "Save")
    assert database.one(kept) == 6
    for nonsense in ("7", "x", "6 or 1"):
        page = browser.get(f"{base}/proof?months={quote(nonsense)}")
        assert page.one("select[name=months] option[selected]")["value"] == "6"


def test_a_sheet_that_took_long_to_print_counts_still(place, database):
    fields = {
        "recovery_wrapped_key": wrap_with_code(place.provider_keys.key, new_code()),
        "provider_public_key": place.provider_keys.public_key,
    }
    url = f"/providers/{place.provider.id}/keys/recovery-sheet"
    browser = old_browser(place, minutes=50)
    assert back_from(browser.get(url, status=303)) == url
    answer = browser.post(url, fields, status=303)
    assert answer.location.startswith(f"/providers/{place.provider.id}/keys?")
    sheet = select(Provider.recovery_wrapped_key)
    assert database.one(sheet) == fields["recovery_wrapped_key"]
    browser = old_browser(place, minutes=61)
    assert back_from(browser.post(url, fields, status=303)) == url


def test_modules_and_htmx_are_told_where_to_go(place):
    browser = old_browser(place)
    url = url_of(place, "unlink")
    answer = browser.post(url, {}, headers=JSON, status=401)
    assert back_from_json(answer) == url
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://localhost{url}"}
    answer = browser.post(url, {}, headers=headers, status=200)
    assert answer.response.headers["HX-Redirect"].startswith("/reauthenticate?next=")
    assert place.client().provider_id == place.provider.id


def back_from_json(answer):
    return parse_qs(urlsplit(answer.response.json["next"]).query)["next"][0]
