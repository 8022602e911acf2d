"""Seats and price stand on the page before anybody is invited, with scripts and without."""

import pytest
from sqlalchemy import func, select, update

from portal.domain.access import Role
from portal.models import Event, Member, Organization, SubscriptionChange
from tests.support.browsing import Browser
from tests.support.organizations import OWNER, make_place
from tests.test_clients_subscription import service_user, settle
from tests.test_members_reach import group
from tests.test_seat_growth import bound, somebody

ADDRESSES = "a@a.example b@a.example c@a.example"


@pytest.fixture
def place(database):
    return settle(make_place(database), seats_used=9)


@pytest.fixture
def owner(place):
    return place.browser_of(somebody(place))


def send(place, browser, addresses=ADDRESSES, status=200, **more):
    data = {"addresses": addresses, "role": "user", **more}
    return browser.post(f"{place.members}/invite", data, status=status)


def room(place, browser, addresses=ADDRESSES):
    data = {"addresses": addresses}
    return browser.post(f"{place.members}/invite/room", data, hx="members-room", status=200)


def mark_of(page):
    return page.one("input[name=agreed]")["value"]


def invited(place):
    return place.database.one(
        select(func.count()).select_from(Member).where(Member.email.like("%@a.example"))
    )


def test_without_scripts_the_price_is_a_step_and_nothing_typed_is_lost(place, owner):
    place.database.run(update(Organization).values(plan="enterprise", plan_rank=2))
    finance = group(place, "Finance")
    page = send(place, owner, group=[str(finance)])
    assert "3 seats are needed; free: 1. 2 seats would be added." in page
    assert page.text("textarea[name=addresses]") == ADDRESSES
    assert page.select(f"input[value='{finance}'][checked]")
    assert page.texts("dl.lines dt")[0] == "Due now"
    assert invited(place) == 0
    assert place.client().seats == 10
    done = send(place, owner, agreed=mark_of(page))
    assert done.heading == "3 people are invited"
    assert (place.client().seats, invited(place)) == (12, 3)


def test_the_price_shown_is_the_price_billed(place, owner):
    page = send(place, owner)
    shown = page.texts("dl.lines dd")
    send(place, owner, agreed=mark_of(page))
    change = place.database.one(select(SubscriptionChange))
    assert shown[:2] == ["$0.00", f"${change.adjustment_cents / 100:.2f}"]
    assert shown[2] == "$10.00", "two seats of Teams, each month"


def test_a_price_that_has_changed_is_shown_again(place, owner):
    seen = mark_of(send(place, owner))
    place.database.run(update(Organization).values(seats_used=10))
    page = send(place, owner, agreed=seen, status=409)
    assert "3 seats would be added." in page
    assert mark_of(page) != seen
    assert invited(place) == 0


def test_the_piece_beside_the_form_follows_what_is_typed_and_changes_nothing(place, owner):
    before = place.database.count(Event)
    assert room(place, owner, "a@a.example").text("#members-room") == ("1 seat is needed; free: 1.")
    assert "2 seats would be added." in room(place, owner)
    assert room(place, owner, f"{OWNER}").text("#members-room") == "", "who is here takes none"
    assert room(place, owner, "half an addr").text("#members-room") == ""
    assert room(place, owner, "").text("#members-room") == ""
    assert place.database.count(Event) == before
    send(place, owner, agreed=mark_of(room(place, owner)))
    assert invited(place) == 3


def test_who_fits_needs_no_step(place, owner):
    send(place, owner, "a@a.example", status=303)
    assert invited(place) == 1


def test_a_service_user_reads_who_can_help_and_no_price(place, database):
    technician = service_user(place, database)
    assert "More would raise the bill" in room(place, technician)
    page = send(place, technician, status=409, agreed="2-0-0-0")
    assert "More would raise the bill; a provider admin can add seats." in page
    assert not page.select("input[name=agreed]")
    assert place.client().seats == 10
    assert invited(place) == 0


def test_a_provider_admin_is_led_to_the_subscription(place):
    place.database.run(update(Organization).values(seats_grow=False))
    page = send(place, place.admins_browser(), status=409)
    assert page.link("Manage subscription").endswith("/subscription")
    assert "Ask for seats" not in page


@pytest.mark.parametrize("role", [Role.USER, None])
def test_nobody_else_is_told_of_seats(place, role):
    browser = Browser(place.database.app)
    if role:
        browser = place.browser_of(somebody(place, role, "user@acme.example"))
    status = 403 if role else 303
    browser.post(f"{place.members}/invite/room", {"addresses": ADDRESSES}, status=status)


def test_another_provider_s_bounds_mean_nothing_here(place, owner, database):
    bound(place, month=0)
    assert "allows no more this month" in room(place, owner)
    place.database.run(update(Organization).values(provider_id=None))
    assert "no provider manages this organization" in room(place, owner)


def test_twenty_addresses_take_as_many_statements_as_three(place, owner, statements):
    def counted(number):
        addresses = " ".join(f"p{turn}@a.example" for turn in range(number))
        statements.clear()
        room(place, owner, addresses)
        return len(statements)

    assert counted(3) == counted(20)
