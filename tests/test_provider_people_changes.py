"""A provider's people change: role, suspending, resuming, removing; who may not be touched."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select

from portal.crypto.tokens import Link, LinkSigner
from portal.domain.errors import RuleError
from portal.domain.invitations import Purpose
from portal.domain.staff import (
    LAST_ADMIN,
    MYSELF,
    StaffAction,
)
from portal.domain.states import ProviderPersonState
from portal.mail.messages import MESSAGES, Office, Outdated
from portal.models import Affiliation, ProviderPerson
from portal.providers import staff
from tests.support.accounts import make_person
from tests.support.clients import make_provider
from tests.support.databases import SECRET_KEY
from tests.support.organizations import employ, make_place
from tests.support.staff import (
    ADMIN,
    JUN,
    KIM,
    accept,
    change,
    confirm,
    handed_over,
    hire,
    invite,
    mails,
    people_url,
    row,
    rows,
    told,
)


@pytest.fixture
def place(database):
    return make_place(database)


# Roles, suspending, removing.


def test_a_change_of_role_is_told_in_the_log_and_by_mail(place):
    _jun, row_id = hire(place)
    browser = place.admins_browser()
    page = browser.get(f"{people_url(place)}/{row_id}")
    page = browser.get(page.link("Make provider admin"))
    assert "creates clients" in page
    browser.submit(page, "Make provider admin")
    assert row(place, JUN).role is ADMIN
    assert told(place, "provider:person:update") == [
        {"email": JUN, "before": {"role": "service_user"}, "after": {"role": "provider_admin"}}
    ]
    assert len(mails(place, "mail.provider_role_changed")) == 1


def test_suspending_ends_the_authority_of_open_sessions_and_takes_the_key(place):
    jun, row_id = hire(place)
    browser = place.browser_of(jun)
    browser.get(f"/providers/{place.provider.id}/clients")
    change(place, "suspend", row_id, status=303)
    browser.get(f"/providers/{place.provider.id}/clients", status=404)
    browser.get(f"{place.url}/members", status=404)
    found = row(place, JUN)
    assert found.state is ProviderPersonState.SUSPENDED
    assert found.wrapped_provider_key is None
    [event] = told(place, "provider:person:suspend")
    assert event["before"] == {"state": "confirmed"}
    assert event["after"] == {"state": "suspended"}


def test_a_resumed_person_works_again_and_gets_the_key_anew(place):
    jun, row_id = hire(place)
    change(place, "suspend", row_id, status=303)
    change(place, "resume", row_id, status=303)
    page = place.browser_of(jun).get(f"/providers/{place.provider.id}/clients")
    assert page.heading == "Clients"
    assert "Waits for the provider key" in place.admins_browser().get(
        f"{people_url(place)}/{row_id}"
    )
    confirm(place, (row_id, JUN), status=303)
    assert row(place, JUN).wrapped_provider_key
    assert len(told(place, "provider:person:hand_over_key")) == 1
    assert mails(place, "mail.provider_confirmed") == []


def test_removing_takes_everything_but_the_account(place):
    jun, row_id = hire(place)
    browser = place.browser_of(jun)
    change(place, "remove", row_id, status=303)
    browser.get(f"/providers/{place.provider.id}/clients", status=404)
    assert JUN not in rows(place)
    assert (
        place.database.all(select(Affiliation).where(Affiliation.account_id == jun.account_id))
        == []
    )
    assert told(place, "provider:person:remove") == [
        {"email": JUN, "before": {"role": "service_user", "state": "confirmed"}}
    ]
    assert len(mails(place, "mail.provider_removed")) == 1
    assert browser.get("/profile").heading


def test_an_invitation_is_withdrawn_without_a_mail_and_its_link_dies(place):
    invite(place, KIM, status=303)
    found = row(place, KIM)
    link = Link(place.provider.id, found.id, 1)
    token = LinkSigner((SECRET_KEY,), Purpose.PROVIDER).sign(link)
    change(place, "remove", found.id, status=303)
    assert mails(place, "mail.provider_removed") == []
    kim = place.person(KIM, "Kim Lee")
    page = place.browser_of(kim).get(f"/invitations/{token}", status=404)
    assert "Join" not in page.heading
    assert KIM not in rows(place)


@pytest.mark.parametrize("action", ["remove", "suspend", "make-service-user"])
def test_nobody_does_it_to_themselves(place, action):
    hire(place, role=ADMIN)
    mine = row(place, place.admin.email).id
    page = change(place, action, mine)
    assert page.texts("tbody td")[-1] == MYSELF
    assert row(place, place.admin.email).state is ProviderPersonState.CONFIRMED


@pytest.mark.parametrize("action", ["remove", "suspend", "make-service-user"])
def test_the_last_confirmed_admin_stays_whoever_asks(place, action):
    """Also when the rule before the statement is blind."""
    hire(place)
    with place.database.session() as session:
        found = staff.queries.person(session, place.provider.id, row(place, place.admin.email).id)
        with pytest.raises(RuleError) as refused:
            staff._DO[StaffAction(action)](session, place.actor, found)
        assert refused.value.message == LAST_ADMIN
    assert row(place, place.admin.email).role is ADMIN


def test_of_several_each_gets_an_answer(place):
    _jun, first = hire(place)
    invite(place, KIM, status=303)
    second = row(place, KIM).id
    review = place.admins_browser().get(
        f"{people_url(place)}/changes?action=suspend&person={first}&person={second}"
    )
    assert "It is done for 1 person" in review
    assert "Not possible for 1 person" in review
    assert row(place, JUN).state is ProviderPersonState.CONFIRMED
    page = change(place, "suspend", first, second)
    assert page.heading == "Done for 1 person"
    assert page.texts("tbody tr") == [
        "Jun Ito Done Suspended.",
        f"{KIM} Not done Only somebody who is confirmed can be suspended.",
    ]


def test_without_a_tick_the_page_says_so(place):
    page = place.admins_browser().get(f"{people_url(place)}/changes?action=remove")
    assert "Nobody is ticked" in page


@pytest.mark.parametrize(
    ("query", "status"), [("", 303), ("action=burn", 303), ("action=remove&person=me", 400)]
)
def test_what_no_page_offers_is_not_done(place, query, status):
    place.admins_browser().get(f"{people_url(place)}/changes?{query}", status=status)


def test_another_providers_people_are_nobody_here(place):
    other = make_person(place.database, "eve@other.example", "Eve", keys=True)
    employ(place.database, make_provider(place.database, "Other"), other)
    foreign = row(place, "eve@other.example").id
    change(place, "remove", foreign, status=303)
    assert "eve@other.example" in rows(place)
    place.admins_browser().get(f"{people_url(place)}/{foreign}", status=404)


def test_a_service_user_sees_no_people(place):
    jun, row_id = hire(place)
    browser = place.browser_of(jun)
    for path in ("", "/invite", "/changes?action=remove", "/confirm", f"/{row_id}"):
        browser.get(f"{people_url(place)}{path}", status=403)
    change(place, "remove", row_id, browser=browser, status=403)


def test_the_page_costs_the_same_however_many_work_here(place, statements):
    for number in range(6):
        invite(place, f"p{number}@northwind.example", status=303)
    browser = place.admins_browser()
    statements.clear()
    browser.get(people_url(place))
    statements.most(7)


# Races.


@pytest.mark.committed
@pytest.mark.parametrize("action", ["suspend", "remove", "make-service-user"])
def test_two_admins_who_turn_on_each_other_leave_one(committed, action):
    place = make_place(committed)
    jun, juns = hire(place, role=ADMIN)
    mine = row(place, place.admin.email).id
    start = Barrier(2)
    browsers = [place.admins_browser(), place.browser_of(jun)]

    def press(browser, target):
        data = {"action": action, "person": str(target), "csrf_token": browser.csrf_token()}
        start.wait()
        return browser.client.post(f"{people_url(place)}/changes", data=data).status_code

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(press, browsers, [juns, mine]))
    assert answers.count(303) == 1, answers
    left = committed.all(
        select(ProviderPerson.email).where(
            ProviderPerson.role == ADMIN, ProviderPerson.state == ProviderPersonState.CONFIRMED
        )
    )
    assert len(left) == 1


@pytest.mark.committed
def test_of_two_who_confirm_at_once_one_does(committed):
    place = make_place(committed)
    _jun, row_id, _browser = accept(place)
    data, start = handed_over(place, (row_id, JUN)), Barrier(2)
    browsers = [place.admins_browser() for _turn in range(2)]

    def press(browser):
        token = {"csrf_token": browser.csrf_token()}
        start.wait()
        url = f"{people_url(place)}/confirm"
        return browser.client.post(url, data=data | token).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(press, browsers)) == [303, 422]
    assert len(told(place, "provider:person:confirm")) == 1


# Mails.


@pytest.mark.parametrize(
    "topic", ["mail.provider_confirmed", "mail.provider_role_changed", "mail.provider_removed"]
)
def test_a_mail_goes_to_the_account_or_not_at_all(place, topic):
    jun, row_id = hire(place)
    office = Office((SECRET_KEY,), lambda endpoint, **_values: f"https://portal.test/{endpoint}")
    payload = {
        "provider": str(place.provider.id),
        "person": str(row_id),
        "account": str(jun.account_id),
        "locale": "en",
    }
    with place.database.session() as session:
        letter = MESSAGES[topic](session, office, payload)
        assert letter.to == JUN
        assert letter.facts["provider"] == "Northwind IT"
        nobody = payload | {"account": str(uuid.uuid4())}
        with pytest.raises(Outdated):
            MESSAGES[topic](session, office, nobody)
