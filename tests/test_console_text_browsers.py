"""An owner without scripts administers members and policies in w3m."""

import re

import pyotp
import pytest
from sqlalchemy import select, update

from portal.domain.access import Role
from portal.domain.claimed_domains import PREFIX
from portal.domain.plans import Plan
from portal.domain.states import MemberState
from portal.models import Member, Organization, Policy
from tests.support.accounts import newest_code
from tests.support.collections import confirmed
from tests.support.domains import ACME, drain, make_house, publish, row_of
from tests.support.organizations import make_place

pytestmark = pytest.mark.committed


def come_in(live, w3m, email):
    """Signed in by code, with a second factor that is set up on the way."""
    browser = w3m(f"{live.url}/profile/second-factor")
    browser.follow("Send me a code instead")
    browser.fill("E-mail address", email)
    browser.press("Send code")
    assert "on its way" in browser.see()
    browser.fill("Code", newest_code(live.database, email))
    browser.press("Continue")
    page = browser.see()
    secret = re.search(r"((?:[A-Z2-7]{4} ){7}[A-Z2-7]{4})", page)[1].replace(" ", "")
    browser.fill("6 digits", pyotp.TOTP(secret).now())
    browser.press("Turn on")
    assert len(re.findall(r"\b(?:[a-z2-9]{4}-){3}[a-z2-9]{4}\b", browser.see())) == 10
    return browser


def test_an_owner_gives_a_role_revokes_and_turns_a_policy_on(live, w3m):
    place = make_place(live.database)
    live.database.run(update(Organization).values(plan=Plan.ENTERPRISE, plan_rank=2))
    owner, _row = confirmed(place, Role.OWNER, "oda")
    _mia, mia = confirmed(place, Role.USER, "mia")
    browser = come_in(live, w3m, owner.email)

    browser.go(f"{live.url}{place.members}")
    assert "Seats in use" in browser.see()
    browser.go(f"{live.url}{place.members}/{mia}")
    browser.follow("Change role")
    assert "Save role" in browser.see()
    browser.choose("Manages members, groups")
    browser.press("Save role")
    assert "The role of Mia is saved." in browser.see()
    assert place.member(mia).role is Role.ADMIN
    browser.follow("Revoke access")
    assert "their seat is free" in " ".join(browser.see().split())
    browser.press("Revoke access Cancel")
    assert "Access is revoked." in browser.see()
    assert place.member(mia).state is MemberState.REVOKED

    browser.go(f"{live.url}{place.url}/policies/two_step")
    assert "Show what it changes" in browser.see()
    browser.choose("The policy is on")
    browser.press("Show what it changes")
    preview = browser.see()
    assert "Save policy Cancel" in preview
    assert live.database.all(select(Policy)) == []
    browser.press("Save policy Cancel")
    assert "Require two-step sign-in" in browser.see()
    assert live.database.one(select(Policy)).is_on
    assert live.database.all(select(Member.id).where(Member.id == mia)) == [mia]


def test_an_owner_verifies_a_domain_and_removes_it(live, w3m, name_server):
    place = make_house(live.database)
    owner, _row = confirmed(place, Role.OWNER, "oda")
    browser = come_in(live, w3m, owner.email)

    browser.go(f"{live.url}{place.url}/domains")
    assert "No domains yet" in browser.see()
    browser.follow("Add domain")
    browser.fill("What stands behind the @", ACME)
    browser.press("Add domain Cancel")
    page = browser.see()
    row = row_of(place)
    assert f"{PREFIX}{row.token}" in page
    assert "Waiting for the record" in page
    publish(name_server, row)
    browser.press("Check now")
    assert "The name servers are being asked." in browser.see()
    drain(place, name_server)
    browser.follow("Load again")
    assert "Verified on" in browser.see()
    browser.follow("Remove")
    assert "Another organization can verify it then." in " ".join(browser.see().split())
    # The heading has the button's word as well; the button stands before this one.
    browser.choose("Cancel")
    assert f"{ACME} is removed." in browser.see()
