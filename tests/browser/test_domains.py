"""A domain is verified while its page is open; then members at it are confirmed by themselves."""

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from portal.models import Policy
from tests.browser.test_auto_confirm import ONE, key_of, told
from tests.support.chromium import assert_accessible, follow, sign_in
from tests.support.domains import ACME, drain, make_house, publish, row_of
from tests.test_members_automatic import accept
from tests.test_members_automatic_choice import settings_url

pytestmark = pytest.mark.committed


@pytest.fixture
def place(live):
    return make_house(live.database)


def test_from_a_new_domain_to_a_member_confirmed_by_itself(live, people, place, name_server):
    eva, _row = accept(place, "Eva")
    page = sign_in(live, people(locale="en").new_page(), place.admin)
    page.goto(f"{live.url}{place.url}/domains")
    assert_accessible(page)
    follow(page, page.get_by_role("link", name="Add domain"))
    assert_accessible(page)
    page.get_by_label("Domain", exact=True).fill(f"https://{ACME}")
    page.get_by_role("button", name="Add domain").click()
    expect(page.get_by_label("Domain", exact=True)).to_have_attribute("aria-invalid", "true")
    assert_accessible(page)
    page.get_by_label("Domain", exact=True).fill(ACME)
    page.get_by_role("button", name="Add domain").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(ACME)
    assert_accessible(page)

    publish(name_server, row_of(place))
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_role("link", name="Load again")).to_be_visible()
    assert_accessible(page)
    drain(place, name_server)
    # The page looks by itself.
    expect(page.locator("dl .tag.good")).to_have_text("Verified")
    expect(page.get_by_role("link", name="Load again")).to_have_count(0)
    assert_accessible(page)
    assert place.database.one(select(Policy)).is_on

    page.goto(f"{live.url}{settings_url(place)}")
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Turn on automatic confirmation")
    page.get_by_role("button", name="Turn on").click()
    expect(told(page)).to_contain_text(ONE)
    assert key_of(place, eva) == place.keys.key.raw

    page.goto(f"{live.url}{place.url}/domains")
    assert_accessible(page)
    follow(page, page.get_by_role("link", name=ACME))
    follow(page, page.get_by_role("link", name="Remove"))
    assert_accessible(page)
    page.get_by_role("button", name="Remove").click()
    expect(told(page)).to_contain_text(f"{ACME} is removed.")
    expect(page.get_by_role("heading", name="No domains yet")).to_be_visible()
