"""Clients created from a list: checked, corrected, created, each line once."""

import io
import json

import pytest
from sqlalchemy import select, update

from portal.clients import imports
from portal.clients import service as clients_service
from portal.domain.access import Role
from portal.domain.csv_lists import ImportState, LineState
from portal.models import (
    ClientImport,
    ClientImportLine,
    Event,
    Idempotency,
    Member,
    Organization,
    Outbox,
    Provider,
)
from tests.support.clients import make_client, make_provider, persona

HEADING = "organization name,billing e-mail,owner e-mail,plan,seats,seat limit,cadence"
GOOD = "{0},bills@{0}.example,owner@{0}.example,Teams,5,,monthly"


MAILS = select(Outbox.id).where(Outbox.topic == "mail.member_invitation")


def csv_of(*names, more=()):
    return "\n".join([HEADING, *(GOOD.format(name) for name in names), *more])


@pytest.fixture
def ada(database):
    return persona(database)


def url_of(ada):
    return f"{ada.clients_url}/import"


def read(ada, text, *, status=303, **more):
    page = ada.browser.get(url_of(ada))
    answer = ada.browser.submit(page, "Check the list", {"text": text, **more}, status=status)
    return ada.browser.follow(answer) if status == 303 else answer


def create(ada, page):
    words = next(text for text in page.texts("form button") if text.startswith("Create "))
    return ada.browser.follow(ada.browser.submit(page, words))


def rows(page, caption):
    table = next(
        each for each in page.select("#clients-import table") if each.caption.text == caption
    )
    return [
        [" ".join(cell.get_text(" ").split()) for cell in row.select("th, td")]
        for row in table.select("tbody tr")
    ]


def names(database):
    return sorted(database.all(select(Organization.name)))


def states(database):
    found = select(ClientImportLine.line, ClientImportLine.state).order_by(ClientImportLine.line)
    return {line: state.value for line, state in database.all(found)}


def test_a_pasted_list_is_looked_at_and_created(ada, database):
    page = read(ada, csv_of("acme", "beta"))
    assert page.heading == "Clients from a list"
    shown = rows(page, "Ready to be created")
    assert [row[:2] for row in shown] == [
        ["acme Line 2", "owner@acme.example Invoices to bills@acme.example"],
        ["beta Line 3", "owner@beta.example Invoices to bills@beta.example"],
    ]
    assert shown[0][3] == "$25.00 per month"
    assert page.texts("dl.lines dd") == ["$50.00", "$600.00"]
    assert names(database) == []
    page = create(ada, page)
    assert "Clients created: 2" in page
    assert names(database) == ["acme", "beta"]
    assert page.link("acme").endswith("/manage")
    assert page.link("Finish keys").endswith("/clients/keys")
    assert "2 clients have no keys yet" in ada.browser.get(ada.clients_url)
    invited = database.all(select(Member.email).order_by(Member.email))
    assert invited == ["owner@acme.example", "owner@beta.example"]
    assert len(database.all(MAILS)) == 2
    assert database.one(select(Provider.clients_count)) == 2


def test_a_file_is_read_like_a_paste_and_comes_first(ada, database):
    page = ada.browser.get(url_of(ada))
    data = ("\ufeff" + csv_of("fichier").replace(",", ";")).encode()
    answer = ada.browser.submit(
        page, "Check the list", {"file": (io.BytesIO(data), "liste.csv"), "text": csv_of("other")}
    )
    assert [row[0] for row in rows(ada.browser.follow(answer), "Ready to be created")] == [
        "fichier Line 2"
    ]


def test_the_list_and_each_client_are_told(ada, database):
    create(ada, read(ada, csv_of("acme", "beta")))
    told = database.all(select(Event.type).where(Event.stream_id == ada.provider.id))
    assert told.count("provider:client_list:start") == 1
    assert told.count("provider:client:create") == 2
    payload = select(Event.payload).where(Event.type == "provider:client_list:start")
    assert json.loads(database.one(payload))["details"] == {"clients": 2}


def test_mistakes_stand_at_their_cells_in_the_words_of_the_form(ada, database):
    bad = "Bad,nobody,,Gold,many,2x,weekly"
    page = read(ada, csv_of("acme", more=[bad]))
    for field, words in {
        "billing_email": "Enter an e-mail address in the form name@example.com.",
        "owner_email": "Enter the address of the person who will own the organization.",
        "plan": "Choose a plan.",
        "seats": "Enter a whole number, such as 20.",
        "seat_limit": "Enter a whole number, such as 20.",
        "cadence": "Choose how often the client is billed.",
    }.items():
        assert page.text(f"#line3-{field}-field .error") == words
    # What was typed is still there, choices that nobody offers included.
    assert page.one("#line3-seats")["value"] == "many"
    assert page.one("#line3-plan option[selected]")["value"] == "Gold"
    assert [row[0] for row in rows(page, "Ready to be created")] == ["acme Line 2"]
    assert states(database) == {2: "planned", 3: "broken"}


def test_a_broken_line_is_corrected_right_there(ada, database):
    page = read(ada, csv_of(more=["Bad,b@x.example,o@x.example,teams,0,,"]))
    assert "Create" not in " ".join(page.texts("#clients-import form button"))
    form = {"line2-seats": "7", "line2-name": "Good"}
    page = ada.browser.follow(ada.browser.submit(page, "Save and check", form))
    assert "Line 2 is ready." in page
    assert rows(page, "Ready to be created")[0][0] == "Good Line 2"
    create(ada, page)
    assert database.one(select(Organization.seats)) == 7


def test_what_is_still_wrong_is_kept_and_said_again(ada, database):
    page = read(ada, csv_of(more=["Bad,b@x.example,o@x.example,teams,0,,"]))
    page = ada.browser.follow(ada.browser.submit(page, "Save and check", {"line2-seats": "x"}))
    assert "Line 2 is saved, but not ready yet." in page
    assert page.one("#line2-seats")["value"] == "x"
    assert page.text("#line2-seats-field .error") == "Enter a whole number, such as 20."


def test_a_line_is_skipped_and_taken_back(ada, database):
    page = read(ada, csv_of("acme", more=["Bad,b@x.example,o@x.example,teams,0,,"]))
    page = ada.browser.follow(ada.browser.submit(page, "Skip this line Line 3"))
    assert [row[:2] for row in rows(page, "Skipped")] == [["Bad Line 3", "Take back in Bad"]]
    assert "To be corrected" not in page
    page = ada.browser.follow(ada.browser.submit(page, "Take back in Bad"))
    assert page.one("#line3-seats")["value"] == "0"
    create(ada, page)
    assert names(database) == ["acme"]


def test_a_line_that_is_ready_can_be_changed_too(ada, database):
    page = read(ada, csv_of("acme"))
    line = ada.browser.get(page.link("Edit acme"))
    page = ada.browser.follow(
        ada.browser.submit(line, "Save and check", {"line2-name": "Acme Ltd"})
    )
    create(ada, page)
    assert names(database) == ["Acme Ltd"]


def test_what_is_left_is_corrected_and_created_afterwards(ada, database):
    page = read(ada, csv_of("acme", more=["Bad,b@x.example,o@x.example,teams,0,,"]))
    page = create(ada, page)
    assert "Clients created: 1" in page
    assert database.one(select(ClientImport.state)) is ImportState.DONE
    page = ada.browser.follow(
        ada.browser.submit(
            page,
            "Save and check",
            {"line2-seats": "1"} if page.select("#line2-seats") else {"line3-seats": "1"},
        )
    )
    page = create(ada, page)
    assert names(database) == ["Bad", "acme"]
    assert "Clients created: 2" in page


def test_twins_within_the_list_are_pointed_out(ada, database):
    same = GOOD.format("acme")
    page = read(ada, csv_of("acme", more=[same, same.replace("owner@", "other@")]))
    assert page.text("#line3-name-field .error") == (
        "This is line 2 once more. Skip one of them, or change it."
    )
    shown = rows(page, "Ready to be created")
    assert "Another line has this name." in shown[1][4]
    page = ada.browser.follow(ada.browser.submit(page, "Skip this line Line 3"))
    assert states(database) == {2: "planned", 3: "refused", 4: "planned"}


def test_skipping_the_first_twin_frees_the_second(ada, database):
    page = read(ada, csv_of("acme", "acme"))
    ada.browser.post(f"{page.response.request.path}/lines/2/skip", status=303)
    assert states(database) == {2: "refused", 3: "planned"}


def test_a_name_that_is_there_already_is_a_warning(ada, database):
    make_client(database, ada.provider, "ACME")
    make_client(database, make_provider(database, "Mallory IT"), "beta")
    page = read(ada, csv_of("acme", "beta"))
    shown = rows(page, "Ready to be created")
    assert "You already have a client with this name." in shown[0][4]
    assert shown[1][4] == ""


def test_a_provider_without_billing_details_is_told_first(ada, database):
    database.run(update(Provider).values(city=""))
    page = ada.browser.get(url_of(ada))
    assert "something is missing there: Enter the town or city." in page
    page = read(ada, csv_of("acme"))
    again = ada.browser.submit(page, "Create 1 client", status=409)
    assert "Enter the town or city." in again
    assert names(database) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Choose a file or paste a list."),
        (" \n\n", "Choose a file or paste a list."),
        (HEADING, "There is no line with a client in it."),
        (csv_of(*[f"c{n}" for n in range(501)]), "The list has 501 lines; at most 500 fit."),
        ("x" * 1_000_001, "The list is larger than 1 MB."),
    ],
)
def test_a_list_that_cannot_be_read_says_why(ada, database, text, words):
    page = read(ada, text, status=422)
    assert words in page.text(".error-summary")
    assert database.count(ClientImport) == 0


def test_a_workbook_is_no_list(ada, database):
    page = ada.browser.get(url_of(ada))
    data = {"file": (io.BytesIO(b"PK\x03\x04rest"), "clients.xlsx")}
    page = ada.browser.submit(page, "Check the list", data, status=422)
    assert "This is a workbook." in page


def test_columns_that_nobody_knows_are_named(ada, database):
    page = read(ada, "name,seats,colour\nacme,5,red")
    assert "These columns are not used: colour." in page


def test_it_goes_on_in_batches_after_a_closed_tab(ada, database, monkeypatch):
    monkeypatch.setitem(imports.work.__kwdefaults__, "batch", 2)
    page = create(ada, read(ada, csv_of(*(f"c{number}" for number in range(5)))))
    assert "2 of 5 clients are created." in page
    listed = ada.browser.get(url_of(ada))
    assert "Under way" in listed
    url = page.response.request.path
    page = ada.browser.get(url)
    page = ada.browser.follow(ada.browser.submit(page, "Continue"))
    assert "4 of 5" in page
    # While it is under way no line changes under it, and what was typed is not lost.
    page = ada.browser.post(f"{url}/lines/6", {"line6-name": "typed"}, status=409)
    assert "The list is under way." in page
    assert page.one("#line6-name")["value"] == "typed"
    page = ada.browser.post(f"{url}/lines/2", {"line2-name": "typed"}, status=409)
    assert "4 of 5" in page
    piece = ada.browser.post(f"{url}/work", hx="clients-import")
    assert "Clients created: 5" in piece
    for step in ("work", "work"):
        ada.browser.post(f"{url}/{step}", status=303)
    ada.browser.post(f"{url}/start", status=409)
    assert database.count(Organization) == 5
    assert database.one(select(Provider.clients_count)) == 5


def test_a_batch_that_dies_creates_nothing_and_goes_on(ada, database, monkeypatch):
    monkeypatch.setitem(imports.work.__kwdefaults__, "batch", 3)
    real, calls = clients_service.invite, []

    def dies(*arguments, **named):
        calls.append(1)
        if len(calls) == 5:
            raise RuntimeError("killed in the middle")
        return real(*arguments, **named)

    monkeypatch.setattr(clients_service, "invite", dies)
    page = create(ada, read(ada, csv_of(*(f"c{number}" for number in range(5)))))
    url = page.response.request.path
    ada.browser.post(f"{url}/work", status=500)
    assert names(database) == ["c0", "c1", "c2"]
    ada.browser.post(f"{url}/work", status=303)
    assert names(database) == [f"c{number}" for number in range(5)]
    for model in (Organization, Member, Idempotency):
        assert database.count(model) == 5, model
    assert len(database.all(MAILS)) == 5


def test_a_line_that_cannot_be_created_any_more_says_why(ada, database, monkeypatch):
    monkeypatch.setitem(imports.work.__kwdefaults__, "batch", 1)
    page = create(ada, read(ada, csv_of("acme", "beta")))
    database.run(update(Provider).values(city=""))
    page = ada.browser.follow(ada.browser.submit(page, "Continue"))
    ada.browser.post(f"{page.response.request.path}/work", status=303)
    page = ada.browser.get(page.response.request.path)
    assert "Enter the town or city." in page.text("#line-3")
    assert states(database) == {2: "done", 3: "refused"}
    database.run(update(Provider).values(city="Paris"))
    page = ada.browser.follow(ada.browser.submit(page, "Save and check"))
    create(ada, page)
    assert names(database) == ["acme", "beta"]


def test_a_list_is_its_makers_alone(ada, database):
    page = read(ada, csv_of("acme"))
    url = page.response.request.path
    bob = persona(database, provider=ada.provider)
    mallory = persona(database)
    foreign = url.replace(str(ada.provider.id), str(mallory.provider.id))
    for browser, address in ((bob.browser, url), (mallory.browser, foreign)):
        browser.get(address, status=404)
        browser.get(f"{address}/left.csv", status=404)
        browser.get(f"{address}/lines/2", status=404)
        for step in ("start", "work", "delete", "lines/2", "lines/2/skip", "lines/2/back"):
            browser.post(f"{address}/{step}", status=404)
    assert "Your lists" not in bob.browser.get(url_of(bob))
    assert states(database) == {2: "planned"}


def test_who_may_not_create_clients_reads_no_list(database):
    tom = persona(database, Role.SERVICE_USER)
    tom.browser.get(url_of(tom), status=403)
    tom.browser.post(url_of(tom), {"text": csv_of("acme")}, status=403)
    assert "Create from a list" not in tom.browser.get(tom.clients_url)


def test_a_list_is_deleted_and_its_clients_stay(ada, database):
    page = create(ada, read(ada, csv_of("acme")))
    sure = ada.browser.get(page.link("Delete this list"))
    ada.browser.submit(sure, "Delete this list")
    assert database.count(ClientImport) == database.count(ClientImportLine) == 0
    assert names(database) == ["acme"]
    ada.browser.post(f"{page.response.request.path}/work", status=404)


def test_lines_that_are_not_there_are_not_there(ada, database):
    url = read(ada, csv_of("acme")).response.request.path
    for line in ("1", "9", "99999999999999999999"):
        ada.browser.get(f"{url}/lines/{line}", status=404)
        ada.browser.post(f"{url}/lines/{line}", status=404)


def test_the_page_leads_here(ada, database):
    assert ada.browser.get(ada.clients_url).link("Create from a list") == url_of(ada)
    new = ada.browser.get(f"{ada.clients_url}/new")
    assert new.link("Create from a list") == url_of(ada)


def test_done_lines_never_open_again(ada, database):
    page = create(ada, read(ada, csv_of("acme")))
    url = page.response.request.path
    for step in ("lines/2", "lines/2/skip", "lines/2/back"):
        ada.browser.post(f"{url}/{step}", {"line2-name": "x"}, status=409)
    assert ada.browser.get(f"{url}/lines/2", status=303).location.endswith(url)
    assert database.one(select(ClientImportLine.state)) is LineState.DONE
