"""The owner's switch: what each mode writes, what is refused, and what goes on working."""

import pytest
from sqlalchemy import select, update

from portal.crypto.keys import wrap_for
from portal.crypto.versions import version_of
from portal.domain.access import Role
from portal.domain.errors import RuleError
from portal.domain.provider_access import AccessMode, GrantState
from portal.domain.scope import Reach
from portal.domain.states import MemberState
from portal.grants import switching
from portal.models import (
    AuthSession,
    ClientAccess,
    Member,
    Organization,
    utc_now,
)
from portal.organizations import key_rotation
from portal.organizations.context import WHILE_BARRED
from portal.providers import rotation
from tests.support.grants import MINUTE, make_house
from tests.support.organizations import join
from tests.support.scope_keys import hire_scoped, key_for, reaches

ALWAYS, ASK, NEVER = AccessMode.ALWAYS, AccessMode.ASK, AccessMode.NEVER


@pytest.fixture
def house(database):
    return make_house(database)


@pytest.fixture
def owner(house):
    return house.owners_browser()


def choose(house, browser, mode, *, seen=None, status=303, **fields):
    seen = (seen or house.mode()).value
    return browser.post(f"{house.url}/mode/{mode}", {"seen": seen, **fields}, status=status)


def handed(house, **changes):
    """What the owner's browser posts when it lets the provider in again."""
    client = house.place.client()
    fields = {
        "wrapped_key": wrap_for(house.place.provider_keys.public_key, house.place.keys.key.raw),
        "public_key": house.place.provider_keys.public_key,
        "version": version_of(client.protected_private_key),
    }
    return fields | changes


def told(house, action):
    """In how many logs it stands."""
    return len(house.events(action))


def test_asking_first_is_chosen_on_a_page_that_names_what_it_means(house, owner):
    page = owner.get(owner.get(house.url).link("Choose “Ask first”"))
    assert page.heading == "Let the provider ask first"
    assert "hands it out only while somebody is let in" in page
    page = owner.follow(owner.submit(page, "Let them ask first", status=303))
    assert "The provider's people have to ask from now on." in page
    assert house.mode() is ASK
    assert told(house, "limit") == 2
    assert len(house.mails("access_mode_team")) == 1
    assert house.place.client().provider_wrapped_key, "it stays, for whoever is let in"


def test_members_who_work_for_the_provider_are_pointed_out(house, owner):
    sentence = "1 member works for the provider too"
    assert sentence not in owner.get(f"{house.url}/mode/never")
    join(house.place, house.tech, Role.USER, MemberState.CONFIRMED)
    assert sentence in owner.get(f"{house.url}/mode/never")


def test_never_deletes_every_key_of_the_provider_at_once(house, owner):
    _kim, row = hire_scoped(house.place, reach=Reach.ONLY)
    kim = house.place.person("kim2@northwind.example", "Kim", keys=True)
    client = house.place.organization
    reaches(house.place, row, client, wrapped_key=key_for(kim, house.place.keys))
    house.database.run(update(Organization).values(next_wrapped_key="2.next"))
    page = owner.get(f"{house.url}/mode/never")
    assert "What this cannot undo" in page
    assert page.link("Settings → Keys").endswith("/keys/rotation")
    page = owner.follow(owner.submit(page, "Keep the provider out", status=303))
    assert "the provider's key is gone" in page
    found = house.place.client()
    assert (found.provider_wrapped_key, found.next_wrapped_key) == (None, None)
    assert found.key_rotation_due_since, "another key is offered"
    assert house.database.all(select(ClientAccess.wrapped_key)) == [None]
    assert house.mode() is NEVER
    assert told(house, "forbid") == 2


@pytest.mark.parametrize("wanted", [ASK, ALWAYS])
def test_the_way_back_needs_the_key_from_the_owners_browser(house, owner, wanted):
    choose(house, owner, NEVER)
    page = choose(house, owner, wanted, status=422)
    assert "No key arrived from your browser." in page
    assert house.mode() is NEVER
    page = owner.get(f"{house.url}/mode/{wanted}")
    assert page.select("form[data-confirm-member] fingerprint-phrase")
    choose(house, owner, wanted, **handed(house))
    assert house.mode() is wanted
    found = house.place.client()
    assert found.provider_wrapped_key.startswith("4.")
    payload = house.events("limit" if wanted is ASK else "allow")[0].payload
    assert "fingerprint" in payload


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"wrapped_key": ""}, 422),
        ({"wrapped_key": "2.a|b|c"}, 422),
        ({"public_key": "another"}, 409),
        ({"version": "another"}, 409),
    ],
)
def test_a_key_for_somebody_else_or_of_another_time_is_refused(house, owner, changes, status):
    choose(house, owner, NEVER)
    choose(house, owner, ALWAYS, status=status, **handed(house, **changes))
    assert house.mode() is NEVER
    assert house.place.client().provider_wrapped_key is None


def test_who_has_seen_another_mode_looks_again(house, owner):
    choose(house, owner, ASK)
    page = choose(house, owner, NEVER, seen=ALWAYS, status=409)
    assert "This has changed in the meantime." in page
    assert house.mode() is ASK
    assert house.place.client().provider_wrapped_key


def test_choosing_twice_changes_once(house, owner):
    choose(house, owner, ASK)
    choose(house, owner, ASK, seen=ALWAYS)
    assert told(house, "limit") == 2
    assert len(house.mails("access_mode_team")) == 1


@pytest.mark.parametrize("wanted", [ALWAYS, NEVER])
def test_another_mode_ends_and_drops_what_is_open(house, owner, wanted):
    house.set_mode(ASK)
    live = house.grant()
    waits = house.grant(GrantState.REQUESTED, person=house.place.admin)
    choose(house, owner, wanted)
    assert house.row(live).state is GrantState.ENDED
    assert house.row(waits).state is GrantState.LAPSED
    assert (told(house, "end"), told(house, "lapse")) == (2, 2)


def test_it_asks_again_who_is_there(house, owner):
    house.database.run(update(AuthSession).values(authenticated_at=utc_now() - 11 * MINUTE))
    assert "/reauthenticate" in owner.get(f"{house.url}/mode/never", status=303).location
    assert "/reauthenticate" in choose(house, owner, NEVER).location
    assert house.mode() is ALWAYS


def test_without_keys_there_is_nothing_to_decide(house, owner):
    house.database.run(
        update(Organization).values(
            public_key=None, protected_private_key=None, provider_wrapped_key=None
        )
    )
    sentence = "This organization has no keys yet."
    page = owner.get(house.url)
    assert sentence in page
    assert not [link for link in page.texts("main a") if link.startswith("Choose")]
    assert sentence in choose(house, owner, ASK, status=422)
    assert house.mode() is ALWAYS


def test_without_a_provider_there_is_nobody_to_keep_out(house, owner):
    house.database.run(update(Organization).values(provider_id=None))
    assert "No provider looks after this organization." in owner.get(house.url)
    owner.get(f"{house.url}/mode/ask", status=404)
    owner.post(f"{house.url}/mode/never", {"seen": "always"}, status=404)


def test_an_owner_who_is_no_owner_any_more_changes_nothing(house):
    """Between the guard and the write somebody may have taken the place away."""
    house.database.run(update(Member).values(role=Role.ADMIN))
    with house.database.session() as session, pytest.raises(RuleError, match="not an owner"):
        switching.switch(
            session,
            house.actor,
            house.id,
            NEVER,
            seen="always",
            handed=switching.Handed(),
        )
    assert house.mode() is ALWAYS


# What goes on working


def test_the_owner_rotates_the_key_and_the_provider_gets_none(house, owner):
    choose(house, owner, NEVER)
    answer = owner.client.get(f"{house.place.url}/keys/rotation/work").json
    assert answer["provider_public_key"] is None
    assert answer["people"] == []
    choose(house, owner, ASK, **handed(house))
    answer = owner.client.get(f"{house.place.url}/keys/rotation/work").json
    assert answer["provider_public_key"] == house.place.provider_keys.public_key


def test_a_rotation_that_began_before_the_switch_stores_nothing_for_the_provider(house, owner):
    with house.database.session() as session:
        before = key_rotation.world_of(session, house.id).version
    choose(house, owner, NEVER)
    with house.database.session() as session:
        assert key_rotation.world_of(session, house.id).version != before


@pytest.mark.parametrize("mode", [ASK, NEVER])
def test_unlinking_works_and_forgets_the_mode(house, owner, mode):
    house.set_mode(ASK)
    grant = house.grant()
    house.set_mode(mode)
    admin = house.place.admins_browser()
    url = f"/providers/{house.place.provider.id}/clients/{house.id}/unlink"
    admin.submit(admin.get(url), "Unlink Acme Ltd", status=303)
    found = house.place.client()
    assert (found.provider_id, found.provider_wrapped_key) == (None, None)
    assert house.mode() is ALWAYS
    assert house.row(grant).state is GrantState.ENDED


def test_the_provider_key_is_rotated_past_a_client_that_keeps_it_out(house, owner):
    choose(house, owner, NEVER)
    with house.database.session() as session:
        here = (house.place.provider.id, house.place.admin.account_id)
        assert rotation.clients_left(session, *here) == []
        assert rotation.count_clients(session, *here) == (0, 0)


def test_what_is_due_is_not_offered_to_a_provider_that_is_kept_out(house, owner):
    admin = house.place.admins_browser()
    due = f"/providers/{house.place.provider.id}/keys/clients"
    house.database.run(update(Organization).values(key_rotation_due_since=utc_now()))
    assert "Acme Ltd" in admin.get(due)
    choose(house, owner, NEVER)
    assert "Acme Ltd" not in admin.get(due).text("main")
    assert "Rotate" in str(owner.get(f"{house.place.url}/keys/rotation"))


def test_somebody_who_is_barred_holds_one_right():
    assert [right.value for right in WHILE_BARRED] == ["organization.access.ask"]


def test_a_second_owner_of_the_client_may_decide_too(house):
    sue = house.place.person("sue@acme.example", "Sue", keys=True)
    join(house.place, sue, Role.OWNER, MemberState.CONFIRMED)
    choose(house, house.place.browser_of(sue), ASK)
    assert house.mode() is ASK
