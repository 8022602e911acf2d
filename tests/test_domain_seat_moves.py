"""What a change of seats does to a client, and what several come to: pure functions."""

import json
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.billing import load_prices
from portal.domain.bulk import RowState, restored, stored
from portal.domain.errors import RuleError
from portal.domain.money import Money
from portal.domain.periods import Period, billing_period
from portal.domain.plans import Cadence, Plan
from portal.domain.pricing import Selection, Terms, quote
from portal.domain.seat_moves import Look, Price, SeatMove, Way, plan, totals
from portal.domain.seats import MOST
from portal.domain.states import ClientStatus
from portal.domain.subscription_changes import PricedLine, Subscribed, change

PRICES = load_prices(None)
plans, cadences = st.sampled_from(Plan), st.sampled_from(Cadence)
selections = st.builds(
    Selection,
    plan=plans,
    seats=st.integers(1, 500),
    cadence=cadences,
    extra_storage_gb=st.integers(0, 99),
    autogrow=st.booleans(),
    seat_limit=st.none() | st.integers(500, 900),
    net_days=st.just(30),
)
moves = st.builds(SeatMove, st.sampled_from(Way), st.integers(1, 600))


def subscribed(selection, today, elapsed):
    start = today - timedelta(days=elapsed)
    lines = tuple(
        PricedLine(line.kind, line.quantity, line.unit, line.months, PRICES.version)
        for line in quote(selection, PRICES, Terms(), start).lines
    )
    period = billing_period(start, selection.cadence.months)
    return Subscribed(selection, lines, Period(period.start, period.end), Money(0, "USD"))


@given(st.lists(st.tuples(selections, st.integers(0, 27)), max_size=6), moves)
def test_totals_are_the_sum_of_single_previews(clients, move):
    today = date(2026, 11, 22)
    looks = []
    for selection, elapsed in clients:
        state, _why, wanted = plan(
            move, selection, used=1, status=ClientStatus.ACTIVE, may_raise=True
        )
        if state is RowState.PLANNED:
            held = subscribed(selection, today, elapsed)
            looks.append(Look.at(change(held, wanted, PRICES, Terms(), today), "seal"))
    # As they come back out of their rows.
    looks = [Look.read(json.loads(json.dumps(each.stored()))) for each in looks]
    found = totals(each.price for each in looks)
    assert len(found) == bool(looks)
    for total in found:
        for name in ("today", "next_invoice", "per_year_before", "per_year_after"):
            singles = sum(getattr(each.price, name).cents for each in looks)
            assert getattr(total, name).cents == singles


@given(selections, moves, st.integers(0, 500), st.booleans())
def test_a_plan_never_breaks_a_rule_of_seats(selection, move, used, may_raise):
    used = min(used, selection.seats)
    state, why, wanted = plan(
        move, selection, used=used, status=ClientStatus.ACTIVE, may_raise=may_raise
    )
    assert (why is None) == (state is RowState.PLANNED)
    if state is not RowState.PLANNED:
        assert wanted == selection
        assert restored(json.loads(json.dumps(stored(why)))).render() == why.render()
        return
    assert wanted.seats == move.of(selection.seats)
    assert max(used, 1) <= wanted.seats <= MOST
    if selection.autogrow and selection.seat_limit is not None:
        assert wanted.seats <= selection.seat_limit
    assert may_raise or wanted.seats < selection.seats


def test_currencies_are_not_added_up():
    dollars, euros = (
        Price(*[Money(cents, currency)] * 4) for cents, currency in ((100, "USD"), (7, "EUR"))
    )
    assert [each.today for each in totals([dollars, euros, dollars])] == [
        Money(7, "EUR"),
        Money(200, "USD"),
    ]


@given(moves)
def test_a_move_comes_back_out_of_its_change_set(move):
    assert SeatMove.read(json.loads(json.dumps(move.details))) == move


def test_no_move_is_about_nothing():
    with pytest.raises(RuleError):
        SeatMove.asked(Way.ADD, 0)
