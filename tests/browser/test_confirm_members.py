"""Confirming members of two clients from one page, with real keys in a real browser."""

import re

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from portal.crypto.envelope import seal
from portal.crypto.keys import new_tenant_keys, unwrap, wrap_for
from portal.domain.access import Role
from portal.domain.states import MemberState
from portal.models import Attention, Member
from portal.providers import attention
from tests.support.accounts import PASSWORD
from tests.support.chromium import assert_accessible, follow, sign_in
from tests.support.clients import make_client
from tests.support.organizations import Place, join, make_place

pytestmark = pytest.mark.committed


@pytest.fixture
def place(live):
    return make_place(live.database)


def second_client(place) -> tuple[Place, bytes]:
    """A client whose owner made its keys: they are wrapped for the provider's key pair."""
    made = new_tenant_keys()
    client = make_client(
        place.database,
        place.provider,
        "Beta SARL",
        public_key=made.public_key,
        protected_private_key=made.protected_private_key,
        provider_wrapped_key=wrap_for(place.provider_keys.public_key, made.key.raw),
    )
    beta = Place(place.database, place.provider, place.admin, client, client.id)
    return beta, made.key.raw


def accept(place, email, name):
    person = place.person(email, name, keys=True)
    member_id = join(place, person, Role.USER, MemberState.ACCEPTED)
    with place.database.session() as session:
        attention.member_moved(session, member_id, MemberState.ACCEPTED)
    return person


def key_of(place, person) -> bytes | None:
    """The organization key as this person can open it; None while not confirmed."""
    wrapped = place.database.one(
        select(Member.wrapped_organization_key).where(Member.email == person.email)
    )
    return unwrap(wrapped, person.keys.private_key) if wrapped else None


def test_three_members_of_two_clients_are_confirmed_one_after_the_other(live, people, place):
    beta, beta_key = second_client(place)
    eva = accept(place, "eva@acme.example", "Eva Roy")
    tom = accept(place, "tom@acme.example", "Tom Bell")
    lea = accept(beta, "lea@beta.example", "Léa Petit")
    page = sign_in(live, people(locale="en").new_page(), place.admin)
    page.goto(f"{live.url}/providers/{place.provider.id}/stuck-people?reason=accepted")
    assert_accessible(page)
    page.get_by_label("With several people").select_option("confirm")
    page.get_by_role("button", name="Look at everybody who matches").click()
    phrases = page.locator("fingerprint-phrase")
    expect(phrases).to_have_count(3)
    for number in range(3):
        expect(phrases.nth(number)).to_have_attribute("data-state", "same")
    assert_accessible(page)
    confirm = page.get_by_role("button", name="Confirm the ticked people")
    confirm.click()
    expect(page.locator("[data-confirm-status]")).to_contain_text("Tick at least one person")

    # The first alone; then the page is left, and whoever is confirmed has left the list.
    page.get_by_label("I have compared the phrase with Eva Roy").check()
    confirm.click()
    expect(page.locator("[data-confirm-status]")).to_have_text("All ticked people are confirmed.")
    assert key_of(place, eva) == place.keys.key.raw
    assert key_of(place, tom) is None
    page.reload()
    expect(phrases).to_have_count(2)

    for name in ("Tom Bell", "Léa Petit"):
        page.get_by_label(f"I have compared the phrase with {name}").check()
    confirm.click()
    expect(page.locator("[data-confirm-status]")).to_have_text("All ticked people are confirmed.")
    expect(page.locator("[data-member] [data-status]")).to_have_text(["Confirmed", "Confirmed"])
    assert key_of(place, tom) == place.keys.key.raw
    assert key_of(beta, lea) == beta_key
    assert len(place.database.all(select(Attention).where(Attention.kind == "accepted"))) == 0
    page.get_by_role("link", name="Back to the list").last.click()
    expect(page.locator("main")).to_contain_text(re.compile("Nobody is stuck|Nothing matches"))


def test_a_locked_vault_confirms_nobody_and_leads_back(live, people, place):
    eva = accept(place, "eva@acme.example", "Eva Roy")
    page = sign_in(live, people(locale="en").new_page(), place.admin)
    page.goto(f"{live.url}/providers/{place.provider.id}/stuck-people/confirm?scope=all")
    expect(page.locator("fingerprint-phrase")).to_have_attribute("data-state", "same")
    follow(page, page.get_by_role("button", name="Lock"))
    expect(page.locator("html")).to_have_attribute("data-vault", "locked")
    page.goto(f"{live.url}/providers/{place.provider.id}/stuck-people/confirm?scope=all")
    page.get_by_label("I have compared the phrase with Eva Roy").check()
    page.get_by_role("button", name="Confirm the ticked people").click()
    expect(page.locator("[data-member] [data-status]")).to_have_text("Your vault is locked.")
    assert key_of(place, eva) is None
    page.locator("main").get_by_role("link", name="Unlock").click()
    page.get_by_label("Master password").fill(PASSWORD)
    page.get_by_role("button", name="Unlock").click()
    expect(page).to_have_url(re.compile("/stuck-people/confirm"))
    expect(page.locator("fingerprint-phrase")).to_have_attribute("data-state", "same")


def test_a_key_that_is_not_the_one_on_the_page_is_not_handed_over(live, people, place):
    eva = accept(place, "eva@acme.example", "Eva Roy")
    accept(place, "tom@acme.example", "Tom Bell")
    page = sign_in(live, people(locale="en").new_page(), place.admin)
    page.goto(f"{live.url}/providers/{place.provider.id}/stuck-people/confirm?scope=all")
    expect(page.locator("fingerprint-phrase").first).to_have_attribute("data-state", "same")
    other = seal(b"x", place.keys.key)
    page.evaluate("key => document.querySelector('[data-member]').dataset.publicKey = key", other)
    page.get_by_label("I have compared the phrase with Eva Roy").check()
    page.get_by_role("button", name="Confirm the ticked people").click()
    expect(page.locator("[data-member] [data-status]").first).to_contain_text("Do not confirm.")
    assert key_of(place, eva) is None
