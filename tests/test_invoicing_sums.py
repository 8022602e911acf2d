"""The sums of all invoices ahead are those of the same pure function over all clients."""

import datetime as dt
import random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from portal.billing.offer import price_list
from portal.billing.subscriptions import world_of
from portal.domain.access import Scope
from portal.domain.invoices import Billed, Forecast, invoice_days
from portal.domain.money import Money
from portal.domain.periods import Period, add_months, billing_period
from portal.domain.plans import Cadence, Plan
from portal.domain.states import ClientStatus
from portal.invoicing import queries
from portal.invoicing.forecast import DAYS, outlook
from portal.invoicing.listing import Listing
from portal.invoicing.page import by_client
from portal.invoicing.tariff import billed, tariff
from portal.models import Subscription, SubscriptionChange, utc_now
from tests.support.clients import make_provider
from tests.support.invoicing import subscribe, today

UTC = ZoneInfo("UTC")


def ahead(database, provider):
    with database.session() as session:
        return outlook(session, provider.id, tariff(None), today(), UTC)


# The days


DATES = st.dates(dt.date(2024, 1, 1), dt.date(2028, 12, 31))


@given(DATES, st.sampled_from([1, 12]), st.integers(0, 40), st.integers(0, 400))
def test_the_days_of_invoices_are_the_edges_of_the_periods(began, months, elapsed, ahead_days):
    period = billing_period(began, months)
    today = add_months(began, elapsed)
    last = today + dt.timedelta(days=ahead_days)
    days = invoice_days(period.start, period.end, months, today, last)
    edges = [add_months(began, months * number) for number in range(1, 80)]
    assert list(days) == [edge for edge in edges if today < edge <= last]
    zero = Money(0, "USD")
    first = Billed(period, months, zero, zero).next_day(today)
    assert first == min(edge for edge in edges if edge > today)


def test_a_client_that_ends_is_not_invoiced_from_that_day_on():
    period = Period(dt.date(2026, 11, 1), dt.date(2026, 12, 1))
    price, zero = Money(700, "USD"), Money(0, "USD")
    ends = Billed(period, 1, price, zero, ends_on=dt.date(2026, 12, 1))
    today = dt.date(2026, 11, 22)
    assert ends.next(today) is None
    assert ends.until(today, dt.date(2027, 6, 1)) == []
    assert ends.per_year == zero
    later = Billed(period, 1, price, zero, ends_on=dt.date(2026, 12, 2))
    assert [invoice.day for invoice in later.until(today, dt.date(2027, 6, 1))] == [period.end]


def test_a_forecast_counts_as_one_client_after_the_other():
    forecast = Forecast("USD")
    day = dt.date(2026, 12, 1)
    forecast.add(500, 1, [day])
    forecast.add(4800, 12, [day], ends_on=day)
    forecast.adjust(day, -120)
    assert forecast.by_day() == [(day, 1, Money(380, "USD"))]
    assert (forecast.due.cents, forecast.per_year.cents, forecast.clients) == (380, 6000, 2)


# The sums


def some_client(rng, database, provider, number):
    cadence = rng.choice(list(Cadence))
    seats = rng.choice([1, 2, 3, 7, 33, 999])
    deleting = rng.random() < 0.15
    more = {}
    if deleting:
        more = {
            "status": ClientStatus.DELETING,
            "status_before_deletion": ClientStatus.ACTIVE,
            "delete_at": utc_now() + dt.timedelta(days=rng.randrange(1, 40)),
        }
    return subscribe(
        database,
        provider,
        f"Client {number:03}",
        plan=rng.choice(list(Plan)),
        cadence=cadence,
        seats=seats,
        seats_used=rng.randrange(seats + 1),
        extra_storage_gb=rng.choice([0, 0, 1, 5, 99]),
        began=today() - dt.timedelta(days=rng.randrange(1, 900 if cadence.months == 1 else 360)),
        pending=rng.choice([0, 0, 0, 333, -12_345]),
        lines=[("seats", seats, rng.choice([450, 700])), ("storage", 1, 33)],
        terms={
            "discount_basis_points": rng.choice([0, 0, 1250, 333]),
            "tax_label": "VAT",
            "tax_basis_points": rng.choice([0, 2000, 1999]),
            "currency": rng.choice(["USD", "USD", "USD", "EUR"]),
        },
        **more,
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_sums_are_those_of_the_same_function_over_all_clients(database, seed):
    rng = random.Random(seed)
    provider = make_provider(database)
    other = make_provider(database, "Elsewhere")
    subscribe(database, other, "Not ours", seats=5000, pending=99)
    for number in range(60):
        some_client(rng, database, provider, number)
    found = ahead(database, provider)
    last = today() + dt.timedelta(days=DAYS)
    due, years, by_day = {}, {}, {}
    seats = 0
    with database.session() as session:
        for rows in queries.all_lines(session, provider.id, Listing(), batch=7):
            held = by_client(queries.lines_of(session, provider.id, [row.id for row in rows]))
            for row in rows:
                whole = tariff(None).bill(row, held[row.id]).rated.total
                terms = billed(row, whole, UTC)
                seats += row.seats
                years[row.currency] = years.get(row.currency, 0) + terms.per_year.cents
                for day, amount in terms.until(today(), last):
                    due[row.currency] = due.get(row.currency, 0) + amount.cents
                    key = row.currency, day
                    by_day[key] = by_day.get(key, 0) + amount.cents
    for currency, forecast in found.forecasts.items():
        assert forecast.due.cents == due.get(currency, 0)
        assert forecast.per_year.cents == years.get(currency, 0)
        assert {(currency, day): sum_.cents for day, _, sum_ in forecast.by_day()} == {
            key: cents for key, cents in by_day.items() if key[0] == currency
        }
    assert {"USD", "EUR"} == set(found.forecasts)
    assert sum(plan.assigned for plan in found.plans.values()) == seats


def test_a_client_is_billed_what_its_own_change_of_subscription_says(database):
    provider = make_provider(database)
    rng = random.Random(7)
    for number in range(20):
        client = some_client(rng, database, provider, number)
        with database.session() as session:
            session.execute(
                update(Subscription)
                .where(Subscription.organization_id == client.id)
                .values(currency="USD")
            )
            session.execute(
                update(SubscriptionChange)
                .where(SubscriptionChange.organization_id == client.id)
                .values(currency="USD")
            )
    with database.session() as session:
        for rows in queries.all_lines(session, provider.id, Listing()):
            for row in rows:
                world = world_of(session, Scope(provider.id), row.id, price_list(None))
                preview = world.preview(world.selection)
                whole = tariff(None).regular(row)
                terms = billed(row, whole, UTC)
                assert preview.per_year_after.cents == whole.cents * (12 // terms.months)
                coming = terms.next(today())
                if coming:
                    assert coming == (preview.period.end, preview.next_invoice)
