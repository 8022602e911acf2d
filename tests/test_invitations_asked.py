"""Invitations: asking again, people of a provider, races."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import delete, select, update

from portal.crypto.tokens import Link, LinkSigner
from portal.domain.access import Role
from portal.domain.invitations import VALID, Purpose
from portal.domain.states import MemberState, ProviderPersonState
from portal.models import (
    Account,
    Event,
    Provider,
    ProviderPerson,
    utc_now,
)
from tests.support.accounts import keys_for, posted_keys
from tests.support.browsing import Browser
from tests.support.databases import SECRET_KEY
from tests.support.organizations import (
    OWNER,
    make_place,
    set_clock_back,
)
from tests.test_invitations import bring_about, outbox, owners_fields, snapshot


@pytest.fixture
def place(database):
    return make_place(database)


def test_asking_sends_a_new_link_to_the_same_address(place, browser):
    old = place.link()
    set_clock_back(place, days=6)
    page = browser.get(old, status=410)
    answer = browser.follow(browser.submit(page, "Ask for a new one"))
    assert answer.heading == "You have asked for a new one"
    assert place.member().invitation_version == 2
    assert outbox(place, "mail.member_invitation")[-1].payload["version"] == 2
    assert browser.get(place.link()).heading == "Join Acme Ltd"


@pytest.mark.parametrize("what", ["used", "revoked", "removed", "fresh"])
def test_asking_is_answered_alike_whatever_the_link_is_worth(place, browser, what):
    link = place.link()
    if what != "fresh":
        bring_about(place, what)
    mails = len(outbox(place, "mail.member_invitation"))
    answer = browser.follow(browser.post(f"{link}/ask", status=303))
    assert answer.heading == "You have asked for a new one"
    assert len(outbox(place, "mail.member_invitation")) == mails


def test_asking_is_limited(place, browser):
    for _turn in range(10):
        browser.post("/invitations/nonsense/ask", status=303)
    page = browser.post("/invitations/nonsense/ask", status=429)
    assert int(page.response.headers["Retry-After"]) > 0


# A provider's people.


def invite_person(place, role=Role.PROVIDER_ADMIN, email="kim@northwind.example"):
    person = ProviderPerson(
        provider_id=place.provider.id,
        email=email,
        role=role,
        state=ProviderPersonState.INVITED,
        invitation_expires_at=utc_now() + VALID,
    )
    place.database.add(person)
    signer = LinkSigner((SECRET_KEY,), Purpose.PROVIDER)
    return f"/invitations/{signer.sign(Link(place.provider.id, person.id, 1))}"


def person_row(place, email="kim@northwind.example"):
    return place.database.one(select(ProviderPerson).where(ProviderPerson.email == email))


def test_a_later_person_of_a_provider_waits_to_be_confirmed(place, browser):
    link = invite_person(place)
    page = browser.get(link)
    assert page.heading == "Join Northwind IT"
    done = browser.submit(page, "Create account and join", {"name": "Kim Lee"})
    assert person_row(place).state is ProviderPersonState.ACCEPTED
    waiting = browser.follow(browser.follow(done, status=303))
    assert waiting.heading == "Waiting to be confirmed"
    assert "Ada Nordström" in waiting
    answer = browser.get(f"/providers/{place.provider.id}/clients", status=303)
    assert answer.location == f"/providers/{place.provider.id}/waiting"


def test_the_founding_admin_is_confirmed_at_once_and_makes_the_keys(place, browser):
    place.database.run(delete(ProviderPerson))
    place.database.run(update(Provider).values(public_key=None, protected_private_key=None))
    link = invite_person(place)
    done = browser.submit(browser.get(link), "Create account and join", {"name": "Kim Lee"})
    assert done.location.startswith(f"/providers/{place.provider.id}/keys")
    assert person_row(place).state is ProviderPersonState.CONFIRMED
    told = place.database.one(select(Event.payload).where(Event.type == "provider:person:confirm"))
    assert json.loads(told)["details"]["by_founding"] is True


def test_a_service_user_does_not_found_a_provider(place, browser):
    place.database.run(delete(ProviderPerson))
    link = invite_person(place, Role.SERVICE_USER)
    browser.submit(browser.get(link), "Create account and join", {"name": "Kim Lee"})
    assert person_row(place).state is ProviderPersonState.ACCEPTED


def test_a_providers_used_link_is_used(place, browser):
    link = invite_person(place)
    browser.submit(browser.get(link), "Create account and join", {"name": "Kim Lee"})
    stranger = Browser(place.database.app)
    page = stranger.get(link, status=410)
    assert page.heading == "This invitation has already been accepted"


def test_a_providers_expired_link_can_be_asked_for_again(place, browser):
    link = invite_person(place)
    place.database.run(
        update(ProviderPerson)
        .where(ProviderPerson.email == "kim@northwind.example")
        .values(invitation_expires_at=utc_now())
    )
    browser.submit(browser.get(link, status=410), "Ask for a new one")
    assert person_row(place).invitation_version == 2
    assert outbox(place, "mail.provider_invitation")[-1].payload["version"] == 2


# Races, in transactions that really commit.


@pytest.mark.committed
@pytest.mark.parametrize("with_keys", [True, False])
def test_of_eight_who_accept_at_once_one_does(committed, with_keys):
    place = make_place(committed, keys=not with_keys)
    fields = posted_keys(keys_for(OWNER)) | (owners_fields(place) if with_keys else {})
    link, start = place.link(), Barrier(8)

    def accept(_turn):
        browser = Browser(committed.app)
        data = {"name": "Olga", "csrf_token": browser.csrf_token(), **fields}
        start.wait()
        answer = browser.client.post(
            f"{link}/join", data=data, headers={"Accept": "application/json"}
        )
        return answer.status_code, (answer.json or {}).get("signed_in")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(accept, range(8)))
    assert answers.count((200, True)) == 1, answers
    assert answers.count((200, False)) == 7, answers
    accounts = committed.all(select(Account).where(Account.email == OWNER))
    assert len(accounts) == 1
    assert place.member().account_id == accounts[0].id
    accepted = committed.all(select(Event).where(Event.type == "organization:member:accept"))
    assert len(accepted) == 1
    expected = MemberState.CONFIRMED if with_keys else MemberState.ACCEPTED
    assert place.member().state is expected


def test_nothing_in_the_database_opens_an_invitation(place, browser):
    """Whoever holds a dump has neither a token nor what signs one."""
    token = place.token()
    dump = repr(snapshot(place))
    assert place.keys.public_key in dump
    for part in (token, token.partition(".")[0], token.rpartition(".")[2], SECRET_KEY):
        assert part not in dump
