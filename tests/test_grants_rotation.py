"""Rotating the provider key hands out no key of a client that wants to be asked."""

import pytest
from sqlalchemy import select, update

from portal.crypto.keys import wrap_for
from portal.crypto.versions import version_of
from portal.domain.errors import RuleError
from portal.domain.provider_access import AccessMode
from portal.grants import switching
from portal.models import AuthSession, Event, Organization
from portal.providers import rotation
from portal.providers.service import ProviderKeys
from tests.support.grants import make_house
from tests.support.scope_keys import client_with_keys, key_for

ALWAYS, ASK, NEVER = AccessMode.ALWAYS, AccessMode.ASK, AccessMode.NEVER


@pytest.fixture
def house(database):
    return make_house(database)


def told(house, kind):
    """In how many logs it stands."""
    return len(house.database.all(select(Event.id).where(Event.type == f"organization:{kind}")))


def work(house):
    """What the page hands to the browser of the admin."""
    url = f"/providers/{house.place.provider.id}/keys/rotation/work"
    return house.place.admins_browser().get(url).response.get_json()


def start(house, session):
    made = house.place.provider_keys
    keys = ProviderKeys(
        made.public_key, made.protected_private_key, key_for(house.place.admin, made)
    )
    rotation.start(session, house.place.actor, keys)


def wrap_all(house, session):
    """One browser's batch: everybody, and the clients that it was given."""
    actor, provider_id = house.place.actor, house.place.provider.id
    found = rotation.under_way(session, provider_id)
    left = rotation.clients_left(session, provider_id, actor.account_id)
    clients = {row.id: rotation.Wrapped(row.key, version_of(row.private_key)) for row in left}
    key = key_for(house.tech, house.place.keys)
    people = {row.id: key for row in rotation.holders(session, provider_id) if not row.has_next}
    rotation.wrap(session, actor, found.id, people=people, clients=clients)
    return found.id


def rotate(house):
    with house.database.session() as session:
        start(house, session)
        rotation.finish(session, house.place.actor, wrap_all(house, session))


def key_of(house, organization_id):
    wanted = select(Organization.provider_wrapped_key).where(Organization.id == organization_id)
    return house.database.one(wanted)


def test_the_key_of_a_client_that_asks_first_never_reaches_the_browser(house):
    other, _keys = client_with_keys(house.place)
    house.set_mode(ASK)
    with house.database.session() as session:
        start(house, session)
    answer = work(house)
    assert [client["id"] for client in answer["clients"]] == [str(other.id)]
    assert answer["total"] == 1
    assert house.place.client().provider_wrapped_key not in str(answer)


def test_a_browser_that_has_the_key_anyway_is_not_listened_to(house):
    house.set_mode(ASK)
    client = house.place.client()
    with house.database.session() as session:
        start(house, session)
        found = rotation.under_way(session, house.place.provider.id)
        forged = rotation.Wrapped(
            client.provider_wrapped_key, version_of(client.protected_private_key)
        )
        rotation.wrap(session, house.place.actor, found.id, people={}, clients={client.id: forged})
    wanted = select(Organization.next_wrapped_key).where(Organization.id == house.id)
    assert house.database.all(wanted) == [None]


def test_the_rotation_ends_without_it_and_both_sides_are_told(house):
    other, _keys = client_with_keys(house.place)
    house.set_mode(ASK)
    rotate(house)
    assert key_of(house, house.id) is None
    assert key_of(house, other.id) is not None
    assert (told(house, "keys:withhold"), told(house, "keys:rewrap")) == (1, 0)
    page = house.place.admins_browser().get(f"/providers/{house.place.provider.id}/keys/rotation")
    assert "Clients whose key the provider has no more" in page
    assert "Acme Ltd" in page
    assert "The provider has no key of this organization" in house.owners_browser().get(house.url)


def test_who_is_let_in_wraps_it_and_it_is_told(house):
    house.set_mode(ASK)
    house.grant(person=house.place.admin)
    rotate(house)
    assert key_of(house, house.id) is not None
    assert (told(house, "keys:withhold"), told(house, "keys:rewrap")) == (0, 1)


def test_a_grant_that_ends_on_the_way_holds_nothing_up(house):
    house.set_mode(ASK)
    grant = house.grant(person=house.place.admin)
    with house.database.session() as session:
        start(house, session)
        rotation.wrap(
            session,
            house.place.actor,
            rotation.under_way(session, house.place.provider.id).id,
            people={},
            clients={},
        )
    assert work(house)["total"] == 1
    house.owners_browser().post(f"{house.url}/grants/{grant}/end", status=303)
    assert work(house)["total"] == 0
    with house.database.session() as session:
        rotation.finish(session, house.place.actor, wrap_all(house, session))
    assert key_of(house, house.id) is None


def test_a_client_that_lets_everybody_in_is_still_waited_for(house):
    with house.database.session() as session:
        start(house, session)
        found = rotation.under_way(session, house.place.provider.id)
        with pytest.raises(RuleError):
            rotation.finish(session, house.place.actor, found.id)


# The way back.


def handed(house):
    client = house.place.client()
    return {
        "seen": "ask",
        "wrapped_key": wrap_for(house.place.provider_keys.public_key, house.place.keys.key.raw),
        "public_key": house.place.provider_keys.public_key,
        "version": version_of(client.protected_private_key),
    }


def test_an_owner_hands_the_key_over_and_the_mode_stays(house):
    house.set_mode(ASK)
    rotate(house)
    owner = house.owners_browser()
    page = owner.get(owner.get(house.url).link("Hand over the key"))
    assert page.heading == "Hand over the key"
    owner.post(f"{house.url}/mode/ask", {"seen": "ask"}, status=422)
    wrong = handed(house) | {"version": "other"}
    owner.post(f"{house.url}/mode/ask", wrong, status=409)
    assert key_of(house, house.id) is None
    owner.post(f"{house.url}/mode/ask", handed(house), status=303)
    assert key_of(house, house.id).startswith("4.")
    assert house.mode() is ASK
    assert told(house, "keys:hand_over") == 2
    assert told(house, "provider_access:limit") == 0
    # Once is once.
    owner.post(f"{house.url}/mode/ask", handed(house), status=303)
    assert told(house, "keys:hand_over") == 2
    assert "Hand over the key" not in owner.get(house.url)


def test_letting_everybody_in_needs_the_key_as_well(house):
    house.set_mode(ASK)
    rotate(house)
    owner = house.owners_browser()
    owner.post(f"{house.url}/mode/always", {"seen": "ask"}, status=422)
    owner.post(f"{house.url}/mode/always", handed(house), status=303)
    assert house.mode() is ALWAYS
    assert key_of(house, house.id).startswith("4.")


def test_nobody_but_an_owner_hands_it_over(house):
    house.set_mode(ASK)
    rotate(house)
    house.place.admins_browser().post(f"{house.url}/mode/ask", handed(house), status=403)
    actor, key = house.place.actor, handed(house)
    own = switching.Handed(key["wrapped_key"], key["public_key"], key["version"])
    with house.database.session() as session, pytest.raises(RuleError):
        switching.switch(session, actor, house.id, ASK, seen="ask", handed=own)
    assert key_of(house, house.id) is None


def test_who_is_let_in_meanwhile_is_told_why_nothing_opens(house):
    house.set_mode(ASK)
    rotate(house)
    house.grant(person=house.place.admin)
    page = house.place.admins_browser().get(f"{house.place.url}/collections")
    assert "The provider has no key of this client" in page


# Sessions that are in.


def sessions(house, person):
    wanted = select(AuthSession.id).where(AuthSession.account_id == person.account_id)
    return house.database.all(wanted.order_by(AuthSession.id))


def test_an_owner_ends_a_live_session_of_a_client_that_lets_everybody_in(house):
    browser = house.techs_browser()
    browser.get(f"{house.place.url}/members")
    owner = house.owners_browser()
    page = owner.get(owner.get(house.url).link(f"End {house.tech.name}"))
    done = owner.follow(owner.submit(page, "End the session", status=303))
    assert f"{house.tech.name} is signed out." in done
    assert sessions(house, house.tech) == []
    assert told(house, "provider_access:end_session") == 2
    assert browser.get(f"{house.place.url}/members", status=303).location.startswith("/sign-in")
    # The address that the page had leads back now, and a second press ends nothing.
    owner.get(page.response.request.path, status=303)
    owner.post(page.response.request.path, status=303)
    assert told(house, "provider_access:end_session") == 2
    house.techs_browser().get(f"{house.place.url}/members")


def test_only_sessions_that_came_in_here_can_be_ended_and_only_by_an_owner(house):
    house.techs_browser().get(f"{house.place.url}/members")
    house.place.admins_browser().get(f"/providers/{house.place.provider.id}/clients")
    (inside,) = sessions(house, house.tech)
    (outside,) = sessions(house, house.place.admin)
    owner = house.owners_browser()
    (own,) = sessions(house, house.owner)
    for other in (outside, own, house.id):
        owner.get(f"{house.url}/sessions/{other}/end", status=303)
        owner.post(f"{house.url}/sessions/{other}/end", status=303)
    house.place.admins_browser().post(f"{house.url}/sessions/{inside}/end", status=403)
    assert len(sessions(house, house.tech)) == 1
    assert len(sessions(house, house.owner)) == 1
    assert told(house, "provider_access:end_session") == 0


def test_a_key_of_never_is_left_alone(house):
    house.set_mode(NEVER)
    house.database.run(
        update(Organization).where(Organization.id == house.id).values(provider_wrapped_key=None)
    )
    rotate(house)
    assert told(house, "keys:withhold") == 0
