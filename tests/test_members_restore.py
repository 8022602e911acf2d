"""Restoring many: seats grow for as many as can be, and everybody has their answer."""

import pytest
from sqlalchemy import func, select, update

from portal.domain.seat_growth import Asker, Enough, Grow, Standing, decide, most
from portal.domain.seats import SeatTerms
from portal.domain.states import ClientStatus, MemberState
from portal.models import Event, Organization, SeatRequest
from tests.support.organizations import make_place
from tests.test_clients_subscription import service_user, settle
from tests.test_members_list import change, fill


@pytest.fixture
def place(database):
    """Ten seats, nine in use, which may grow to twelve."""
    return settle(make_place(database), seats_used=9, seat_limit=12)


@pytest.fixture
def admin(place):
    return place.admins_browser()


def test_as_many_as_the_seat_limit_allows_are_restored_at_the_price_shown(place, admin):
    rows = fill(place, 5)
    page = change(admin, place, "restore", *rows)
    assert "5 seats are needed, left: 1." in page
    assert "3 seats are needed; free: 1. 2 seats would be added." in page
    assert "Whoever the seats do not suffice for stays as they are." in page
    data = {"action": "restore", "member": [str(row) for row in rows]}
    again = admin.post(f"{place.members}/changes", data, status=409)
    assert place.client().seats == 10, "nothing is bought unseen"
    mark = again.one("input[name=agreed]")["value"]
    done = admin.post(f"{place.members}/changes", data | {"agreed": mark}, status=200)
    assert done.heading == "Done for 3 members"
    assert "No seats are left" in done
    client = place.client()
    assert (client.seats, client.seats_used) == (12, 12)
    states = [place.member(row).state for row in rows]
    assert states.count(MemberState.REVOKED) == 2
    grown = select(func.count()).where(Event.type == "organization:seats:grow")
    assert place.database.one(grown) == 2, "one growth, in both logs"


def test_a_technician_restores_into_free_seats_and_buys_none(place):
    tess = service_user(place, place.database)
    rows = fill(place, 3)
    assert "agreed" not in str(change(tess, place, "restore", *rows))
    data = {"action": "restore", "member": [str(row) for row in rows]}
    done = tess.post(f"{place.members}/changes", data, status=200)
    assert done.heading == "Done for 1 member"
    assert (place.client().seats, place.client().seats_used) == (10, 10)


@pytest.mark.parametrize("asker", Asker)
@pytest.mark.parametrize("limit", [None, 10, 12])
@pytest.mark.parametrize("month", [None, 0, 1])
def test_the_most_that_fit_is_the_last_number_that_is_not_refused(asker, limit, month):
    here = Standing(SeatTerms(10, True, limit), 9, ClientStatus.ACTIVE, month_left=month)
    fits = [n for n in range(1, 8) if isinstance(decide(here, n, asker), Enough | Grow)]
    assert most(here, 7, asker) == max(fits, default=0)
    assert fits == list(range(1, len(fits) + 1))


def test_nobody_asks_for_seats_of_a_client_that_is_suspended(place):
    tess = service_user(place, place.database)
    assert "Ask for seats" in tess.get(f"{place.members}/seats")
    place.database.run(update(Organization).values(status=ClientStatus.SUSPENDED))
    page = tess.get(f"{place.members}/seats")
    assert "Ask for seats" not in page
    tess.post(f"{place.members}/seats", {"seats": "5", "note": ""}, status=409)
    assert place.database.count(SeatRequest) == 0
