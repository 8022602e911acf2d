"""Confirming members of several clients from one page, and two admins who act at once."""

import json
import threading

import pytest
from sqlalchemy import select, update

from portal.crypto.keys import wrap_for
from portal.domain.access import Role
from portal.domain.states import MemberState
from portal.models import Attention, ClientAccess, Event, Member, Organization, Outbox
from portal.providers import attention
from tests.support.accounts import keys_for
from tests.support.clients import make_client, make_provider, persona
from tests.support.organizations import OWNER, join, make_place
from tests.support.scopes import scoped
from tests.support.staff import hire
from tests.support.stuck import ask, grow_older, url

EVA = "eva@acme.example"


@pytest.fixture
def place(database):
    return make_place(database)


@pytest.fixture
def admin(place):
    return place.admins_browser()


def accept(place, email=EVA, *, keys=True, role=Role.USER):
    """Somebody has accepted and waits; returns the id of their row."""
    person = place.person(email, email.title(), keys=keys)
    member_id = join(place, person, role, MemberState.ACCEPTED)
    with place.database.session() as session:
        attention.member_moved(session, member_id, MemberState.ACCEPTED)
    return member_id


def handed_over(place, email=EVA):
    key = keys_for(email).public_key
    return {"public_key": key, "wrapped_key": wrap_for(key, place.keys.key.raw)}


def one(place, member_id, organization_id=None):
    client = organization_id or place.organization.id
    return url(place, f"/confirm/{client}/{member_id}")


def state(place, member_id):
    return place.database.one(select(Member.state).where(Member.id == member_id))


def test_the_page_shows_phrases_and_wrapped_keys_of_whoever_waits(place, admin):
    member_id = accept(place)
    page = admin.get(url(place, "/confirm?scope=all"))
    section = page.one("[data-member]")
    assert section["data-post"] == one(place, member_id)
    assert section["data-wrapped-by"] == "provider"
    assert section["data-organization-key"].startswith("2.")
    assert page.text("fingerprint-phrase")
    assert "This browser runs no scripts, so it cannot confirm" in page
    assert OWNER not in page
    assert page.response.headers["Cache-Control"] == "no-store"


def test_a_key_that_arrives_confirms_and_leaves_the_list(place, admin):
    member_id = accept(place)
    admin.post(one(place, member_id), handed_over(place), status=204)
    assert state(place, member_id) is MemberState.CONFIRMED
    assert "Nobody is waiting" in admin.get(url(place, f"/confirm?id={member_id}"))
    streams = place.database.all(
        select(Event.stream_id).where(Event.type == "organization:member:confirm")
    )
    assert set(streams) == {place.provider.id, place.organization.id}


def test_a_second_one_is_told_that_nobody_waits(place, admin):
    member_id = accept(place)
    admin.post(one(place, member_id), handed_over(place), status=204)
    answer = admin.post(one(place, member_id), handed_over(place), status=422)
    assert answer.response.json["errors"][""] == "This person is already confirmed."


def test_another_key_than_the_one_shown_raises_the_alarm(place, admin):
    member_id = accept(place)
    other = keys_for(OWNER).public_key
    fields = {"public_key": other, "wrapped_key": wrap_for(other, place.keys.key.raw)}
    answer = admin.post(one(place, member_id), fields, status=409)
    assert "key has changed" in answer.response.json["errors"][""]
    assert state(place, member_id) is MemberState.ACCEPTED
    found = select(Event).where(Event.type == "organization:member:key_changed")
    assert len(place.database.all(found)) == 2


@pytest.mark.parametrize("fields", [{}, {"wrapped_key": "4.x"}, {"public_key": "x" * 99}])
def test_without_a_key_nothing_happens(place, admin, fields):
    member_id = accept(place)
    answer = admin.post(one(place, member_id), fields, status=422)
    assert answer.response.json["errors"][""]
    assert state(place, member_id) is MemberState.ACCEPTED


def test_ids_that_do_not_belong_together_are_nobody(place, admin, database):
    member_id = accept(place)
    beta = make_client(database, place.provider, "Beta SARL")
    admin.post(one(place, member_id, beta.id), handed_over(place), status=404)
    admin.post(one(place, place.owner_row), handed_over(place), status=422)
    other = persona(database, provider=make_provider(database, "Elsewhere"))
    there = f"/providers/{other.provider.id}/stuck-people/confirm/{place.organization.id}"
    other.browser.post(f"{there}/{member_id}", handed_over(place), status=404)
    assert state(place, member_id) is MemberState.ACCEPTED


def test_a_limited_person_uses_the_key_of_each_client_and_nothing_of_the_providers(place, database):
    accept(place)
    jun = scoped(database, place.provider, clients=[place.organization])
    page = jun.browser.get(url(place, "/confirm?scope=all"))
    assert "You hold no key of these clients yet: Acme Ltd" in page
    assert page.select("[data-member]") == []
    database.run(update(ClientAccess).values(wrapped_key="4.mine"))
    page = jun.browser.get(url(place, "/confirm?scope=all"))
    section = page.one("[data-member]")
    assert (section["data-organization-key"], section["data-wrapped-by"]) == ("4.mine", "account")
    ring = json.loads(page.one("meta[name=key-ring]")["content"])
    assert ring["provider"] is None


def test_a_client_outside_of_the_scope_is_nobodys(place, database):
    member_id = accept(place)
    jun = scoped(database, place.provider)
    assert "Nobody is waiting" in jun.browser.get(url(place, f"/confirm?id={member_id}"))
    jun.browser.post(one(place, member_id), handed_over(place), status=404)


def test_a_service_user_confirms_no_owner(place):
    accept(place, "o@acme.example", role=Role.OWNER)
    jun, _ = hire(place)
    page = place.browser_of(jun).get(url(place, "/confirm?scope=all"))
    assert "Only a provider admin can confirm these owners: O@Acme.Example." in page
    assert page.select("[data-member]") == []


def test_a_key_that_was_rotated_since_is_not_handed_over(place, admin):
    member_id = accept(place)
    fields = {**handed_over(place), "key_version": "another"}
    answer = admin.post(one(place, member_id), fields, status=422)
    assert answer.response.json["errors"][""]
    shown = admin.get(url(place, "/confirm?scope=all")).one("[data-member]")["data-key-version"]
    fields = {**handed_over(place), "key_version": shown}
    admin.post(one(place, member_id), fields, status=204)


def test_what_cannot_be_confirmed_yet_says_why(place, admin, database):
    accept(place, keys=False)
    page = admin.get(url(place, "/confirm?scope=all"))
    assert f"have no keys yet: {EVA.title()}" in page
    database.run(
        Organization.__table__.update().values(
            public_key=None, protected_private_key=None, provider_wrapped_key=None
        )
    )
    page = admin.get(url(place, "/confirm?scope=all"))
    assert "These clients have no keys yet: Acme Ltd" in page
    assert page.select("[data-member]") == []


@pytest.mark.committed
def test_of_two_admins_who_send_at_once_one_sends(committed):
    place = make_place(committed)
    people = [place.owner_row, *(ask(place, f"p{number}@acme.example").id for number in range(4))]
    grow_older(place)
    before = committed.count(Outbox)
    browsers = [place.admins_browser() for _each in range(2)]
    tokens = [browser.csrf_token() for browser in browsers]
    answers = []

    def send(turn):
        fields = {"csrf_token": tokens[turn], "id": [str(each) for each in people[:: 1 - 2 * turn]]}
        answers.append(browsers[turn].post(url(place, "/resend"), fields).heading)

    threads = [threading.Thread(target=send, args=(turn,)) for turn in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["0 invitations are on their way", "5 invitations are on their way"]
    assert committed.count(Outbox) == before + 5
    assert committed.count(Attention) == 5
