"""What organizations ask of master passwords, kept by a real browser."""

import pytest
from playwright.sync_api import expect
from sqlalchemy import select, update

from portal.domain.access import Role
from portal.domain.policies import PolicyKind
from portal.domain.policy_data import MasterPassword
from portal.domain.states import MemberState
from portal.models import DeclaredPassword, Policy
from tests.support.accounts import PASSWORD, make_person
from tests.support.chromium import assert_accessible, follow
from tests.support.organizations import join
from tests.support.policies import enterprise, somebody, turn

pytestmark = pytest.mark.committed
P = PolicyKind.MASTER_PASSWORD
NEW = "Another horse, another battery: staple 42"


@pytest.fixture
def place(live):
    return enterprise(live.database)


def sign_in(live, page, email, password):
    page.goto(f"{live.url}/profile")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Master password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_a_password_that_is_too_weak_at_sign_in_is_changed_before_anything_else(
    live, people, place
):
    uma, _member = somebody(place)
    turn(place, P, MasterPassword(complexity=4, length=30, upper=True, at_sign_in=True))
    name = place.organization.name
    page = people(locale="en").new_page()
    sign_in(live, page, uma.email, PASSWORD)
    expect(page).to_have_url(f"{live.url}/profile/password")
    expect(page.get_by_role("heading", level=1)).to_have_text("Choose a new master password")
    assert_accessible(page)
    field = page.get_by_label("New master password", exact=True)
    error = page.locator("[data-form-error]")
    page.get_by_label("Present master password").fill(PASSWORD)
    for typed, sentence in (
        ("correct horse", f"{name} asks for at least 30 characters."),
        ("a" * 30 + "B", f"{name} asks for a strong master password."),
        ("another horse, another battery: staple 42", f"{name} asks for a capital letter."),
    ):
        field.fill(typed)
        page.get_by_label("Repeat new master password").fill(typed)
        page.get_by_role("button", name="Choose a new master password").click()
        expect(error).to_have_text(sentence)
        expect(field).to_have_attribute("aria-invalid", "true")
    field.fill(NEW)
    expect(page.locator("meter")).to_have_js_property("value", 4)
    page.get_by_label("Repeat new master password").fill(NEW)
    page.get_by_role("button", name="Choose a new master password").click()
    expect(page.locator("#notices")).to_contain_text("Your master password is changed")
    other = people(locale="en").new_page()
    sign_in(live, other, uma.email, NEW)
    expect(other).to_have_url(f"{live.url}/profile")


def test_a_password_that_is_good_enough_goes_in_and_is_not_asked_again(live, people, place):
    uma, _member = somebody(place)
    turn(place, P, MasterPassword(complexity=2, length=14, lower=True, at_sign_in=True))
    page = people(locale="en").new_page()
    sign_in(live, page, uma.email, PASSWORD)
    expect(page).to_have_url(f"{live.url}/profile")
    assert place.database.count(DeclaredPassword) == 1
    place.database.run(update(Policy).values(version=2))
    second = people(locale="en").new_page()
    sign_in(live, second, uma.email, PASSWORD)
    expect(second).to_have_url(f"{live.url}/profile")
    assert place.database.one(select(DeclaredPassword.version)) == 2


def test_a_page_lost_at_the_second_factor_costs_no_new_password(live, people, place):
    uma = make_person(place.database, "uma@client.example", "Uma", keys=True, second=True)
    join(place, uma, Role.USER, MemberState.CONFIRMED)
    turn(place, P, MasterPassword(complexity=2, length=14, at_sign_in=True))
    page = people(locale="en").new_page()
    sign_in(live, page, uma.email, PASSWORD)
    code = page.get_by_label("Code")
    expect(code).to_be_visible()
    page.reload()
    code.fill(uma.totp)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Unlock your vault")
    assert_accessible(page)
    page.get_by_label("Master password").fill(PASSWORD)
    page.get_by_role("button", name="Unlock").click()
    expect(page).to_have_url(f"{live.url}/profile")
    assert place.database.count(DeclaredPassword) == 1


def test_a_password_that_is_too_weak_is_found_when_the_vault_is_unlocked(live, people, place):
    uma, _member = somebody(place)
    page = people(locale="en").new_page()
    sign_in(live, page, uma.email, PASSWORD)
    expect(page).to_have_url(f"{live.url}/profile")
    turn(place, P, MasterPassword(length=64, at_sign_in=True))
    follow(page, page.get_by_role("button", name="Lock"))
    follow(page, page.get_by_role("link", name="Unlock"))
    page.get_by_label("Master password").fill(PASSWORD)
    page.get_by_role("button", name="Unlock").click()
    expect(page).to_have_url(f"{live.url}/profile/password")


def test_whoever_joins_chooses_what_the_inviting_organization_asks(live, people, place):
    turn(place, P, MasterPassword(complexity=3, length=20, digits=True))
    page = people(locale="en").new_page()
    page.goto(live.url + place.link())
    assert_accessible(page)
    page.get_by_label("Your name").fill("Olga")
    for typed in ("Password1234Password1234", "no digits in this one"):
        page.get_by_label("Master password", exact=True).fill(typed)
        page.get_by_label("Repeat master password").fill(typed)
        page.get_by_role("button", name="Create account and join").click()
        expect(page.locator("[data-form-error]")).to_contain_text(place.organization.name)
    page.get_by_label("Master password", exact=True).fill(NEW)
    page.get_by_label("Repeat master password").fill(NEW)
    page.get_by_role("button", name="Create account and join").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Waiting to be confirmed")
    assert place.database.count(DeclaredPassword) == 1
