"""Automatic confirmation in a real browser with real keys: by the provider's people and members."""

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from portal.crypto.keys import unwrap, wrap_for
from portal.domain.access import Role
from portal.domain.states import MemberState
from portal.models import Event, Member
from tests.support.accounts import keys_for
from tests.support.chromium import assert_accessible, follow, sign_in, wait_until
from tests.support.organizations import join
from tests.test_members_automatic import accept, prepare
from tests.test_members_automatic_choice import settings_url

pytestmark = pytest.mark.committed
ONE, TWO = "1 member was confirmed automatically.", "2 members were confirmed automatically."


@pytest.fixture
def place(live):
    return prepare(live.database)


def key_of(place, person) -> bytes | None:
    wrapped = place.database.one(
        select(Member.wrapped_organization_key).where(Member.account_id == person.account_id)
    )
    return unwrap(wrapped, person.keys.private_key) if wrapped else None


def told(page: Page):
    return page.locator("#notices")


def test_an_open_page_confirms_who_has_accepted_and_goes_on_looking(live, people, place):
    eva, _row = accept(place, "Eva")
    ann, _row = accept(place, "Ann", Role.ADMIN)
    page = sign_in(live, people(locale="en").new_page(), place.admin)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.clock.install()
    page.goto(f"{live.url}{place.members}")
    expect(told(page)).to_have_text(ONE)
    assert_accessible(page)
    assert key_of(place, eva) == place.keys.key.raw
    tom, _row = accept(place, "Tom")
    lea, _row = accept(place, "Léa", email="lea@acme.example")
    page.clock.fast_forward(61_000)
    expect(told(page)).to_contain_text(TWO)
    assert {key_of(place, each) for each in (tom, lea)} == {place.keys.key.raw}
    assert key_of(place, ann) is None
    assert errors == []


def test_an_owner_confirms_with_the_key_of_their_own(live, people, place):
    olga = place.person("olga@elsewhere.example", "Olga", keys=True)
    row = join(place, olga, Role.OWNER, MemberState.CONFIRMED)
    own = wrap_for(keys_for(olga.email).public_key, place.keys.key.raw)
    place.database.run(update(Member).where(Member.id == row).values(wrapped_organization_key=own))
    eva, _row = accept(place, "Eva")
    page = sign_in(live, people(locale="en").new_page(), olga)
    page.goto(f"{live.url}{place.url}/collections")
    expect(told(page)).to_have_text(ONE)
    assert key_of(place, eva) == place.keys.key.raw


def test_a_locked_vault_confirms_nobody(live, people, place):
    page = sign_in(live, people(locale="en").new_page(), place.admin)
    page.goto(f"{live.url}{place.members}")
    follow(page, page.get_by_role("button", name="Lock"))
    expect(page.locator("html")).to_have_attribute("data-vault", "locked")
    eva, _row = accept(place, "Eva")
    page.goto(f"{live.url}{place.members}")
    page.wait_for_load_state("networkidle")
    assert key_of(place, eva) is None


def test_two_browsers_at_once_confirm_once_and_show_no_error(live, people, place):
    pages = [sign_in(live, people(locale="en").new_page(), place.admin) for _number in range(2)]
    errors: list[str] = []
    for page in pages:
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{live.url}{settings_url(place)}")
        page.wait_for_load_state("networkidle")
    eva, _row = accept(place, "Eva")
    for page in pages:
        page.goto(f"{live.url}{place.members}", wait_until="commit")
    wait_until(page, lambda: key_of(place, eva))
    for page in pages:
        page.wait_for_load_state("networkidle")
    assert key_of(place, eva) == place.keys.key.raw
    kind = "organization:member:confirm_automatically"
    found = select(Event.id).where(Event.type == kind, Event.stream_id == place.organization.id)
    assert len(place.database.all(found)) == 1
    assert errors == []
    for page in pages:
        expect(page.locator(".notice.bad, .notice.warn")).to_have_count(0)


def test_a_phrase_that_is_not_of_the_key_hands_nothing_over(live, people, place):
    eva, _row = accept(place, "Eva")
    tom, _row = accept(place, "Tom")
    page = sign_in(live, people(locale="en").new_page(), place.admin)

    def lie(route):
        answer = route.fetch()
        data = answer.json()
        for member in data["members"]:
            if member["account_id"] == str(eva.account_id):
                member["phrase"] = "one-two-three-four-five"
        route.fulfill(response=answer, json=data)

    page.route("**/members/automatic?*", lie)
    page.goto(f"{live.url}{place.members}")
    expect(told(page)).to_have_text(ONE)
    assert key_of(place, eva) is None
    assert key_of(place, tom) == place.keys.key.raw


def test_it_is_turned_on_in_a_browser(live, people, place):
    page = sign_in(live, people(locale="en").new_page(), place.admin)
    page.goto(f"{live.url}{settings_url(place)}")
    assert_accessible(page)
    page.get_by_role("button", name="Turn off").click()
    expect(told(page)).to_contain_text("Automatic confirmation is off.")
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Turn on automatic confirmation")
    assert_accessible(page)
    page.get_by_role("button", name="Turn on").click()
    expect(told(page)).to_contain_text("Automatic confirmation is on.")
