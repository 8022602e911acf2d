"""A client's Manage page: facts, name, billing terms; and keys made later."""

import json

import pytest
from sqlalchemy import select, update

from portal.accounts import affiliations
from portal.domain.access import Role
from portal.domain.states import MemberState
from portal.models import (
    Affiliation,
    Collection,
    Event,
    Organization,
    Subscription,
    SubscriptionLine,
)
from tests.support.clients import make_client, make_provider, persona
from tests.support.eventlog import all_told
from tests.support.organizations import posted_client_keys

JSON = {"Accept": "application/json"}


@pytest.fixture
def ada(database):
    return persona(database)


@pytest.fixture
def tom(database, ada):
    """A service user beside Ada."""
    return persona(database, Role.SERVICE_USER, ada.provider)


@pytest.fixture
def acme(database, ada):
    return make_client(database, ada.provider, "Acme Ltd")


def page_of(person, client, name="manage"):
    return f"{person.clients_url}/{client.id}/{name}"


def facts(page):
    return dict(zip(page.texts("dl.facts dt"), page.texts("dl.facts dd"), strict=True))


def test_the_page_shows_what_was_agreed_and_that_no_invoice_is_issued(ada, acme, database):
    subscription = database.one(select(Subscription))
    database.add(
        SubscriptionLine(
            organization_id=acme.id,
            subscription_id=subscription.id,
            kind="seats",
            price_list_version="2026-11",
            unit_cents=500,
            quantity=10,
            months=1,
            period_start=subscription.period_start,
            period_end=subscription.period_end,
        )
    )
    page = ada.browser.get(page_of(ada, acme))
    assert page.heading == "Acme Ltd"
    shown = facts(page)
    assert shown["Seats"] == "10 assigned, 0 used, 10 remaining"
    assert shown["Address"] == "Acme Ltd, 2 Quay, 75002 Paris, France"
    assert shown["Payment"] == "By invoice, payable within 30 days"
    assert "No invoice is issued yet." in page
    line = page.texts("table.plain tbody tr > *")
    assert line[:4] == ["Seats", "10", "$5.00", "1"]
    assert line[-1] == "2026-11"


def test_the_menu_of_a_row_is_the_same_list_alone(ada, tom, acme):
    menu = ada.browser.get(page_of(ada, acme), hx="clients-menu")
    everything = ["Open", "Set-up", "Members", "Manage subscription", "Billing terms"]
    everything += [
        "Tags and note",
        "Baseline",
        "Rename",
        "Suspend",
        "Who can reach it",
        "Unlink",
        "Delete",
    ]
    assert menu.texts("a") == everything
    assert menu.link("Open") == f"/organizations/{acme.id}/collections"
    assert tom.browser.get(page_of(tom, acme), hx="clients-menu").texts("a") == [
        *everything[:4],
        "Tags and note",
        "Baseline",
        "Rename",
    ]
    assert ada.browser.get(page_of(ada, acme)).texts("main a.button")[:12] == everything


def test_a_service_user_renames_and_everybody_reads_the_new_name(tom, acme, database):
    with database.session() as session:
        affiliations.put(
            session,
            account_id=tom.account.id,
            kind="organization",
            tenant_id=acme.id,
            name="Acme Ltd",
            role=Role.USER,
            state=MemberState.CONFIRMED,
        )
    page = tom.browser.get(page_of(tom, acme, "rename"))
    answer = tom.browser.submit(page, "Rename", {"name": "  Zoé   & Co "})
    assert tom.browser.follow(answer).heading == "Zoé & Co"
    assert database.one(select(Organization.name_ci)) == "zoe & co"
    named = select(Affiliation.name).where(Affiliation.kind == "organization")
    assert database.one(named) == "Zoé & Co"
    payload = database.all(
        select(Event.payload).where(Event.type == "organization:organization:rename")
    )
    assert len(payload) == 2
    assert json.loads(payload[0])["details"] == {"before": "Acme Ltd", "after": "Zoé & Co"}


def test_a_wrong_name_is_told_and_kept(tom, acme, database):
    page = tom.browser.get(page_of(tom, acme, "rename"))
    again = tom.browser.submit(page, "Rename", {"name": "x" * 60}, status=422)
    assert "Shorten it by 10 characters" in again.text("#name-field")
    assert again.one("#name")["value"] == "x" * 60
    assert database.one(select(Organization.name)) == "Acme Ltd"


def test_the_slower_of_two_renamers_sees_both_names(ada, tom, acme, database):
    first, second = (who.browser.get(page_of(who, acme, "rename")) for who in (ada, tom))
    ada.browser.submit(first, "Rename", {"name": "Ada's"})
    page = tom.browser.submit(second, "Rename", {"name": "Tom's"}, status=409)
    assert page.texts("table.plain tbody td") == ["Ada's", "Tom's"]
    assert database.one(select(Organization.name)) == "Ada's"
    tom.browser.submit(page, "Rename")
    assert database.one(select(Organization.name)) == "Tom's"


def test_billing_terms_are_changed_with_before_and_after(ada, acme, database):
    page = ada.browser.get(page_of(ada, acme, "billing"))
    changes = {
        "billing_email": "New@Acme.example",
        "vat_number": "FR 40 303 265 045",
        "net_days": "60",
    }
    ada.browser.submit(page, "Save billing terms", changes)
    assert database.one(select(Organization.billing_email)) == "new@acme.example"
    subscription = database.one(select(Subscription))
    assert (subscription.vat_number, subscription.net_days) == ("FR40303265045", 60)
    details = all_told(database, "organization:billing:update")[0]["details"]
    assert details["before"] == {
        "billing_email": "bills@acme.example",
        "vat_number": "",
        "net_days": 30,
    }
    assert details["after"]["net_days"] == 60


def test_saving_the_same_terms_is_no_event(ada, acme, database):
    page = ada.browser.get(page_of(ada, acme, "billing"))
    ada.browser.submit(page, "Save billing terms")
    assert database.count(Event) == 0
    assert database.one(select(Organization.version)) == 1


def test_wrong_terms_stand_at_their_fields(ada, acme, database):
    page = ada.browser.get(page_of(ada, acme, "billing"))
    wrong = {"billing_email": "x", "country": "", "city": " "}
    again = ada.browser.submit(page, "Save billing terms", wrong, status=422)
    assert len(again.select(".field .error")) == 3
    assert database.one(select(Subscription.city)) == "Paris"


def test_the_slower_of_two_sees_both_values(ada, acme, database):
    page = ada.browser.get(page_of(ada, acme, "billing"))
    database.run(update(Organization).values(version=2, billing_email="other@acme.example"))
    again = ada.browser.submit(
        page, "Save billing terms", {"billing_email": "mine@acme.example"}, status=409
    )
    assert again.texts("table.plain tbody tr > *") == [
        "Billing e-mail",
        "other@acme.example",
        "mine@acme.example",
    ]
    ada.browser.submit(again, "Save billing terms")
    assert database.one(select(Organization.billing_email)) == "mine@acme.example"


def test_a_service_user_does_not_change_billing_terms(tom, acme):
    tom.browser.get(page_of(tom, acme, "billing"), status=403)
    tom.browser.post(page_of(tom, acme, "billing"), {}, status=403)
    assert "Change billing terms" not in tom.browser.get(page_of(tom, acme))


@pytest.mark.parametrize("name", ["manage", "rename", "billing"])
def test_another_providers_client_is_not_there(ada, database, name):
    other = make_client(database, make_provider(database, "Mallory IT"), "Mallory")
    ada.browser.get(page_of(ada, other, name), status=404)
    if name != "manage":
        ada.browser.post(page_of(ada, other, name), {"name": "x", "version": "1"}, status=404)
    assert database.one(select(Organization.name)) == "Mallory"


def test_the_list_of_clients_without_keys_is_for_unlocked_admins(ada, tom, acme, database):
    database.add(Collection(organization_id=acme.id))
    page = ada.browser.get(f"{ada.clients_url}/keys")
    assert page.one("li[data-post]")["data-post"] == page_of(ada, acme, "keys")
    assert page.one("[data-key-work=finish-keys]")["data-collection-name"] == "Default collection"
    # This provider has no keys itself: first things first.
    assert page.one("main .notice a")["href"] == f"/providers/{ada.provider.id}/keys"
    tom.browser.get(f"{tom.clients_url}/keys", status=403)


def test_keys_are_stored_once_and_the_second_browser_is_told(ada, acme, database):
    database.add(Collection(organization_id=acme.id))
    keys = posted_client_keys()
    ada.browser.post(page_of(ada, acme, "keys"), keys, headers=JSON, status=204)
    assert database.one(select(Organization.public_key)) == keys["organization_public_key"]
    assert database.one(select(Collection.sealed_name)) == keys["collection_name"]
    ada.browser.post(page_of(ada, acme, "keys"), keys, headers=JSON, status=409)
    assert "Every client has its keys" in ada.browser.get(f"{ada.clients_url}/keys")


@pytest.mark.parametrize("broken", ["organization_public_key", "collection_name"])
def test_keys_that_are_none_are_refused(ada, acme, database, broken):
    keys = posted_client_keys() | {broken: "in the clear"}
    answer = ada.browser.post(page_of(ada, acme, "keys"), keys, headers=JSON, status=409)
    assert "in the clear" not in answer.response.text
    assert database.one(select(Organization.public_key)) is None


def test_keys_for_another_providers_client_are_not_taken(ada, database):
    other = make_client(database, make_provider(database, "Mallory IT"), "Mallory")
    ada.browser.post(page_of(ada, other, "keys"), posted_client_keys(), status=404)
    assert database.one(select(Organization.public_key)) is None
