"""Lists of clients as files: whatever a spreadsheet writes is read, and reads back."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.billing.vat import check_vat_number
from portal.domain.billing_details import BillingDetails
from portal.domain.client_import import (
    FIELDS,
    LABELS,
    billing_problem,
    judged,
    order_of,
    problems_of,
    twice,
)
from portal.domain.client_lists import SHAPE, read
from portal.domain.csv_cells import defused, restored
from portal.domain.csv_lists import DELIMITERS, MORE, decode
from portal.domain.errors import RuleError
from portal.domain.names import squeeze
from portal.domain.new_client import ClientOrder, check
from portal.domain.plans import Cadence, Plan
from portal.web.csv import lines

BILLING = BillingDetails("Northwind IT", "1 Quay", "", "75001", "Paris", "FR")
GOOD = {
    "name": "Acme",
    "billing_email": "bills@acme.example",
    "owner_email": "owner@acme.example",
    "plan": "Teams",
    "seats": "5",
}
FRENCH = (
    "Nom de l’organisation;Adresse e-mail de facturation;"  # noqa: RUF001 - French
    "Adresse e-mail du propriétaire du client;Formule;Places"
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
typed = st.fixed_dictionaries(dict.fromkeys(FIELDS, texts))


@given(st.lists(typed, min_size=1, max_size=5), st.sampled_from(DELIMITERS), st.booleans())
def test_a_list_of_any_names_reads_back(clients, delimiter, with_mark):
    clients = [{**each, "name": f"N{each['name']}"} for each in clients]
    heading = [LABELS[name] for name in FIELDS]
    text = "".join(lines([heading, *SHAPE.written(clients)], delimiter))
    found = read(decode(text.encode("utf-8-sig" if with_mark else "utf-8")))
    wanted = [
        {name: value.replace("\0", "").strip() for name, value in each.items()} for each in clients
    ]
    assert list(found.lines.values()) == wanted
    assert list(found.lines) == list(range(2, len(clients) + 2))


@given(texts)
def test_a_cell_that_was_defused_comes_back(text):
    assert restored(defused(text)) == text
    assert not defused(text).startswith(tuple("=+-@\t\r\n"))


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_in_words(data):
    try:
        found = read(decode(data))
    except RuleError:
        return
    assert found.lines


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_a_file_of_any_encoding_keeps_its_accents(encoding):
    text = "nom;places\r\nÉlan Forêt;5\r\n"
    assert read(decode(text.encode(encoding))).lines[2]["name"] == "Élan Forêt"


@pytest.mark.parametrize(
    "heading",
    [
        "Organization name;Billing e-mail;Client owner e-mail;Plan;Seats",
        FRENCH,
        "NAME ; Billing Email ; Owner email ; plan: ; SEATS *",
        'sep=;\n"name";billing;owner;plan;seats',
    ],
)
def test_headings_are_known_in_both_languages(heading):
    found = read(f"{heading}\nAcme;bills@acme.example;owner@acme.example;Teams;5\n")
    ((_number, line),) = found.lines.items()
    assert {name: line[name] for name in GOOD} == GOOD


def test_without_a_heading_the_order_counts():
    line = "Acme\tbills@acme.example\towner@acme.example\tEntreprise\t12\tnon\t\t3\tannuel"
    order, unread = order_of(read(line).lines[1], BILLING)
    assert not unread
    assert (order.plan, order.seats, order.autogrow) == (Plan.ENTERPRISE, 12, False)
    assert (order.extra_storage_gb, order.cadence) == (3, Cadence.ANNUAL)


def test_lines_have_the_numbers_of_the_spreadsheet():
    found = read('name,seats\n\n"two\nlines",1\n\n,\nlast,2\n')
    assert {number: line["name"] for number, line in found.lines.items()} == {
        3: "two\nlines",
        6: "last",
    }


def test_cells_beyond_the_columns_are_not_lost_silently():
    found = read("name,seats\nAcme, Inc,5\n")
    assert found.lines[2][MORE] == "5"
    assert MORE in problems_of(found.lines[2], BILLING, check_vat_number)


def test_columns_may_stand_in_any_order_and_some_are_ignored():
    found = read("seats,colour,name\n5,red,Acme\n")
    assert found.lines[2]["name"] == "Acme"
    assert found.ignored == ("colour",)


def test_a_cell_too_large_for_a_reader_is_refused():
    with pytest.raises(RuleError, match="cannot be read"):
        read('name,seats\n"' + "x" * 200_000)


def test_an_empty_line_is_what_the_form_begins_with():
    order, unread = order_of(GOOD, BILLING)
    assert not unread
    fresh = ClientOrder(
        name="Acme",
        billing_email="bills@acme.example",
        owner_email="owner@acme.example",
        seats=5,
        billing=BILLING,
    )
    assert order == fresh


@given(typed)
def test_a_line_is_judged_by_the_rules_of_the_form(line):
    order, unread = order_of(line, BILLING)
    found = check(order, vat_check=check_vat_number)
    problems = problems_of(line, BILLING, check_vat_number)
    assert set(problems) == {*found, *unread}
    for name in set(found) - set(unread):
        assert problems[name].render() == str(found[name])


def test_what_the_provider_lacks_is_no_fault_of_a_line():
    assert problems_of(GOOD, BillingDetails(), check_vat_number) == {}
    assert billing_problem(BillingDetails(), check_vat_number) is not None
    assert billing_problem(BILLING, check_vat_number) is None


def test_the_same_client_twice_is_said_of_the_later_line():
    again = GOOD | {"name": " ACME ", "owner_email": "Owner@acme.example"}
    other = GOOD | {"owner_email": "other@acme.example"}
    lines_ = {2: GOOD, 3: other, 5: again}
    assert twice(lines_) == {5: 2}
    found = judged(lines_, BILLING, check_vat_number)
    assert "line 2" in found[5]["name"].render()
    assert not found[2]
    assert not found[3]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_a_name_means_the_same_from_a_list_as_from_the_form(name):
    buffer = io.StringIO()
    csv.writer(buffer).writerow([name, "x"])
    text = "name,seats\r\n" + buffer.getvalue()
    found = list(read(text).lines.values())
    if found and found[0].get("name"):
        assert squeeze(found[0]["name"]) == squeeze(restored(name).replace("\0", ""))
