"""How far clients are from their baselines: deviations accepted with a reason, and watched."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from portal.domain import baselines as rules
from portal.domain.baselines import Deviation, differences
from portal.domain.collection_access import Level
from portal.domain.configuration import (
    COLLECTIONS,
    Change,
    Configuration,
    GroupSetting,
    diff_of,
    pointer,
)
from portal.models import (
    Baseline,
    BaselineDeviation,
    OrganizationSettings,
    utc_now,
)
from tests.support.baselines import apply, client_url, make, told, url
from tests.support.policies import enterprise


@pytest.fixture
def place(database):
    return enterprise(database)


@pytest.fixture
def admin(place):
    return place.admins_browser()


# The rule.


@given(
    st.one_of(st.none(), st.booleans(), st.integers(0, 1), st.text(max_size=2)),
    st.one_of(st.none(), st.booleans(), st.integers(0, 1), st.text(max_size=2)),
    st.integers(-3, 3),
)
def test_a_deviation_covers_one_value_until_its_day(accepted, present, days):
    today = dt.date(2026, 11, 22)
    change = Change(("policies", "two_step", "enabled"), present, "wanted")
    deviation = Deviation(
        pointer(change.path), accepted, "why", "who", today + dt.timedelta(days=days)
    )
    (found,) = differences([change], {deviation.path: deviation}, today)
    same = present == accepted and type(present) is type(accepted)
    assert (found.accepted is not None) == (same and days >= 0)
    assert (found.lapsed is None) == (found.accepted is not None)
    assert rules.drift([found]) == (found.accepted is None)
    (other,) = differences([change], {}, today)
    assert other.accepted is other.lapsed is None


KEYS = st.sampled_from(["servers", "mail", "hr"])


@given(
    wanted=st.sets(KEYS),
    there=st.sets(KEYS),
    gone=st.sets(KEYS),
    other=st.booleans(),
    accepted=st.sets(KEYS),
)
def test_what_waits_for_a_browser_is_never_drift_and_anything_else_is(
    wanted, there, gone, other, accepted
):
    """`wanted` collections, each with a group in it; those that are `there`; `gone` were once."""
    today = dt.date(2026, 11, 22)
    said = Configuration(
        collections=dict.fromkeys(wanted, ""),
        groups=(GroupSetting("Team", None, dict.fromkeys(wanted, Level.EDIT)),),
        settings={"limits_item_deletion": other},
    )
    present = Configuration(
        collections=dict.fromkeys(there, ""), groups=(GroupSetting("Team", None, {}),)
    )
    changes = diff_of(present, said)
    known = {
        deviation.path: deviation
        for change in changes
        if change.path[0] == COLLECTIONS and change.path[1] in accepted
        for deviation in (Deviation(pointer(change.path), change.before, "why", "who", today),)
    }
    found = differences(changes, known, today, gone)
    assert [each.change for each in found] == list(changes)
    missing = wanted - there
    lost = missing & gone
    # A lost collection and the group's level in it; the level alone where only it is accepted.
    expected = len(lost - accepted) + len(lost) + len(wanted & there) + other
    assert rules.drift(found) == expected
    waiting = {each.change.path[-1] for each in found if each.waits}
    assert waiting == missing - gone


# Deviations.


def drifting(place, admin):
    make(admin, place, "settings: {limits_item_deletion: true}")
    apply(admin, place)
    switch(place, on=False)


def switch(place, *, on):
    place.database.run(update(OrganizationSettings).values(limits_item_deletion=on))


def accept(admin, place, **fields):
    page = admin.get(admin.get(client_url(place)).link("Accept settings/limits_item_deletion"))
    values = {
        "reason": "They asked for it",
        "owner": "Ada",
        "ends_on": (utc_now().date() + dt.timedelta(days=30)).isoformat(),
        **fields,
    }
    return page, values


def test_a_deviation_is_accepted_with_reason_owner_and_end_and_stays_watched(place, admin):
    drifting(place, admin)
    page = admin.get(url(place, place.database.one(select(Baseline.id))))
    assert "1 value" in page
    page, values = accept(admin, place)
    admin.submit(page, "Accept the deviation", values)
    page = admin.get(client_url(place))
    assert "They asked for it" in page
    assert "The client is as it should be." in page
    assert len(told(place, "organization:deviation:accept")) == 2
    place.database.run(update(BaselineDeviation).values(ends_on=utc_now().date()))
    assert "The client is as it should be." in admin.get(client_url(place))
    yesterday = utc_now().date() - dt.timedelta(days=1)
    place.database.run(update(BaselineDeviation).values(ends_on=yesterday))
    assert "Was accepted until" in admin.get(client_url(place))
    place.database.run(update(BaselineDeviation).values(ends_on=utc_now().date()))
    place.database.run(update(BaselineDeviation).values(value={"value": "another"}))
    assert "Another value was accepted." in admin.get(client_url(place))


def test_it_is_accepted_no_longer(place, admin):
    drifting(place, admin)
    page, values = accept(admin, place)
    admin.submit(page, "Accept the deviation", values)
    page = admin.get(client_url(place))
    admin.submit(page, "Accept no longer settings/limits_item_deletion")
    assert place.database.count(BaselineDeviation) == 0
    assert len(told(place, "organization:deviation:withdraw")) == 2
    admin.post(
        client_url(place, None, "deviation/withdraw"),
        {"path": "settings/limits_item_deletion"},
        status=303,
    )
    assert len(told(place, "organization:deviation:withdraw")) == 2


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"reason": " "}, "Say why the client may deviate."),
        ({"owner": ""}, "Say who looks after this deviation."),
        ({"ends_on": ""}, "Enter a day from tomorrow"),
        ({"ends_on": "2020-01-01"}, "Enter a day from tomorrow"),
        ({"ends_on": "soon"}, "Enter a day from tomorrow"),
    ],
)
def test_a_deviation_says_why_who_and_until_when(place, admin, fields, sentence):
    drifting(place, admin)
    page, values = accept(admin, place, **fields)
    page = admin.submit(page, "Accept the deviation", values, status=422)
    assert sentence in page
    assert place.database.count(BaselineDeviation) == 0


def test_only_the_value_that_was_seen_is_accepted(place, admin):
    drifting(place, admin)
    page, values = accept(admin, place)
    wrong = {**values, "seen": "0" * 64}
    page = admin.submit(page, "Accept the deviation", wrong, status=409)
    assert "The value has changed since you looked." in page
    assert page.one("input[name=reason]")["value"] == "They asked for it"
    switch(place, on=True)
    admin.submit(page, "Accept the deviation", values, status=303)
    assert place.database.count(BaselineDeviation) == 0


def test_another_baseline_forgets_what_was_accepted_of_the_first(place, admin):
    drifting(place, admin)
    page, values = accept(admin, place)
    admin.submit(page, "Accept the deviation", values)
    other = make(admin, place, "settings: {admins_reach_all: false}", name="Silver")
    page = admin.get(client_url(place))
    look = admin.submit(page, "Show what it changes", {"baseline_id": str(other)})
    admin.submit(admin.follow(look), "Change 1 client")
    assert place.database.count(BaselineDeviation) == 0
