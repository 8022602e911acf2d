"""Money, periods and the one function that prices and bills."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from portal.billing import load_prices
from portal.domain.money import Money, half_up
from portal.domain.plans import Cadence, Plan
from portal.domain.pricing import (
    LineKind,
    Selection,
    TaxLine,
    Terms,
    add_months,
    billing_period,
    prorate,
    quote,
)

PRICES = load_prices()
TODAY = date(2026, 11, 22)


def usd(text):
    return Money.parse(text, "USD")


percents = st.decimals(0, 100, places=2, allow_nan=False)
days = st.dates(date(2000, 1, 1), date(2200, 12, 31))
selections = st.builds(
    Selection,
    plan=st.sampled_from(Plan),
    seats=st.integers(1, 100_000),
    cadence=st.sampled_from(Cadence),
    extra_storage_gb=st.integers(0, 99),
    autogrow=st.booleans(),
    seat_limit=st.none() | st.integers(1, 100_000),
    net_days=st.none() | st.sampled_from([7, 14, 30, 45, 60]),
)
terms = st.builds(
    Terms,
    discount_percent=percents,
    tax=st.none() | st.builds(TaxLine, label=st.just("VAT"), percent=percents),
)


def rounded(exact):
    """Half-up on a fraction that is not negative: an oracle without `decimal`."""
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)


@pytest.mark.parametrize(
    ("plan", "cadence", "seat", "total"),
    [
        (Plan.TEAMS, Cadence.MONTHLY, "5.00", "50.00"),
        (Plan.TEAMS, Cadence.ANNUAL, "4.00", "480.00"),
        (Plan.ENTERPRISE, Cadence.MONTHLY, "7.00", "70.00"),
        (Plan.ENTERPRISE, Cadence.ANNUAL, "6.00", "720.00"),
    ],
)
def test_ten_seats_cost_what_the_default_list_says(plan, cadence, seat, total):
    price = quote(Selection(plan, 10, cadence), PRICES, Terms(), TODAY)
    assert price.lines[0].unit == usd(seat)
    assert price.total == price.subtotal == price.gross == usd(total)
    assert price.price_list_version == "2026-11"


def test_additional_storage_is_a_line_of_its_own_and_none_is_no_line():
    with_storage = quote(Selection(Plan.TEAMS, 1, Cadence.ANNUAL, 3), PRICES, Terms(), TODAY)
    assert [line.kind for line in with_storage.lines] == [LineKind.SEATS, LineKind.STORAGE]
    assert with_storage.lines[1].amount == usd("11.88")
    without = quote(Selection(Plan.TEAMS, 1, Cadence.ANNUAL), PRICES, Terms(), TODAY)
    assert [line.kind for line in without.lines] == [LineKind.SEATS]


def test_discount_then_tax_each_rounded_half_up():
    agreed = Terms(Decimal("12.5"), TaxLine("VAT", Decimal(19)))
    price = quote(Selection(Plan.TEAMS, 10, Cadence.MONTHLY, 3), PRICES, agreed, TODAY)
    assert price.gross == usd("50.99")
    assert price.discount.amount == usd("-6.37")
    assert price.subtotal == usd("44.62")
    assert (price.tax.label, price.tax.amount) == ("VAT", usd("8.48"))
    assert price.total == usd("53.10")


def test_by_invoice_nothing_is_due_today_and_the_first_invoice_has_its_days():
    price = quote(Selection(Plan.TEAMS, 2, Cadence.MONTHLY, net_days=30), PRICES, Terms(), TODAY)
    assert price.due_today == usd("0.00")
    assert (price.first_invoice_on, price.payable_by) == (TODAY, date(2026, 12, 22))


def test_paid_at_once_the_total_is_due_today_and_no_invoice_waits():
    price = quote(Selection(Plan.TEAMS, 2, Cadence.MONTHLY), PRICES, Terms(), TODAY)
    assert price.due_today == price.total == usd("10.00")
    assert price.first_invoice_on is price.payable_by is None


def test_the_added_seat_and_the_largest_bill_follow_the_limit():
    order = Selection(Plan.ENTERPRISE, 5, Cadence.MONTHLY, seat_limit=8)
    half = Terms(Decimal(50))
    assert quote(order, PRICES, half, TODAY).added_seat == usd("3.50")
    assert quote(order, PRICES, half, TODAY).largest == usd("28.00")
    unlimited = quote(replace(order, seat_limit=None), PRICES, half, TODAY)
    assert (unlimited.added_seat, unlimited.largest) == (usd("3.50"), None)
    fixed = quote(replace(order, autogrow=False), PRICES, half, TODAY)
    assert (fixed.added_seat, fixed.largest) == (None, None)


@given(selections, terms, days)
def test_the_lines_sum_to_the_total(selection, agreed, today):
    price = quote(selection, PRICES, agreed, today)
    for line in price.lines:
        assert line.amount == line.unit * (line.quantity * line.months)
        assert line.months == selection.cadence.months == price.months
    rates = [rate.amount for rate in (price.discount, price.tax) if rate]
    amounts = [line.amount for line in price.lines] + rates
    assert Money.total(amounts, "USD") == price.total


@given(selections, terms, days)
def test_each_rate_is_the_exact_share_rounded_half_up(selection, agreed, today):
    price = quote(selection, PRICES, agreed, today)
    off = rounded(Fraction(price.gross.cents) * Fraction(agreed.discount_percent) / 100)
    assert price.gross.cents - price.subtotal.cents == off
    if agreed.tax:
        due = rounded(Fraction(price.subtotal.cents) * Fraction(agreed.tax.percent) / 100)
        assert price.tax.amount.cents == due


@given(selections, terms, days)
def test_a_discount_never_pays_out_and_never_adds(selection, agreed, today):
    price = quote(selection, PRICES, agreed, today)
    assert usd("0") <= price.subtotal <= price.gross
    assert price.subtotal <= price.total
    if agreed.discount_percent == 100:
        assert price.total == usd("0")


@given(selections, terms, days, st.integers(1, 5000))
def test_more_seats_never_cost_less(selection, agreed, today, more):
    fewer = quote(selection, PRICES, agreed, today)
    greater = quote(replace(selection, seats=selection.seats + more), PRICES, agreed, today)
    assert fewer.total <= greater.total


@given(selections, terms, days)
def test_the_largest_bill_is_the_bill_of_the_full_limit(selection, agreed, today):
    price = quote(selection, PRICES, agreed, today)
    if price.largest is None:
        assert not selection.autogrow or selection.seat_limit is None
        return
    full = replace(selection, seats=max(selection.seats, selection.seat_limit))
    assert price.largest == quote(full, PRICES, agreed, today).total
    assert price.largest >= price.total


@given(selections, days)
def test_annual_is_twelve_times_its_monthly_equivalent(selection, today):
    annual = quote(replace(selection, cadence=Cadence.ANNUAL), PRICES, Terms(), today)
    one_month = sum(line.unit.cents * line.quantity for line in annual.lines)
    assert annual.total.cents == 12 * one_month


@given(selections, terms, days)
def test_the_same_question_has_the_same_answer(selection, agreed, today):
    assert quote(selection, PRICES, agreed, today) == quote(selection, PRICES, agreed, today)


@pytest.mark.parametrize("percent", [Decimal("-0.01"), Decimal("100.01")])
def test_terms_outside_nought_to_a_hundred_percent_are_refused(percent):
    with pytest.raises(ValueError, match="percentage"):
        Terms(percent)
    with pytest.raises(ValueError, match="percentage"):
        TaxLine("VAT", percent)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        (date(2027, 1, 31), 1, date(2027, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2026, 11, 22), 1, date(2026, 12, 22)),
        (date(2026, 12, 31), 2, date(2027, 2, 28)),
        (date(2026, 1, 31), -2, date(2025, 11, 30)),
    ],
)
def test_a_month_later_is_the_same_day_or_the_last_one(start, months, end):
    assert add_months(start, months) == end


@given(days, st.integers(-600, 600))
def test_adding_months_lands_in_that_month_on_that_day_or_its_last(day, months):
    later = add_months(day, months)
    assert later.year * 12 + later.month == day.year * 12 + day.month + months
    last_of_month = (later + timedelta(days=1)).month != later.month
    assert later.day == day.day or (last_of_month and later.day < day.day)


@given(days, st.sampled_from([1, 12]), st.integers(0, 36))
@example(date(2027, 1, 31), 1, 1)
@example(date(2028, 2, 29), 12, 3)
def test_periods_meet_without_gap_and_return_to_the_anchor_day(anchor, months, number):
    period = billing_period(anchor, months, number)
    assert period.end == billing_period(anchor, months, number + 1).start
    assert period.days > 0
    assert period.start.day in {anchor.day, 28, 29, 30}


def test_a_subscription_of_the_31st_comes_back_to_the_31st():
    starts = [billing_period(date(2027, 1, 31), 1, number).start for number in range(4)]
    assert [day.day for day in starts] == [31, 28, 31, 30]


@given(st.integers(-(10**12), 10**12), st.lists(st.integers(0, 100), min_size=1, max_size=12))
def test_however_a_period_is_cut_its_parts_sum_to_the_whole(cents, cuts):
    amount, of_days = Money(cents, "USD"), sum(cuts) or 1
    cuts = cuts if sum(cuts) else [1]
    parts, after = [], 0
    for length in cuts:
        parts.append(prorate(amount, length, of_days, after=after))
        after += length
    assert Money.total(parts, "USD") == amount


@given(st.integers(0, 10**12), st.integers(1, 366), st.data())
def test_a_prorated_part_is_its_exact_share_rounded_half_up(cents, of_days, data):
    part = data.draw(st.integers(0, of_days))
    exact = rounded(Fraction(cents * part, of_days))
    assert prorate(Money(cents, "USD"), part, of_days).cents == exact


@pytest.mark.parametrize(("part", "of_days", "after"), [(-1, 30, 0), (31, 30, 0), (20, 30, 11)])
def test_days_outside_the_period_are_refused(part, of_days, after):
    with pytest.raises(ValueError, match="outside"):
        prorate(usd("1.00"), part, of_days, after=after)


@given(
    st.integers(-(10**12), 10**12),
    st.lists(st.integers(0, 1000), min_size=1, max_size=20).filter(any),
)
def test_a_split_sums_to_the_whole_and_no_part_is_a_cent_off(cents, weights):
    parts = Money(cents, "USD").split(weights)
    assert sum(part.cents for part in parts) == cents
    for part, weight in zip(parts, weights, strict=True):
        assert abs(Fraction(cents * weight, sum(weights)) - part.cents) < 1


def test_a_split_gives_the_odd_cents_to_the_largest_remainders():
    assert [part.cents for part in usd("1.00").split([1, 1, 1])] == [34, 33, 33]
    assert [part.cents for part in usd("0.05").split([1, 3])] == [1, 4]


@pytest.mark.parametrize("weights", [[], [0, 0], [2, -1]])
def test_a_split_without_positive_weights_is_refused(weights):
    with pytest.raises(ValueError, match="weights"):
        usd("1.00").split(weights)


@pytest.mark.parametrize(
    ("value", "rounded_value"),
    [("0.5", 1), ("1.5", 2), ("2.5", 3), ("2.4999", 2), ("-0.5", -1), ("-2.5", -3)],
)
def test_halves_are_rounded_up_not_to_even(value, rounded_value):
    assert half_up(Decimal(value)) == rounded_value


@pytest.mark.parametrize(
    ("text", "currency", "cents"),
    [("5.00", "USD", 500), ("5", "USD", 500), ("500", "JPY", 500), ("1.234", "KWD", 1234)],
)
def test_an_amount_is_read_in_the_minor_unit_of_its_currency(text, currency, cents):
    money = Money.parse(text, currency)
    assert money.cents == cents
    assert money.amount == Decimal(text)


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        *[(text, "USD") for text in ("5.001", "1e9", "1e999999", "NaN", "", "5,00", " 5", "5_0")],
        ("0.5", "JPY"),
        ("\u0665", "USD"),
    ],
)
def test_what_is_no_amount_is_refused(text, currency):
    with pytest.raises(ValueError, match=r"amount|decimal places"):
        Money.parse(text, currency)


def test_two_currencies_do_not_mix():
    for operation in (Money.__add__, Money.__sub__, Money.__lt__, Money.__le__):
        with pytest.raises(ValueError, match="do not mix"):
            operation(usd("1"), Money(1, "EUR"))


@given(st.integers(-(10**15), 10**15), st.sampled_from(["USD", "JPY", "KWD"]))
def test_money_written_out_is_read_back(cents, currency):
    amount, _, unit = str(Money(cents, currency)).partition(" ")
    assert Money.parse(amount, unit) == Money(cents, currency)
