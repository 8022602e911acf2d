"""Who may do what with which member: the whole table, and the rule of collections."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.access import Role
from portal.domain.collection_access import Level, effective, widest
from portal.domain.custom_roles import Custom, completed
from portal.domain.errors import RuleError
from portal.domain.membership import (
    Manager,
    MemberAction,
    MemberStanding,
    check_new_role,
    check_role,
    possible_member_actions,
    restored_state,
)
from portal.domain.plans import Plan
from portal.domain.states import MemberState

A, S = MemberAction, MemberState
IN_STATE = {
    S.STAGED: {A.INVITE, A.REVOKE, A.REMOVE},
    S.INVITED: {A.RESEND, A.REVOKE, A.REMOVE},
    S.ACCEPTED: {A.REVOKE, A.REMOVE},
    S.CONFIRMED: {A.REVOKE, A.REMOVE},
    S.REVOKED: {A.RESTORE, A.REMOVE},
}
USERS = frozenset({Custom.USERS})
REACHES = {
    (Role.PROVIDER_ADMIN, False): {Role.OWNER, Role.ADMIN, Role.USER, Role.CUSTOM},
    (Role.SERVICE_USER, False): {Role.ADMIN, Role.USER, Role.CUSTOM},
    (Role.OWNER, False): {Role.OWNER, Role.ADMIN, Role.USER, Role.CUSTOM},
    (Role.ADMIN, False): {Role.ADMIN, Role.USER, Role.CUSTOM},
    (Role.USER, False): set(),
    (Role.CUSTOM, False): set(),
    (Role.CUSTOM, True): {Role.USER, Role.CUSTOM},
}
PLACES = [Role.OWNER, Role.ADMIN, Role.USER, Role.CUSTOM]


def standing(role, state=S.CONFIRMED, *, is_self=False, is_own=True, other_owners=1):
    return MemberStanding(role, state, is_self, is_own, other_owners)


@pytest.mark.parametrize("by", REACHES, ids=lambda by: f"{by[0]}{'+users' if by[1] else ''}")
@pytest.mark.parametrize(("role", "state"), list(itertools.product(PLACES, MemberState)))
def test_what_can_be_done_follows_from_state_and_rank(by, role, state):
    manager = Manager(by[0], USERS if by[1] else frozenset())
    expected = IN_STATE[state] if role in REACHES[by] else set()
    assert set(possible_member_actions(standing(role, state), manager)) == expected


@pytest.mark.parametrize("state", MemberState)
def test_nobody_changes_themselves(state):
    found = possible_member_actions(standing(Role.ADMIN, state, is_self=True), Manager(Role.OWNER))
    assert set(found) <= {A.RESEND}
    with pytest.raises(RuleError, match="yourself"):
        check_new_role(standing(Role.ADMIN, state, is_self=True), Role.USER, Manager(Role.OWNER))


def test_the_last_owner_of_the_client_stays_whoever_asks():
    last = standing(Role.OWNER, other_owners=0)
    for by in (Manager(Role.OWNER), Manager(Role.PROVIDER_ADMIN)):
        assert possible_member_actions(last, by) == []
        with pytest.raises(RuleError, match="last confirmed owner"):
            check_new_role(last, Role.ADMIN, by)
        check_new_role(last, Role.OWNER, by)


def test_an_owner_who_is_of_the_provider_or_not_confirmed_does_not_hold_the_client_alone():
    by = Manager(Role.PROVIDER_ADMIN)
    assert A.REMOVE in possible_member_actions(
        standing(Role.OWNER, is_own=False, other_owners=0), by
    )
    assert A.REMOVE in possible_member_actions(standing(Role.OWNER, S.INVITED, other_owners=0), by)


def test_a_custom_role_gives_only_what_it_holds_and_needs_its_plan():
    helper = Manager(Role.CUSTOM, frozenset({Custom.USERS, Custom.EVENTS}))
    check_role(Role.CUSTOM, {Custom.EVENTS}, Plan.ENTERPRISE, helper)
    with pytest.raises(RuleError, match="hold yourself") as caught:
        check_role(Role.CUSTOM, {Custom.SSO}, Plan.ENTERPRISE, helper)
    assert caught.value.field == "permissions"
    with pytest.raises(RuleError, match="Enterprise plan"):
        check_role(Role.CUSTOM, set(), Plan.TEAMS, Manager(Role.OWNER))
    for role in (Role.ADMIN, Role.OWNER):
        with pytest.raises(RuleError, match="reach that far"):
            check_role(role, set(), Plan.ENTERPRISE, helper)
    with pytest.raises(RuleError, match="reach that far"):
        check_role(Role.OWNER, set(), Plan.ENTERPRISE, Manager(Role.SERVICE_USER))


def test_recovering_members_means_managing_them():
    assert completed({Custom.RECOVERY}) == {Custom.RECOVERY, Custom.USERS}
    assert completed({Custom.EVENTS}) == {Custom.EVENTS}


@pytest.mark.parametrize(
    ("has_account", "has_key", "state"),
    [
        (True, True, S.CONFIRMED),
        (True, False, S.ACCEPTED),
        (False, False, S.INVITED),
        (False, True, S.INVITED),
    ],
)
def test_who_is_restored_is_again_what_the_row_proves(has_account, has_key, state):
    assert restored_state(has_account=has_account, has_key=has_key) is state


levels = st.sampled_from(Level)


@given(st.none() | levels, st.lists(levels, max_size=6))
def test_a_direct_level_replaces_and_between_groups_the_widest_wins(direct, by_groups):
    found = effective(direct, by_groups)
    if direct is not None:
        assert (found.level, found.is_direct) == (direct, True)
    elif not by_groups:
        assert found is None
    else:
        assert not found.is_direct
        assert found.level.can_edit == any(level.can_edit for level in by_groups)
        assert found.level.shows_passwords == any(level.shows_passwords for level in by_groups)
        assert (found.level is Level.MANAGE) == (Level.MANAGE in by_groups)


@given(st.lists(levels, min_size=1), levels)
def test_another_group_never_takes_anything_away(given_levels, more):
    before, after = widest(given_levels), widest([*given_levels, more])
    assert after.can_edit >= before.can_edit
    assert after.shows_passwords >= before.shows_passwords
    assert (after is Level.MANAGE) >= (before is Level.MANAGE)
