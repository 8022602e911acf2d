"""Confirming people and rotating the provider key, with real keys in real browsers."""

import re

import pytest
from playwright.sync_api import expect
from sqlalchemy import insert, select

from portal.crypto.envelope import SymmetricKey, seal, unseal
from portal.crypto.keys import unwrap
from portal.domain.access import Role
from portal.domain.names import name_ci
from portal.domain.plans import Plan
from portal.domain.states import ProviderPersonState
from portal.models import Organization, ProviderPerson, new_id
from tests.support.accounts import make_person
from tests.support.chromium import assert_accessible, sign_in, wait_until
from tests.support.organizations import employ, make_place

pytestmark = pytest.mark.committed
JUN = "jun@northwind.example"
CLIENTS = 1000


@pytest.fixture
def place(live):
    return make_place(live.database)


def add_clients(place, count: int) -> None:
    columns = {
        "provider_id": place.provider.id,
        "billing_email": "bills@acme.example",
        "plan": Plan.TEAMS,
        "plan_rank": 1,
        "seats": 5,
        "public_key": place.keys.public_key,
        "protected_private_key": place.keys.protected_private_key,
        "provider_wrapped_key": seal(place.keys.key.raw, place.provider_keys.key),
    }
    rows = [
        {**columns, "id": new_id(), "name": f"C{number}", "name_ci": name_ci(f"C{number}")}
        for number in range(count)
    ]
    with place.database.session() as session:
        session.execute(insert(Organization), rows)


def hire(place, state=ProviderPersonState.CONFIRMED):
    person = make_person(place.database, JUN, "Jun Ito", keys=True)
    employ(place.database, place.provider, person, Role.PROVIDER_ADMIN, wrapped=None)
    with place.database.session() as session:
        row = session.scalars(select(ProviderPerson).where(ProviderPerson.email == JUN)).one()
        row.state = state
    return person


def key_of(place, person) -> SymmetricKey:
    """The provider key as this person can open it."""
    wrapped = place.database.one(
        select(ProviderPerson.wrapped_provider_key).where(ProviderPerson.email == person.email)
    )
    return SymmetricKey.from_raw(unwrap(wrapped, person.keys.private_key))


def test_an_accepted_person_is_confirmed_and_holds_the_provider_key(live, people, place):
    jun = hire(place, ProviderPersonState.ACCEPTED)
    page = sign_in(live, people(locale="en").new_page(), place.admin)
    page.goto(f"{live.url}/providers/{place.provider.id}/people")
    assert_accessible(page)
    page.get_by_role("link", name="Confirm").click()
    expect(page.locator("fingerprint-phrase")).to_have_attribute("data-state", "same")
    assert_accessible(page)
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator("#notices")).to_contain_text("Jun Ito holds the provider key now")
    assert key_of(place, jun) == place.provider_keys.key


def test_a_rotation_is_interrupted_and_carried_on(live, people, place):
    jun = hire(place)
    context = people(locale="en")
    page = sign_in(live, context.new_page(), place.admin)
    page.goto(f"{live.url}/providers/{place.provider.id}/people/confirm")
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator("#notices")).to_contain_text("Jun Ito holds the provider key now")
    add_clients(place, CLIENTS - 1)

    # The tab goes away while its second batch is on the way.
    batches = []
    page.route(
        "**/rotation/batch",
        lambda route: batches.append(1) or (route.continue_() if len(batches) < 2 else None),
    )
    page.goto(f"{live.url}/providers/{place.provider.id}/keys/rotation")
    assert_accessible(page)
    expect(page.locator("[data-ready]")).to_be_attached()
    page.get_by_role("button", name="Rotate the provider key").click()
    expect(page.locator("progress")).to_have_attribute("value", "200")
    page.close()
    add_clients(place, 1)

    page = context.new_page()
    page.goto(f"{live.url}/providers/{place.provider.id}/keys/rotation")
    expect(page.locator("[data-rotate-status]")).to_have_text(
        re.compile("[24]00 of 1001 clients done")
    )
    expect(page.locator("[data-ready]")).to_be_attached()
    page.get_by_role("button", name="Continue the rotation").click()
    # How long it takes is nothing that a test decides; only one that fails waits for so long.
    page.wait_for_url("**/keys/recovery-sheet", timeout=600_000)
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery sheet")
    following = key_of(place, place.admin)
    assert following != place.provider_keys.key
    assert key_of(place, jun) == following
    wrapped = place.database.all(select(Organization.provider_wrapped_key))
    assert len(wrapped) == CLIENTS + 1
    assert all(unseal(key, following) == place.keys.key.raw for key in wrapped)


def test_two_admins_who_rotate_at_once_make_one_key(live, people, place):
    jun = hire(place)
    add_clients(place, 300)
    first = sign_in(live, people(locale="en").new_page(), place.admin)
    first.goto(f"{live.url}/providers/{place.provider.id}/people/confirm")
    first.get_by_role("button", name="Confirm").click()
    expect(first.locator("#notices")).to_contain_text("Jun Ito holds the provider key now")
    second = sign_in(live, people(locale="en").new_page(), jun)
    pages = [first, second]
    for page in pages:
        page.goto(f"{live.url}/providers/{place.provider.id}/keys/rotation")
        expect(page.locator("[data-ready]")).to_be_attached()
        expect(page.locator("fingerprint-phrase").first).to_have_attribute("data-state", "same")
    for page in pages:
        page.get_by_role("button", name="Rotate the provider key").click(no_wait_after=True)
    wait_until(first, lambda: key_of(place, jun) != place.provider_keys.key)
    following = key_of(place, place.admin)
    assert key_of(place, jun) == following != place.provider_keys.key
    wrapped = place.database.all(select(Organization.provider_wrapped_key))
    assert all(unseal(key, following) == place.keys.key.raw for key in wrapped)
