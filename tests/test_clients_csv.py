"""The Clients table as a file: all that the filters leave, and nothing that computes."""

import csv
import io

import pytest

from portal.clients import queries
from portal.domain.plans import Plan
from portal.domain.states import ClientStatus
from tests.support.clients import make_client, make_provider, persona


@pytest.fixture
def ada(database):
    return persona(database)


def read(person, query="", delimiter=","):
    answer = person.browser.client.get(
        f"{person.clients_url}.csv{query}",
        headers={"Accept-Language": person.browser.language or "en"},
    )
    assert answer.status_code == 200
    assert answer.mimetype == "text/csv"
    text = answer.data.decode("utf-8")
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:], newline=""), delimiter=delimiter))


def test_the_file_has_a_line_for_each_client_and_numbers_stay_numbers(ada, database):
    make_client(
        database,
        ada.provider,
        "Zoé",
        plan=Plan.ENTERPRISE,
        seats=1500,
        seats_used=3,
        setup_done=2,
        status=ClientStatus.SUSPENDED,
        owner_confirmed=True,
    )
    header, line = read(ada)
    assert header == [
        "Client",
        "Status",
        "Plan",
        "Assigned",
        "Used",
        "Remaining",
        "Set-up steps done",
        "Set-up steps",
        "Owner confirmed",
        "Has keys",
        "Tags",
        "External reference",
        "Baseline",
        "Deviates from baseline",
    ]
    numbers = ["1500", "3", "1497", "2", "6"]
    assert line == ["Zoé", "Suspended", "Enterprise", *numbers, "Yes", "No", "", "", "", ""]


def test_the_file_holds_what_is_filtered_in_the_order_of_the_table(ada, database):
    for number in range(7):
        make_client(database, ada.provider, f"Client {number}", seats=9 - number)
    make_client(database, ada.provider, "Other")
    lines = read(ada, "?q=client&sort=assigned")[1:]
    assert [line[0] for line in lines] == [f"Client {n}" for n in range(6, -1, -1)]
    # The page that is being looked at, and its size, are not the file's.
    assert read(ada, "?q=client&sort=assigned&size=2&at=x")[1:] == lines


def test_the_file_goes_on_beyond_a_batch(ada, database, monkeypatch):
    for number in range(5):
        make_client(database, ada.provider, f"Client {number}")
    real = queries.all_clients
    monkeypatch.setattr(queries, "all_clients", lambda *args: real(*args, batch=2))
    assert [line[0] for line in read(ada)[1:]] == [f"Client {n}" for n in range(5)]


def test_a_name_that_starts_a_formula_is_defused(ada, database):
    name = '=HYPERLINK("http://mallory.example","Acme")'
    make_client(database, ada.provider, name)
    assert read(ada)[1][0] == f"'{name}"


def test_the_file_never_leaves_the_provider(ada, database):
    make_client(database, make_provider(database, "Mallory IT"), "Mallory")
    assert len(read(ada)) == 1


def test_in_french_the_file_is_split_by_semicolons(ada, database):
    make_client(database, ada.provider, "Acme")
    ada.browser.language = "fr"
    assert read(ada, delimiter=";")[1][0] == "Acme"


def test_the_file_is_streamed_under_a_dated_name(ada):
    answer = ada.browser.client.get(f"{ada.clients_url}.csv")
    assert answer.is_streamed
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="clients-2')
