"""Seats, set-up steps, and the order for a new client."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.billing import load_prices
from portal.billing.vat import check_vat_number
from portal.domain.billing_details import NET_DAYS, BillingDetails, check_billing, clean_billing
from portal.domain.errors import RuleError, refuse
from portal.domain.new_client import ClientOrder, check, clean, hints, selection
from portal.domain.plans import Cadence, Plan
from portal.domain.pricing import Terms, quote
from portal.domain.seats import MOST, check_limit, check_seats, check_storage
from portal.domain.setup_steps import (
    Progress,
    SetupFacts,
    StepKind,
    StepState,
    progress,
    setup_steps,
)

DETAILS = BillingDetails(
    billing_name="Acme GmbH",
    address_line1="Hauptstraße 1",
    postal_code="10115",
    city="Berlin",
    country="DE",
)
ORDER = ClientOrder(
    name="Acme",
    billing_email="pay@acme.example",
    owner_email="ada@acme.example",
    seats=5,
    billing=DETAILS,
)


def problems(**changes):
    return check(replace(ORDER, **changes), vat_check=check_vat_number)


def billing_problems(**changes):
    return check_billing(replace(DETAILS, **changes), check_vat_number)


# Seats


@pytest.mark.parametrize(
    ("seats", "used", "sentence"),
    [
        (None, 0, "Enter the number of seats"),
        (0, 0, "at least one seat"),
        (-3, 0, "at least one seat"),
        (MOST + 1, 0, "at most 100000"),
        (1, 2, "2 seats are in use. Enter at least 2"),
        (0, 1, "at least one seat"),
    ],
)
def test_a_number_of_seats_that_cannot_be_bought_is_told_why(seats, used, sentence):
    with pytest.raises(RuleError, match=sentence) as caught:
        check_seats(seats, used=used)
    assert caught.value.field == "seats"


@given(st.integers(-10, MOST + 10), st.integers(0, MOST))
def test_seats_can_be_bought_from_those_in_use_up_to_the_most(seats, used):
    allowed = max(1, used) <= seats <= MOST
    try:
        assert check_seats(seats, used=used) == seats
    except RuleError:
        assert not allowed
    else:
        assert allowed


@pytest.mark.parametrize(
    ("limit", "fine"), [(None, True), (5, True), (4, False), (MOST + 1, False)]
)
def test_a_seat_limit_is_empty_or_at_least_the_seats(limit, fine):
    if fine:
        assert check_limit(limit, 5) == limit
        return
    with pytest.raises(RuleError) as caught:
        check_limit(limit, 5)
    assert caught.value.field == "seat_limit"


@pytest.mark.parametrize(("storage", "fine"), [(0, True), (99, True), (100, False), (-1, False)])
def test_additional_storage_is_nought_to_ninety_nine(storage, fine):
    if fine:
        assert check_storage(storage) == storage
        return
    with pytest.raises(RuleError) as caught:
        check_storage(storage)
    assert caught.value.field == "extra_storage_gb"


# Set-up steps

ALL_DONE = SetupFacts(
    collections=1,
    items=1,
    policies_on=1,
    sso_sign_in_seen=True,
    groups_with_access=1,
    confirmed_members=2,
)


def states(plan, facts, skipped=()):
    return [step.state for step in setup_steps(plan, facts, skipped)]


def test_the_six_steps_stand_in_their_order():
    steps = setup_steps(Plan.ENTERPRISE, SetupFacts())
    assert [(step.number, str(step.kind)) for step in steps] == [
        (1, "collections"),
        (2, "vault"),
        (3, "policies"),
        (4, "sso"),
        (5, "groups"),
        (6, "members"),
    ]


def test_a_new_client_has_its_first_collection_and_nothing_else():
    facts = SetupFacts(collections=1, confirmed_members=1)
    assert str(progress(setup_steps(Plan.ENTERPRISE, facts))) == "1/6"
    assert str(progress(setup_steps(Plan.TEAMS, facts))) == "1/4"


def test_teams_lacks_policies_and_single_sign_on_even_where_facts_remain():
    assert states(Plan.TEAMS, ALL_DONE) == [
        StepState.DONE,
        StepState.DONE,
        StepState.NOT_IN_PLAN,
        StepState.NOT_IN_PLAN,
        StepState.DONE,
        StepState.DONE,
    ]
    assert progress(setup_steps(Plan.TEAMS, ALL_DONE)) == Progress(4, 4)


def test_a_skipped_step_counts_as_done_and_a_fact_counts_for_more():
    skipped = {StepKind.VAULT, StepKind.COLLECTIONS}
    facts = SetupFacts(collections=1)
    assert states(Plan.ENTERPRISE, facts, skipped)[:3] == [
        StepState.DONE,
        StepState.SKIPPED,
        StepState.OPEN,
    ]
    assert progress(setup_steps(Plan.ENTERPRISE, facts, skipped)) == Progress(2, 6)


@pytest.mark.parametrize("kind", StepKind)
def test_each_step_is_proved_by_its_own_fact_alone(kind):
    one_missing = {
        StepKind.COLLECTIONS: replace(ALL_DONE, collections=0),
        StepKind.VAULT: replace(ALL_DONE, items=0),
        StepKind.POLICIES: replace(ALL_DONE, policies_on=0),
        StepKind.SSO: replace(ALL_DONE, sso_sign_in_seen=False),
        StepKind.GROUPS: replace(ALL_DONE, groups_with_access=0),
        StepKind.MEMBERS: replace(ALL_DONE, confirmed_members=1),
    }
    left = setup_steps(Plan.ENTERPRISE, one_missing[kind])
    assert [step.kind for step in left if step.state is StepState.OPEN] == [kind]
    assert progress(left).left == 1


@given(
    st.sampled_from(Plan),
    st.builds(SetupFacts, items=st.integers(0, 2), confirmed_members=st.integers(0, 3)),
    st.frozensets(st.sampled_from(StepKind)),
)
def test_progress_counts_every_step_of_the_plan_once(plan, facts, skipped):
    counted = progress(setup_steps(plan, facts, skipped))
    assert counted.total == (6 if plan is Plan.ENTERPRISE else 4)
    assert counted.done + counted.left == counted.total
    assert counted.done >= 0


# Billing details


def test_good_details_have_no_problem():
    assert billing_problems() == {}


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("billing_name", " ", "name that the invoice"),
        ("billing_name", "x" * 101, "Shorten it by 1 character"),
        ("address_line1", "", "street and number"),
        ("address_line2", "a\x07b", "control characters"),
        ("postal_code", "", "postal code"),
        ("city", "", "town or city"),
        ("country", "", "Choose the country"),
        ("country", "ZZ", "Choose the country"),
        ("vat_number", "DE123", "VAT number of DE"),
        ("purchase_order", "x" * 51, "Shorten it by 1"),
        ("net_days", 31, "within how many days"),
        ("net_days", None, "within how many days"),
    ],
)
def test_each_billing_mistake_stands_at_its_field(field, value, sentence):
    errors = billing_problems(**{field: value})
    assert list(errors) == [field]
    assert errors[field].field == field
    assert sentence in str(errors[field])


def test_a_country_without_postal_codes_needs_none():
    assert billing_problems(country="HK", postal_code="") == {}


def test_a_vat_number_is_judged_only_for_a_known_country():
    assert list(billing_problems(country="", vat_number="DE123")) == ["country"]


def test_a_vat_refusal_stands_at_the_vat_field_whatever_the_checker_says():
    def checker(country, number):
        raise refuse("No.", field="elsewhere")

    errors = check_billing(replace(DETAILS, vat_number="1"), checker)
    assert errors["vat_number"].field == "vat_number"


def test_details_are_stored_squeezed_with_the_vat_number_in_one_form():
    typed = replace(DETAILS, billing_name=" Acme  GmbH ", country="de", vat_number="136 695 976")
    stored = clean_billing(typed, check_vat_number)
    assert stored == replace(DETAILS, vat_number="DE136695976")
    with pytest.raises(RuleError, match="town"):
        clean_billing(replace(DETAILS, city=""), check_vat_number)


# The order


def test_a_good_order_has_no_problem():
    assert problems() == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 51),
        ("billing_email", "pay"),
        ("owner_email", ""),
        ("plan", None),
        ("seats", None),
        ("seats", 0),
        ("seat_limit", 4),
        ("extra_storage_gb", 100),
        ("extra_storage_gb", None),
        ("cadence", None),
        ("payment", "shells"),
    ],
)
def test_each_mistake_stands_at_its_field(field, value):
    errors = problems(**{field: value})
    assert list(errors) == [field]
    assert errors[field].field == field


def test_an_empty_form_names_every_field_that_must_be_filled():
    empty = ClientOrder(plan=None, seats=None, extra_storage_gb=None, cadence=None)
    assert set(check(empty, vat_check=check_vat_number)) == {
        "name",
        "billing_email",
        "owner_email",
        "plan",
        "seats",
        "extra_storage_gb",
        "cadence",
        "billing_name",
        "address_line1",
        "city",
        "country",
    }


def test_the_billing_details_count_only_by_invoice():
    order = replace(ORDER, payment="card", billing=BillingDetails())
    assert check(order, vat_check=check_vat_number, payments={"card"}) == {}


def test_a_limit_counts_only_where_seats_grow():
    assert problems(autogrow=False, seat_limit=1) == {}
    off = replace(ORDER, autogrow=False, seat_limit=1)
    assert clean(off, vat_check=check_vat_number).seat_limit is None
    assert selection(off)[0].seat_limit is None


def test_a_limit_beside_wrong_seats_is_not_blamed_for_them():
    assert list(problems(seats=0, seat_limit=3)) == ["seats"]


def test_an_order_is_stored_in_its_clean_form():
    typed = replace(ORDER, name="  Acme ", owner_email=" Ada@ACME.example", seat_limit=9)
    stored = clean(typed, vat_check=check_vat_number)
    assert stored == replace(ORDER, seat_limit=9)


def test_the_summary_prices_exactly_the_order():
    chosen, wrong = selection(replace(ORDER, plan=Plan.ENTERPRISE, cadence=Cadence.ANNUAL))
    assert wrong == frozenset()
    assert (chosen.plan, chosen.cadence, chosen.seats) == (Plan.ENTERPRISE, Cadence.ANNUAL, 5)
    assert chosen.net_days == ORDER.billing.net_days


orders = st.builds(
    ClientOrder,
    plan=st.none() | st.sampled_from(Plan),
    seats=st.none() | st.integers(-5, MOST + 5),
    autogrow=st.booleans(),
    seat_limit=st.none() | st.integers(-5, MOST + 5),
    extra_storage_gb=st.none() | st.integers(-5, 105),
    cadence=st.none() | st.sampled_from(Cadence),
    payment=st.sampled_from(["invoice", "shells"]),
    billing=st.builds(BillingDetails, net_days=st.none() | st.integers(-1, 90)),
)


@given(orders, st.dates(max_value=date(9000, 1, 1)))
def test_there_is_a_summary_whatever_was_typed(order, today):
    chosen, wrong = selection(order)
    errors = check(order, vat_check=check_vat_number)
    priced = {"plan", "seats", "seat_limit", "extra_storage_gb", "cadence", "payment"}
    assert wrong - {"net_days"} == set(errors) & priced
    assert ("net_days" in wrong) == (order.billing.net_days not in NET_DAYS)
    price = quote(chosen, load_prices(), Terms(), today)
    assert price.total.cents >= 0
    assert price.due_today.cents == 0


def test_an_equal_name_and_another_domain_are_hints_and_no_mistakes():
    order = replace(ORDER, owner_email="ada@private.example")
    found = hints(order, name_exists=True)
    assert set(found) == {"name", "owner_email"}
    assert "private.example" in str(found["owner_email"])
    assert problems(owner_email="ada@private.example") == {}


def test_there_is_no_hint_about_an_address_that_is_not_written_yet():
    assert hints(ORDER, name_exists=False) == {}
    assert hints(replace(ORDER, owner_email="ada@"), name_exists=False) == {}
    assert hints(replace(ORDER, billing_email=""), name_exists=False) == {}


def test_every_net_term_on_offer_is_taken():
    for days in NET_DAYS:
        assert billing_problems(net_days=days) == {}
