"""The rules of time-boxed access: every move from every state, times, and what is typed."""

import datetime as dt

import pytest

from portal.domain.errors import RuleError
from portal.domain.provider_access import (
    LONGEST_REASON,
    MINUTES,
    MOVES,
    OPEN,
    AccessMode,
    GrantMove,
    GrantState,
    Over,
    after,
    check_minutes,
    check_reason,
    closing,
    is_due,
)

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
R, A = GrantState.REQUESTED, GrantState.APPROVED
ALLOWED = {
    (R, GrantMove.APPROVE): A,
    (R, GrantMove.DECLINE): GrantState.DECLINED,
    (R, GrantMove.WITHDRAW): GrantState.WITHDRAWN,
    (R, GrantMove.LAPSE): GrantState.LAPSED,
    (A, GrantMove.END): GrantState.ENDED,
    (A, GrantMove.EXPIRE): GrantState.EXPIRED,
}


@pytest.mark.parametrize("state", GrantState)
@pytest.mark.parametrize("move", GrantMove)
def test_each_move_leads_on_from_one_state_alone(state, move):
    if (state, move) in ALLOWED:
        assert after(state, move) is ALLOWED[state, move]
        return
    with pytest.raises(Over):
        after(state, move)


def test_every_move_is_listed_and_every_state_reached():
    assert set(MOVES) == set(GrantMove)
    assert {then for _before, then in MOVES.values()} | {R} == set(GrantState)


@pytest.mark.parametrize("state", GrantState)
def test_a_state_that_is_over_has_no_way_on_and_an_open_one_can_be_closed(state):
    leads_on = any(before is state for before, _then in MOVES.values())
    assert state.is_open is leads_on is (state in OPEN)
    move = closing(state)
    assert (move is not None) is state.is_open
    if move:
        assert not after(state, move).is_open


def test_somebody_was_in_exactly_if_it_was_approved_once():
    assert {state for state in GrantState if state.let_in} == {
        A,
        GrantState.ENDED,
        GrantState.EXPIRED,
    }


@pytest.mark.parametrize("state", GrantState)
@pytest.mark.parametrize("lapses", [-HOUR, dt.timedelta(0), HOUR])
@pytest.mark.parametrize("ends", [None, -HOUR, dt.timedelta(0), HOUR])
def test_time_closes_what_is_open_and_nothing_else(state, lapses, ends):
    ends_at = NOW + ends if ends is not None else None
    move = is_due(state, NOW + lapses, ends_at, NOW)
    if state is R and lapses <= dt.timedelta(0):
        assert move is GrantMove.LAPSE
    elif state is A and ends is not None and ends <= dt.timedelta(0):
        assert move is GrantMove.EXPIRE
    else:
        assert move is None


@pytest.mark.parametrize(
    "text", ["", "x", "0", "16", "-15", "1441", "99999999", "\u0661\u0665", "15.0"]
)
def test_only_the_lengths_that_are_offered_are_taken(text):
    with pytest.raises(RuleError, match="Choose how long") as refused:
        check_minutes(text)
    assert refused.value.field == "minutes"


@pytest.mark.parametrize("asked", MINUTES)
@pytest.mark.parametrize("given", MINUTES)
def test_nobody_gets_more_time_than_they_asked_for(asked, given):
    if given <= asked:
        assert check_minutes(str(given), at_most=asked) == given
        return
    with pytest.raises(RuleError, match="no more time"):
        check_minutes(str(given), at_most=asked)


def test_a_reason_is_squeezed_and_bounded():
    assert check_reason("  Ticket \n 4711 ") == "Ticket 4711"
    assert check_reason("x" * LONGEST_REASON)
    for wrong in ("", " \n", "x" * (LONGEST_REASON + 1), "turn\u202e around"):
        with pytest.raises(RuleError) as refused:
            check_reason(wrong)
        assert refused.value.field == "reason"


def test_each_mode_and_state_has_a_name():
    assert len({mode.label for mode in AccessMode}) == 3
    assert len({state.label for state in GrantState}) == len(GrantState)
