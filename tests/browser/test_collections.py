"""A nested collection is made, searched and read by whom it is shared with, in a real browser."""

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from portal.domain.access import Role
from portal.domain.collection_access import Level
from portal.domain.names import name_ci
from portal.domain.states import MemberState
from portal.models import Collection, CollectionGroup, Group, GroupMember, new_id
from tests.support.chromium import assert_accessible, follow, sign_in
from tests.support.organizations import join, make_place

pytestmark = pytest.mark.committed


@pytest.fixture
def place(live):
    return make_place(live.database)


def names(page: Page) -> list[str]:
    """What the rows that are shown say, in their order, once all can be read."""
    rows = page.locator("tr[data-row]:not([hidden]) sealed-text")
    expect(page.get_by_label("Search collection")).to_be_visible()
    for number in range(rows.count()):
        expect(rows.nth(number)).to_have_attribute("data-state", "open")
    return rows.evaluate_all("all => all.map((one) => one.shadowRoot.textContent)")


def make(page: Page, place, live, name: str) -> None:
    page.goto(f"{live.url}{place.url}/collections/new")
    page.get_by_label("Name", exact=True).fill(name)
    assert_accessible(page)
    page.get_by_role("button", name="Create collection").click()
    expect(page.get_by_role("heading", level=1).locator("sealed-text")).to_have_attribute(
        "data-state", "open"
    )


def test_a_nested_collection_is_made_searched_and_read_by_its_group_alone(live, people, place):
    sent: list[str] = []
    eva = place.person("eva@acme.example", "Eva Roy", keys=True)
    tom = place.person("tom@acme.example", "Tom Bell", keys=True)
    member = join(place, eva, Role.USER, MemberState.CONFIRMED)
    join(place, tom, Role.USER, MemberState.CONFIRMED)
    here, group = {"organization_id": place.organization.id}, new_id()
    place.database.add(Group(**here, id=group, name="Payroll", name_ci=name_ci("Payroll")))
    place.database.add(GroupMember(**here, group_id=group, member_id=member))

    page = people(locale="en").new_page()
    page.on("request", lambda request: sent.append(f"{request.url}\n{request.post_data}"))
    sign_in(live, page, place.admin)
    for name in ("Zebra", "Finance/Paÿroll", "Finance"):
        make(page, place, live, name)
    page.goto(f"{live.url}{place.url}/collections")
    assert names(page) == ["Finance", "Paÿroll", "Shared with everybody", "Zebra"]
    assert_accessible(page)
    page.get_by_label("Search collection").fill("PAYR")
    assert names(page) == ["Finance", "Paÿroll"]
    page.get_by_label("Search collection").fill("no such")
    expect(page.get_by_text("No collection has these letters in its name.")).to_be_visible()
    page.get_by_label("Search collection").fill("")
    page.get_by_role("button", name="turn the order round").click()
    assert names(page)[0] == "Zebra"
    page.get_by_label("Tick all that are shown").check()
    expect(page.locator("input[name=collection]:checked")).to_have_count(4)

    row = page.locator("tr[data-row]", has=page.locator("sealed-text[skip='1']"))
    row.locator("a.row-menu").click()
    page.locator("#collections-menu").get_by_role("link", name="Share").click()
    page.locator(f"select[name='group-{group}']").select_option("edit")
    assert_accessible(page)
    follow(page, page.get_by_role("button", name="Save who reaches it"))
    expect(page.get_by_text("Edit items", exact=True)).to_be_visible()
    assert_accessible(page)
    assert place.database.one(select(CollectionGroup.level)) is Level.EDIT
    one = place.database.one(select(CollectionGroup.collection_id))

    reader = sign_in(live, people(locale="en").new_page(), eva)
    reader.goto(f"{live.url}{place.url}/collections")
    assert names(reader) == ["Finance/Paÿroll"]
    expect(reader.locator("tbody")).to_contain_text("Edit items")
    stranger = sign_in(live, people(locale="en").new_page(), tom)
    stranger.goto(f"{live.url}{place.url}/collections")
    expect(stranger.get_by_text("No collections yet")).to_be_visible()
    kept = [name or "" for name in place.database.all(select(Collection.sealed_name))]
    assert len(kept) == 4
    assert all(name.startswith("2.") for name in kept)
    assert not any("ayroll" in each and "Payroll" not in each for each in sent)
    assert "Zebra" not in "".join(sent)

    page.goto(f"{live.url}{place.url}/collections/{one}/name")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Finance/Paÿroll")
