"""Billing of a provider and of an organization: the pages, their file, and who sees them."""

import datetime as dt

import pytest
from sqlalchemy import update

from portal.domain.access import Role
from portal.domain.plans import Plan
from portal.domain.states import ClientStatus
from portal.models import Organization, utc_now
from tests.support.clients import make_provider, persona
from tests.support.invoicing import billing_url, facts, fill, subscribe, today
from tests.support.logbook import member_browser


@pytest.fixture
def ada(database):
    return persona(database)


# The provider's page


def test_the_page_says_what_is_due_and_that_nothing_is_issued_yet(ada, database):
    began = today() - dt.timedelta(days=20)
    subscribe(database, ada.provider, "Acme Ltd", seats=10, began=began, pending=-150)
    subscribe(database, ada.provider, "Bolt", plan=Plan.ENTERPRISE, seats=3, began=began)
    page = ada.browser.get(billing_url(ada.provider))
    assert page.heading == "Billing"
    assert page.texts("nav [aria-current=page]") == ["Billing"]
    assert "Invoices are not issued yet by this portal." in page
    told = facts(page)
    assert told["Due in the next 30 days"] == "$69.50"
    assert told["Invoices"] == "2"
    assert told["Per year, as it is today"] == "$852.00"
    assert told["Business name"] == "Northwind IT"
    rows = page.texts("#invoicing-lines tbody tr")
    assert rows[0].startswith("Acme Ltd Teams Monthly 10 \N{MULTIPLICATION SIGN} $5.00")
    assert rows[0].endswith("$48.50 Changes -$1.50")
    assert rows[1].endswith("$21.00")
    plans = page.texts("section[aria-labelledby=seats-title] tbody tr")
    assert plans == ["Teams 1 10 0 10", "Enterprise 1 3 0 3"]


def test_discount_and_tax_stand_beside_the_amount(ada, database):
    terms = {"discount_basis_points": 1000, "tax_label": "VAT", "tax_basis_points": 2000}
    subscribe(database, ada.provider, seats=10, extra_storage_gb=3, terms=terms)
    (row,) = ada.browser.get(billing_url(ada.provider)).texts("#invoicing-lines tbody tr")
    assert row.endswith("$55.07 Discount -$5.10 VAT $9.18")


def test_a_client_that_is_deleted_first_has_no_next_invoice(ada, database):
    subscribe(
        database,
        ada.provider,
        status=ClientStatus.DELETING,
        status_before_deletion=ClientStatus.ACTIVE,
        delete_at=utc_now() + dt.timedelta(days=3),
    )
    page = ada.browser.get(billing_url(ada.provider))
    (row,) = page.texts("#invoicing-lines tbody tr")
    assert "Being deleted" in row
    assert row.endswith("No invoice")
    assert facts(page)["Due in the next 30 days"] == "$0.00"
    assert facts(page)["Per year, as it is today"] == "$0.00"


def test_each_currency_has_its_own_sums(ada, database):
    subscribe(database, ada.provider, "Acme", seats=1, began=today() - dt.timedelta(days=20))
    subscribe(
        database,
        ada.provider,
        "Bolt",
        seats=4,
        lines=[("seats", 3, 450)],
        terms={"currency": "EUR"},
        began=today() - dt.timedelta(days=20),
    )
    page = ada.browser.get(billing_url(ada.provider))
    assert page.texts("section[aria-labelledby=due-title] strong") == [
        "$5.00",
        "$60.00",
        "€18.00",
        "€216.00",
    ]


def test_lines_are_searched_sorted_and_paged(ada, database):
    for number in range(55):
        subscribe(database, ada.provider, f"Client {number:02}", seats=100 - number)
    url = billing_url(ada.provider)
    page = ada.browser.get(url)
    assert len(page.select("#invoicing-lines tbody tr")) == 50
    assert page.text("#invoicing-lines [role=status]") == "55 clients"
    rest = ada.browser.get(page.link("Next"), hx="invoicing-lines")
    assert len(rest.select("tbody tr")) == 5
    assert rest.select("h1") == []
    first = ada.browser.get(rest.link("Previous"))
    assert first.texts("#invoicing-lines tbody th") == page.texts("#invoicing-lines tbody th")
    by_seats = ada.browser.get(f"{url}?sort=seats")
    assert by_seats.texts("#invoicing-lines tbody th a")[0] == "Client 54"
    assert by_seats.one("[aria-sort]")["aria-sort"] == "ascending"
    found = ada.browser.get(f"{url}?q=client 0_", hx="invoicing-lines")
    assert "Nothing matches" in found
    found = ada.browser.get(f"{url}?q=CLIENT 07")
    assert found.texts("#invoicing-lines tbody th a") == ["Client 07"]
    assert found.text("#invoicing-lines [role=status]") == "1 of 55 clients"
    ada.browser.get(f"{url}?at=made-up", status=303)
    ada.browser.get(f"{url}?sort=amount&q=%00")


def test_the_file_has_every_line_with_amounts_as_numbers(ada, database):
    for number in range(3):
        subscribe(database, ada.provider, f"=Client {number}", seats=10, pending=-150)
    text = ada.browser.client.get(billing_url(ada.provider, ".csv")).get_data(as_text=True)
    lines = text.lstrip("\ufeff").splitlines()
    assert len(lines) == 4
    cells = lines[1].split(",")
    assert cells[:9] == ["'=Client 0", "Teams", "Monthly", "USD", "10", "5.00", "0", "", "1"]
    assert cells[9:13] == ["50.00", "", "", "-1.50"]
    assert cells[-1] == "48.50"
    french = ada.browser.client.get(
        billing_url(ada.provider, ".csv?q=client%202"), headers={"Accept-Language": "fr"}
    ).get_data(as_text=True)
    assert french.splitlines()[1].endswith(";48,50")
    assert len(french.splitlines()) == 2


def test_a_provider_without_clients_is_told_what_will_stand_here(ada):
    page = ada.browser.get(billing_url(ada.provider))
    assert "No clients yet" in page
    assert facts(page)["Due in the next 30 days"] == "$0.00"


def test_service_users_see_no_money(database):
    sam = persona(database, Role.SERVICE_USER)
    subscribe(database, sam.provider)
    for rest in ("", ".csv"):
        sam.browser.get(billing_url(sam.provider, rest), status=403)
    assert "Billing" not in sam.browser.get(sam.clients_url).texts("nav a")


def test_nobody_reads_the_bills_of_another_provider(ada, database):
    other = make_provider(database, "Elsewhere")
    subscribe(database, other, "Secret Ltd", seats=7)
    for rest in ("", ".csv"):
        ada.browser.get(billing_url(other, rest), status=404)
    assert "Secret" not in ada.browser.get(billing_url(ada.provider))


@pytest.mark.parametrize("clients", [10, 5000])
def test_a_page_costs_the_same_statements_whatever_the_clients(ada, database, statements, clients):
    fill(database, ada.provider, clients)
    url = billing_url(ada.provider)
    ada.browser.get(url)
    statements.clear()
    ada.browser.get(url)
    statements.most(8)
    statements.clear()
    ada.browser.get(f"{url}?q=client", hx="invoicing-lines")
    statements.most(4)


# An organization's page


def own_url(client):
    return f"/organizations/{client.id}/billing"


def lines_of(page):
    return dict(zip(page.texts("dl.lines dt"), page.texts("dl.lines dd"), strict=True))


ADDRESS = {
    "billing_name": "Northwind IT",
    "address_line1": "1 Harbour Road",
    "postal_code": "75001",
    "city": "Paris",
    "country": "FR",
}


def test_an_owner_reads_who_pays_for_what_and_whom_to_ask(ada, database):
    terms = ADDRESS | {"discount_basis_points": 1000}
    client = subscribe(database, ada.provider, seats=10, pending=250, terms=terms)
    owner, _ = member_browser(database, client, Role.OWNER)
    page = owner.get(own_url(client))
    assert page.texts("nav [aria-current=page]") == ["Billing"]
    assert page.text("#payer-title") == "Northwind IT pays"
    assert "ask Northwind IT: Ada Nordström." in page
    told = facts(page)
    assert told["Plan"] == "Teams"
    assert told["Seats"] == "10 assigned, 0 used, 10 remaining"
    assert told["Billing cadence"] == "Monthly"
    assert told["Name and address"] == "Northwind IT, 1 Harbour Road, 75001 Paris, France"
    assert lines_of(page) == {
        "Teams, 10 seats 10 \N{MULTIPLICATION SIGN} $5.00": "$50.00",
        "Discount 10%": "-$5.00",
        "Changes in the running period": "$2.50",
        "Invoice total": "$47.50",
    }


def test_an_organization_with_an_address_of_its_own_pays_itself(ada, database):
    client = subscribe(database, ada.provider, terms=ADDRESS | {"billing_name": "Acme SA"})
    owner, _ = member_browser(database, client, Role.OWNER)
    assert owner.get(own_url(client)).text("#payer-title") == "Acme SA pays"


def test_a_providers_person_finds_the_ways_to_change_it(ada, database):
    client = subscribe(database, ada.provider, terms=ADDRESS)
    page = ada.browser.get(own_url(client))
    assert page.link("Manage subscription").endswith(f"/clients/{client.id}/subscription")
    assert page.link("Change billing terms").endswith(f"/clients/{client.id}/billing")


def test_without_a_provider_it_says_from_when_it_pays_itself(ada, database):
    client = subscribe(database, ada.provider, terms=ADDRESS)
    owner, _ = member_browser(database, client, Role.OWNER)
    with database.session() as session:
        session.execute(
            update(Organization).where(Organization.id == client.id).values(provider_id=None)
        )
    page = owner.get(own_url(client))
    assert "from then on it is invoiced in its own name, at list price." in page
    assert "ask whoever runs this portal" in page


def test_who_is_no_owner_reads_no_bill(ada, database):
    client = subscribe(database, ada.provider)
    for role in (Role.ADMIN, Role.USER):
        browser, _ = member_browser(database, client, role)
        browser.get(own_url(client), status=403)
    sam = persona(database, Role.SERVICE_USER, ada.provider)
    sam.browser.get(own_url(client), status=403)
    stranger = persona(database)
    stranger.browser.get(own_url(client), status=404)


def test_another_currency_keeps_the_prices_it_was_ordered_at(ada, database):
    client = subscribe(
        database,
        ada.provider,
        seats=4,
        lines=[("seats", 3, 450)],
        terms=ADDRESS | {"currency": "EUR"},
    )
    owner, _ = member_browser(database, client, Role.OWNER)
    assert lines_of(owner.get(own_url(client)))["Invoice total"] == "€18.00"
