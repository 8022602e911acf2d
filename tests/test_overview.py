"""A provider's home: its numbers, of whom they are, and what they cost."""

import datetime as dt
import re

import pytest
from sqlalchemy import select, update

from portal.domain.access import Role
from portal.domain.attention import AttentionKind
from portal.domain.plans import Plan
from portal.domain.scope import Because, Reach
from portal.domain.states import ClientStatus
from portal.models import (
    Attention,
    ClientAccess,
    Organization,
    Provider,
    ProviderPerson,
    new_id,
    utc_now,
)
from portal.overview.page import months_before
from tests.support.clients import make_client, make_provider, persona
from tests.support.invoicing import fill, subscribe, today
from tests.support.logbook import tell_story

DAY = dt.timedelta(days=1)


@pytest.fixture
def ada(database):
    return persona(database)


def home_url(provider):
    return f"/providers/{provider.id}"


def tiles(page):
    """{label: (figure, what is said about it)}"""
    found = {}
    for card in page.select(".tiles .tile"):
        figure = card.select_one("strong").get_text()
        about = card.select("span")[-1].get_text()
        label = str(card.find(string=re.compile(r"\w")))
        found[label.strip()] = (figure, about)
    return found


def concerns(page):
    return dict(zip(page.texts("dl.facts dt"), page.texts("dl.facts dd"), strict=True))


def limited(database, provider, *clients):
    """A signed-in service user who reaches these clients alone."""
    found = persona(database, Role.SERVICE_USER, provider, reach=Reach.ONLY)
    person_id = database.one(
        select(ProviderPerson.id).where(ProviderPerson.account_id == found.account.id)
    )
    for client in clients:
        database.add(
            ClientAccess(
                provider_id=provider.id,
                person_id=person_id,
                organization_id=client.id,
                because=Because.LISTED,
            )
        )
    return found


def wait(database, provider, client, kind=AttentionKind.INVITED, due=None):
    database.add(
        Attention(
            provider_id=provider.id,
            organization_id=client.id if client else None,
            kind=kind,
            subject_id=new_id(),
            due_at=due,
        )
    )


def test_home_stands_above_clients_which_stay_the_first_page(ada):
    page = ada.browser.get(home_url(ada.provider))
    assert page.heading == "Home"
    assert page.texts("nav [aria-current=page]") == ["Home"]
    assert page.texts("nav[aria-label=Main] a")[:2] == ["Home", "Clients"]
    assert page.link("Northwind IT").endswith("/clients")
    assert ada.browser.get(ada.clients_url).texts("nav [aria-current=page]") == ["Clients"]


def test_without_clients_it_says_how_to_begin(ada, database):
    page = ada.browser.get(home_url(ada.provider))
    assert page.link("New client").endswith("/clients/new")
    sam = persona(database, Role.SERVICE_USER)
    assert "As soon as a provider admin" in sam.browser.get(home_url(sam.provider))


def test_the_numbers_are_those_of_the_clients(ada, database):
    old = utc_now() - 200 * DAY
    north = ada.provider
    subscribe(
        database,
        north,
        "Acme",
        seats=10,
        seats_used=10,
        created_at=old,
        public_key="k",
        protected_private_key="k",
        owner_confirmed=True,
        setup_done=4,
    )
    subscribe(database, north, "Bolt", seats=5, seats_used=1, plan=Plan.ENTERPRISE)
    subscribe(database, north, "Cobra", seats=5, status=ClientStatus.SUSPENDED)
    subscribe(
        database,
        north,
        "Delta",
        status=ClientStatus.DELETING,
        delete_at=utc_now() + DAY,
        status_before_deletion=ClientStatus.ACTIVE,
    )
    subscribe(database, make_provider(database, "Elsewhere"), "Not ours", seats=1000)
    page = ada.browser.get(home_url(north))
    told = tiles(page)
    assert told["Clients"] == ("4", "New in the last 30 days: 3")
    assert told["Seats used"] == ("11", "30 assigned, 19 remaining")
    assert concerns(page) == {
        "Suspended": "1 Suspended",
        "Being deleted": "1 Being deleted",
        "No confirmed owner": "3 No confirmed owner",
        "No seats left": "1 No seats left",
        "No keys": "3 No keys",
    }
    plans = page.texts("section[aria-labelledby=plans-title] tbody tr")
    assert plans == ["Teams 25 10 15", "Enterprise 5 1 4"]
    setup = page.texts("section[aria-labelledby=setup-title] tbody tr")
    assert setup == ["Finished 1", "3 steps open 2", "5 steps open 1"]
    for label, query in (("Suspended", "status=suspended"), ("No seats left", "seats=none")):
        listed = ada.browser.get(f"{ada.clients_url}?{query}")
        assert len(listed.select("#clients-table tbody tr")) == 1
        assert any(
            a["href"].endswith(query) for a in page.select(f'dd a:-soup-contains("{label}")')
        )


def test_the_growth_counts_the_clients_at_the_end_of_each_month(ada, database):
    today = utc_now().date()
    for months, name in ((30, "Old"), (0, "New")):
        had = utc_now() - dt.timedelta(days=30 * months)
        subscribe(database, ada.provider, name, provider_since=had, created_at=utc_now())
    page = ada.browser.get(home_url(ada.provider))
    rows = page.texts("section[aria-labelledby=growth-title] tbody tr")
    assert len(rows) == 12
    assert [row.split()[-1] for row in rows] == ["1"] * 11 + ["2"]
    assert rows[-1].startswith(today.strftime("%b %Y"))
    heights = [int(rect["height"]) for rect in page.select("svg.chart[viewBox$='73'] rect")[1:]]
    assert heights == [36] * 11 + [72]


def test_the_last_twelve_months_end_with_this_one():
    months = months_before(dt.date(2026, 1, 31))
    assert (months[0], months[-1], len(months)) == (
        dt.date(2025, 3, 1),
        dt.date(2026, 2, 1),
        12,
    )


def test_who_waits_and_what_ends_is_counted(ada, database):
    north = ada.provider
    client = make_client(database, north)
    other = make_provider(database, "Elsewhere")
    wait(database, north, client, due=utc_now() + 5 * DAY)
    wait(database, north, client, AttentionKind.SEATS_FULL)
    wait(database, north, client, AttentionKind.CERTIFICATE, due=utc_now() + 29 * DAY)
    wait(database, north, client, AttentionKind.CERTIFICATE, due=utc_now() + 31 * DAY)
    wait(database, north, None, AttentionKind.INVITED, due=utc_now() - DAY)
    wait(database, other, make_client(database, other), due=utc_now() + DAY)
    told = tiles(ada.browser.get(home_url(north)))
    assert told["Stuck people"] == ("3", "Somebody has to act")
    assert told["Ends within 30 days"][0] == "2"


def test_the_bar_and_home_count_the_same_people(ada, database):
    client = make_client(database, ada.provider)
    wait(database, ada.provider, client)
    written_to = database.one(select(Attention.subject_id))
    # Their mail fails too: one person, told of once.
    database.add(
        Attention(
            provider_id=ada.provider.id,
            organization_id=client.id,
            kind=AttentionKind.MAIL_FAILED,
            subject_id=written_to,
        )
    )
    # Of a client that has left: of no concern any more.
    wait(database, ada.provider, make_client(database, make_provider(database, "Elsewhere")))
    page = ada.browser.get(home_url(ada.provider))
    assert tiles(page)["Stuck people"][0] == "1"
    (row,) = (text for text in page.texts("nav a") if text.startswith("Stuck people"))
    assert row.split()[-1] == "1"


def test_the_next_invoice_and_the_last_events_are_for_admins(ada, database):
    north = ada.provider
    client = subscribe(database, north, seats=10, began=today() - 20 * DAY)
    tell_story(database, ada, client)
    page = ada.browser.get(home_url(north))
    assert tiles(page)["Next invoice"][0] == "$50.00"
    events = page.texts("section[aria-labelledby=events-title] tbody tr")
    assert len(events) == 4
    assert "Acme" in events[0]
    sam = persona(database, Role.SERVICE_USER, north)
    page = sam.browser.get(home_url(north))
    assert "$" not in page
    assert page.select("section[aria-labelledby=events-title]") == []


def test_a_limited_person_sees_the_numbers_of_their_clients_alone(ada, database):
    north = ada.provider
    acme = subscribe(database, north, "Acme", seats=10, seats_used=4)
    bolt = subscribe(database, north, "Bolt", seats=50, seats_used=50)
    wait(database, north, acme)
    wait(database, north, bolt, due=utc_now() + DAY)
    wait(database, north, None)
    jun = limited(database, north, acme)
    page = jun.browser.get(home_url(north))
    told = tiles(page)
    assert told["Clients"][0] == "1"
    assert told["Seats used"] == ("4", "10 assigned, 6 remaining")
    assert told["Stuck people"][0] == "1"
    assert told["Ends within 30 days"][0] == "0"
    assert "No seats left" not in concerns(page)
    nobody = limited(database, north)
    assert "No clients yet" in nobody.browser.get(home_url(north))


def test_a_stranger_finds_nothing(ada, database):
    ada.browser.get(home_url(make_provider(database, "Elsewhere")), status=404)


@pytest.mark.parametrize("clients", [10, 5000])
def test_home_costs_the_same_statements_whatever_the_clients(ada, database, statements, clients):
    fill(database, ada.provider, clients)
    database.run(
        update(Provider).where(Provider.id == ada.provider.id).values(clients_count=clients)
    )
    ada.browser.get(home_url(ada.provider))
    statements.clear()
    ada.browser.get(home_url(ada.provider))
    statements.most(10)
    assert database.one(select(Organization.id).limit(1))
