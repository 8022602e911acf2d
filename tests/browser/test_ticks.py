"""Enter on a ticked box: what the form is for, never what stands in some row of it."""

import pytest
from playwright.sync_api import expect

from portal.domain.access import Role
from portal.domain.states import MemberState
from tests.support.chromium import sign_in
from tests.support.clients import make_client
from tests.support.organizations import join, make_place

pytestmark = pytest.mark.committed


@pytest.fixture
def place(live):
    return make_place(live.database)


def test_enter_on_a_ticked_member_goes_on_with_whom_is_ticked(live, people, place):
    wren, rosa = (
        place.person(f"{name.lower()}@acme.example", name, keys=True) for name in ("Wren", "Rosa")
    )
    join(place, wren, Role.USER, MemberState.ACCEPTED)
    join(place, rosa, Role.USER, MemberState.CONFIRMED)
    page = sign_in(live, people().new_page(), place.admin)
    page.goto(f"{live.url}{place.members}")
    page.get_by_label("With the ticked members").select_option("remove")
    box = page.get_by_role("checkbox", name="Choose Rosa")
    box.press("Space")
    box.press("Enter")
    # Not the page that confirms Wren, whose button is the first of all rows.
    expect(page.get_by_role("heading", level=1)).to_have_text("Remove members")
    expect(page.locator("form.panel li")).to_have_count(1)
    expect(page.locator("form.panel li")).to_contain_text("rosa@acme.example")


def test_the_keyboard_never_meets_the_button_that_only_answers_enter(live, people, place):
    wren = place.person("wren@acme.example", "Wren", keys=True)
    join(place, wren, Role.USER, MemberState.ACCEPTED)
    page = sign_in(live, people().new_page(), place.admin)
    page.goto(f"{live.url}{place.members}")
    expect(page.get_by_role("button", name="Continue")).to_have_count(1)
    first = page.locator("#members-table tbody input[type=checkbox]").first
    first.focus()
    page.keyboard.press("Shift+Tab")
    expect(page.locator("#members-table thead a").last).to_be_focused()


def test_enter_on_a_ticked_client_looks_at_that_client_and_changes_nothing(live, people, place):
    make_client(place.database, place.provider, "Beta SARL")
    page = sign_in(live, people().new_page(), place.admin)
    page.goto(f"{live.url}/providers/{place.provider.id}/clients")
    page.get_by_label("With several clients").select_option("suspend")
    box = page.get_by_role("checkbox", name="Select Beta SARL")
    box.press("Space")
    box.press("Enter")
    expect(page.locator("#clients-many tbody th")).to_have_text(["Beta SARL"])
    expect(page.locator("#clients-many")).to_contain_text("Will be changed")
