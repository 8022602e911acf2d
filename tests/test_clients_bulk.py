"""One change for many clients: looked at, confirmed, done in batches, undone."""

import pytest
from sqlalchemy import delete, select, update

from portal.clients import bulk, deeds
from portal.domain.access import Role
from portal.domain.bulk import BulkAction, Facts, RowState, plan
from portal.domain.names import name_ci
from portal.domain.states import ClientStatus, MemberState
from portal.models import (
    ChangeSet,
    Event,
    Member,
    Organization,
    OrganizationTag,
    Outbox,
    Tag,
    new_id,
    utc_now,
)
from tests.support.clients import make_client, persona
from tests.test_clients_table import names
from tests.test_clients_tags import stored, write

TICKED, EVERY = "Look at the ticked ones", "Look at all"


@pytest.fixture
def ada(database):
    return persona(database)


def make_tag(database, ada, name="Gold"):
    return database.add(
        Tag(provider_id=ada.provider.id, id=new_id(), name=name, name_ci=name_ci(name), colour=3)
    )


def look(ada, button, query="", **fields):
    """Choose on the table and open the page that says what would happen."""
    page = ada.browser.get(ada.clients_url + query)
    words = next(text for text in page.texts("form button") if text.startswith(button))
    return ada.browser.follow(ada.browser.submit(page, words, fields))


def confirm(ada, page):
    words = next(text for text in page.texts("form button") if text.startswith("Change "))
    return ada.browser.follow(ada.browser.submit(page, words))


def results(page):
    return [
        tuple(cell.get_text(" ", strip=True) for cell in row.select("th, td"))
        for row in page.select("#clients-many tbody tr")
    ]


def told(database, kind):
    with database.session() as session:
        return session.scalars(select(Event.payload).where(Event.type == kind)).all()


def test_ticked_clients_are_looked_at_confirmed_and_tagged(ada, database):
    gold = make_tag(database, ada)
    acme, beta, _other = (
        make_client(database, ada.provider, name) for name in ("Acme", "Beta", "C")
    )
    write(ada, beta, tags=[gold.id.hex])
    page = look(ada, TICKED, id=[acme.id, beta.id], do="tag", tag_id=gold.id.hex)
    assert page.heading == "Give the tag Gold"
    assert results(page) == [
        ("Acme", "Will be changed", ""),
        ("Beta", "Nothing to do", "It has the tag already."),
    ]
    assert stored(database, acme) == set()
    page = confirm(ada, page)
    assert [row[:2] for row in results(page)] == [("Acme", "Done"), ("Beta", "Nothing to do")]
    assert stored(database, acme) == {gold.id}
    assert len(told(database, "provider:change_set:start")) == 1
    # One for Beta's own form, one for Acme by the change.
    assert len(told(database, "provider:client:annotate")) == 2


def test_all_that_match_are_found_again_at_the_confirmation(ada, database):
    gold = make_tag(database, ada)
    make_client(database, ada.provider, "Acme 1")
    gone = make_client(database, ada.provider, "Acme 2")
    make_client(database, ada.provider, "Beta")
    page = look(ada, EVERY, "?q=acme", do="tag", tag_id=gold.id.hex)
    assert [row[0] for row in results(page)] == ["Acme 1", "Acme 2"]
    database.run(update(Organization).where(Organization.id == gone.id).values(name_ci="zzz"))
    new = make_client(database, ada.provider, "Acme 3")
    again = ada.browser.submit(page, "Change 2 clients", status=409)
    assert "1 client is new here or has changed since you looked." in again
    assert "1 client does not match any more." in again
    assert [row[0] for row in results(again)] == ["Acme 1", "Acme 3"]
    assert stored(database, new) == set()
    confirm(ada, again)
    assert stored(database, new) == {gold.id}
    assert stored(database, gone) == set()


def test_undo_gives_back_what_nobody_has_changed_since(ada, database):
    gold = make_tag(database, ada)
    acme, beta = (make_client(database, ada.provider, name) for name in ("Acme", "Beta"))
    page = confirm(ada, look(ada, EVERY, do="tag", tag_id=gold.id.hex))
    write(ada, beta, new_tags="Silver")
    page = ada.browser.follow(ada.browser.submit(page, "Undo"))
    assert results(page) == [
        ("Acme", "Undone", ""),
        ("Beta", "Not undone", "Somebody has changed it since."),
    ]
    assert stored(database, acme) == set()
    assert gold.id in stored(database, beta)
    assert "Undo" not in page.texts("button")


def test_undo_pressed_twice_is_undone_once(ada, database):
    gold = make_tag(database, ada)
    acme = make_client(database, ada.provider, "Acme")
    page = confirm(ada, look(ada, EVERY, do="tag", tag_id=gold.id.hex))
    ada.browser.submit(page, "Undo", status=303)
    ada.browser.submit(page, "Undo", status=303)
    assert stored(database, acme) == set()
    assert len(told(database, "provider:change_set:undo")) == 1


def test_undo_ends_after_ten_minutes(ada, database):
    gold = make_tag(database, ada)
    acme = make_client(database, ada.provider, "Acme")
    page = confirm(ada, look(ada, EVERY, do="tag", tag_id=gold.id.hex))
    database.run(update(ChangeSet).values(done_at=utc_now() - bulk.UNDO_FOR))
    again = ada.browser.submit(page, "Undo", status=409)
    assert "This cannot be undone any more." in again
    assert stored(database, acme) == {gold.id}


def test_clients_are_suspended_resumed_and_what_cannot_be_is_said(ada, database):
    fine = make_client(database, ada.provider, "Fine")
    make_client(database, ada.provider, "Held", status=ClientStatus.SUSPENDED)
    make_client(
        database,
        ada.provider,
        "Off",
        status=ClientStatus.DELETING,
        status_before_deletion=ClientStatus.ACTIVE,
        delete_at=utc_now(),
    )
    page = look(ada, EVERY, do="suspend")
    assert results(page) == [
        ("Fine", "Will be changed", ""),
        ("Held", "Nothing to do", "It is so already."),
        ("Off", "Not done", "It is being deleted."),
    ]
    page = confirm(ada, page)
    with database.session() as session:
        assert session.get_one(Organization, fine.id).status is ClientStatus.SUSPENDED
    ada.browser.submit(page, "Undo")
    with database.session() as session:
        assert session.get_one(Organization, fine.id).status is ClientStatus.ACTIVE


def test_owner_invitations_go_out_again_and_cannot_be_undone(ada, database):
    acme = make_client(database, ada.provider, "Acme")
    make_client(database, ada.provider, "Beta")
    make_client(database, ada.provider, "Cedar", owner_confirmed=True)
    database.add(
        Member(
            organization_id=acme.id,
            email="owner@acme.example",
            role=Role.OWNER,
            state=MemberState.INVITED,
            invitation_expires_at=utc_now(),
        )
    )
    shut = make_client(database, ada.provider, "Dune", status=ClientStatus.SUSPENDED)
    database.add(
        Member(
            organization_id=shut.id,
            email="owner@dune.example",
            role=Role.OWNER,
            state=MemberState.INVITED,
            invitation_expires_at=utc_now(),
        )
    )
    page = look(ada, EVERY, do="invite")
    assert "An e-mail that is sent cannot be taken back." in page
    seen = [row[1:] for row in results(page)[1:]]
    page = confirm(ada, page)
    assert [row[1:] for row in results(page)[1:]] == seen
    assert results(page) == [
        ("Acme", "Done", ""),
        ("Beta", "Nothing to do", "No invited owner waits for an e-mail."),
        ("Cedar", "Nothing to do", "Its owner is confirmed."),
        ("Dune", "Not done", "The client is suspended or being deleted."),
    ]
    assert "Undo" not in page.texts("button")
    with database.session() as session:
        assert len(session.scalars(select(Outbox)).all()) == 1


def test_many_are_done_in_batches_and_go_on_after_a_closed_tab(ada, database, monkeypatch):
    monkeypatch.setattr(deeds.Tagging, "batch", 4)
    gold = make_tag(database, ada)
    for number in range(10):
        make_client(database, ada.provider, f"Client {number}")
    page = confirm(ada, look(ada, EVERY, do="tag", tag_id=gold.id.hex))
    assert "4 of 10 clients are looked after." in page
    url = page.response.request.path
    page = ada.browser.get(url)
    page = ada.browser.follow(ada.browser.submit(page, "Go on"))
    assert "8 of 10" in page
    piece = ada.browser.post(f"{url}/work", hx="clients-many")
    assert "Done: 10" in piece
    with database.session() as session:
        assert len(session.scalars(select(OrganizationTag.tag_id)).all()) == 10
    # Once it is done, doing it again changes nothing.
    ada.browser.post(f"{url}/work", status=303)
    ada.browser.post(f"{url}/start", status=303)
    assert len(told(database, "provider:client:annotate")) == 10


def test_a_deleted_tag_is_refused_and_nothing_is_half_done(ada, database):
    gold = make_tag(database, ada)
    acme = make_client(database, ada.provider, "Acme")
    page = look(ada, EVERY, do="tag", tag_id=gold.id.hex)
    database.run(delete(Tag))
    page = confirm(ada, page)
    assert results(page) == [("Acme", "Not done", "The tag is not there any more.")]
    assert stored(database, acme) == set()


def test_a_change_is_found_again_from_the_table(ada, database):
    gold = make_tag(database, ada)
    make_client(database, ada.provider, "Acme")
    look(ada, EVERY, do="tag", tag_id=gold.id.hex)
    page = ada.browser.get(ada.browser.get(ada.clients_url).link("Earlier changes"))
    assert "Not confirmed" in page
    confirm(ada, ada.browser.get(page.link("Give the tag Gold")))
    page = ada.browser.get(page.response.request.path)
    assert page.texts("tbody td")[:2] == ["Done", ada.account.name]
    mallory = persona(database)
    assert "No changes yet" in mallory.browser.get(f"{mallory.clients_url}/changes")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"do": "suspend"}, "Tick at least one client first."),
        ({"do": "tag", "tag_id": new_id().hex, "scope": "all"}, "The tag is not there any more."),
        ({"do": "nonsense", "scope": "all"}, "Choose what shall be done."),
    ],
)
def test_a_choice_that_says_nothing_is_answered_on_the_table(ada, database, fields, words):
    make_client(database, ada.provider, "Acme")
    page = ada.browser.post(f"{ada.clients_url}/changes", fields, status=422)
    assert page.text(".error-summary li") == words


def test_nobody_changes_another_providers_clients(ada, database):
    acme = make_client(database, ada.provider, "Acme")
    mallory = persona(database)
    page = mallory.browser.post(
        f"{mallory.clients_url}/changes", {"do": "suspend", "id": acme.id}, status=422
    )
    assert "Tick at least one client first." in page
    assert "Acme" not in page
    page = look(ada, EVERY, do="suspend")
    change_id = page.response.request.path.rpartition("/")[2]
    mallory.browser.get(f"{mallory.clients_url}/changes/{change_id}", status=404)


def test_a_service_user_tags_but_does_not_suspend(ada, database):
    tom = persona(database, Role.SERVICE_USER, ada.provider)
    make_client(database, ada.provider, "Acme")
    tom.browser.post(f"{tom.clients_url}/changes", {"do": "suspend", "scope": "all"}, status=403)
    page = look(ada, EVERY, do="suspend")
    tom.browser.post(f"{page.response.request.path}/start", status=403)
    gold = make_tag(database, ada)
    page = tom.browser.get(tom.clients_url)
    assert names(page) == ["Acme"]
    assert [option["value"] for option in page.select("#clients-do option")] == [
        "tag",
        "untag",
        "seats:remove",
        "seats:set",
    ]
    confirm(tom, look(tom, EVERY, do="tag", tag_id=gold.id.hex))


@pytest.mark.parametrize(
    ("action", "facts", "state"),
    [
        (BulkAction.TAG, (ClientStatus.ACTIVE, True, 20, False), RowState.REFUSED),
        (BulkAction.TAG, (ClientStatus.ACTIVE, True, 20, True), RowState.SAME),
        (BulkAction.UNTAG, (ClientStatus.ACTIVE, True, 0, False), RowState.SAME),
        (BulkAction.RESUME, (ClientStatus.SUSPENDED, True, 0, False), RowState.PLANNED),
        (BulkAction.INVITE, (ClientStatus.ACTIVE, True, 0, False), RowState.SAME),
    ],
)
def test_a_plan_follows_from_the_facts(action, facts, state):
    assert plan(action, Facts(*facts))[0] is state
