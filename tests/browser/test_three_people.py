"""Three people with a browser each: one invites, one accepts, one confirms, and all read."""

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select

from portal.domain.access import Role
from portal.models import Member
from tests.support.accounts import PASSWORD
from tests.support.chromium import assert_accessible
from tests.support.collections import confirmed, make
from tests.support.organizations import make_place

pytestmark = pytest.mark.committed

MIA = "mia.arden@client.example"


def sign_in(live, people, email: str) -> Page:
    page = people(locale="en").new_page()
    page.goto(f"{live.url}/profile")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Master password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("body.in")).to_be_visible()
    return page


def opened(page: Page, what: str = "sealed-text") -> Locator:
    """The sealed texts of the page, once all of them are read."""
    expect(page.locator(f"{what}:not([data-state=open])")).to_have_count(0)
    return page.locator(what)


def names(page: Page, url: str) -> list[str]:
    """The names of the collections, as this browser opens them."""
    page.goto(url)
    rows = opened(page, "tr[data-row] sealed-text")
    return sorted(rows.evaluate_all("all => all.map(one => one.shadowRoot.textContent)"))


def test_one_invites_one_accepts_one_confirms_and_each_sees_what_is_theirs(live, people):
    place = make_place(live.database)
    owner_person, _row = confirmed(place, Role.OWNER, "oda")
    finance = make(place, "Finance")
    collections = f"{live.url}{place.url}/collections"

    admin = sign_in(live, people, place.admin.email)
    admin.goto(f"{live.url}{place.members}/invite")
    admin.get_by_label("E-mail addresses").fill(MIA)
    level = admin.locator(f"select[name='level-{finance}']")
    level.select_option("edit")
    opened(admin)
    assert_accessible(admin)
    admin.get_by_role("button", name="Send invitations").click()
    expect(admin.locator("main")).to_contain_text(MIA)

    mia_row = live.database.one(select(Member.id).where(Member.email == MIA))
    mia = people(locale="en").new_page()
    mia.goto(f"{live.url}{place.link(row=mia_row, version=1)}")
    mia.get_by_label("Your name").fill("Mia Arden")
    mia.get_by_label("Master password", exact=True).fill(PASSWORD)
    mia.get_by_label("Repeat master password").fill(PASSWORD)
    mia.get_by_role("button", name="Create account and join").click()
    expect(mia.get_by_role("heading", name="Waiting to be confirmed")).to_be_visible()
    phrase = mia.locator("fingerprint-phrase").inner_text()

    owner = sign_in(live, people, owner_person.email)
    owner.goto(f"{live.url}{place.members}?state=accepted")
    owner.get_by_role("button", name="Confirm", exact=True).click()
    assert owner.locator("fingerprint-phrase").inner_text() == phrase
    owner.get_by_role("button", name="Confirm member").click()
    expect(owner.locator("#members-table")).to_contain_text("Confirmed")

    # The waiting page looks by itself.
    mia.wait_for_url("**/collections*")
    assert names(mia, collections) == ["Finance"]
    assert_accessible(mia)
    assert names(owner, collections) == ["Finance", "Shared with everybody"]
    assert names(admin, collections) == ["Finance", "Shared with everybody"]

    owner.goto(f"{live.url}{place.url}/reports/access?q=mia")
    name = opened(owner, "#reports-access sealed-text")
    assert name.evaluate("element => element.shadowRoot.textContent") == "Finance"
    assert_accessible(owner)
    for page in ("reports", "reports/collections", "reports/quiet"):
        owner.goto(f"{live.url}{place.url}/{page}")
        opened(owner)
        assert_accessible(owner)
