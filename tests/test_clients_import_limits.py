"""Lists of clients at their limits: many lines, two tabs, other languages, old lists."""

import datetime as dt
import io
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import sessionmaker

from portal.clients import imports
from portal.domain.bulk import BulkAction, BulkState
from portal.domain.csv_lists import LONGEST_CELL, ImportState
from portal.extensions import db
from portal.models import (
    ChangeSet,
    ChangeSetRow,
    ClientImport,
    ClientImportLine,
    Member,
    Organization,
    Provider,
    new_id,
    utc_now,
)
from portal.outbox.housekeeping import tidy
from tests.support.browsing import Browser
from tests.support.clients import make_client, persona, sign_in
from tests.test_clients_import import create, csv_of, read, rows, url_of


@pytest.fixture
def ada(database):
    return persona(database)


def test_five_hundred_lines_are_read_and_shown(ada, database, statements):
    few = csv_of("one")
    read(ada, few)
    statements.clear()
    read(ada, few)
    cost = len(statements)
    statements.clear()
    page = read(ada, csv_of(*(f"client-{number}" for number in range(500))))
    assert len(statements) <= cost
    assert len(rows(page, "Ready to be created")) == 100
    assert "Ready: 500" in page
    assert page.texts("dl.lines dd") == ["$12,500.00", "$150,000.00"]
    more = ada.browser.get(page.link("Next"))
    assert rows(more, "Ready to be created")[0][0] == "client-100 Line 102"


def test_many_broken_lines_follow_one_after_the_other(ada, database):
    page = read(ada, csv_of(*(f"client-{number}" for number in range(30))).replace(",5,", ",0,"))
    assert len(page.select("section.panel form[novalidate]")) == 10
    assert "20 lines more have to be corrected; they follow." in page


def test_a_line_costs_a_bounded_number_of_statements(ada, database, statements):
    page = read(ada, csv_of(*(f"client-{number}" for number in range(20))))
    statements.clear()
    create(ada, page)
    assert len(statements) <= 60 + 20 * 36, len(statements)


def upload(ada, data, status):
    """Send a file as a browser does; the test client would leave its own copy open."""
    token = ada.browser.csrf_token()
    parts = {"csrf_token": token, "locale": "en", 'file"; filename="x.csv': data.decode()}
    body = "".join(
        f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in parts.items()
    )
    kind = "multipart/form-data; boundary=edge"
    answer = ada.browser.client.post(url_of(ada), data=f"{body}--edge--\r\n", content_type=kind)
    assert answer.status_code == status
    return answer


def test_a_large_file_has_room_and_a_larger_one_is_refused_in_words(ada, database):
    names = ["n" * 1900 + str(number) for number in range(500)]
    upload(ada, csv_of(*names).encode()[:999_000], 303)
    assert "larger than 1 MB" in upload(ada, b"x" * 1_200_000, 422).text
    upload(ada, b"x" * 3_000_000, 413)


def test_no_other_form_may_send_as_much(ada, database):
    ada.browser.post(f"{ada.clients_url}/new", {"name": "x" * 1_100_000}, status=413)


def test_the_template_reads_back_in_both_languages(ada, database):
    for language in ("en", "fr"):
        ada.browser.language = language
        answer = ada.browser.client.get(
            f"{url_of(ada)}/template.csv", headers={"Accept-Language": language}
        )
        page = ada.browser.get(url_of(ada))
        button = page.texts("form[enctype] button")[-1]
        data = {"file": (io.BytesIO(answer.data), "template.csv")}
        page = ada.browser.follow(ada.browser.submit(page, button, data))
        assert not page.select(".error")
        assert page.text("#clients-import tbody th").startswith("Acme Ltd")


def test_what_is_left_is_a_file_that_computes_nothing_and_reads_back(ada, database):
    bad = '=HYPERLINK("x"),b@x.example,o@x.example,teams,0,,'
    page = read(ada, csv_of("acme", more=[bad.replace('"x"', "x")]))
    page = create(ada, page)
    data = ada.browser.client.get(page.link("Download what is not created yet")).data
    assert b"'=HYPERLINK" in data
    assert b"acme@" not in data
    page = ada.browser.get(url_of(ada))
    answer = ada.browser.submit(page, "Check the list", {"file": (io.BytesIO(data), "x.csv")})
    again = ada.browser.follow(answer)
    assert again.one("#line2-name")["value"] == "=HYPERLINK(x)"


def test_a_cell_is_kept_no_longer_than_it_can_matter(ada, database):
    url = read(ada, csv_of("acme")).response.request.path
    ada.browser.post(f"{url}/lines/2", {"line2-name": "x" * 90_000 + "\0"}, status=303)
    typed = database.one(select(ClientImportLine.typed))
    assert typed["name"] == "x" * LONGEST_CELL


def test_nobody_keeps_lists_without_end(ada, database):
    for _turn in range(60):
        ada.browser.post(url_of(ada), {"text": "", "locale": "en"}, status=422)
    ada.browser.post(url_of(ada), {"text": csv_of("acme"), "locale": "en"}, status=429)
    assert database.count(ClientImport) == 0


def test_names_of_any_kind_are_only_text(ada, database):
    page = read(ada, csv_of("<script>alert(1)</script>", "a\u202eb", "l" * 51))
    assert not page.select("#clients-import script")
    assert len(page.select("#clients-import .error")) >= 2


def test_french_all_the_way(ada, database):
    ada.browser.language = "fr"
    page = ada.browser.get(url_of(ada))
    assert page.heading == "Créer à partir d’une liste"  # noqa: RUF001 - French
    text = (
        "Nom de l’organisation;Adresse e-mail de facturation;"  # noqa: RUF001 - French
        "Adresse e-mail du propriétaire du client;Formule;Places;Périodicité de facturation\n"
        "Élan;bills@elan.example;o@elan.example;Équipes;5;Annuelle\n"
        "Faux;bills;o@elan.example;Or;zéro;\n"
    )
    page = ada.browser.follow(ada.browser.submit(page, "Vérifier la liste", {"text": text}))
    assert page.text("#clients-import tbody th") == "Élan Ligne 2"
    assert page.text("#line3-plan-field .error") == "Choisissez une formule."
    page = ada.browser.follow(ada.browser.submit(page, "Créer 1 client"))
    assert database.one(select(Organization.name)) == "Élan"
    assert database.one(select(Member.invitation_locale)) == "fr"


def test_old_lists_and_changes_are_removed_by_the_worker(app, ada, database):
    now = utc_now()
    owner = {"provider_id": ada.provider.id, "account_id": ada.account.id}
    client = make_client(database, ada.provider)
    kept, gone = [], []
    for model, begun in ((ClientImport, ImportState), (ChangeSet, BulkState)):
        more = {"action": BulkAction.SUSPEND} if model is ChangeSet else {}
        for days, state, bucket in (
            (6, begun.PLANNED, kept),
            (8, begun.PLANNED, gone),
            (8, begun.RUNNING, kept),
            (31, begun.RUNNING, gone),
            (29, begun.DONE, kept),
            (31, begun.DONE, gone),
        ):
            at = now - dt.timedelta(days=days)
            row = model(
                **owner,
                **more,
                id=new_id(),
                state=state,
                created_at=at,
                done_at=at if state is begun.DONE else None,
            )
            bucket.append(database.add(row).id)
            if model is ChangeSet:
                database.add(
                    ChangeSetRow(
                        provider_id=ada.provider.id,
                        change_set_id=row.id,
                        organization_id=client.id,
                        name="Acme",
                        name_ci="acme",
                        state="planned",
                    )
                )
            else:
                database.add(
                    ClientImportLine(
                        provider_id=ada.provider.id,
                        import_id=row.id,
                        line=1,
                        typed={},
                        state="planned",
                    )
                )
    with app.app_context():
        removed = tidy(sessionmaker(db.engine, join_transaction_mode="create_savepoint"))
    assert (removed["client_imports"], removed["change_sets"]) == (3, 3)
    left = database.all(select(ClientImport.id)) + database.all(select(ChangeSet.id))
    assert set(left) == set(kept)
    assert database.count(ChangeSetRow) == database.count(ClientImportLine) == 3


@pytest.mark.committed
def test_two_tabs_that_go_on_create_each_client_once(committed, monkeypatch):
    monkeypatch.setitem(imports.work.__kwdefaults__, "batch", 2)
    ada = persona(committed)
    page = create(ada, read(ada, csv_of(*(f"c{number}" for number in range(10)))))
    url = page.response.request.path
    browsers = [sign_in(committed, Browser(committed.app), ada.account) for _ in range(2)]
    start = Barrier(2)

    def go_on(browser):
        token = browser.csrf_token()
        start.wait()
        return [
            browser.client.post(f"{url}/work", data={"csrf_token": token}).status_code
            for _turn in range(5)
        ]

    with ThreadPoolExecutor(2) as pool:
        codes = [code for each in pool.map(go_on, browsers) for code in each]
    assert set(codes) == {303}
    assert sorted(committed.all(select(Organization.name))) == [f"c{n}" for n in range(10)]
    assert committed.one(select(Provider.clients_count)) == 10
    assert committed.one(select(func.count()).select_from(Member)) == 10


@pytest.mark.committed
@pytest.mark.parametrize("_turn", range(3))
def test_going_on_and_deleting_at_once_end_well(committed, monkeypatch, _turn):
    monkeypatch.setitem(imports.work.__kwdefaults__, "batch", 2)
    ada = persona(committed)
    page = create(ada, read(ada, csv_of(*(f"c{number}" for number in range(8)))))
    url = page.response.request.path
    browsers = [sign_in(committed, Browser(committed.app), ada.account) for _ in range(2)]
    start = Barrier(2)

    def press(turn):
        token = browsers[turn].csrf_token()
        start.wait()
        step = "work" if turn else "delete"
        post = browsers[turn].client.post
        return post(f"{url}/{step}", data={"csrf_token": token}).status_code

    with ThreadPoolExecutor(2) as pool:
        deleted, worked = pool.map(press, range(2))
    assert deleted == 303
    assert worked in {303, 404}
    made = len(committed.all(select(Organization.id)))
    assert made == (4 if worked == 303 else 2)
    assert committed.one(select(Provider.clients_count)) == made
    assert committed.count(ClientImportLine) == 0


def test_a_database_that_says_no_to_the_line_creates_nothing(ada, database):
    """Even without the lock of the list a line is taken once: its state decides."""
    page = read(ada, csv_of("acme"))
    database.run(update(ClientImport).values(state=ImportState.RUNNING))
    with database.session() as session:
        line = session.scalars(select(ClientImportLine)).one()
        assert imports._take(session, line)
        assert not imports._take(session, line)
    ada.browser.post(f"{page.response.request.path}/work", status=303)
    assert database.count(Organization) == 0
