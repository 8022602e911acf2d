"""Invitations of stuck people are sent again, after a look."""

import pytest
from sqlalchemy import select, update

from portal.domain.states import ClientStatus, MemberState
from portal.models import Event, Member, Organization, Outbox
from tests.support.clients import make_client, make_provider, persona
from tests.support.organizations import OWNER, make_place
from tests.support.staff import invite
from tests.support.stuck import ask, grow_older, many, url, versions


@pytest.fixture
def place(database):
    return make_place(database)


@pytest.fixture
def admin(place):
    return place.admins_browser()


def look(place, admin, *ids, **more):
    """From the list to the page that says what would happen."""
    query = "&".join([*(f"id={each}" for each in ids), *(f"{k}={v}" for k, v in more.items())])
    return admin.follow(
        admin.get(url(place, f"/choose?do=resend&scope=ticked&{query}"), status=303)
    )


def mails(place):
    return place.database.count(Outbox)


def test_ticked_people_are_written_to_again_after_a_look(place, admin):
    zoe = ask(place, "zoe@acme.example")
    ask(place, "left@acme.example")
    grow_older(place)
    before = mails(place)
    page = look(place, admin, place.owner_row, zoe.id)
    assert "An e-mail goes to each of 2 people" in page
    assert mails(place) == before
    ids = [field["value"] for field in page.select("main form input[name=id]")]
    page = admin.post(url(place, "/resend"), {"id": ids})
    assert page.heading == "2 invitations are on their way"
    assert mails(place) == before + 2
    assert versions(place) == [1, 2, 2]
    kinds = place.database.all(
        select(Event.type).where(Event.stream_id == place.provider.id).order_by(Event.seq)
    )
    assert kinds[-2:] == ["organization:member:reinvite"] * 2


def test_all_that_match_are_looked_at(place, admin):
    ask(place, "zoe@acme.example")
    grow_older(place)
    page = admin.get(url(place, "/choose?do=resend&scope=all&query=reason%3Dinvited"), status=303)
    assert "An e-mail goes to each of 2 people" in admin.follow(page)
    page = admin.get(url(place, "/choose?do=resend&scope=all&query=reason%3Daccepted"), status=303)
    assert "Nobody is ticked" in admin.follow(page)


def test_whoever_was_just_written_to_is_left_alone(place, admin):
    page = look(place, admin, place.owner_row)
    assert "An invitation went to this address a few minutes ago." in page
    assert page.select("main form") == []


def test_the_same_submit_twice_sends_once(place, admin):
    grow_older(place)
    page = look(place, admin, place.owner_row)
    before = mails(place)
    admin.submit(page, "Re-send", status=200)
    again = admin.submit(page, "Re-send", status=200)
    assert again.heading == "0 invitations are on their way"
    assert "An invitation went to this address a few minutes ago." in again
    assert mails(place) == before + 1


def test_one_address_in_two_clients_gets_one_mail(place, admin):
    beta = make_client(place.database, place.provider, "Beta SARL")
    same = [ask(place, "zoe@acme.example"), ask(place, "zoe@acme.example", beta)]
    grow_older(place)
    page = look(place, admin, *(each.id for each in same))
    assert "This address gets another invitation in the same go" in page
    page = admin.submit(page, "Re-send", status=200)
    assert page.heading == "1 invitation is on its way"
    assert "few minutes ago" in look(place, admin, *(each.id for each in same))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (update(Organization).values(status=ClientStatus.SUSPENDED), "suspended or being deleted"),
        (update(Member).values(state=MemberState.REVOKED), "No invitation waits for this person."),
    ],
)
def test_what_stands_against_it_is_said(place, admin, change, why):
    grow_older(place)
    place.database.run(change)
    assert why in look(place, admin, place.owner_row)
    answer = admin.post(url(place, "/resend"), {"id": str(place.owner_row)})
    assert why in answer
    assert versions(place) == [1]


def test_own_people_are_left_to_their_page(place, admin):
    invite(place, "kim@northwind.example", status=303)
    page = admin.get(url(place, "/resend?scope=all"))
    assert "Manage → People" in page


def test_ids_of_others_are_nobody(place, admin, database):
    grow_older(place)
    other = persona(database, provider=make_provider(database, "Elsewhere"))
    here = f"/providers/{other.provider.id}/stuck-people"
    answer = other.browser.post(f"{here}/resend", {"id": [str(place.owner_row), "x"]})
    assert answer.heading == "0 invitations are on their way"
    assert "Nobody is ticked" in other.browser.get(f"{here}/resend?id={place.owner_row}&id=x")
    assert OWNER not in other.browser.get(f"{here}/confirm?id={place.owner_row}")
    assert versions(place) == [1]


def test_all_at_once_are_at_most_a_hundred(place, admin):
    many(place, 120)
    page = admin.get(url(place, "/resend?scope=all"))
    assert "These are the oldest 100." in page
