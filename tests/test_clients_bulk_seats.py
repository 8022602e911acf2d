"""The seats of many clients changed at once: priced, confirmed, done as previewed, undone."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import select, update

from portal.billing import subscriptions
from portal.clients import seat_deed
from portal.clients.seat_deed import looked_at
from portal.domain.access import Role
from portal.domain.periods import billing_period
from portal.domain.seats import MOST
from portal.domain.states import ClientStatus, MemberState
from portal.models import (
    ChangeSet,
    ChangeSetRow,
    Event,
    Organization,
    Outbox,
    Subscription,
    SubscriptionChange,
    SubscriptionLine,
    utc_now,
)
from tests.support.browsing import Browser
from tests.support.clients import make_client, persona, sign_in
from tests.support.organizations import join, make_place
from tests.test_clients_bulk import EVERY, TICKED, confirm, look, told


@pytest.fixture
def ada(database):
    return persona(database)


def client(database, ada, name="Acme", seats=10, **columns):
    made = make_client(database, ada.provider, name, seats=seats, **columns)
    _price(database, made.id, seats)
    return made


def _price(database, client_id, seats):
    with database.session() as session:
        found = session.scalars(
            select(Subscription).where(Subscription.organization_id == client_id)
        ).one()
        found.period_start = utc_now().date() - timedelta(days=10)
        found.period_end = billing_period(found.period_start, 1).end
        session.add(
            SubscriptionLine(
                organization_id=client_id,
                subscription_id=found.id,
                kind="seats",
                price_list_version="2026-11",
                unit_cents=500,
                quantity=seats,
                months=1,
                period_start=found.period_start,
                period_end=found.period_end,
            )
        )


def seats(database, *clients):
    with database.session() as session:
        return [session.get_one(Organization, each.id).seats for each in clients]


def cells(page, *labels):
    """The cells of these columns, row by row."""
    heads = page.texts("#clients-many thead th")
    rows = [
        [" ".join(cell.get_text(" ").split()) for cell in row.select("th, td")]
        for row in page.select("#clients-many tbody tr")
    ]
    return [tuple(row[heads.index(label)] for label in labels) for row in rows]


def amounts(page):
    return dict(zip(page.texts("dl.lines dt"), page.texts("dl.lines dd"), strict=True))


def test_seats_are_added_as_previewed_row_by_row(ada, database):
    acme, beta = client(database, ada, "Acme", 10), client(database, ada, "Beta", 2)
    page = look(ada, TICKED, id=[acme.id, beta.id], do="seats:add", seats="5")
    assert page.heading == "Add 5 seats to each client"
    assert cells(page, "Client", "Seats", "Result") == [
        ("Acme", "10 → 15", "Will be changed"),
        ("Beta", "2 → 7", "Will be changed"),
    ]
    assert cells(page, "Per year")[0] == ("$600.00 → $900.00",)
    assert amounts(page)["Per year now $720.00"] == "$1,320.00"
    assert seats(database, acme, beta) == [10, 2]
    page = confirm(ada, page)
    assert cells(page, "Result") == [("Done",), ("Done",)]
    assert seats(database, acme, beta) == [15, 7]
    kept = database.all(select(ChangeSetRow.before).order_by(ChangeSetRow.name_ci))
    done = select(SubscriptionChange).join(
        Organization, Organization.id == SubscriptionChange.organization_id
    )
    for row, made in zip(kept, database.all(done.order_by(Organization.name_ci)), strict=True):
        price = looked_at(row).price
        regular = 15 * 500 if made.after == {"seats": 15} else 7 * 500
        assert price.next_invoice.cents == regular + made.adjustment_cents


def test_one_change_set_is_told_and_each_client_with_before_and_after(ada, database):
    client(database, ada, "Acme", 10)
    confirm(ada, look(ada, EVERY, do="seats:set", seats="4"))
    (started,) = told(database, "provider:change_set:start")
    assert json.loads(started)["details"]["seats"] == {"set": 4}
    changed = [
        json.loads(payload)["details"]
        for payload in told(database, "organization:subscription:change")
    ]
    assert [(each["before"], each["after"]) for each in changed] == [
        ({"seats": 10}, {"seats": 4})
    ] * 2
    events = database.all(
        select(Event.stream_id).where(Event.type == "organization:subscription:change")
    )
    assert len(set(events)) == 2


def test_owners_are_told_as_by_a_single_change(database):
    place = make_place(database)
    _price(database, place.organization.id, 10)
    owner = place.person("sue@acme.example", "Sue Owner", keys=True)
    join(place, owner, Role.OWNER, MemberState.CONFIRMED)
    browser = place.admins_browser()
    url = f"/providers/{place.provider.id}/clients"
    answer = browser.post(
        f"{url}/changes", {"do": "seats:add", "seats": "1", "scope": "all"}, status=303
    )
    browser.submit(browser.get(answer.location), "Change 1 client")
    mail = database.one(select(Outbox).where(Outbox.topic == "mail.subscription_changed"))
    assert mail.account_id == owner.account_id


def test_what_cannot_be_says_why(ada, database):
    client(database, ada, "A used", 10, seats_used=8)
    client(database, ada, "B deleted", 10, **DELETING)
    client(database, ada, "C same", 5)
    client(database, ada, "D fine", 10)
    foreign = client(database, ada, "E foreign", 10)
    database.run(
        update(Subscription)
        .where(Subscription.organization_id == foreign.id)
        .values(currency="EUR")
    )
    page = look(ada, EVERY, do="seats:set", seats="5")
    assert cells(page, "Seats", "Result", "Reason") == [
        ("10", "Not done", "8 of its seats are in use."),
        ("10", "Not done", "It is being deleted."),
        ("5", "Nothing to do", "It is so already."),
        ("10 → 5", "Will be changed", ""),
        ("10", "Not done", "It is billed in EUR, and today's prices are in USD."),
    ]
    assert amounts(page)["Per year now $600.00"] == "$300.00"


DELETING = {
    "status": ClientStatus.DELETING,
    "status_before_deletion": ClientStatus.ACTIVE,
    "delete_at": utc_now(),
}


def test_the_seat_limit_and_the_last_seat_hold(ada, database):
    client(database, ada, "A", 10, seat_limit=12)
    client(database, ada, "B", MOST)
    page = look(ada, EVERY, do="seats:add", seats="3")
    assert cells(page, "Reason") == [
        ("Its seat limit is 12.",),
        ("It would have more than 100,000 seats.",),
    ]
    page = look(ada, EVERY, do="seats:remove", seats="10")
    assert cells(page, "Reason")[0] == ("It would be left without a seat.",)


def test_a_client_that_changed_since_is_looked_at_again_before_anything_is_done(ada, database):
    acme = client(database, ada, "Acme", 10)
    page = look(ada, EVERY, do="seats:add", seats="5")
    database.run(update(Organization).values(seats=11, version=Organization.version + 1))
    again = ada.browser.submit(page, "Change 1 client", status=409)
    assert "1 client is new here or has changed since you looked." in again
    assert cells(again, "Seats") == [("11 → 16",)]
    assert seats(database, acme) == [11]
    confirm(ada, again)
    assert seats(database, acme) == [16]


def test_a_client_that_changes_while_it_runs_is_refused(ada, database, monkeypatch):
    monkeypatch.setattr(seat_deed.ChangingSeats, "batch", 1)
    first, second = client(database, ada, "Acme", 10), client(database, ada, "Beta", 10)
    page = confirm(ada, look(ada, EVERY, do="seats:add", seats="5"))
    assert "1 of 2 clients are looked after." in page
    waiting = second if seats(database, first) == [15] else first
    database.run(update(Organization).where(Organization.id == waiting.id).values(seats_used=1))
    ada.browser.submit(page, "Go on")
    page = ada.browser.get(page.response.request.path)
    page = ada.browser.follow(ada.browser.submit(page, "Go on"))
    assert sorted(cells(page, "Result", "Reason")) == [
        ("Done", ""),
        (
            "Not done",
            "The client, its seats or the prices have changed since you looked.",
        ),
    ]
    assert sorted(seats(database, first, second)) == [10, 15]


def test_a_batch_that_dies_leaves_nothing_half_and_goes_on(ada, database, monkeypatch):
    monkeypatch.setattr(seat_deed.ChangingSeats, "batch", 2)
    clients = [client(database, ada, f"Client {number}", 10) for number in range(5)]
    real, calls = subscriptions.commit, []

    def dies(*arguments):
        calls.append(1)
        if len(calls) == 4:
            raise RuntimeError("killed in the middle")
        real(*arguments)

    monkeypatch.setattr(subscriptions, "commit", dies)
    page = confirm(ada, look(ada, EVERY, do="seats:add", seats="5"))
    url = page.response.request.path
    ada.browser.post(f"{url}/work", status=500)
    assert sorted(seats(database, *clients)) == [10, 10, 10, 15, 15]
    assert database.count(SubscriptionChange) == 2
    for _turn in range(3):
        ada.browser.post(f"{url}/work", status=303)
    assert seats(database, *clients) == [15] * 5
    assert database.count(SubscriptionChange) == 5


def test_undo_puts_seats_back_where_nothing_else_changed(ada, database):
    acme, beta, cedar = (client(database, ada, name, 10) for name in ("Acme", "Beta", "Cedar"))
    page = confirm(ada, look(ada, EVERY, do="seats:set", seats="6"))
    database.run(update(Organization).where(Organization.id == beta.id).values(seats=7))
    database.run(update(Organization).where(Organization.id == cedar.id).values(version=9))
    page = ada.browser.follow(ada.browser.submit(page, "Undo"))
    assert cells(page, "Result", "Reason") == [
        ("Undone", ""),
        ("Not undone", "Somebody has changed it since."),
        ("Not undone", "Somebody has changed it since."),
    ]
    assert seats(database, acme, beta, cedar) == [10, 7, 6]
    adjusted = select(SubscriptionChange.adjustment_cents).where(
        SubscriptionChange.organization_id == acme.id
    )
    assert sum(database.all(adjusted)) == 0


def test_undo_keeps_seats_that_are_in_use_by_now(ada, database):
    acme = client(database, ada, "Acme", 10)
    page = confirm(ada, look(ada, EVERY, do="seats:add", seats="5"))
    database.run(update(Organization).values(seats_used=12))
    page = ada.browser.follow(ada.browser.submit(page, "Undo"))
    assert cells(page, "Result", "Reason") == [("Not undone", "12 of its seats are in use.")]
    assert seats(database, acme) == [15]


@pytest.mark.parametrize(
    ("do", "number", "words"),
    [
        ("seats:add", "", "Enter how many seats, as a whole number such as 5."),
        ("seats:add", "many", "Enter how many seats, as a whole number such as 5."),
        ("seats:set", "0", "Enter how many seats, as a whole number such as 5."),
        ("seats:remove", "-3", "Enter how many seats, as a whole number such as 5."),
        ("seats:add", "100001", "Enter at most 100,000 seats."),
        ("seats", "5", "Choose what shall be done."),
        ("seats:double", "5", "Choose what shall be done."),
    ],
)
def test_a_number_that_says_nothing_is_answered_on_the_table(ada, database, do, number, words):
    client(database, ada)
    fields = {"do": do, "seats": number, "scope": "all"}
    page = ada.browser.post(f"{ada.clients_url}/changes", fields, status=422)
    assert words in page.texts(".bulk-bar .error")
    assert database.count(ChangeSet) == 0


def test_a_service_user_lowers_seats_and_never_raises_a_bill(ada, database):
    tom = persona(database, Role.SERVICE_USER, ada.provider)
    acme, beta = client(database, ada, "Acme", 10), client(database, ada, "Beta", 3)
    offered = [
        option["value"] for option in tom.browser.get(tom.clients_url).select("#clients-do option")
    ]
    assert "seats:add" not in offered
    page = look(tom, EVERY, do="seats:set", seats="5")
    assert cells(page, "Client", "Reason") == [
        ("Acme", ""),
        ("Beta", "It would raise the bill; a provider admin can do that."),
    ]
    page = confirm(tom, page)
    assert seats(database, acme, beta) == [5, 3]
    # What they did themselves, they may take back.
    page = tom.browser.follow(tom.browser.submit(page, "Undo"))
    assert seats(database, acme, beta) == [10, 3]


def test_a_service_user_neither_begins_nor_undoes_an_admins_raise(ada, database, monkeypatch):
    monkeypatch.setattr(seat_deed.ChangingSeats, "batch", 1)
    tom = persona(database, Role.SERVICE_USER, ada.provider)
    acme, beta = client(database, ada, "Acme", 10), client(database, ada, "Beta", 10)
    page = look(ada, EVERY, do="seats:add", seats="5")
    url = page.response.request.path
    again = tom.browser.post(f"{url}/start", status=409)
    assert "a provider admin can do that" in again
    page = confirm(ada, look(ada, EVERY, do="seats:add", seats="5"))
    for _turn in range(3):
        tom.browser.post(f"{page.response.request.path}/work", status=303)
    # The first was done by the admin; no other by whoever has no right to it.
    assert sorted(seats(database, acme, beta)) == [10, 15]
    page = confirm(ada, look(ada, EVERY, do="seats:set", seats="4"))
    url = page.response.request.path
    for _turn in range(2):
        ada.browser.post(f"{url}/work", status=303)
    tom.browser.post(f"{url}/undo", status=303)
    for _turn in range(3):
        tom.browser.post(f"{url}/work", status=303)
    assert seats(database, acme, beta) == [4, 4]


def test_another_providers_clients_are_nobodys_business(ada, database):
    acme = client(database, ada)
    mallory = persona(database)
    fields = {"do": "seats:add", "seats": "5", "id": acme.id}
    refused = mallory.browser.post(f"{mallory.clients_url}/changes", fields, status=422)
    assert "Tick at least one client first." in refused
    page = look(ada, EVERY, do="seats:add", seats="5")
    change_id = page.response.request.path.rpartition("/")[2]
    for step in ("start", "work", "undo"):
        mallory.browser.post(f"{mallory.clients_url}/changes/{change_id}/{step}", status=404)
    assert seats(database, acme) == [10]


def test_a_look_costs_as_many_statements_for_many_as_for_few(ada, database, statements):
    def counted():
        statements.clear()
        look(ada, EVERY, do="seats:add", seats="1")
        return len(statements)

    client(database, ada)
    few = counted()
    for number in range(30):
        client(database, ada, f"Client {number}")
    assert counted() == few


def test_a_client_costs_a_bounded_number_of_statements(ada, database, statements):
    for number in range(10):
        client(database, ada, f"Client {number}")
    page = look(ada, EVERY, do="seats:add", seats="1")
    statements.clear()
    ada.browser.submit(page, "Change 10 clients")
    assert len(statements) <= 40 + 10 * 22, statements


def test_a_page_in_french_says_all_of_it(ada, database):
    client(database, ada)
    ada.browser.language = "fr"
    answer = ada.browser.post(
        f"{ada.clients_url}/changes",
        {"do": "seats:set", "seats": "7", "scope": "all"},
        status=303,
    )
    page = ada.browser.get(answer.location)
    assert page.heading == "Porter les places à 7"
    assert "10 → 7" in page


@pytest.mark.committed
def test_two_tabs_that_go_on_change_each_client_once(committed, monkeypatch):
    monkeypatch.setattr(seat_deed.ChangingSeats, "batch", 2)
    ada = persona(committed)
    clients = [client(committed, ada, f"Client {number}") for number in range(8)]
    page = confirm(ada, look(ada, EVERY, do="seats:add", seats="5"))
    url = page.response.request.path
    browsers = [sign_in(committed, Browser(committed.app), ada.account) for _ in range(2)]
    start = Barrier(2)

    def go_on(browser):
        token = browser.csrf_token()
        start.wait()
        return [
            browser.client.post(f"{url}/work", data={"csrf_token": token}).status_code
            for _turn in range(4)
        ]

    with ThreadPoolExecutor(2) as pool:
        codes = [code for each in pool.map(go_on, browsers) for code in each]
    assert set(codes) == {303}
    assert seats(committed, *clients) == [15] * 8
    assert committed.count(SubscriptionChange) == 8
