"""The way of a recovery and who may go it, against oracles written another way."""

import datetime as dt
from itertools import product
from uuid import UUID

import pytest

from portal.domain import account_recovery as rules
from portal.domain.access import ORGANIZATION_ROLES, PROVIDER_ROLES, Role
from portal.domain.account_recovery import Helper, RecoveryState, Stage, Step, Target, Times
from portal.domain.custom_roles import Custom
from portal.domain.errors import RuleError
from portal.domain.states import MemberState

ASKED = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
AGES = {
    "at once": dt.timedelta(),
    "just before a day": dt.timedelta(hours=24, microseconds=-1),
    "after a day": dt.timedelta(hours=24),
    "just before the end": dt.timedelta(days=7, microseconds=-1),
    "at the end": dt.timedelta(days=7),
}
TOLD = Times(ASKED, ASKED)
UNTOLD = Times(ASKED, None)
ME, THEM, THIRD = UUID(int=1), UUID(int=2), UUID(int=3)
R, A = RecoveryState.REQUESTED, RecoveryState.APPROVED
# (state, step) -> the ages at which it goes, and where to; everything else is refused.
RUNNING = set(AGES) - {"at the end"}
WAYS = {
    (R, Step.APPROVE): (RUNNING, A),
    **{(state, Step.DECLINE): (RUNNING, RecoveryState.DECLINED) for state in (R, A)},
    **{(state, Step.WITHDRAW): (RUNNING, RecoveryState.WITHDRAWN) for state in (R, A)},
    **{(state, Step.STOP): (RUNNING, RecoveryState.STOPPED) for state in (R, A)},
    (A, Step.CARRY_OUT): ({"after a day", "just before the end"}, RecoveryState.DONE),
    **{(state, Step.EXPIRE): ({"at the end"}, RecoveryState.EXPIRED) for state in (R, A)},
}


@pytest.mark.parametrize("age", AGES)
@pytest.mark.parametrize("step", Step)
@pytest.mark.parametrize("state", RecoveryState)
def test_each_step_goes_exactly_where_the_table_says(state, step, age):
    ages, there = WAYS.get((state, step), (set(), None))
    now = ASKED + AGES[age]
    if age in ages:
        assert rules.after(step, state, TOLD, now) is there
    else:
        with pytest.raises(RuleError):
            rules.after(step, state, TOLD, now)


def test_every_state_and_moment_has_a_stage_with_words():
    for state, age in product(RecoveryState, AGES.values()):
        assert rules.stage_of(state, TOLD, ASKED + age).label
    assert rules.stage_of(A, TOLD, ASKED + dt.timedelta(hours=24)) is Stage.READY
    assert rules.stage_of(R, TOLD, ASKED + dt.timedelta(hours=24)) is Stage.NEEDS_APPROVAL
    assert rules.stage_of(RecoveryState.DONE, TOLD, ASKED + AGES["at the end"]) is Stage.DONE


@pytest.mark.parametrize("age", AGES)
@pytest.mark.parametrize("step", Step)
@pytest.mark.parametrize("state", RecoveryState)
def test_who_was_never_told_is_never_recovered_and_all_else_stays(state, step, age):
    ages, there = WAYS.get((state, step), (set(), None))
    now = ASKED + AGES[age]
    if age in ages and step is not Step.CARRY_OUT:
        assert rules.after(step, state, UNTOLD, now) is there
    else:
        with pytest.raises(RuleError):
            rules.after(step, state, UNTOLD, now)


def test_the_clock_runs_from_the_mail_and_a_late_one_takes_nothing_of_the_time():
    late = Times(ASKED, ASKED + dt.timedelta(days=2))
    assert late.ready_at == ASKED + dt.timedelta(days=3)
    assert late.ends_at == ASKED + dt.timedelta(days=9)
    assert rules.stage_of(A, late, ASKED + dt.timedelta(days=2, hours=23)) is Stage.WAITS
    assert rules.stage_of(A, late, ASKED + dt.timedelta(days=8)) is Stage.READY
    assert rules.stage_of(A, UNTOLD, ASKED + dt.timedelta(days=6)) is Stage.UNTOLD
    assert UNTOLD.ready_at is None


def may(check, *args, **kwargs):
    try:
        check(*args, **kwargs)
    except RuleError:
        return False
    return True


PARTS = (
    frozenset(),
    frozenset({Custom.RECOVERY, Custom.USERS}),
    frozenset({Custom.RECOVERY, Custom.USERS, Custom.POLICIES}),
    frozenset({Custom.POLICIES}),
)
# Who reaches whom by the role alone.
BY_ROLE = {
    Role.OWNER: {Role.OWNER, Role.ADMIN, Role.USER, Role.CUSTOM},
    Role.ADMIN: {Role.ADMIN, Role.USER, Role.CUSTOM},
    Role.USER: set(),
}


def reaches(by, target, *, provider_may):
    if by.account_id == target.account_id:
        return False
    if by.is_of_provider:
        return provider_may and target.role is Role.USER
    if by.role is Role.CUSTOM:
        below = target.role in (Role.USER, Role.CUSTOM)
        return below and Custom.RECOVERY in by.parts and not target.parts - by.parts
    return target.role in BY_ROLE.get(by.role, set())


def helpers():
    for role, parts, account in product(ORGANIZATION_ROLES, PARTS, (ME, THEM)):
        if role is Role.CUSTOM or not parts:
            yield Helper(account, role, parts)
            yield Helper(account, role, parts, is_of_provider=True)
    for role in PROVIDER_ROLES:
        yield Helper(ME, role, is_of_provider=True)


def targets():
    for role, parts in product(ORGANIZATION_ROLES, PARTS):
        if role is Role.CUSTOM or not parts:
            yield Target(THEM, role, MemberState.CONFIRMED, parts, is_enrolled=True)


def test_who_reaches_whom_is_what_the_oracle_says():
    seen = set()
    for by, target, allowed in product(helpers(), targets(), (False, True)):
        expected = reaches(by, target, provider_may=allowed)
        seen.add(expected)
        assert may(rules.check_request, by, target, provider_may=allowed) == expected, (by, target)
        second = may(rules.check_approval, by, target, asked_by=THIRD)
        assert second == (reaches(by, target, provider_may=False) and not by.is_of_provider)
        assert not may(rules.check_approval, by, target, asked_by=by.account_id)
    assert seen == {False, True}


@pytest.mark.parametrize("state", MemberState)
@pytest.mark.parametrize("account", [None, THEM])
@pytest.mark.parametrize("enrolled", [False, True])
@pytest.mark.parametrize("elsewhere", [False, True])
def test_only_who_has_an_account_is_enrolled_and_belongs_here_alone_can_be(
    state, account, enrolled, elsewhere
):
    target = Target(account, Role.USER, state, frozenset(), enrolled, elsewhere)
    owner = Helper(ME, Role.OWNER)
    lives = state in (MemberState.ACCEPTED, MemberState.CONFIRMED, MemberState.REVOKED)
    expected = account is not None and lives and enrolled and not elsewhere
    assert may(rules.check_request, owner, target, provider_may=True) == expected
    assert may(rules.check_approval, owner, target, asked_by=THIRD) == expected
