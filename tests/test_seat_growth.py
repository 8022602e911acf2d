"""Seats that grow by themselves: within bounds, at the price shown, told in both logs."""

import json
import threading
from dataclasses import replace

import pytest
from sqlalchemy import func, select, update

from portal.billing import load_prices
from portal.domain.access import Actor, Role
from portal.domain.errors import RuleError
from portal.domain.membership import Manager
from portal.domain.seat_growth import Enough
from portal.domain.states import ClientStatus, MemberState
from portal.members import growing, inviting
from portal.models import (
    Event,
    Member,
    Organization,
    Outbox,
    SeatGrowth,
    SeatRules,
    SubscriptionChange,
    SubscriptionLine,
    utc_now,
)
from tests.support.accounts import make_person
from tests.support.clients import make_client
from tests.support.organizations import join, make_place
from tests.test_clients_subscription import change, settle

GROWN = "organization:seats:grow"


@pytest.fixture
def place(database):
    """Ten seats, nine of them in use, which may grow without limit."""
    return settle(make_place(database), seats_used=9)


def somebody(place, role=Role.OWNER, email="olga.two@acme.example"):
    """A confirmed member, who takes no seat of the nine."""
    person = make_person(place.database, email, "Olga Two", keys=True)
    join(place, person, role, MemberState.CONFIRMED)
    return person


def member_actor(place, role=Role.OWNER):
    person = somebody(place, role)
    return Actor(
        account_id=person.account_id,
        session_id=None,
        name=person.name,
        email=person.email,
        role=role,
        permissions=role.permissions,
        organization_id=place.organization.id,
    )


def service_actor(place):
    role = Role.SERVICE_USER
    return replace(place.actor, role=role, permissions=role.permissions)


def bound(place, *, month=None, day=None, grown=0):
    today = utc_now().date()
    rules = SeatRules(
        provider_id=place.provider.id,
        monthly_ceiling=month,
        daily_number=day,
        month=today.replace(day=1),
        grown=grown,
    )
    place.database.add(rules)


def foresee(place, actor, wanted):
    with place.database.session() as session:
        return growing.foresee(session, actor, place.organization.id, wanted, load_prices())


def invite(place, actor, *names, agreed=None, client=None):
    with place.database.session() as session:
        return inviting.invite(
            session,
            actor,
            client or place.organization.id,
            [f"{name}@a.example" for name in names],
            inviting.Given(Role.USER),
            by=Manager(Role.OWNER),
            prices=load_prices(),
            agreed=agreed,
        )


def refused(place, actor, *names, **more):
    with pytest.raises(RuleError) as caught:
        invite(place, actor, *names, **more)
    return str(caught.value.text)


def mails(place):
    growth = ("mail.seats_grown", "mail.seat_limit_reached")
    found = select(Outbox.topic).where(Outbox.topic.in_(growth)).order_by(Outbox.id)
    return place.database.all(found)


def grown_in(place, stream):
    found = select(Event.payload).where(Event.type == GROWN, Event.stream_id == stream)
    return [json.loads(payload) for payload in place.database.all(found)]


def test_seats_grow_as_far_as_people_need_and_cost_what_was_foreseen(place):
    owner = member_actor(place)
    seen = foresee(place, owner, 3)
    assert (seen.standing.free, seen.added) == (1, 2)
    invite(place, owner, "a", "b", "c", agreed=seen.mark)
    client = place.client()
    assert (client.seats, client.seats_used, client.seats_remaining) == (12, 12, 0)
    billed = place.database.one(select(SubscriptionChange))
    assert billed.adjustment_cents == seen.preview.adjustment.cents > 0
    assert (billed.before, billed.after) == ({"seats": 10}, {"seats": 12})
    line = place.database.one(select(SubscriptionLine))
    assert (line.quantity, line.unit_cents) == (12, 500)


def test_growth_is_one_event_in_both_logs_with_before_and_after(place):
    invite(place, member_actor(place), "a", "b")
    told = [
        *grown_in(place, place.organization.id),
        *grown_in(place, place.provider.id),
    ]
    assert [(each["details"]["before"], each["details"]["after"]) for each in told] == [
        (10, 11)
    ] * 2
    assert told[0]["details"]["adjustment"]


def test_who_fits_buys_nothing(place):
    owner = member_actor(place)
    assert isinstance(foresee(place, owner, 1).answer, Enough)
    invite(place, owner, "a")
    assert place.client().seats == 10
    assert place.database.count(SubscriptionChange) == 0
    assert place.database.count(SeatRules) == 0
    assert mails(place) == []


def test_nothing_is_bought_unseen_nor_at_another_price(place):
    owner = member_actor(place)
    seen = foresee(place, owner, 2)
    for agreed in ("", "1-0-0-0", foresee(place, owner, 3).mark):
        assert refused(place, owner, "a", "b", agreed=agreed) == growing.LOOK_FIRST
    assert place.client().seats == 10
    invite(place, owner, "a", "b", agreed=seen.mark)
    assert place.client().seats == 11


def test_a_service_user_never_raises_the_bill(place):
    technician = service_actor(place)
    text = refused(place, technician, "a", "b")
    assert text == (
        "2 seats are needed, left: 1. More would raise the bill; a provider admin can add seats."
    )
    invite(place, technician, "a")
    assert place.client().seats == 10
    assert place.database.count(SubscriptionChange) == 0


def test_growth_ends_at_the_limit_and_the_refusal_says_who_can_help(place):
    place.database.run(update(Organization).values(seat_limit=11))
    owner = member_actor(place)
    text = refused(place, owner, "a", "b", "c")
    assert text == "3 seats are needed, left: 1. A provider admin can add seats."
    assert place.client().seats_used == 9
    invite(place, owner, "a", "b")
    assert place.client().seats == 11


def test_the_first_growth_and_the_limit_are_told_once_each(place):
    somebody(place, email="other@acme.example")
    owner = member_actor(place)
    place.database.run(update(Organization).values(seat_limit=13))
    invite(place, owner, "a", "b")
    # The other owner and the provider's admin; whoever did it saw the price.
    assert mails(place) == ["mail.seats_grown"] * 2
    invite(place, owner, "c")
    assert len(mails(place)) == 2
    invite(place, owner, "d")
    assert mails(place)[2:] == ["mail.seat_limit_reached"] * 2
    assert place.client().limit_told_at is not None


def test_a_limit_that_was_raised_is_told_again_when_it_is_reached(place):
    admin = place.admins_browser()
    owner = member_actor(place)
    place.database.run(update(Organization).values(seat_limit=11))
    invite(place, owner, "a", "b")
    assert mails(place) == ["mail.seat_limit_reached"]
    change(admin, place, seat_limit="12")
    assert place.client().limit_told_at is None
    invite(place, owner, "c")
    assert mails(place) == ["mail.seat_limit_reached"] * 2


def test_all_clients_of_a_provider_share_its_ceiling_of_the_month(place):
    bound(place, month=3, grown=2)
    owner = member_actor(place)
    text = refused(place, owner, "a", "b", "c")
    assert text == (
        "3 seats are needed, left: 1. The provider allows no more this month; "
        "a provider admin can add seats."
    )
    assert "Your settings allow no more this month." in refused(place, place.actor, "a", "b", "c")
    invite(place, owner, "a", "b")
    assert place.database.one(select(SeatRules.grown)) == 3
    assert "no more this month" in refused(place, owner, "c")


def test_another_month_begins_at_nought(place):
    bound(place, month=2, grown=2)
    place.database.run(update(SeatRules).values(month=utc_now().date().replace(year=2020, day=1)))
    invite(place, member_actor(place), "a", "b")
    rules = place.database.one(select(SeatRules))
    assert (rules.grown, rules.month) == (1, utc_now().date().replace(day=1))


def test_beyond_the_number_of_a_day_the_provider_is_asked_unless_it_invites(place):
    bound(place, day=1)
    owner = member_actor(place)
    invite(place, owner, "a", "b")
    assert place.database.one(select(SeatGrowth.grown)) == 1
    seen = foresee(place, owner, 1)
    assert seen.can_ask
    assert refused(place, owner, "c") == (
        "1 seat is needed, left: 0. A provider admin approves of so many in one day."
    )
    invite(place, place.actor, "c")
    assert place.client().seats == 12
    yesterday = utc_now().date().replace(year=2020)
    place.database.run(update(SeatGrowth).values(day=yesterday))
    invite(place, owner, "d")
    assert place.client().seats == 13


@pytest.mark.parametrize("status", [ClientStatus.SUSPENDED, ClientStatus.DELETING])
def test_a_client_that_is_closed_grows_no_further(place, status):
    deleting = status is ClientStatus.DELETING
    more = {"delete_at": utc_now(), "status_before_deletion": "active"} if deleting else {}
    place.database.run(update(Organization).values(status=status, **more))
    assert "none are added while" in refused(place, place.actor, "a", "b")
    invite(place, place.actor, "a")


def test_an_organization_without_a_provider_has_the_seats_it_has(place):
    owner = member_actor(place)
    place.database.run(update(Organization).values(provider_id=None))
    assert "no provider manages this organization" in refused(place, owner, "a", "b")
    assert not foresee(place, owner, 2).can_ask
    invite(place, owner, "a")


def test_a_client_billed_in_another_currency_is_left_to_the_provider(place):
    prices = replace(load_prices(), currency="EUR")
    with place.database.session() as session:
        seen = growing.foresee(session, member_actor(place), place.organization.id, 2, prices)
    assert "A provider admin can add seats." in str(seen.refusal.why)


def test_whoever_is_refused_leaves_no_trace(place):
    """The growth is written and told before the row that turns out to be refused."""
    bound(place, month=1)
    owner = member_actor(place)
    before = place.database.count(Event)
    place.database.run(update(Organization).values(seats_used=10))
    seen = foresee(place, owner, 1)
    place.database.run(update(SeatRules).values(grown=1))
    with pytest.raises(RuleError), place.database.session() as session:
        growing._grow(session, owner, place.organization.id, seen.preview, load_prices())
    assert place.client().seats == 10
    assert place.database.count(Event) == before
    assert place.database.count(SubscriptionChange) == 0


def at_once(number, act):
    """Of so many who act at the same moment, how many are not refused."""
    answers, gate = [], threading.Barrier(number)

    def go(turn):
        gate.wait()
        try:
            act(turn)
        except RuleError:
            answers.append(0)
        else:
            answers.append(1)

    threads = [threading.Thread(target=go, args=(turn,)) for turn in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == number, "nobody met anything but a refusal"
    return sum(answers)


@pytest.mark.parametrize(("terms", "won"), [({"seats_grow": False}, 1), ({"seat_limit": 20}, 11)])
def test_of_fifty_at_once_so_many_come_in_as_there_are_seats(committed, terms, won):
    place = settle(make_place(committed), seats_used=9, **terms)
    owner = member_actor(place)
    assert at_once(50, lambda turn: invite(place, owner, f"p{turn}")) == won
    client = place.client()
    assert (client.seats, client.seats_used) == (9 + won, 9 + won)
    line = place.database.one(select(SubscriptionLine.quantity))
    assert line == client.seats
    assert place.database.count(SubscriptionChange) == won - 1
    assert len(grown_in(place, place.provider.id)) == won - 1
    people = select(func.count()).select_from(Member).where(Member.email.like("p%@a.example"))
    assert place.database.one(people) == won


def test_the_ceiling_holds_when_clients_grow_at_once(committed):
    place = settle(make_place(committed), seats=1, seats_used=1)
    clients = [
        make_client(committed, place.provider, f"Client {number}", seats=1, seats_used=1)
        for number in range(8)
    ]
    bound(place, month=3)
    won = at_once(8, lambda turn: invite(place, place.actor, "a", client=clients[turn].id))
    assert won == 3
    assert place.database.one(select(SeatRules.grown)) == 3
    grown = select(func.count()).select_from(Organization).where(Organization.seats == 2)
    assert place.database.one(grown) == 3
    assert len(grown_in(place, place.provider.id)) == 3


def test_owner_and_provider_who_let_people_in_at_once_do_not_block_each_other(committed):
    """One logs in the organization alone, the other in both: the locks come in one order."""
    place = settle(make_place(committed), seats_used=9)
    actors = [member_actor(place), place.actor]
    won = at_once(16, lambda turn: invite(place, actors[turn % 2], f"p{turn}", f"q{turn}"))
    assert won == 16
    assert place.client().seats == place.client().seats_used == 41
