"""Manage → People: invited, confirmed, given another role, suspended, resumed, removed."""

import pytest
from sqlalchemy import select

from portal.crypto.keys import new_key_pair, unwrap
from portal.domain.errors import RuleError
from portal.domain.staff import (
    check_addresses,
    split_addresses,
)
from portal.domain.states import ProviderPersonState
from portal.models import Account, Affiliation
from tests.support.organizations import make_place
from tests.support.staff import (
    ADMIN,
    JUN,
    KIM,
    SERVICE,
    accept,
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
    waiting = browser.get(f"/providers/{place.provider.id}/clients", status=303).location
    assert waiting == f"/providers/{place.provider.id}/waiting"
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
