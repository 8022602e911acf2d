"""Manage subscription: previewed first, changed as previewed, or shown anew."""

import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select, update

from portal.domain.access import Role
from portal.domain.errors import RuleError
from portal.domain.plans import Cadence, Plan
from portal.domain.pricing import add_months
from portal.domain.states import ClientStatus, MemberState
from portal.members import service as members
from portal.models import (
    Event,
    Organization,
    Outbox,
    Subscription,
    SubscriptionChange,
    SubscriptionLine,
    utc_now,
)
from tests.support.accounts import make_person
from tests.support.lookups import Database
from tests.support.organizations import employ, join, make_place


def url_of(place):
    return f"/providers/{place.provider.id}/clients/{place.organization.id}/subscription"


def settle(place, **columns):
    """Ten seats of Teams, four of them in use, in a month that began ten days ago."""
    today = utc_now().date()
    start = today - dt.timedelta(days=10)
    with place.database.session() as session:
        values = {"seats": 10, "seats_used": 4, "setup_total": 4} | columns
        session.execute(update(Organization).values(**values))
        session.execute(
            update(Subscription).values(period_start=start, period_end=add_months(start, 1))
        )
        subscription = session.scalars(select(Subscription)).one()
        session.add(
            SubscriptionLine(
                organization_id=place.organization.id,
                subscription_id=subscription.id,
                kind="seats",
                price_list_version="2026-11",
                unit_cents=500,
                quantity=values["seats"],
                months=1,
                period_start=start,
                period_end=add_months(start, 1),
            )
        )
    return place


@pytest.fixture
def place(database):
    return settle(make_place(database))


@pytest.fixture
def admin(place):
    return place.admins_browser()


def service_user(place, database):
    person = make_person(database, "sam@northwind.example", "Sam Service", keys=False)
    employ(database, place.provider, person, Role.SERVICE_USER)
    return place.browser_of(person)


def previewed(browser, place, **wanted):
    form = browser.get(url_of(place))
    return browser.submit(form, "Preview the change", wanted, status=200)


def change(browser, place, status=303, **wanted):
    return browser.submit(previewed(browser, place, **wanted), "Change subscription", status=status)


def lines(page):
    return dict(zip(page.texts("dl.lines dt"), page.texts("dl.lines dd"), strict=True))


def test_the_form_holds_what_the_client_has(admin, place):
    page = admin.get(url_of(place))
    assert page.heading == "Manage subscription"
    assert page.one("#seats")["value"] == "10"
    assert page.one("input[name=plan][checked]")["value"] == "teams"
    assert "4 seats are in use" in page
    assert "Nothing changes yet." in page
    assert page.link("Acme Ltd").endswith("/manage")


def test_the_manage_page_and_the_row_menu_lead_there(admin, place):
    manage = url_of(place).replace("/subscription", "/manage")
    assert admin.get(manage).link("Manage subscription") == url_of(place)
    assert admin.get(manage, hx="clients-menu").link("Manage subscription") == url_of(place)


def test_the_preview_beside_the_form_and_its_page_say_the_same(admin, place):
    query = "?plan=enterprise&cadence=monthly&seats=12&autogrow=y&extra_storage_gb=0"
    piece = admin.get(f"{url_of(place)}/preview{query}", hx="clients-change")
    page = admin.get(f"{url_of(place)}/preview{query}")
    assert lines(piece) == lines(page)
    assert "Single sign-on" in page
    assert page.texts("tbody th") == ["Plan", "Seats"]
    assert place.client().seats == 10


def test_what_is_typed_wrong_is_priced_as_it_is_and_refused_by_the_page(admin, place):
    query = "?plan=teams&cadence=monthly&seats=3&autogrow=y&extra_storage_gb=x"
    piece = admin.get(f"{url_of(place)}/preview{query}", hx="clients-change")
    assert "Until it is corrected" in piece
    page = admin.get(f"{url_of(place)}/preview{query}", status=422)
    assert "4 seats are in use. Enter at least 4" in page
    assert "Enter a whole number" in page


def test_the_change_is_made_as_previewed(admin, place, database):
    page = previewed(admin, place, seats="12", extra_storage_gb="3")
    told = lines(page)
    answer = admin.submit(page, "Change subscription")
    after = admin.follow(answer)
    assert "The subscription of Acme Ltd is changed." in after
    client = place.client()
    assert (client.seats, client.extra_storage_gb, client.version) == (12, 3, 2)
    row = database.one(select(SubscriptionChange))
    (amount,) = [dd for dt_, dd in told.items() if dt_.startswith("Change until")]
    assert amount == f"${row.adjustment_cents / 100:,.2f}"
    assert sum(part["cents"] for part in row.lines) == row.gross_cents == row.adjustment_cents
    assert (row.before, row.after) == (
        {"seats": 10, "extra_storage_gb": 0},
        {"seats": 12, "extra_storage_gb": 3},
    )
    kept = database.all(select(SubscriptionLine).order_by(SubscriptionLine.kind))
    assert [(line.kind, line.quantity, line.unit_cents) for line in kept] == [
        ("seats", 12, 500),
        ("storage", 3, 33),
    ]
    page = previewed(admin, place, seats="10")
    assert f"${50 + 3 * 0.33 + row.adjustment_cents / 100:,.2f}" not in lines(page).values()


def test_what_a_change_leaves_is_on_the_next_invoice(admin, place, database):
    change(admin, place, seats="12")
    left = database.one(select(SubscriptionChange.adjustment_cents))
    page = admin.get(url_of(place))
    assert f"${60 + left / 100:,.2f}" in lines(page).values()


def test_the_clients_page_lists_what_was_changed(admin, place, database):
    change(admin, place, seats="12", seat_limit="20")
    change(admin, place, plan="enterprise")
    page = admin.get(url_of(place).replace("/subscription", "/manage"))
    growth = "Added seats: Added automatically, without limit → Added automatically, up to 20"
    assert page.texts("td.wide") == ["Plan: Teams → Enterprise", f"Seats: 10 → 12; {growth}"]


def test_both_logs_tell_of_it_with_before_and_after(admin, place, database):
    change(admin, place, plan="enterprise")
    told = database.all(
        select(Event).where(Event.type == "organization:subscription:change").order_by(Event.seq)
    )
    assert {event.stream_id for event in told} == {place.organization.id, place.provider.id}
    details = json.loads(told[0].payload)["details"]
    assert (details["before"], details["after"]) == ({"plan": "teams"}, {"plan": "enterprise"})
    client = place.client()
    assert (client.plan, client.plan_rank, client.setup_total) == (Plan.ENTERPRISE, 2, 6)


def test_the_owners_are_told(admin, place, database):
    owner = place.person("sue@acme.example", "Sue Owner", keys=True)
    join(place, owner, Role.OWNER, MemberState.CONFIRMED)
    change(admin, place, seats="12")
    mail = database.one(select(Outbox).where(Outbox.topic == "mail.subscription_changed"))
    assert mail.account_id == owner.account_id
    assert set(mail.payload) == {"organization", "provider", "account", "change", "locale"}


def test_another_cadence_begins_a_period_today(admin, place, database):
    change(admin, place, seats="12")
    change(admin, place, cadence="annual")
    today = utc_now().date()
    found = database.one(select(Subscription))
    assert (found.cadence, found.period_start) == (Cadence.ANNUAL, today)
    assert {row.invoice_on for row in database.all(select(SubscriptionChange))} == {today}


def test_no_change_is_no_event(admin, place, database):
    page = previewed(admin, place)
    assert "Nothing changes yet." in page
    fields = {"plan": "teams", "cadence": "monthly", "seats": "10", "autogrow": "y"}
    seal = {"extra_storage_gb": "0", "seal": "x"}
    admin.post(url_of(place), fields | seal, status=409)
    assert database.count(SubscriptionChange) == 0


@pytest.mark.parametrize(
    "meanwhile",
    [{"version": 2}, {"seats_used": 5}, {"seats": 11}],
    ids=["somebody saved", "a seat was taken", "seats grew"],
)
def test_a_world_that_has_changed_gives_a_new_preview(admin, place, database, meanwhile):
    page = previewed(admin, place, seats="12")
    database.run(update(Organization).values(**meanwhile))
    again = admin.submit(page, "Change subscription", status=409)
    assert "Look again" in again
    assert place.client().seats != 12
    admin.submit(again, "Change subscription")
    assert place.client().seats == 12


def test_seats_taken_meanwhile_are_never_taken_away(admin, place, database):
    page = previewed(admin, place, seats="4")
    database.run(update(Organization).values(seats_used=6))
    again = admin.submit(page, "Change subscription", status=422)
    assert "6 seats are in use" in again
    assert place.client().seats == 10


def test_a_seal_of_another_change_opens_nothing(admin, place):
    page = previewed(admin, place, seats="11")
    admin.submit(page, "Change subscription", {"seats": "5"}, status=409)
    assert place.client().seats == 10


def test_a_service_user_lowers_seats_and_reads_why_no_more(place, database):
    browser = service_user(place, database)
    page = browser.get(url_of(place))
    assert page.select("[name=plan], [name=seat_limit], [name=extra_storage_gb]") == []
    assert "You may lower the seats" in page
    change(browser, place, seats="5")
    client = place.client()
    assert (client.seats, client.plan, client.seats_grow) == (5, Plan.TEAMS, True)
    refused = browser.submit(
        browser.get(url_of(place)), "Preview the change", {"seats": "6"}, status=422
    )
    assert "Enter at most 5" in refused


def test_what_a_service_user_adds_to_the_form_does_not_count(place, database):
    browser = service_user(place, database)
    fields = {"seats": "5", "plan": "enterprise", "extra_storage_gb": "9", "cadence": "annual"}
    query = "&".join(f"{name}={value}" for name, value in fields.items())
    page = browser.get(f"{url_of(place)}/preview?{query}")
    browser.submit(page, "Change subscription")
    client = place.client()
    assert (client.seats, client.plan, client.extra_storage_gb) == (5, Plan.TEAMS, 0)


def test_a_client_that_is_being_deleted_is_left_alone(admin, place, database):
    database.run(
        update(Organization).values(
            status=ClientStatus.DELETING,
            status_before_deletion=ClientStatus.ACTIVE,
            delete_at=utc_now(),
        )
    )
    assert "being deleted" in admin.get(url_of(place), status=409)


def test_prices_in_another_currency_change_nothing(admin, place, database):
    database.run(update(Subscription).values(currency="EUR"))
    assert "billed in EUR" in admin.get(url_of(place), status=409)


# Races, in transactions that really commit.


@pytest.fixture
def committed(committed_app):
    return Database(committed_app)


def test_of_two_admins_at_once_one_changes_and_one_looks_again(committed):
    place = settle(make_place(committed))
    start = Barrier(2)
    pages = []
    for seats in ("12", "20"):
        browser = place.admins_browser()
        pages.append((browser, previewed(browser, place, seats=seats)))

    def press(turn):
        browser, page = pages[turn]
        fields = {tag["name"]: tag["value"] for tag in page.form("Change subscription")("input")}
        start.wait()
        return browser.client.post(url_of(place), data=fields).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(press, range(2))) == [303, 409]
    assert place.client().seats in {12, 20}
    assert committed.count(SubscriptionChange) == 1
    assert place.client().version == 2


@pytest.mark.parametrize("_turn", range(4))
def test_seats_and_invitations_at_once_never_leave_fewer_seats_than_used(committed, _turn):
    place = settle(make_place(committed), seats_used=4)
    browser = place.admins_browser()
    page = previewed(browser, place, seats="4")
    fields = {tag["name"]: tag["value"] for tag in page.form("Change subscription")("input")}
    start = Barrier(2)

    def lower():
        start.wait()
        return browser.client.post(url_of(place), data=fields).status_code

    def invite():
        start.wait()
        try:
            with committed.session() as session:
                members.invite(
                    session,
                    place.actor,
                    organization_id=place.organization.id,
                    email="new@acme.example",
                    role=Role.USER,
                    locale="en",
                )
        except RuleError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        lowered, invited = pool.submit(lower), pool.submit(invite)
        answers = lowered.result(), invited.result()
    client = place.client()
    assert client.seats_used <= client.seats
    assert answers in {(303, False), (422, True), (409, True)}
    assert client.seats == (4 if answers[0] == 303 else 10)
