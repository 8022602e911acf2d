"""The owner's way in, with real keys made in real browsers: accept, confirm, read."""

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from portal.domain.states import MemberState
from portal.models import Base
from tests.support.accounts import PASSWORD
from tests.support.chromium import assert_accessible, follow
from tests.support.organizations import FIRST_COLLECTION, OWNER, make_place

pytestmark = pytest.mark.committed


@pytest.fixture
def place(live):
    return make_place(live.database)


@pytest.fixture
def bare(live):
    """A client that was made without keys."""
    return make_place(live.database, keys=False)


def sign_in(live, people, email: str) -> Page:
    page = people(locale="en").new_page()
    page.goto(f"{live.url}/profile")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Master password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("body.in")).to_be_visible()
    return page


def join(live, people, place) -> Page:
    page = people(locale="en").new_page()
    page.goto(f"{live.url}{place.link()}")
    expect(page.get_by_role("heading", name="Join Acme Ltd")).to_be_visible()
    assert_accessible(page)
    page.get_by_label("Your name").fill("Olga Petrova")
    page.get_by_label("Master password", exact=True).fill(PASSWORD)
    page.get_by_label("Repeat master password").fill(PASSWORD)
    page.get_by_role("button", name="Create account and join").click()
    return page


def read_collection(page: Page, live, place) -> str:
    page.goto(f"{live.url}{place.url}/collections")
    name = page.locator("sealed-text")
    expect(name).to_have_attribute("data-state", "open")
    return str(name.evaluate("element => element.shadowRoot.textContent"))


def dump(live) -> str:
    """Every value of every row, whole: the repr of a row cuts long texts."""
    with live.database.session() as session:
        tables = [session.execute(select(table)).all() for table in Base.metadata.sorted_tables]
    return repr([tuple(row) for rows in tables for row in rows])


def test_the_owner_accepts_an_admin_confirms_and_both_read(live, people, place):
    owner = join(live, people, place)
    expect(owner.get_by_role("heading", name="Waiting to be confirmed")).to_be_visible()
    assert_accessible(owner)
    phrase = owner.locator("fingerprint-phrase")
    expect(phrase).to_have_attribute("data-state", "same")

    admin = sign_in(live, people, place.admin.email)
    admin.goto(f"{live.url}{place.members}")
    assert_accessible(admin)
    admin.get_by_role("button", name="Confirm", exact=True).click()
    expect(admin.get_by_role("heading", name=f"Confirm {OWNER}")).to_be_visible()
    assert admin.locator("fingerprint-phrase").inner_text() == phrase.inner_text()
    assert_accessible(admin)
    admin.get_by_role("button", name="Confirm member").click()
    expect(admin.locator("#members-table")).to_contain_text("Confirmed")

    # The waiting page looks by itself.
    owner.wait_for_url("**/collections*")
    assert read_collection(owner, live, place) == FIRST_COLLECTION
    assert_accessible(owner)
    assert read_collection(admin, live, place) == FIRST_COLLECTION
    assert_accessible(admin)
    admin.goto(f"{live.url}{place.url}/setup")
    assert_accessible(admin)

    stranger = place.person("bob@other.example", "Bob Other", keys=True)
    visitor = sign_in(live, people, stranger.email)
    assert visitor.goto(f"{live.url}{place.url}/collections").status == 404
    whole = dump(live)
    for secret in (FIRST_COLLECTION, PASSWORD):
        assert secret not in whole
    assert place.keys.public_key in whole


def test_the_owner_of_a_client_without_keys_makes_them_and_is_confirmed(live, people, bare):
    owner = join(live, people, bare)
    owner.wait_for_url("**/collections*")
    assert bare.member().state is MemberState.CONFIRMED
    assert read_collection(owner, live, bare) == "Default collection"
    admin = sign_in(live, people, bare.admin.email)
    assert read_collection(admin, live, bare) == "Default collection"
    assert "Default collection" not in dump(live)


def test_confirming_makes_the_keys_of_a_client_that_has_none(live, people, bare):
    olga = bare.person(OWNER, "Olga Petrova", keys=True)
    bare.browser_of(olga).post(f"{bare.link()}/accept", status=303)
    admin = sign_in(live, people, bare.admin.email)
    admin.goto(f"{live.url}{bare.members}/{bare.owner_row}/confirm")
    admin.get_by_role("button", name="Confirm member").click()
    expect(admin.locator("#members-table")).to_contain_text("Confirmed")
    assert read_collection(admin, live, bare) == "Default collection"
    owner = sign_in(live, people, OWNER)
    assert read_collection(owner, live, bare) == "Default collection"


def test_a_locked_vault_confirms_nothing_and_leads_to_unlocking(live, people, place):
    olga = place.person(OWNER, "Olga Petrova", keys=True)
    place.browser_of(olga).post(f"{place.link()}/accept", status=303)
    admin = sign_in(live, people, place.admin.email)
    admin.goto(f"{live.url}{place.members}/{place.owner_row}/confirm")
    follow(admin, admin.get_by_role("button", name="Lock"))
    expect(admin.get_by_role("link", name="Unlock")).to_be_visible()
    admin.goto(f"{live.url}{place.members}/{place.owner_row}/confirm")
    admin.get_by_role("button", name="Confirm member").click()
    expect(admin.locator("[data-form-error]")).to_contain_text("Your vault is locked.")
    assert place.member().state is MemberState.ACCEPTED
    admin.get_by_role("link", name="Unlock it and come back").click()
    admin.get_by_label("Master password").fill(PASSWORD)
    admin.get_by_role("button", name="Unlock").click()
    expect(admin.get_by_role("heading", name=f"Confirm {OWNER}")).to_be_visible()


def test_mistakes_on_joining_are_told_and_nothing_typed_is_lost(live, people, place):
    page = people(locale="en").new_page()
    page.goto(f"{live.url}{place.link()}")
    page.get_by_label("Master password", exact=True).fill("short")
    page.get_by_role("button", name="Create account and join").click()
    expect(page.locator("[data-form-error]")).to_contain_text("at least 12 characters")
    page.get_by_label("Master password", exact=True).fill(PASSWORD)
    page.get_by_label("Repeat master password").fill(PASSWORD + "x")
    page.get_by_role("button", name="Create account and join").click()
    expect(page.locator("[data-form-error]")).to_contain_text("differ")
    page.get_by_label("Repeat master password").fill(PASSWORD)
    page.get_by_role("button", name="Create account and join").click()
    expect(page.locator("[data-error-for=name]")).to_contain_text("Enter your name")
    assert place.member().state is MemberState.INVITED
    assert page.get_by_label("Repeat master password").input_value() == PASSWORD


def test_an_owner_with_an_account_makes_the_keys_while_accepting(live, people, bare):
    bare.person(OWNER, "Olga Petrova", keys=True)
    owner = sign_in(live, people, OWNER)
    owner.goto(f"{live.url}{bare.link()}")
    assert_accessible(owner)
    owner.get_by_role("button", name="Accept invitation").click()
    owner.wait_for_url("**/collections*")
    assert bare.member().state is MemberState.CONFIRMED
    assert read_collection(owner, live, bare) == "Default collection"
    admin = sign_in(live, people, bare.admin.email)
    assert read_collection(admin, live, bare) == "Default collection"
