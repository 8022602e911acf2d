"""Mailed invitations: what each link is worth to each person, and that it is worth it once."""

import pytest
from sqlalchemy import select, update

from portal.domain.states import MemberState
from portal.models import Account, Event, Member, Outbox
from tests.support.accounts import keys_for, posted_keys
from tests.support.browsing import Browser
from tests.support.organizations import OWNER, make_place, set_clock_back


@pytest.fixture
def place(database):
    return make_place(database)


def outbox(place, topic):
    return place.database.all(select(Outbox).where(Outbox.topic == topic))


def test_a_visitor_without_an_account_can_make_one(place, browser):
    page = browser.get(place.link())
    assert page.heading == "Join Acme Ltd"
    assert "Northwind IT invites olga@acme.example to join as Owner." in page
    form = page.form("Create account and join")
    assert form["data-email"] == OWNER
    assert not form.has_attr("data-make-organization-keys")
