"""A choice above many clients that cannot be: nothing that was ticked or typed is lost."""

import pytest
from sqlalchemy import delete

from portal.models import ChangeSet, Tag
from tests.support.clients import make_client, persona
from tests.test_clients_bulk import TICKED, make_tag
from tests.test_clients_table import names


@pytest.fixture
def ada(database):
    return persona(database)


def ticked(page):
    return [box["value"] for box in page.select("tbody input[name=id][checked]")]


def press(ada, page, button, **fields):
    words = next(text for text in page.texts("form button") if text.startswith(button))
    return ada.browser.submit(page, words, fields, status=422)


def chosen(page, name):
    return page.one(f".bulk-bar select[name={name}] option[selected]")["value"]


@pytest.mark.parametrize("query", ["", "?size=2&q=client&sort=-assigned"])
def test_a_number_that_is_none_keeps_the_page_its_ticks_and_what_was_typed(ada, database, query):
    make_tag(database, ada, "Bronze")
    gold = make_tag(database, ada, "Gold")
    for number in range(5):
        make_client(database, ada.provider, f"Client {number}", seats=10 + number)
    page = ada.browser.get(ada.clients_url + query)
    if query:
        page = ada.browser.get(page.link("Next"))
    seen = names(page)
    wanted = [box["value"] for box in page.select("tbody input[name=id]")][:2]
    again = press(ada, page, TICKED, id=wanted, do="seats:set", seats="ten", tag_id=gold.id.hex)
    assert names(again) == seen
    assert ticked(again) == wanted
    assert (chosen(again, "do"), chosen(again, "tag_id")) == ("seats:set", gold.id.hex)
    box = again.one("#clients-do-seats")
    assert (box["value"], box["aria-invalid"]) == ("ten", "true")
    why = "Enter how many seats, as a whole number such as 5."
    assert again.text(f"#{box['aria-describedby']}") == why
    assert again.one(".error-summary a")["href"] == "#clients-do-seats"
    assert again.title.startswith("Error: ")
    assert database.count(ChangeSet) == 0
    # Mended there, it goes on: with the same clients, and from the same list.
    answer = ada.browser.submit(again, TICKED, {"id": wanted, "seats": "20"})
    looked = ada.browser.follow(answer)
    assert len(looked.select("#clients-many tbody tr")) == 2


def test_every_address_of_the_page_shown_again_still_leads_somewhere(ada, database):
    for name in ("Acme", "Beta", "Citra"):
        make_client(database, ada.provider, name)
    ada.browser.get(f"{ada.clients_url}?size=2")
    fields = {"do": "seats:set", "seats": "x", "query": "size=2"}
    page = ada.browser.post(f"{ada.clients_url}/changes", fields, status=422)
    here = page.response.request.path
    links = [
        tag["href"]
        for tag in page.select("#clients-table a")
        if "/organizations/" not in tag["href"]
    ]
    assert any("at=" in link for link in links)
    for link in links:
        ada.browser.here = here
        ada.browser.get(link)


def test_a_tag_that_is_gone_meanwhile_is_said_beside_the_tags(ada, database):
    gold, _silver = make_tag(database, ada), make_tag(database, ada, "Silver")
    acme = make_client(database, ada.provider, "Acme")
    page = ada.browser.get(ada.clients_url)
    database.run(delete(Tag).where(Tag.id == gold.id))
    again = press(ada, page, TICKED, id=[acme.id], do="tag", tag_id=gold.id.hex)
    assert ticked(again) == [str(acme.id)]
    assert again.one("#clients-do-tag")["aria-invalid"] == "true"
    assert again.texts(".bulk-bar .error") == ["The tag is not there any more."]


def test_nothing_ticked_keeps_the_action_and_the_number(ada, database):
    make_client(database, ada.provider, "Acme")
    page = ada.browser.get(ada.clients_url)
    again = press(ada, page, TICKED, do="seats:remove", seats="3")
    assert again.texts(".error-summary li") == ["Tick at least one client first."]
    assert chosen(again, "do") == "seats:remove"
    assert again.one("#clients-do-seats")["value"] == "3"


@pytest.mark.parametrize("at", ["nonsense", "\0", "x" * 3000])
def test_a_page_that_is_not_there_any_more_is_the_first_one(ada, database, at):
    make_client(database, ada.provider, "Acme")
    fields = {"do": "seats:set", "seats": "<b>", "at": at, "id": "no id"}
    page = ada.browser.post(f"{ada.clients_url}/changes", fields, status=422)
    assert names(page) == ["Acme"]
    assert page.one("#clients-do-seats")["value"] == "<b>"
