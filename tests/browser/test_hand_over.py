"""Keys of clients handed over and used, with real keys in real browsers."""

import json
import re

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import insert, select

from portal.crypto.envelope import SymmetricKey, seal, unseal
from portal.crypto.keys import new_key_pair, unwrap
from portal.domain.names import name_ci
from portal.domain.plans import Plan
from portal.domain.scope import Because
from portal.models import ClientAccess, Organization, new_id
from tests.support.chromium import assert_accessible, sign_in, wait_until
from tests.support.organizations import FIRST_COLLECTION, make_place
from tests.support.scope_keys import (
    access,
    client_with_keys,
    hire_scoped,
    reaches,
)
from tests.support.staff import told

pytestmark = pytest.mark.committed
CLIENTS = 250


@pytest.fixture
def place(live):
    return make_place(live.database)


def address(live, place):
    return f"{live.url}/providers/{place.provider.id}/keys/hand-over"


def add_clients(place, person_id, count: int) -> None:
    """Clients in somebody's scope, all with the first one's key, wrapped anew for each."""
    ids = [new_id() for _number in range(count)]
    columns = {
        "provider_id": place.provider.id,
        "billing_email": "bills@acme.example",
        "plan": Plan.TEAMS,
        "plan_rank": 1,
        "seats": 5,
        "public_key": place.keys.public_key,
        "protected_private_key": place.keys.protected_private_key,
    }
    clients = [
        {
            **columns,
            "id": each,
            "name": f"C{number}",
            "name_ci": name_ci(f"C{number}"),
            "provider_wrapped_key": seal(place.keys.key.raw, place.provider_keys.key),
        }
        for number, each in enumerate(ids)
    ]
    rows = [
        {
            "provider_id": place.provider.id,
            "id": new_id(),
            "person_id": person_id,
            "organization_id": each,
            "because": Because.LISTED,
        }
        for each in ids
    ]
    with place.database.session() as session:
        session.execute(insert(Organization), clients)
        session.execute(insert(ClientAccess), rows)


def start(page: Page) -> None:
    expect(page.locator("fingerprint-phrase").first).to_have_attribute("data-state", "same")
    page.get_by_role("button", name="Hand keys over").click()


def test_handing_over_is_interrupted_and_carried_on(live, people, place):
    kim, person_id = hire_scoped(place)
    add_clients(place, person_id, CLIENTS)
    birch, keys = client_with_keys(place, type4=True)
    reaches(place, person_id, birch)
    context = people(locale="en")
    page = sign_in(live, context.new_page(), place.admin)

    # The tab goes away while its second batch is on the way.
    batches = []
    page.route(
        "**/hand-over/batch",
        lambda route: batches.append(1) or (route.continue_() if len(batches) < 2 else None),
    )
    page.goto(address(live, place))
    expect(page.locator("[data-person]")).to_contain_text("clients: 251")
    assert_accessible(page)
    start(page)
    expect(page.locator("progress")).to_have_attribute("value", "100")
    page.close()

    page = context.new_page()
    page.goto(address(live, place))
    # A closing browser may still let go of what it held back.
    expect(page.locator("[data-person]")).to_contain_text(re.compile("clients: (151|51)[^0-9]"))
    start(page)
    expect(page.locator("[data-hand-over-status]")).to_have_text("All of them are handed over.")
    expected = {row.id: place.keys.key.raw for row in access(place)}
    expected[access(place)[-1].id] = keys.key.raw
    for row in access(place):
        assert unwrap(row.wrapped_key, kim.keys.private_key) == expected[row.id]
    assert [event["clients"] for event in told(place, "provider:person:hand_over_client_keys")] == [
        100,
        100,
        51,
    ]


def test_a_key_that_changed_since_the_page_was_opened_is_not_wrapped_for(live, people, place):
    _kim, person_id = hire_scoped(place)
    reaches(place, person_id, place.organization)
    page = sign_in(live, people(locale="en").new_page(), place.admin)
    page.goto(address(live, place))
    other, _private = new_key_pair()

    def lie(route):
        answer = route.fetch()
        body = answer.json() | {"public_key": other}
        route.fulfill(response=answer, body=json.dumps(body))

    page.route("**/hand-over/work*", lie)
    start(page)
    expect(page.locator("[data-hand-over-status]")).to_contain_text("have changed since")
    assert access(place)[0].wrapped_key is None


def test_a_scoped_person_reads_names_in_their_client_and_holds_nothing_else(live, people, place):
    kim, person_id = hire_scoped(place)
    birch, other = client_with_keys(place)
    reaches(place, person_id, place.organization)
    admin = sign_in(live, people(locale="en").new_page(), place.admin)
    admin.goto(address(live, place))
    start(admin)
    expect(admin.locator("[data-hand-over-status]")).to_have_text("All of them are handed over.")

    page = sign_in(live, people(locale="en").new_page(), kim)
    page.goto(f"{live.url}{place.url}/collections")
    expect(page.locator("sealed-text").first).to_contain_text(FIRST_COLLECTION)
    ring = json.loads(page.locator("meta[name=key-ring]").get_attribute("content"))
    assert ring["provider"] is None
    raw = unwrap(ring["organization"]["key"], kim.keys.private_key)
    assert SymmetricKey.from_raw(raw) == place.keys.key
    # What lies outside is not there for them.
    assert page.goto(f"{live.url}/organizations/{birch.id}/collections").status == 404
    # With all that the page carries, the other client's key stays closed.
    wrapped = live.database.one(
        select(Organization.provider_wrapped_key).where(Organization.id == birch.id)
    )
    with pytest.raises(ValueError, match="MAC"):
        unseal(wrapped, SymmetricKey.from_raw(raw))
    assert other.key != place.keys.key


def test_of_two_browsers_that_hand_over_at_once_each_key_comes_through(live, people, place):
    kim, person_id = hire_scoped(place)
    add_clients(place, person_id, 120)
    pages = [sign_in(live, people(locale="en").new_page(), place.admin) for _turn in range(2)]
    for page in pages:
        page.goto(address(live, place))
        expect(page.locator("fingerprint-phrase").first).to_have_attribute("data-state", "same")
    for page in pages:
        page.get_by_role("button", name="Hand keys over").click(no_wait_after=True)
    wait_until(pages[0], lambda: all(row.wrapped_key for row in access(place)))
    for row in access(place):
        assert unwrap(row.wrapped_key, kim.keys.private_key) == place.keys.key.raw
    counted = [event["clients"] for event in told(place, "provider:person:hand_over_client_keys")]
    assert sum(counted) == 120


def test_who_needs_no_key_is_confirmed_with_a_locked_vault(live, people, place):
    _kim, person_id = hire_scoped(place, state="accepted")
    page = sign_in(live, people(locale="en").new_page(), place.admin)
    page.evaluate(
        "indexedDB.databases().then(all => all.map(d => indexedDB.deleteDatabase(d.name)))"
    )
    page.goto(f"{live.url}/providers/{place.provider.id}/people/confirm?person={person_id}")
    assert_accessible(page)
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator("#notices")).to_contain_text("Kim Larsen is confirmed")
