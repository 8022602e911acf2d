"""What a change of a subscription costs: the function that previews is the one that commits."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from portal.billing import load_prices
from portal.domain.money import Money
from portal.domain.periods import billing_period
from portal.domain.plans import Cadence, Feature, Plan
from portal.domain.pricing import LineKind, Selection, TaxLine, Terms, prorate, quote
from portal.domain.subscription_changes import PricedLine, Subscribed, change
from portal.domain.wanted_subscription import Wanted, check, selection

PRICES = load_prices()
NONE = Money(0, "USD")
START = date(2026, 11, 1)
TEAMS = Selection(Plan.TEAMS, 10, Cadence.MONTHLY, 0, autogrow=True, net_days=30)

percents = st.decimals(0, 100, places=2, allow_nan=False)
terms = st.builds(
    Terms,
    discount_percent=percents,
    tax=st.none() | st.builds(TaxLine, label=st.just("VAT"), percent=percents),
)
selections = st.builds(
    Selection,
    plan=st.sampled_from(Plan),
    seats=st.integers(1, 100_000),
    cadence=st.sampled_from(Cadence),
    extra_storage_gb=st.integers(0, 99),
    autogrow=st.just(True),
    seat_limit=st.none(),
    net_days=st.just(30),
)
starts = st.dates(date(2020, 1, 1), date(2100, 12, 31))
later = st.integers(0, 800)
amounts = st.integers(0, 10**11).map(lambda cents: Money(cents, "USD"))


def usd(text):
    return Money.parse(text, "USD")


def subscribed(chosen, start, pending=NONE, discount=1):
    """A client who ordered on `start`, perhaps at dearer prices than those of today."""
    lines = tuple(
        PricedLine(line.kind, line.quantity, line.unit * discount, line.months, "2026-11")
        for line in quote(chosen, PRICES, Terms(), start).lines
    )
    return Subscribed(chosen, lines, billing_period(start, chosen.cadence.months), pending)


def preview(wanted, *, before=TEAMS, today=date(2026, 11, 16), pending=NONE, agreed=Terms()):  # noqa: B008
    return change(subscribed(before, START, pending), wanted, PRICES, agreed, today)


def test_seats_added_in_the_middle_cost_the_days_that_are_left():
    found = preview(replace(TEAMS, seats=12))
    assert [(part.line.quantity, part.days, part.of_days) for part in found.prorations] == [
        (10, 15, 30),
        (12, 15, 30),
    ]
    assert [part.amount for part in found.prorations] == [usd("-25"), usd("30")]
    assert found.adjustment == usd("5")
    assert (found.invoice_on, found.invoiced_today) == (date(2026, 12, 1), NONE)
    assert found.next_invoice == usd("65")
    assert (found.per_year_before, found.per_year_after) == (usd("600"), usd("720"))


def test_fewer_seats_are_a_credit_on_the_next_invoice():
    found = preview(replace(TEAMS, seats=4))
    assert found.adjustment == usd("-15")
    assert found.next_invoice == usd("5")


def test_discount_and_tax_are_those_of_the_subscription():
    agreed = Terms(Decimal(10), TaxLine("VAT", Decimal(20)))
    found = preview(replace(TEAMS, seats=12), agreed=agreed)
    assert (found.discount.amount, found.tax.amount) == (usd("-0.50"), usd("0.90"))
    assert found.adjustment == usd("5.40")


def test_what_earlier_changes_have_left_is_on_the_same_invoice():
    assert preview(replace(TEAMS, seats=12), pending=usd("7")).next_invoice == usd("72")


def test_a_year_ordered_in_the_middle_of_a_month_begins_today_and_credits_the_rest():
    found = preview(replace(TEAMS, cadence=Cadence.ANNUAL), pending=usd("7"))
    assert found.begins_period
    assert (found.period.start, found.period.end) == (date(2026, 11, 16), date(2027, 11, 16))
    assert [part.amount for part in found.prorations] == [usd("-25"), usd("480")]
    assert (found.invoice_on, found.invoiced_today) == (date(2026, 11, 16), usd("462"))
    assert found.next_invoice == usd("480")


def test_a_change_within_a_year_is_invoiced_at_once():
    annual = replace(TEAMS, cadence=Cadence.ANNUAL)
    found = change(
        subscribed(annual, START), replace(annual, seats=20), PRICES, Terms(), date(2027, 11, 1)
    )
    assert (found.invoice_on, found.invoiced_today) == (date(2027, 11, 1), usd("480"))
    assert found.next_invoice == usd("960")


def test_another_plan_says_what_is_gained_and_what_is_lost():
    up = preview(replace(TEAMS, plan=Plan.ENTERPRISE))
    assert up.gained == Plan.ENTERPRISE.added_features
    assert up.lost == ()
    down = preview(TEAMS, before=replace(TEAMS, plan=Plan.ENTERPRISE))
    assert Feature.SSO in down.lost
    assert down.gained == ()


def test_seats_are_added_at_the_price_of_the_period_and_billed_by_the_list_after_it():
    dear = subscribed(TEAMS, START, discount=2)
    found = change(dear, replace(TEAMS, seats=12), PRICES, Terms(), date(2026, 11, 16))
    assert found.lines[0].unit == usd("10")
    assert found.adjustment == usd("10")
    assert found.next_invoice == usd("70")


def test_a_period_that_has_passed_is_counted_on():
    found = preview(replace(TEAMS, seats=12), today=date(2027, 2, 1))
    assert (found.period.start, found.period.end) == (date(2027, 2, 1), date(2027, 3, 1))
    assert found.adjustment == usd("10")


@given(selections, selections, starts, later, terms)
def test_the_preview_equals_the_commit_to_the_cent(before, after, start, days, agreed):
    """What is stored after the change bills what the preview promised; going back undoes it."""
    today = start + timedelta(days=days)
    first = change(subscribed(before, start), after, PRICES, agreed, today)
    again = change(subscribed(before, start), after, PRICES, agreed, today)
    assert first == again
    stored = Subscribed(after, first.lines, first.period, NONE)
    back = change(stored, before, PRICES, agreed, today)
    if not first.begins_period:
        assert back.gross == -first.gross
        assert back.adjustment == -first.adjustment
    assert change(stored, after, PRICES, agreed, today).adjustment == NONE
    assert first.next_invoice == quote(after, PRICES, agreed, today).total + (
        first.adjustment if first.invoice_on == first.period.end else NONE
    )


@given(selections, starts, later, terms, st.integers(1, 3))
def test_no_change_costs_nothing(chosen, start, days, agreed, dearer):
    today = start + timedelta(days=days)
    found = change(subscribed(chosen, start, discount=dearer), chosen, PRICES, agreed, today)
    assert not found.is_change
    assert found.prorations == ()
    assert found.gross == found.adjustment == found.invoiced_today == found.adds_per_year == NONE


@given(amounts, st.integers(1, 366), st.lists(st.integers(0, 400), max_size=6))
def test_prorations_of_any_split_sum_to_the_whole(amount, of_days, cuts):
    edges = sorted({0, of_days, *(cut for cut in cuts if cut <= of_days)})
    parts = [prorate(amount, end - start, of_days, after=start) for start, end in pairwise(edges)]
    assert Money.total(parts, "USD") == amount


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 500)), max_size=6), percents)
def test_a_chain_of_changes_costs_what_was_had_each_day(steps, discount):
    """However often the seats change: before the discount, the bill is the sum of the days."""
    agreed, now = Terms(discount), subscribed(TEAMS, date(2026, 10, 15))
    total, exact = now.lines[0].amount, 0
    held, day = TEAMS.seats, 0
    for at, seats in sorted(steps):
        assume(at >= day)
        today = now.period.start + timedelta(days=at)
        found = change(now, replace(now.selection, seats=seats), PRICES, agreed, today)
        exact += held * (at - day)
        total, held, day = total + found.gross, seats, at
        now = Subscribed(found.after, found.lines, found.period, NONE)
    exact += held * (31 - day)
    assert abs(total.cents - Decimal(500 * exact) / 31) <= len(steps) + 1


# What may be wanted


def wanted(**changes):
    return replace(Wanted.of(TEAMS), **changes)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"seats": 3}, "seats"),
        ({"seats": None}, "seats"),
        ({"seats": 0}, "seats"),
        ({"seat_limit": 9}, "seat_limit"),
        ({"extra_storage_gb": 100}, "extra_storage_gb"),
        ({"plan": None}, "plan"),
        ({"cadence": None}, "cadence"),
    ],
)
def test_a_wrong_field_is_blamed_and_counts_as_it_is(changes, field):
    order = wanted(**changes)
    assert list(check(order, TEAMS, used=4, may_raise=True)) == [field]
    assert selection(order, TEAMS, used=4) == (TEAMS, {field})


def test_a_limit_without_growth_does_not_count():
    chosen, wrong = selection(wanted(autogrow=False, seat_limit=1), TEAMS, used=4)
    assert (chosen.seat_limit, wrong) == (None, frozenset())


@pytest.mark.parametrize("seats", [4, 9, 10])
def test_who_may_not_raise_the_bill_may_lower_the_seats(seats):
    assert check(wanted(seats=seats), TEAMS, used=4, may_raise=False) == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"seats": 11},
        {"plan": Plan.ENTERPRISE},
        {"cadence": Cadence.ANNUAL},
        {"extra_storage_gb": 1},
        {"autogrow": False},
        {"seat_limit": 20},
    ],
)
def test_who_may_not_raise_the_bill_changes_nothing_else(changes):
    assert check(wanted(**changes), TEAMS, used=4, may_raise=False)
    assert check(wanted(**changes), TEAMS, used=4, may_raise=True) == {}


@given(selections, selections, st.integers(0, 100_000))
def test_what_a_service_user_may_do_never_raises_the_bill(before, after, used):
    if not check(Wanted.of(after), before, used=used, may_raise=False):
        found = change(subscribed(before, START), after, PRICES, Terms(), START)
        assert found.adjustment <= NONE
        assert found.adds_per_year <= NONE


def test_lines_of_storage_come_and_go():
    found = preview(replace(TEAMS, extra_storage_gb=10))
    assert [part.line.kind for part in found.prorations] == [LineKind.STORAGE]
    assert found.adjustment == usd("1.65")
