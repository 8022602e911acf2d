"""VAT numbers and ways to pay."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.billing import load_prices
from portal.billing.payment import method_named, payment_methods
from portal.billing.vat import check_vat_number
from portal.domain.countries import COUNTRIES
from portal.domain.errors import RuleError
from portal.domain.new_client import INVOICE, ClientOrder, selection
from portal.domain.pricing import Terms, quote


@pytest.mark.parametrize(
    ("country", "typed", "stored"),
    [
        ("DE", "DE 136 695 976", "DE136695976"),
        ("DE", "136695976", "DE136695976"),
        ("AT", "atu-5719.4903", "ATU57194903"),
        ("FR", "FR 61 954 506 077", "FR61954506077"),
        ("RE", "FR61954506077", "FR61954506077"),
        ("GP", "FR61954506077", "FR61954506077"),
        ("IM", "980780684", "GB980780684"),
        ("LI", "CHE107787577", "CHE107787577"),
        ("MC", "FR 53 0000 04605", "FR53000004605"),
        ("GR", "EL 094259216", "EL094259216"),
        ("GR", "094259216", "EL094259216"),
        ("ES", "B-58378431", "ESB58378431"),
        ("GB", "GB 980 7806 84", "GB980780684"),
        ("GB", "980780684", "GB980780684"),
        ("CH", "CHE-107.787.577 IVA", "CHE107787577IVA"),
        ("CH", "CHE-107.787.577", "CHE107787577"),
        ("NO", "NO 995 525 828 MVA", "995525828MVA"),
        ("NO", "995525828", "995525828"),
        ("US", "12-3456789", "123456789"),
    ],
)
def test_a_number_is_stored_in_one_form_however_it_was_typed(country, typed, stored):
    assert check_vat_number(country, typed) == stored
    assert check_vat_number(country, stored) == stored


@pytest.mark.parametrize(
    ("country", "number"),
    [
        ("DE", "DE136695977"),
        ("DE", "FR61954506077"),
        ("DE", "DE"),
        ("GB", "GB123"),
        ("GB", "XI"),
        ("CH", "CHE-107.787.578"),
        ("NO", "995525829MVA"),
        ("US", "none"),
        ("US", ""),
        ("US", "1" * 21),
        ("US", "12345<b>"),
    ],
)
def test_a_number_of_the_wrong_form_is_refused_at_its_field(country, number):
    with pytest.raises(RuleError, match=f"VAT number of {country}") as caught:
        check_vat_number(country, number)
    assert caught.value.field == "vat_number"


@given(st.sampled_from(sorted(COUNTRIES)), st.text(max_size=30))
def test_whatever_is_typed_is_stored_in_capitals_or_refused(country, number):
    try:
        stored = check_vat_number(country, number)
    except RuleError:
        return
    assert stored.isascii()
    assert stored == stored.upper()
    assert len(stored) <= 30


def test_every_country_has_a_scheme_that_can_be_asked():
    for country in COUNTRIES:
        with pytest.raises(RuleError):
            check_vat_number(country, "?")


def test_by_invoice_nothing_is_due_today_and_a_sentence_says_what_follows():
    order = ClientOrder(seats=3)
    price = quote(selection(order)[0], load_prices(), Terms(), date(2026, 11, 22))
    start = method_named(INVOICE).begin(order, price)
    assert start.due_today.cents == 0
    assert str(start.note) == "First invoice on 2026-11-22, payable within 30 days."


def test_invoice_is_the_way_to_pay_on_offer():
    assert [method.name for method in payment_methods()] == [INVOICE]
    assert method_named("card") is None
