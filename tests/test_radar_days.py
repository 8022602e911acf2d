"""Windows of days and Monday mornings, in zones whose days are 23 to 25 hours long."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.expiries import (
    LATEST,
    Window,
    days_left,
    digest_moment,
    digest_week,
    midnight,
    zone_of,
)

ZONES = [
    "UTC",
    "Europe/Paris",
    "America/New_York",
    "Pacific/Kiritimati",
    "Pacific/Apia",
    "Africa/Cairo",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
]
BOUNDS = (dt.datetime(2009, 1, 1), dt.datetime(2040, 1, 1))  # noqa: DTZ001 - the zone is beside
MOMENTS = st.datetimes(*BOUNDS, timezones=st.just(dt.UTC))
PARIS = ZoneInfo("Europe/Paris")


def utc(*parts):
    return dt.datetime(*parts, tzinfo=dt.UTC)


@given(MOMENTS, st.sampled_from(ZONES), st.integers(-90, 90 * 24))
def test_every_moment_until_the_sixtieth_day_is_in_exactly_one_window(now, zone_name, hours):
    zone = ZoneInfo(zone_name)
    due = now + dt.timedelta(hours=hours)
    found = []
    for window in Window:
        low, high = window.bounds(now, zone)
        if (low is None or low <= due) and due < high:
            found.append(window)
    expected = 1 if due < now or days_left(due, now, zone) <= 60 else 0
    assert len(found) == expected


@given(MOMENTS, st.sampled_from(ZONES), st.integers(0, 70 * 24))
def test_a_window_holds_the_days_that_its_tile_names(now, zone_name, hours):
    zone = ZoneInfo(zone_name)
    due = now + dt.timedelta(hours=hours)
    days = days_left(due, now, zone)
    spans = {"1": range(2), "7": range(2, 8), "30": range(8, 31), "60": range(31, 61)}
    for window in list(Window)[1:]:
        low, high = window.bounds(now, zone)
        assert (low <= due < high) == (days in spans[window])


def test_the_end_of_tomorrow_is_known_across_the_change_of_the_clocks():
    # Saturday noon; the night that follows has 25 hours in Paris.
    now = utc(2026, 10, 24, 10)
    low, high = Window.ONE.bounds(now, PARIS)
    assert (low, high) == (now, utc(2026, 10, 25, 23))
    assert days_left(utc(2026, 10, 25, 22, 59), now, PARIS) == 1
    assert days_left(utc(2026, 10, 25, 23), now, PARIS) == 2


def test_where_midnight_is_skipped_the_day_begins_with_its_first_moment():
    cairo = ZoneInfo("Africa/Cairo")
    begins = midnight(dt.date(2026, 4, 24), cairo)
    assert begins == utc(2026, 4, 23, 22)
    assert begins.astimezone(cairo).hour == 1


def test_the_same_moment_is_today_here_and_tomorrow_there():
    now, due = utc(2026, 11, 22, 10), utc(2026, 11, 22, 20)
    assert days_left(due, now, ZoneInfo("America/New_York")) == 0
    assert days_left(due, now, ZoneInfo("Asia/Tokyo")) == 1


@pytest.mark.parametrize(
    ("now", "zone", "monday"),
    [
        (utc(2026, 11, 23, 5, 59), "Europe/Paris", None),
        (utc(2026, 11, 23, 6, 0), "Europe/Paris", dt.date(2026, 11, 23)),
        # Paris in summer is an hour further ahead.
        (utc(2026, 7, 20, 4, 59), "Europe/Paris", None),
        (utc(2026, 7, 20, 5, 0), "Europe/Paris", dt.date(2026, 7, 20)),
        # The first Monday morning after the clocks went back.
        (utc(2026, 10, 26, 5, 59), "Europe/Paris", None),
        (utc(2026, 10, 26, 6, 0), "Europe/Paris", dt.date(2026, 10, 26)),
        # Monday there, Sunday in UTC; and the other way round.
        (utc(2026, 11, 22, 17, 0), "Pacific/Kiritimati", dt.date(2026, 11, 23)),
        (utc(2026, 11, 23, 12, 0), "America/Los_Angeles", None),
        (utc(2026, 11, 23, 15, 0), "America/Los_Angeles", dt.date(2026, 11, 23)),
        # A worker that was away for long waits for the next Monday.
        (utc(2026, 11, 26, 5, 59), "Europe/Paris", dt.date(2026, 11, 23)),
        (utc(2026, 11, 26, 6, 0), "Europe/Paris", None),
        (utc(2026, 11, 29, 12, 0), "Europe/Paris", None),
    ],
)
def test_a_digest_is_due_from_monday_at_seven_for_three_days(now, zone, monday):
    assert digest_week(now, ZoneInfo(zone)) == monday


@given(MOMENTS, st.sampled_from(ZONES))
def test_a_digest_that_is_due_belongs_to_a_monday_of_the_last_days(now, zone_name):
    zone = ZoneInfo(zone_name)
    monday = digest_week(now, zone)
    if monday is not None:
        assert monday.weekday() == 0
        assert dt.timedelta(0) <= now - digest_moment(monday, zone) < LATEST


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd", "/etc/passwd", "Europe"])
def test_a_zone_that_is_none_is_utc(name):
    assert zone_of(name).key == "UTC"
