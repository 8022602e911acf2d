"""Manage → People: invited, confirmed, given another role, suspended, resumed, removed."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select

from portal.crypto.keys import new_key_pair, unwrap, wrap_for
from portal.crypto.tokens import Link, LinkSigner
from portal.domain.access import Role
from portal.domain.errors import RuleError
from portal.domain.invitations import Purpose
from portal.domain.staff import (
    LAST_ADMIN,
    MYSELF,
    StaffAction,
    check_addresses,
    split_addresses,
)
from portal.domain.states import ProviderPersonState
from portal.mail.messages import MESSAGES, Office, Outdated
from portal.models import Account, Affiliation, Event, Outbox, ProviderPerson
from portal.providers import staff
from tests.support.accounts import keys_for, make_person
from tests.support.clients import make_provider
from tests.support.databases import SECRET_KEY
from tests.support.organizations import employ, make_place

ADMIN, SERVICE = Role.PROVIDER_ADMIN, Role.SERVICE_USER
JUN, KIM = "jun@northwind.example", "kim@northwind.example"


@pytest.fixture
def place(database):
    return make_place(database)


def people_url(place):
    return f"/providers/{place.provider.id}/people"


def hire(place, email=JUN, name="Jun Ito", role=SERVICE, *, keys=True, holds=True):
    """A confirmed colleague; returns the person and the id of their row."""
    person = make_person(place.database, email, name, keys=keys)
    key = place.provider_keys.key if keys and holds else None
    employ(place.database, place.provider, person, role, wrapped=key)
    return person, row(place, email).id


def row(place, email):
    return place.database.one(select(ProviderPerson).where(ProviderPerson.email == email))


def rows(place):
    return place.database.all(select(ProviderPerson.email))


def told(place, kind):
    found = place.database.all(select(Event).where(Event.type == kind).order_by(Event.seq))
    return [json.loads(event.payload)["details"] for event in found]


def mails(place, topic):
    return [
        job.payload if isinstance(job.payload, dict) else json.loads(job.payload)
        for job in place.database.all(select(Outbox).where(Outbox.topic == topic))
    ]


def change(place, action, *ids, browser=None, **options):
    data = {"action": action, "person": [str(each) for each in ids]}
    browser = browser or place.admins_browser()
    return browser.post(f"{people_url(place)}/changes", data, **options)


def invite(place, text, role="service_user", **options):
    data = {"addresses": text, "role": role}
    return place.admins_browser().post(f"{people_url(place)}/invite", data, **options)


def accept(place, email=JUN, name="Jun Ito", *, keys=True, role="service_user"):
    """Invited through the page, accepted through the link."""
    invite(place, email, role, status=303)
    person = place.person(email, name, keys=keys)
    found = row(place, email)
    link = Link(place.provider.id, found.id, found.invitation_version)
    token = LinkSigner((SECRET_KEY,), Purpose.PROVIDER).sign(link)
    browser = place.browser_of(person)
    browser.post(f"/invitations/{token}/accept", status=303)
    return person, found.id, browser


def handed_over(place, *people):
    """What the confirmer's browser posts for (row id, e-mail) pairs."""
    data = {"person": [str(person_id) for person_id, _email in people]}
    for person_id, email in people:
        public = keys_for(email).public_key
        data[f"public_key-{person_id}"] = public
        data[f"wrapped_provider_key-{person_id}"] = wrap_for(public, place.provider_keys.key.raw)
    return data


def confirm(place, *people, **options):
    url = f"{people_url(place)}/confirm"
    return place.admins_browser().post(url, handed_over(place, *people), **options)


# Addresses.


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a@x.example\nb@x.example", ["a@x.example", "b@x.example"]),
        ("a@x.example, b@x.example;c@x.example", ["a@x.example", "b@x.example", "c@x.example"]),
        ("a@x.example b@x.example", ["a@x.example", "b@x.example"]),
        ("Ada <a@x.example>, Bo Li <b@x.example>", ["a@x.example", "b@x.example"]),
        (" \r\n ,, ", []),
    ],
)
def test_pasted_addresses_are_told_apart(text, found):
    assert split_addresses(text) == found


def test_an_address_pasted_twice_counts_once():
    text = "\n".join(f"P{number}@x.example, p{number}@X.example" for number in range(20))
    assert len(check_addresses(text, field="addresses")) == 20


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "at least one"),
        ("ada, b@x.example", "not e-mail addresses: ada"),
        ("\n".join(f"p{number}@x.example" for number in range(21)), "21 addresses are too many"),
    ],
)
def test_what_cannot_be_invited_is_named(text, words):
    with pytest.raises(RuleError, match=words):
        check_addresses(text, field="addresses")


# Inviting.


def test_several_are_invited_and_who_is_here_is_told_so(place):
    hire(place)
    page = invite(place, f"{KIM}\n{JUN}\nlee@northwind.example", "provider_admin")
    assert page.heading == "2 people are invited"
    assert page.texts("tbody tr") == [
        f"{KIM} Done Invited. The e-mail is on its way.",
        f"{JUN} Not done Was invited before, or works here already. No e-mail was sent.",
        "lee@northwind.example Done Invited. The e-mail is on its way.",
    ]
    assert row(place, KIM).role is ADMIN
    assert row(place, JUN).role is SERVICE
    assert len(mails(place, "mail.provider_invitation")) == 2
    assert [event["email"] for event in told(place, "provider:person:invite")] == [
        KIM,
        "lee@northwind.example",
    ]


def test_one_wrong_address_invites_nobody(place):
    page = invite(place, f"{KIM}\nnobody", status=422)
    assert "These are not e-mail addresses: nobody" in page
    assert KIM in page.text("textarea")
    assert KIM not in rows(place)


def test_a_new_person_accepts_and_waits(place):
    _jun, row_id, browser = accept(place)
    assert row(place, JUN).state is ProviderPersonState.ACCEPTED
    browser.get(f"/providers/{place.provider.id}/clients", status=404)
    page = place.admins_browser().get(people_url(place))
    assert "1 person waits for the provider key" in page
    assert page.one(f'input[type=checkbox][value="{row_id}"]')


def test_a_waiting_invitation_is_sent_again_by_a_new_link(place):
    invite(place, KIM, status=303)
    before = row(place, KIM)
    browser = place.admins_browser()
    page = browser.get(f"{people_url(place)}/{before.id}")
    page = browser.get(page.link("Re-send invitation"))
    done = browser.submit(page, "Re-send invitation")
    assert "A new invitation is on its way" in browser.follow(done)
    assert row(place, KIM).invitation_version == before.invitation_version + 1
    assert [sent["version"] for sent in mails(place, "mail.provider_invitation")] == [1, 2]
    assert told(place, "provider:person:reinvite") == [{"email": KIM}]


# Confirming.


def test_confirming_hands_over_the_provider_key(place):
    jun, row_id, browser = accept(place)
    page = place.admins_browser().get(f"{people_url(place)}/confirm?person={row_id}")
    assert page.heading == "Confirm Jun Ito"
    assert len(page.text("fingerprint-phrase").split("-")) == 5
    done = confirm(place, (row_id, JUN), status=303)
    assert "Jun Ito holds the provider key now" in place.admins_browser().follow(done)
    found = row(place, JUN)
    assert found.state is ProviderPersonState.CONFIRMED
    wrapped = found.wrapped_provider_key
    assert unwrap(wrapped, jun.keys.private_key) == place.provider_keys.key.raw
    [event] = told(place, "provider:person:confirm")[-1:]
    assert event["email"] == JUN
    assert not event["by_founding"]
    assert mails(place, "mail.provider_confirmed")[0]["person"] == str(row_id)
    assert browser.get(f"/providers/{place.provider.id}/clients").heading == "Clients"
    state = place.database.one(
        select(Affiliation.state).where(Affiliation.account_id == jun.account_id)
    )
    assert state == "confirmed"


def test_several_are_confirmed_at_once_with_an_answer_each(place):
    _jun, first, _browser = accept(place)
    _kim, second, _browser = accept(place, KIM, "Kim Lee", keys=False)
    page = place.admins_browser().get(f"{people_url(place)}/confirm")
    assert page.heading == "Confirm people"
    assert [tick.get("checked") for tick in page.select("[data-person] input")] == [None]
    assert "Kim Lee has no keys yet" in page
    page = confirm(place, (first, JUN), (second, KIM))
    assert page.heading == "1 person is confirmed"
    assert any("no keys yet" in text for text in page.texts("tbody tr"))
    assert row(place, KIM).state is ProviderPersonState.ACCEPTED


def test_a_key_that_changed_meanwhile_is_not_wrapped_for_and_alarms(place):
    _jun, row_id, _browser = accept(place)
    data = handed_over(place, (row_id, JUN))
    with place.database.session() as session:
        account = session.scalars(select(Account).where(Account.email == JUN)).one()
        account.public_key = new_key_pair()[0]
    url = f"{people_url(place)}/confirm"
    page = place.admins_browser().post(url, data, status=422)
    assert "key has changed" in page
    assert row(place, JUN).wrapped_provider_key is None
    [alarm] = told(place, "provider:person:key_changed")
    assert alarm["shown"] != alarm["fingerprint"]


@pytest.mark.parametrize("wrapped", ["", "clear", "2.a|b|c", "4.AAAA"])
def test_what_is_no_wrapped_key_confirms_nobody(place, wrapped):
    _jun, row_id, _browser = accept(place)
    data = handed_over(place, (row_id, JUN)) | {f"wrapped_provider_key-{row_id}": wrapped}
    place.admins_browser().post(f"{people_url(place)}/confirm", data, status=422)
    assert row(place, JUN).state is ProviderPersonState.ACCEPTED


def test_who_holds_the_key_is_given_no_other(place):
    _jun, row_id = hire(place)
    before = row(place, JUN).wrapped_provider_key
    assert "is not waiting" in confirm(place, (row_id, JUN), status=422)
    assert row(place, JUN).wrapped_provider_key == before


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


@pytest.mark.parametrize("query", ["action=burn", "action=remove&person=me"])
def test_what_no_page_offers_is_refused(place, query):
    place.admins_browser().get(f"{people_url(place)}/changes?{query}", status=400)


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
    statements.most(4)


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
