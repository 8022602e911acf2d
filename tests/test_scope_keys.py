"""Keys follow the scope: who gets none, who loses them, and what becomes due then."""

import pytest
from sqlalchemy import select, update

from portal.domain.scope import Level, Reach
from portal.domain.states import ProviderPersonState
from portal.models import Provider, ProviderPerson
from portal.providers import queries, scope_keys
from tests.support.accounts import keys_for
from tests.support.organizations import make_place
from tests.support.scope_keys import (
    KIM,
    access,
    client_with_keys,
    due,
    hire_scoped,
    key_for,
    reaches,
)
from tests.support.staff import JUN, change, hire, people_url, told

ACCEPTED = ProviderPersonState.ACCEPTED


@pytest.fixture
def place(database):
    return make_place(database)


def row(place, person_id):
    return place.database.one(select(ProviderPerson).where(ProviderPerson.id == person_id))


def rotation_due(place):
    return place.database.one(select(Provider.rotation_due_since))


def confirm_url(place, person_id):
    return f"{people_url(place)}/confirm?person={person_id}"


# Confirming without a key.


@pytest.mark.parametrize(
    ("reach", "level"), [(Reach.ONLY, Level.MANAGE), (Reach.ALL, Level.READ_ONLY)]
)
def test_who_needs_no_provider_key_is_confirmed_without_one(place, reach, level):
    _kim, person_id = hire_scoped(place, reach=reach, level=level, state=ACCEPTED)
    browser = place.admins_browser()
    page = browser.get(confirm_url(place, person_id))
    assert "takes no provider key" in page
    assert page.one("fingerprint-phrase")["public-key"] == keys_for(KIM).public_key
    # The form has all that is needed, so it can be sent without scripts.
    browser.submit(page, "Confirm")
    assert row(place, person_id).state is ProviderPersonState.CONFIRMED
    assert row(place, person_id).wrapped_provider_key is None
    assert told(place, "provider:person:confirm")[-1]["with_key"] is False


def test_a_key_that_is_sent_for_them_all_the_same_is_dropped(place):
    kim, person_id = hire_scoped(place, state=ACCEPTED)
    fields = {
        "person": str(person_id),
        f"public_key-{person_id}": kim.keys.public_key,
        f"wrapped_provider_key-{person_id}": key_for(kim, place.provider_keys),
    }
    place.admins_browser().post(f"{people_url(place)}/confirm", fields, status=303)
    assert row(place, person_id).wrapped_provider_key is None


def test_another_key_than_the_one_shown_confirms_nobody_and_alarms(place):
    _kim, person_id = hire_scoped(place, state=ACCEPTED)
    other = keys_for("other@northwind.example").public_key
    fields = {"person": str(person_id), f"public_key-{person_id}": other}
    place.admins_browser().post(f"{people_url(place)}/confirm", fields, status=422)
    assert row(place, person_id).state is ACCEPTED
    assert told(place, "provider:person:key_changed")


def test_who_has_no_keys_and_needs_none_is_confirmed(place):
    _kim, person_id = hire_scoped(place, level=Level.READ_ONLY, state=ACCEPTED, keys=False)
    browser = place.admins_browser()
    page = browser.get(confirm_url(place, person_id))
    assert "no phrase to compare" in page
    browser.submit(page, "Confirm")
    assert row(place, person_id).state is ProviderPersonState.CONFIRMED


def test_somebody_widened_between_the_look_and_the_press_is_not_confirmed_without_the_key(place):
    _kim, person_id = hire_scoped(place, state=ACCEPTED)
    browser = place.admins_browser()
    page = browser.get(confirm_url(place, person_id))
    place.database.run(
        update(ProviderPerson).where(ProviderPerson.id == person_id).values(reach=Reach.ALL)
    )
    browser.submit(page, "Confirm", status=422)
    assert row(place, person_id).state is ACCEPTED


def test_who_needs_no_key_waits_for_none(place):
    hire_scoped(place)
    page = place.admins_browser().get(people_url(place))
    assert "Somebody is waiting for you" not in page
    assert "Not needed" in page
    assert "Nobody is waiting" in place.admins_browser().get(f"{people_url(place)}/confirm")


def test_who_is_widened_waits_for_the_key_again(place):
    _kim, person_id = hire_scoped(place)
    place.database.run(
        update(ProviderPerson).where(ProviderPerson.id == person_id).values(reach=Reach.ALL)
    )
    page = place.admins_browser().get(people_url(place))
    assert "Somebody is waiting for you" in page


def test_a_recovery_sheet_gives_nobody_a_key_that_their_scope_does_not_take(place):
    place.database.run(update(Provider).values(recovery_wrapped_key="2.x"))
    place.database.run(update(ProviderPerson).values(reach=Reach.ONLY, wrapped_provider_key=None))
    fields = {"wrapped_provider_key": key_for(place.admin, place.provider_keys)}
    place.admins_browser().post(f"/providers/{place.provider.id}/keys/restore", fields, status=422)
    assert place.database.one(select(ProviderPerson.wrapped_provider_key)) is None


# Keys that are taken back.


def narrow(place, person_id, reach, level):
    with place.database.session() as session:
        person = queries.person(session, place.provider.id, person_id)
        scope_keys.scope_changed(session, place.actor, person, reach=reach, level=level)


@pytest.mark.parametrize(
    ("reach", "level"), [(Reach.ALL_BUT, Level.MANAGE), (Reach.ALL, Level.READ_ONLY)]
)
def test_narrowing_takes_the_provider_key_and_makes_another_one_due(place, reach, level):
    _jun, person_id = hire(place)
    place.database.run(update(ProviderPerson).values(next_wrapped_key="4.x"))
    narrow(place, person_id, reach, level)
    found = row(place, person_id)
    assert (found.wrapped_provider_key, found.next_wrapped_key) == (None, None)
    assert rotation_due(place)
    assert told(place, "provider:person:take_key") == [{"email": JUN}]


def test_a_scope_that_keeps_the_key_takes_nothing(place):
    _jun, person_id = hire(place)
    narrow(place, person_id, Reach.ALL, Level.MANAGE)
    assert row(place, person_id).wrapped_provider_key
    assert rotation_due(place) is None


def test_a_narrowing_that_is_undone_takes_nothing(place):
    _jun, person_id = hire(place)
    with place.database.session() as session:
        person = queries.person(session, place.provider.id, person_id)
        scope_keys.scope_changed(session, place.actor, person, reach=Reach.ONLY, level=Level.MANAGE)
        session.rollback()
    assert row(place, person_id).wrapped_provider_key
    assert rotation_due(place) is None


def test_of_the_clients_that_were_opened_those_that_stay_in_scope_need_no_other_key(place):
    jun, person_id = hire(place)
    birch, _keys = client_with_keys(place)
    client_with_keys(place, "Never opened")
    for client in (place.organization, birch):
        place.browser_of(jun).get(f"/organizations/{client.id}/collections")
    reaches(place, person_id, birch)
    narrow(place, person_id, Reach.ONLY, Level.MANAGE)
    assert due(place) == {place.organization.id}


def test_who_may_only_read_from_now_on_loses_the_keys_of_clients(place):
    kim, person_id = hire_scoped(place)
    birch, keys = client_with_keys(place)
    reaches(place, person_id, birch, wrapped_key=key_for(kim, keys))
    reaches(place, person_id, place.organization)
    narrow(place, person_id, Reach.ONLY, Level.READ_ONLY)
    assert [each.wrapped_key for each in access(place)] == [None, None]
    assert all(each.until_at is None for each in access(place))
    assert due(place) == {birch.id}
    assert rotation_due(place) is None


# Leaving.


@pytest.mark.parametrize("action", ["suspend", "remove"])
def test_clients_of_which_a_leaver_held_the_key_are_due_for_another(place, action):
    kim, person_id = hire_scoped(place)
    birch, keys = client_with_keys(place)
    reaches(place, person_id, birch, wrapped_key=key_for(kim, keys))
    reaches(place, person_id, place.organization)
    change(place, action, person_id, status=303)
    assert due(place) == {birch.id}
    assert rotation_due(place) is None


def test_a_leaver_with_the_provider_key_makes_those_due_that_they_had_opened(place):
    jun, person_id = hire(place)
    birch, _keys = client_with_keys(place)
    place.browser_of(jun).get(f"/organizations/{birch.id}/collections")
    place.admins_browser().get(f"{place.url}/collections")
    change(place, "remove", person_id, status=303)
    assert due(place) == {birch.id}
    assert rotation_due(place)


def test_the_first_leaver_counts_for_since_when(place):
    kim, person_id = hire_scoped(place)
    reaches(place, person_id, place.organization, wrapped_key=key_for(kim, place.keys))
    change(place, "suspend", person_id, status=303)
    first = place.client().key_rotation_due_since
    lee, other = hire_scoped(place, "lee@northwind.example", "Lee Wong")
    reaches(place, other, place.organization, wrapped_key=key_for(lee, place.keys))
    change(place, "suspend", other, status=303)
    assert place.client().key_rotation_due_since == first
