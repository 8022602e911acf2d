"""Settings → Seats: what a provider allows the seats of its clients to grow."""

import json

import pytest
from sqlalchemy import select

from portal.models import Event, SeatRules
from tests.support.clients import persona
from tests.support.organizations import make_place
from tests.test_clients_subscription import service_user, settle
from tests.test_seat_growth import bound, invite


@pytest.fixture
def place(database):
    return settle(make_place(database), seats_used=10)


@pytest.fixture
def admin(place):
    return place.admins_browser()


def url_of(place):
    return f"/providers/{place.provider.id}/settings/seats"


def save(place, browser, month="", day="", status=303):
    page = browser.get(url_of(place))
    return browser.submit(page, "Save", {"month": month, "day": day}, status=status)


def rules(place):
    with place.database.session() as session:
        found = session.scalars(select(SeatRules)).all()
        return [(row.monthly_ceiling, row.daily_number, row.grown) for row in found]


def events(place):
    found = select(Event.payload).where(Event.type == "provider:seat_growth:update")
    return [json.loads(each)["details"] for each in place.database.all(found)]


def test_both_numbers_are_kept_with_an_event_and_can_be_emptied(place, admin):
    assert "The settings are saved." in admin.follow(save(place, admin, "100", "10"))
    assert [row[:2] for row in rules(place)] == [(100, 10)]
    assert events(place) == [
        {"before": {"month": None, "day": None}, "after": {"month": 100, "day": 10}}
    ]
    page = admin.get(url_of(place))
    assert page.one("input[name=month]")["value"] == "100"
    save(place, admin, "", "10")
    assert [row[:2] for row in rules(place)] == [(None, 10)]
    assert "Nothing has changed." in admin.follow(save(place, admin, "", "10"))
    assert len(events(place)) == 2


def test_what_has_grown_this_month_is_shown_and_kept(place, admin):
    invite(place, place.actor, "a", "b")
    assert "So far this month: 2 seats." in admin.get(url_of(place))
    save(place, admin, "5")
    assert rules(place) == [(5, None, 2)]


@pytest.mark.parametrize("wrong", ["-1", "many", "1.5", "100001"])
@pytest.mark.parametrize("name", ["month", "day"])
def test_a_mistake_stands_at_its_field(place, admin, name, wrong):
    page = save(place, admin, **{name: wrong}, status=422)
    assert page.text(f"#{name}-error")
    assert page.one(f"input[name={name}]")["value"] == wrong
    assert rules(place) == []


def test_whoever_was_slower_reads_so_and_keeps_what_they_typed(place, admin):
    page = admin.get(url_of(place))
    save(place, admin, "7")
    again = admin.submit(page, "Save", {"month": "9"}, status=409)
    assert "Somebody else has changed this in the meantime." in again
    assert again.one("input[name=month]")["value"] == "9"
    assert [row[0] for row in rules(place)] == [7]
    admin.submit(again, "Save", {"month": "9"})
    assert [row[0] for row in rules(place)] == [9]


def test_provider_admins_alone_set_it_and_only_their_own(place, admin, database):
    bound(place, month=3)
    technician = service_user(place, database)
    technician.get(url_of(place), status=403)
    technician.post(url_of(place), {"month": "1"}, status=403)
    stranger = persona(database).browser
    stranger.get(url_of(place), status=404)
    stranger.post(url_of(place), {"month": "1"}, status=404)
    assert [row[0] for row in rules(place)] == [3]
