"""What another plan does to the policies of a client, told before it is changed."""

import json

import pytest
from sqlalchemy import delete, select, update

from portal.cli.recount import recount
from portal.domain.access import Role
from portal.domain.plans import Plan
from portal.domain.policies import PolicyKind
from portal.domain.states import MemberState
from portal.models import Event, Member, Organization, Outbox, Policy
from tests.support.organizations import join
from tests.support.policies import (
    SINGLE,
    TWO_STEP,
    UMA,
    elsewhere,
    enterprise,
    somebody,
    state,
    turn,
)
from tests.test_client_mails import mail_of
from tests.test_clients_subscription import settle

P = PolicyKind


@pytest.fixture
def place(database):
    return enterprise(database)


@pytest.fixture
def admin(place):
    return place.admins_browser()


def preview(browser, place, plan):
    url = f"/providers/{place.provider.id}/clients/{place.organization.id}/subscription"
    page = browser.get(url)
    query = {
        str(tag["name"]): str(tag.get("value", ""))
        for tag in page.select("form input[name]:not([type=radio]):not([type=checkbox])")
    }
    cadence = page.one("input[name=cadence][checked]")["value"]
    asked = query | {"plan": plan, "cadence": str(cadence), "autogrow": "y"}
    told = "&".join(f"{name}={value}" for name, value in asked.items() if name != "csrf_token")
    return browser.get(f"{url}/preview?{told}")


def test_a_smaller_plan_names_what_stops_to_hold(place, admin):
    turn(place, TWO_STEP)
    turn(place, P.NO_PIN)
    turn(place, P.AUTOFILL, on=False)
    page = preview(admin, place, "teams")
    assert "hold no longer: Require two-step sign-in, No unlocking with a PIN." in page
    assert len(place.database.all(select(Policy.kind))) == 3


def test_a_larger_plan_names_what_holds_again_and_who_does_not_meet_it(place, admin):
    turn(place, TWO_STEP)
    turn(place, SINGLE)
    uma, _member = somebody(place)
    somebody(place, "mia@client.example", factor=True)
    elsewhere(place, uma)
    here = Organization.id == place.organization.id
    place.database.run(update(Organization).where(here).values(plan=Plan.TEAMS, plan_rank=1))
    page = preview(admin, place, "enterprise")
    assert "hold again: Require two-step sign-in." in page
    assert "turned off: Single organization." in page
    assert "1 member has no second factor" in page
    assert "1 member belongs to another organization" in page


def on_teams(place):
    here = Organization.id == place.organization.id
    place.database.run(update(Organization).where(here).values(plan=Plan.TEAMS, plan_rank=1))


@pytest.fixture
def returning(place):
    """On Teams, with Single organization stored as on; who the one who is elsewhere is."""
    settle(place, seats=50, seats_used=20)
    for kind in (P.NO_PIN, SINGLE, P.ACCOUNT_RECOVERY):
        turn(place, kind, version=3)
    uma, member = somebody(place)
    elsewhere(place, uma)
    on_teams(place)
    return member


def are_on(place):
    here = Policy.organization_id == place.organization.id
    return set(place.database.all(select(Policy.kind).where(here, Policy.is_on)))


def take(browser, preview, status=303):
    return browser.submit(preview, "Change subscription", status=status)


def test_a_policy_that_would_shut_somebody_out_comes_back_off(place, returning, admin):
    owner = place.person("sue@acme.example", "Sue Owner", keys=True)
    join(place, owner, Role.OWNER, MemberState.CONFIRMED)
    page = preview(admin, place, "enterprise")
    assert "hold again: No unlocking with a PIN." in page
    assert "come back turned off: Single organization, Account recovery." in page
    assert "1 member belongs to another organization by now" in page
    # Whoever changes the plan need not be let in by the client.
    assert UMA not in page
    done = take(admin, page)
    assert "came back turned off" in admin.get(done.response.location)
    assert are_on(place) == {P.NO_PIN}
    assert state(place, returning) is MemberState.CONFIRMED
    events = place.database.all(
        select(Event.payload)
        .where(Event.type == "organization:policy:update", Event.stream_id == place.organization.id)
        .order_by(Event.seq)
    )
    off = [json.loads(each)["details"] for each in events]
    assert [each["policy"] for each in off] == ["account_recovery", "single_organization"]
    assert all(each["before"]["on"] and not each["after"]["on"] for each in off)
    text, html = mail_of(place, "mail.subscription_changed")[1:]
    assert "- Single organization\n- Account recovery" in text
    assert "<li>Single organization</li>" in html
    assert not place.database.all(select(Outbox).where(Outbox.topic == "mail.policy_revoked"))


def test_what_is_off_by_then_keeps_its_data_and_set_up_counts_it(place, returning, admin):
    place.database.run(delete(Policy).where(Policy.kind == P.NO_PIN))
    take(admin, preview(admin, place, "enterprise"))
    row = place.database.one(select(Policy).where(Policy.kind == P.ACCOUNT_RECOVERY))
    assert (row.is_on, row.data, row.version) == (False, {"enrols_all": False}, 4)
    others = Organization.id != place.organization.id
    place.database.run(update(Organization).where(others).values(setup_done=0, setup_total=6))
    with place.database.session() as session:
        assert not dict(recount(session))["set-up progress"]


def test_nothing_is_changed_where_somebody_went_elsewhere_since_then(admin, place, returning):
    page = preview(admin, place, "enterprise")
    mia, _member = somebody(place, "mia@client.example")
    elsewhere(place, mia, name="A third")
    again = take(admin, page, 409)
    here = Organization.id == place.organization.id
    assert "2 members belong to another organization" in again
    assert place.database.one(select(Organization.plan).where(here)) is Plan.TEAMS
    assert SINGLE in are_on(place)
    take(admin, again)
    assert are_on(place) == {P.NO_PIN}


def test_nobody_elsewhere_and_everything_is_on_again(place, returning, admin):
    place.database.run(delete(Member).where(Member.organization_id != place.organization.id))
    assert "turned off" not in take(admin, preview(admin, place, "enterprise"))
    assert are_on(place) == {P.NO_PIN, SINGLE, P.ACCOUNT_RECOVERY}


def test_two_step_comes_back_on_and_the_door_asks(place, admin):
    settle(place, seats=50, seats_used=20)
    turn(place, TWO_STEP)
    uma, member = somebody(place)
    on_teams(place)
    browser = place.browser_of(uma)
    browser.get(f"{place.url}/collections")
    page = preview(admin, place, "enterprise")
    assert "1 member has no second factor, and sets one up before going on." in page
    take(admin, page)
    assert are_on(place) == {TWO_STEP}
    assert state(place, member) is MemberState.CONFIRMED
    assert "/step-up?" in browser.get(f"{place.url}/collections", status=303).response.location


def test_the_same_plan_and_no_policies_say_nothing(place, admin):
    assert "hold no longer" not in preview(admin, place, "teams")
    turn(place, TWO_STEP)
    assert "hold" not in preview(admin, place, "enterprise").text("main")
