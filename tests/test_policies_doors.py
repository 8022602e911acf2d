"""Policies are kept at every door: accepting, confirming, restoring, signing in."""

import threading
from contextlib import nullcontext, suppress

import pytest
from sqlalchemy import select, update

from portal.crypto.keys import wrap_for
from portal.domain.access import ORGANIZATION_ROLES, Role
from portal.domain.errors import RuleError
from portal.domain.membership import Manager, MemberAction
from portal.domain.plans import Plan
from portal.domain.states import MemberState
from portal.members import changes
from portal.models import (
    Account,
    Member,
    Organization,
    Policy,
)
from portal.policies import service
from portal.policies.service import Wanted
from tests.support.accounts import keys_for
from tests.support.browsing import Browser
from tests.support.organizations import OWNER
from tests.support.policies import (
    SINGLE,
    TWO_STEP,
    UMA,
    elsewhere,
    enterprise,
    give_factor,
    somebody,
    state,
    turn,
)


@pytest.fixture
def place(database):
    return enterprise(database)


@pytest.fixture
def admin(place):
    return place.admins_browser()


@pytest.mark.parametrize("kind", [TWO_STEP, SINGLE])
@pytest.mark.parametrize("role", ORGANIZATION_ROLES)
@pytest.mark.parametrize("meets", [True, False])
def test_who_may_accept(place, kind, role, meets):
    turn(place, kind)
    place.database.run(update(Member).where(Member.id == place.owner_row).values(role=role))
    olga = place.person(OWNER, "Olga", keys=True)
    if meets:
        give_factor(place, olga)
    else:
        elsewhere(place, olga)
    browser = place.browser_of(olga)
    page = browser.get(place.link())
    lets_in = meets or role in (Role.OWNER, Role.ADMIN)
    assert ("You cannot accept yet" in page) is not lets_in
    assert bool(page.select("main form[action$=accept]")) is lets_in
    answer = browser.post(f"{place.link()}/accept", {}, status=303 if lets_in else 409)
    wanted = MemberState.ACCEPTED if lets_in else MemberState.INVITED
    assert state(place, place.owner_row) is wanted, answer


@pytest.mark.parametrize("kind", [TWO_STEP, SINGLE])
@pytest.mark.parametrize("role", ORGANIZATION_ROLES)
@pytest.mark.parametrize("meets", [True, False])
def test_who_may_be_confirmed(place, admin, kind, role, meets):
    turn(place, kind)
    person, member = somebody(place, role=role, state=MemberState.ACCEPTED, factor=meets)
    if not meets:
        elsewhere(place, person, name="Secret Society")
    public = keys_for(UMA).public_key
    data = {"public_key": public, "wrapped_key": wrap_for(public, place.keys.key.raw)}
    lets_in = meets or role in (Role.OWNER, Role.ADMIN)
    where = f"{place.members}/{member}/confirm"
    page = admin.post(where, data, status=303 if lets_in else 422)
    assert state(place, member) is (MemberState.CONFIRMED if lets_in else MemberState.ACCEPTED)
    if not lets_in:
        assert UMA in page
        assert "Secret Society" not in page


@pytest.mark.parametrize("kind", [TWO_STEP, SINGLE])
@pytest.mark.parametrize("role", ORGANIZATION_ROLES)
@pytest.mark.parametrize("meets", [True, False])
def test_who_may_be_restored(place, kind, role, meets):
    turn(place, kind)
    person, member = somebody(place, role=role, factor=meets)
    if not meets:
        elsewhere(place, person)
    revoked = {"state": MemberState.REVOKED, "revoked_because": kind.value}
    place.database.run(update(Member).where(Member.id == member).values(**revoked))
    lets_in = meets or role in (Role.OWNER, Role.ADMIN)
    expected = nullcontext() if lets_in else pytest.raises(RuleError, match=UMA)
    with place.database.session() as session, expected:
        changes.act(
            session,
            place.actor,
            MemberAction.RESTORE,
            organization_id=place.organization.id,
            member_id=member,
            by=Manager(Role.PROVIDER_ADMIN),
        )
    assert state(place, member) is (MemberState.CONFIRMED if lets_in else MemberState.REVOKED)


def test_people_of_the_provider_are_exempt(place):
    turn(place, TWO_STEP)
    place.database.run(
        update(Member)
        .where(Member.id == place.owner_row)
        .values(email=place.admin.email, role="user")
    )
    browser = place.admins_browser()
    browser.post(f"{place.link()}/accept", {}, status=303)
    assert state(place, place.owner_row) is MemberState.ACCEPTED


def test_a_member_of_a_single_organization_accepts_no_second_one(place):
    olga = place.person(OWNER, "Olga", keys=True)
    away, _row = elsewhere(place, olga)
    turn(away, SINGLE)
    browser = place.browser_of(olga)
    page = browser.get(place.link())
    assert "You belong to Other Ltd, whose members belong to no other organization." in page
    browser.post(f"{place.link()}/accept", {}, status=409)
    assert state(place, place.owner_row) is MemberState.INVITED


def test_on_a_smaller_plan_a_policy_stays_stored_and_asks_nothing(place):
    turn(place, TWO_STEP)
    place.database.run(update(Organization).values(plan=Plan.TEAMS, plan_rank=1))
    place.database.run(update(Member).where(Member.id == place.owner_row).values(role="user"))
    olga = place.person(OWNER, "Olga", keys=True)
    place.browser_of(olga).post(f"{place.link()}/accept", {}, status=303)
    assert place.database.one(select(Policy.is_on)) is True


def test_a_newcomer_gets_an_account_sets_up_a_second_factor_and_then_accepts(place):
    turn(place, TWO_STEP)
    place.database.run(update(Member).where(Member.id == place.owner_row).values(role="user"))
    browser = Browser(place.database.app)
    page = browser.get(place.link())
    answer = browser.submit(page, "Create account and join", {"name": "Olga"}, status=303)
    assert answer.location.startswith("/profile/second-factor?next=/invitations/")
    assert state(place, place.owner_row) is MemberState.INVITED
    assert "requires two-step sign-in" in browser.follow(answer)
    account = place.database.one(select(Account).where(Account.email == OWNER))
    place.database.run(update(Account).where(Account.id == account.id).values(totp_secret="sealed"))
    browser.submit(browser.get(place.link()), "Accept invitation", {}, status=303)
    assert state(place, place.owner_row) is MemberState.ACCEPTED


def test_the_second_factor_stays_on_while_an_organization_asks_for_it(place):
    turn(place, TWO_STEP)
    person, _member = somebody(place, factor=True)
    browser = place.browser_of(person, second=True)
    page = browser.get("/profile/second-factor")
    assert place.organization.name in page
    browser.post("/profile/second-factor/off", {}, status=409)
    account = select(Account.totp_secret).where(Account.id == person.account_id)
    assert place.database.one(account) == "sealed"


def test_a_member_without_a_second_factor_is_led_to_set_one_up(place):
    turn(place, TWO_STEP)
    person, _member = somebody(place)
    browser = place.browser_of(person)
    answer = browser.get(f"{place.url}/collections", status=303)
    assert answer.location.startswith("/step-up")
    page = browser.follow(answer)
    assert "second factor" in page
    owner, _row = somebody(place, "otto@client.example", Role.OWNER)
    place.browser_of(owner).get(f"{place.url}/collections", status=200)


def switch_on(place):
    wanted, here = Wanted(is_on=True, data=None, version=0), place.organization.id
    with place.database.session() as session:
        look = service.look(session, place.actor, here, TWO_STEP, wanted)
    with place.database.session() as session:
        service.save(session, place.actor, here, TWO_STEP, wanted, seen=look.digest)


@pytest.mark.committed
def test_turned_on_while_somebody_accepts_either_comes_first(committed):
    place = enterprise(committed)
    place.database.run(update(Member).where(Member.id == place.owner_row).values(role="user"))
    olga = place.person(OWNER, "Olga", keys=True)
    browser, link = place.browser_of(olga), place.link()
    start = threading.Barrier(2)

    def accept():
        start.wait()
        with suppress(AssertionError):
            browser.post(f"{link}/accept", {}, status=303)

    def turn_on():
        start.wait()
        for _try in range(3):
            with suppress(service.Moved, service.Changed):
                switch_on(place)

    both = [threading.Thread(target=accept), threading.Thread(target=turn_on)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert place.database.one(select(Policy.is_on)) is True
    assert state(place, place.owner_row) in (MemberState.INVITED, MemberState.REVOKED)
