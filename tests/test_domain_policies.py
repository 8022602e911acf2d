"""Policies: what each can be told, what needs what, and of whom it asks anything."""

import itertools
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.access import ORGANIZATION_ROLES, Role
from portal.domain.errors import RuleError
from portal.domain.policies import (
    DATA,
    PolicyKind,
    Subject,
    check_switch,
    exemption,
    holds_for,
    read,
    strictest,
)
from portal.domain.policy_data import (
    FillAssist,
    MasterPassword,
    PasswordGenerator,
    SendAccess,
    SendControls,
    TimeoutAction,
    UriMatch,
    UriMatching,
    VaultBanner,
    VaultTimeout,
    choice_label,
    label_of,
)
from portal.domain.policy_data import (
    to_store as written,
)
from portal.domain.states import MemberState

P = PolicyKind
P_ = SendAccess.PEOPLE
DEPENDANTS = {P.ACCOUNT_RECOVERY, P.VAULT_TIMEOUT, P.URI_MATCH, P.VAULT_BANNER}


@pytest.mark.parametrize("kind", PolicyKind)
def test_every_policy_says_what_it_is_and_who_keeps_it(kind):
    assert kind.label
    assert kind.about.endswith(".")
    assert kind.by_client in (True, False)


@pytest.mark.parametrize("kind", PolicyKind)
def test_what_needs_another_is_refused_without_it_in_words_that_name_both(kind):
    if kind not in DEPENDANTS:
        check_switch(kind, on=True, are_on=set())
        return
    with pytest.raises(RuleError) as caught:
        check_switch(kind, on=True, are_on=set())
    assert kind.label in str(caught.value)
    assert P.SINGLE_ORGANIZATION.label in str(caught.value)
    check_switch(kind, on=True, are_on={P.SINGLE_ORGANIZATION})


@pytest.mark.parametrize("kind", sorted(DEPENDANTS))
def test_what_is_needed_stays_on(kind):
    with pytest.raises(RuleError) as caught:
        check_switch(P.SINGLE_ORGANIZATION, on=False, are_on={P.SINGLE_ORGANIZATION, kind})
    assert kind.label in str(caught.value)
    check_switch(kind, on=False, are_on={P.SINGLE_ORGANIZATION, kind})
    check_switch(P.SINGLE_ORGANIZATION, on=False, are_on={P.SINGLE_ORGANIZATION})


ACTIVE = {MemberState.ACCEPTED, MemberState.CONFIRMED}


@pytest.mark.parametrize(
    ("kind", "role", "state"),
    list(itertools.product(PolicyKind, ORGANIZATION_ROLES, MemberState)),
)
def test_of_whom_a_policy_asks_something(kind, role, state):
    managers = {Role.OWNER, Role.ADMIN}
    expected = {
        P.ACCOUNT_RECOVERY: state is not MemberState.REVOKED,
        P.MASTER_PASSWORD: state in ACTIVE,
        P.TWO_STEP: role not in managers,
        P.SINGLE_ORGANIZATION: role not in managers,
    }.get(kind, role not in managers and state in ACTIVE)
    assert holds_for(kind, Subject(role, state)) is expected
    of_provider = Subject(role, state, is_of_provider=True)
    assert holds_for(kind, of_provider) is (expected and kind is P.ACCOUNT_RECOVERY)


numbers = st.integers(0, 4), st.integers(12, 128)
asked = st.builds(
    MasterPassword,
    complexity=numbers[0],
    length=numbers[1],
    lower=st.booleans(),
    upper=st.booleans(),
    digits=st.booleans(),
    special=st.booleans(),
    at_sign_in=st.booleans(),
)


@given(st.lists(asked, min_size=1))
def test_the_strictest_of_several_asks_all_that_any_of_them_asks(several):
    together = strictest(several)
    for each in fields(MasterPassword):
        values = [getattr(one, each.name) for one in several]
        assert getattr(together, each.name) == max(values)
    assert strictest([]) is None
    assert strictest([together, *several]) == together


@given(asked)
def test_what_is_stored_reads_the_same(data):
    assert read(P.MASTER_PASSWORD, written(data)) == data


@pytest.mark.parametrize("kind", sorted(DATA))
def test_what_is_not_stored_has_its_default(kind):
    assert read(kind, {}) == DATA[kind]()
    assert read(kind, {"unknown": 1}) == DATA[kind]()


def test_words_of_the_stored_data_come_back_as_what_they_were():
    wanted = VaultTimeout(30, TimeoutAction.SIGN_OUT)
    assert written(wanted) == {"minutes": 30, "action": "sign_out"}
    assert read(P.VAULT_TIMEOUT, written(wanted)) == wanted
    assert read(P.URI_MATCH, {"match": "exact"}) == UriMatching(UriMatch.EXACT)
    assert read(P.NO_PIN, {"x": 1}) is None
    assert written(None) == {}


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: MasterPassword(complexity=5), "complexity"),
        (lambda: MasterPassword(length=11), "length"),
        (lambda: VaultTimeout(0), "minutes"),
        (lambda: VaultTimeout(1441), "minutes"),
        (lambda: VaultTimeout(True), "minutes"),
        (lambda: VaultTimeout("15"), "minutes"),
        (lambda: VaultTimeout(15, "lock"), "action"),
        (lambda: read(P.VAULT_TIMEOUT, {"action": "explode"}), "action"),
        (lambda: read(P.VAULT_TIMEOUT, {"action": ["lock"]}), "action"),
        (lambda: read(P.MASTER_PASSWORD, {"lower": 1}), "lower"),
        (lambda: read(P.VAULT_BANNER, {"text": None}), "text"),
        (lambda: PasswordGenerator(length=4), "length"),
        (lambda: PasswordGenerator(fewest_digits=10), "fewest_digits"),
        (lambda: PasswordGenerator(lower=False, upper=False, digits=False), "lower"),
        (lambda: VaultBanner(text=" ").check_on(), "text"),
        (
            lambda: PasswordGenerator(length=5, fewest_digits=3, fewest_special=3).check_on(),
            "length",
        ),
        (lambda: SendControls(hours=0), "hours"),
        (lambda: SendControls(hours=745), "hours"),
        (lambda: SendControls(domains="x" * 1001), "domains"),
        (lambda: SendControls(domains="acme.example").check_on(), "domains"),
        (lambda: SendControls(access=P_, domains="acme").check_on(), "domains"),
        (lambda: SendControls(access=P_, domains="a.example b_.example").check_on(), "domains"),
        (lambda: SendControls(no_texts=True, no_files=True).check_on(), "no_files"),
        (lambda: FillAssist().check_on(), "rules_url"),
        (lambda: FillAssist("https://").check_on(), "rules_url"),
        (lambda: FillAssist("https://user@rules.example/").check_on(), "rules_url"),
        (lambda: FillAssist("https://rules.example/a b").check_on(), "rules_url"),
        (lambda: VaultBanner(heading="x" * 41, text="x"), "heading"),
        (lambda: VaultBanner(text="x" * 251), "text"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(make, field):
    with pytest.raises(RuleError) as caught:
        make()
    assert caught.value.field == field


@pytest.mark.parametrize("kind", DATA)
def test_every_field_has_words_and_every_choice_too(kind):
    for name, value in written(DATA[kind]()).items():
        assert label_of(name)
        if isinstance(value, str) and value:
            assert choice_label(name, value)
    assert label_of("nonsense") is None
    assert choice_label("action", "explode") is None
    assert choice_label("complexity", 4) == "Strong"


def test_what_several_organizations_say_of_sends_is_the_strictest_of_it():
    narrow = SendControls(access=P_, domains="acme.example", hours=48, no_files=True)
    short = SendControls(access=SendAccess.PASSWORD, hours=2, shows_address=True)
    together = strictest([short, narrow])
    assert together == SendControls(
        shows_address=True, access=P_, domains="acme.example", hours=2, no_files=True
    )
    other = SendControls(access=P_, domains="other.example")
    assert strictest([narrow, other]).domains == "acme.example"
    assert strictest([FillAssist("https://a.example/"), FillAssist("https://b.example/")]) == (
        FillAssist("https://a.example/")
    )


def test_passwords_are_long_enough_for_what_two_organizations_ask_together():
    digits = PasswordGenerator(length=10, fewest_digits=9)
    special = PasswordGenerator(length=10, fewest_special=9)
    assert strictest([digits, special]).length == 18
    assert strictest([digits]).length == 10
    PasswordGenerator(length=6, fewest_digits=3, fewest_special=3).check_on()


def test_of_several_dependants_all_are_named():
    both = {P.SINGLE_ORGANIZATION, P.URI_MATCH, P.VAULT_BANNER}
    with pytest.raises(RuleError) as caught:
        check_switch(P.SINGLE_ORGANIZATION, on=False, are_on=both)
    assert P.URI_MATCH.label in str(caught.value)
    assert P.VAULT_BANNER.label in str(caught.value)


@pytest.mark.parametrize("kind", PolicyKind)
def test_the_sentence_on_exemptions_is_the_rule(kind):
    told = exemption(kind)
    confirmed = MemberState.CONFIRMED
    assert ("admins too" in told or "everybody" in told) is holds_for(
        kind, Subject(Role.OWNER, confirmed)
    )
    assert ("everybody" in told) is holds_for(
        kind, Subject(Role.USER, confirmed, is_of_provider=True)
    )
