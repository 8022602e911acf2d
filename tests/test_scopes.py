"""Scopes on their pages: chosen, looked at, changed; and what a limited person then finds."""

import datetime as dt
import re

import pytest
from sqlalchemy import delete, select, update

from portal.domain.access import Role
from portal.domain.names import name_ci
from portal.domain.scope import Level, Reach
from portal.domain.states import ProviderPersonState
from portal.domain.tags import written
from portal.models import (
    ClientAccess,
    Organization,
    OrganizationTag,
    ProviderPerson,
    ScopePart,
    Tag,
    new_id,
    utc_now,
)
from portal.providers.endings import end_due
from tests.support.clients import make_client, make_provider, persona
from tests.support.eventlog import all_told
from tests.support.scopes import open_access, place_of, scoped, settle, terms


@pytest.fixture
def provider(database):
    return make_provider(database)


@pytest.fixture
def ada(database, provider):
    found = persona(database, Role.PROVIDER_ADMIN, provider)
    settle(database, provider)
    return found


@pytest.fixture
def clients(database, provider):
    names = ("Acme Ltd", "Bolt AG", "Cargo SA")
    return [make_client(database, provider, name, provider_since=utc_now()) for name in names]


def url_of(person):
    return f"/providers/{person.provider_id}/people/{person.id}"


def wish(*clients, reach="only", level="manage", **more):
    chosen = ",".join(client.id.hex for client in clients)
    return {"reach": reach, "level": level, "chosen": chosen, **more}


def change(ada, person, data, *, status=303):
    """Look, then confirm, as the two pages do."""
    url = f"{url_of(person)}/scope"
    page = ada.browser.get(url)
    seen = re.search(r'name="seen"[^>]*value="([^"]*)"', page.response.text).group(1)
    looked = ada.browser.post(url, data | {"seen": seen, "do": "preview"}, status=200)
    ada.browser.post(f"{url}/save", data | {"seen": seen}, status=status)
    return looked.response.text


def make_tag(database, provider, *clients, name="Gold"):
    tag = Tag(provider_id=provider.id, id=new_id(), name=name, name_ci=name_ci(name), colour=3)
    database.add(tag)
    for client in clients:
        here = {"provider_id": provider.id, "organization_id": client.id}
        database.add(OrganizationTag(**here, tag_id=tag.id))
    return tag


def service_user(database, provider):
    found = persona(database, Role.SERVICE_USER, provider)
    settle(database, provider)
    return found, place_of(database, found)


def test_a_scope_is_looked_at_then_changed_and_told(database, provider, ada, clients):
    tom, person = service_user(database, provider)
    acme, bolt, _cargo = clients
    text = change(ada, person, wish(acme, bolt, level="read_only"))
    assert "They lose 1 client" in text
    assert "Cargo SA" in text
    assert set(open_access(database, person.id)) == {acme.id, bolt.id}
    (told,) = all_told(database, "provider:person:change_scope")
    assert told["details"]["after"]["clients"] == 2
    assert told["details"]["before"]["reach"] == "all"
    first, second = terms(database, person.id)
    assert (first.reach, second.reach, second.level) == (Reach.ALL, Reach.ONLY, Level.READ_ONLY)
    page = tom.browser.get(tom.clients_url).response.text
    assert "Acme Ltd" in page
    assert "Cargo SA" not in page
    assert "2 clients" in page


def test_what_is_chosen_is_kept_over_searches_and_pages(database, provider, ada, clients):
    _tom, person = service_user(database, provider)
    url = f"{url_of(person)}/scope"
    acme, bolt, cargo = clients
    shown = ",".join(client.id.hex for client in clients)
    first = {"reach": "only", "chosen": cargo.id.hex, "shown": shown, "client": [acme.id.hex]}
    page = ada.browser.post(url, first | {"words": "bolt", "do": "search"}, status=200)
    text = page.response.text
    assert acme.id.hex in re.search(r'name="chosen"[^>]*value="([^"]*)"', text).group(1)
    assert cargo.id.hex not in re.search(r'name="chosen"[^>]*value="([^"]*)"', text).group(1)
    assert f'value="{bolt.id.hex}"' in text
    assert f'value="{acme.id.hex}" id' not in text


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"reach": "only", "level": "manage"}, "Choose at least one client or tag."),
        ({"reach": "all", "ends_on": "2001-01-01"}, "Choose a day that is not over yet."),
        ({"reach": "all", "ends_on": "never"}, "Enter a day"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(database, provider, ada, clients, data, said):
    _tom, person = service_user(database, provider)
    page = ada.browser.post(f"{url_of(person)}/scope", data | {"do": "preview"}, status=422)
    assert said in page.response.text


def test_an_admin_cannot_be_limited_nor_anybody_limit_themselves(database, provider, ada, clients):
    other = place_of(database, persona(database, Role.PROVIDER_ADMIN, provider))
    myself = place_of(database, ada)
    for person, said in ((other, "reaches and manages every client"), (myself, "yourself")):
        url = f"{url_of(person)}/scope"
        page = ada.browser.post(url, wish(clients[0], do="preview"), status=422)
        assert said in page.response.text
        ada.browser.post(f"{url}/save", wish(clients[0]), status=409)
    assert database.count(ScopePart) == 0


def test_the_ids_of_another_provider_are_left_out(database, provider, ada, clients):
    other = make_provider(database, "Southmark IT")
    foreign, tag = make_client(database, other, "Zeta"), make_tag(database, other)
    _tom, person = service_user(database, provider)
    data = wish(foreign, do="preview", tags=[tag.id.hex])
    page = ada.browser.post(f"{url_of(person)}/scope", data, status=422)
    assert "Zeta" not in page.response.text
    ada.browser.get(f"/providers/{other.id}/people/{person.id}/scope", status=404)


def test_a_scope_changed_in_the_meantime_is_not_overwritten(database, provider, ada, clients):
    _tom, person = service_user(database, provider)
    url = f"{url_of(person)}/scope"
    page = ada.browser.get(url).response.text
    seen = re.search(r'name="seen"[^>]*value="([^"]*)"', page).group(1)
    change(ada, person, wish(clients[0]))
    ada.browser.post(f"{url}/save", wish(clients[1]) | {"seen": seen}, status=409)
    assert set(open_access(database, person.id)) == {clients[0].id}


def test_making_an_admin_ends_the_scope(database, provider, ada, clients):
    tom = scoped(database, provider, clients=clients[:1])
    person = place_of(database, tom)
    data = {"action": "make-admin", "person": [str(person.id)]}
    ada.browser.post(f"/providers/{provider.id}/people/changes", data, status=303)
    person = place_of(database, tom)
    assert (person.reach, person.level) == (Reach.ALL, Level.MANAGE)
    assert open_access(database, person.id) == {}
    assert database.count(ScopePart) == 0


@pytest.mark.parametrize("way", ["suspend", "remove"])
def test_who_leaves_reaches_nothing_from_that_moment(database, provider, ada, clients, way):
    tom = scoped(database, provider, clients=clients[:1])
    person = place_of(database, tom)
    data = {"action": way, "person": [str(person.id)]}
    ada.browser.post(f"/providers/{provider.id}/people/changes", data, status=303)
    assert open_access(database, person.id) == {}
    assert all(term.until_at for term in terms(database, person.id))


# What a limited person finds


def test_a_client_outside_of_the_scope_is_not_there(database, provider, clients):
    tom = scoped(database, provider, clients=clients[:1])
    inside, outside = clients[:2]
    for page in ("manage", "rename", "notes", "subscription"):
        tom.browser.get(f"{tom.clients_url}/{inside.id}/{page}", status=200)
        tom.browser.get(f"{tom.clients_url}/{outside.id}/{page}", status=404)
    tom.browser.get(f"/organizations/{inside.id}/collections", status=200)
    tom.browser.get(f"/organizations/{outside.id}/collections", status=404)
    tom.browser.get(f"/organizations/{outside.id}/members", status=404)


def test_lists_searches_counts_and_files_obey_the_scope(database, provider, clients):
    tom = scoped(database, provider, clients=clients[:1])
    for query in ("", "?q=acme", "?plan=teams", "?status=active", "?sort=-name"):
        text = tom.browser.get(f"{tom.clients_url}{query}").response.text
        assert "Bolt AG" not in text
        assert "1 client<" in text or "1 client\n" in text, query
    text = tom.browser.get(f"{tom.clients_url}.csv").response.text
    assert "Acme Ltd" in text
    assert "Bolt AG" not in text


def test_who_only_reads_sees_no_button_and_writes_nothing(database, provider, clients):
    tom = scoped(database, provider, level=Level.READ_ONLY, clients=clients[:1])
    base = f"{tom.clients_url}/{clients[0].id}"
    page = tom.browser.get(f"{base}/manage").response.text
    for word in ("/rename", "/notes", "/subscription"):
        assert word not in page
        tom.browser.get(f"{base}{word}", status=403)
    tom.browser.post(f"{base}/rename", {"name": "X"}, status=403)
    tom.browser.post(f"{tom.clients_url}/views/new", {"name": "X"}, status=403)
    table = tom.browser.get(f"{tom.clients_url}?q=a").response.text
    assert "Save this view" not in table
    assert 'name="id"' not in table


def test_a_change_of_many_touches_only_the_scope(database, provider, clients):
    tom = scoped(database, provider, clients=clients[:2])
    tag = make_tag(database, provider)
    data = {"do": "tag", "tag_id": str(tag.id), "id": [str(client.id) for client in clients]}
    prepared = tom.browser.post(f"{tom.clients_url}/changes", data, status=303)
    url = prepared.response.location
    text = tom.browser.get(url).response.text
    assert "Cargo SA" not in text
    # One leaves the scope while the change waits to be started.
    person = place_of(database, tom)
    database.run(delete(ScopePart).where(ScopePart.organization_id == clients[1].id))
    settle(database, provider, people=[person.id])
    tom.browser.post(f"{url}/start", {}, status=409)
    tom.browser.post(f"{url}/start", {}, status=303)
    tagged = database.all(select(OrganizationTag.organization_id))
    assert tagged == [clients[0].id]


def test_a_change_of_somebody_else_is_not_a_limited_persons(database, provider, ada, clients):
    tag = make_tag(database, provider)
    data = {"do": "tag", "tag_id": str(tag.id), "id": [str(client.id) for client in clients]}
    url = ada.browser.post(f"{ada.clients_url}/changes", data, status=303).response.location
    tom = scoped(database, provider, clients=clients[:1])
    tom.browser.get(url, status=404)
    tom.browser.post(f"{url}/start", {}, status=404)
    assert "Bolt" not in tom.browser.get(f"{tom.clients_url}/changes").response.text


def test_a_limited_person_neither_renames_nor_deletes_tags(database, provider, clients):
    tag = make_tag(database, provider, *clients)
    tom = scoped(database, provider, Reach.ALL_BUT, tags=[tag.id])
    for page in (f"/tags/{tag.id}", f"/tags/{tag.id}/delete"):
        tom.browser.get(f"{tom.clients_url}{page}", status=403)
        tom.browser.post(f"{tom.clients_url}{page}", {"name": "x"}, status=403)
    assert open_access(database, place_of(database, tom).id) == {}


def test_only_an_admin_gives_or_takes_a_tag_that_says_what_somebody_reaches(
    database, provider, ada, clients
):
    named, free = (
        make_tag(database, provider, clients[0]),
        make_tag(database, provider, name="Free"),
    )
    shown = update(Organization).where(Organization.id == clients[0].id)
    database.run(shown.values(tags_shown=written([named.id])))
    tom = scoped(database, provider, tags=[named.id])
    sam = persona(database, Role.SERVICE_USER, provider)

    def write(who, client, *tags, status):
        url = f"{who.clients_url}/{client.id}/notes"
        seen = re.search(r'name="seen"[^>]*value="([^"]*)"', who.browser.get(url).response.text)
        data = {"seen": seen.group(1), "tags": [tag.id.hex for tag in tags]}
        return who.browser.post(url, data, status=status)

    reached = open_access(database, place_of(database, tom).id)
    assert "says what somebody reaches" in write(sam, clients[1], named, status=422)
    assert "says what somebody reaches" in write(tom, clients[0], status=422)
    write(sam, clients[0], named, free, status=303)
    fields = {"do": "tag", "tag_id": str(named.id), "scope": "all", "query": ""}
    url = sam.browser.post(f"{sam.clients_url}/changes", fields, status=303).response.location
    assert "says what somebody reaches" in sam.browser.get(url)
    sam.browser.post(f"{url}/start", {}, status=303)
    assert open_access(database, place_of(database, tom).id) == reached
    write(ada, clients[1], named, status=303)
    assert clients[1].id in open_access(database, place_of(database, tom).id)


def test_a_tag_that_leaves_clients_out_cannot_be_deleted(database, provider, ada, clients):
    tag = make_tag(database, provider, *clients)
    scoped(database, provider, Reach.ALL_BUT, tags=[tag.id])
    url = f"{ada.clients_url}/tags/{tag.id}/delete"
    assert "leaves clients out" in ada.browser.get(url).response.text
    ada.browser.post(url, {}, status=409)
    assert database.count(Tag) == 1


def test_deleting_a_tag_takes_its_clients_from_the_scope(database, provider, ada, clients):
    tag = make_tag(database, provider, clients[0])
    tom = scoped(database, provider, tags=[tag.id])
    assert tom.browser.get(f"{tom.clients_url}/{clients[0].id}/manage", status=200)
    ada.browser.post(f"{ada.clients_url}/tags/{tag.id}/delete", {}, status=303)
    tom.browser.get(f"{tom.clients_url}/{clients[0].id}/manage", status=404)


def test_the_clients_page_takes_as_many_statements_in_a_scope(
    database, provider, clients, statements
):
    counted = []
    for found in (
        persona(database, Role.SERVICE_USER, provider),
        scoped(database, provider, clients=clients),
    ):
        found.browser.get(found.clients_url)
        statements.clear()
        found.browser.get(found.clients_url)
        counted.append(len(statements))
    assert counted[0] == counted[1]


# Whom they can reach, and who can


def test_both_pages_tell_who_reached_what_on_any_day(database, provider, ada, clients):
    tom = scoped(database, provider, clients=clients[:1])
    person = place_of(database, tom)
    lately = utc_now() - dt.timedelta(days=10)
    ended = utc_now() - dt.timedelta(days=5)
    database.run(update(ClientAccess).values(from_at=lately, until_at=ended))
    for term in terms(database, person.id):
        database.run(update(type(term)).where(type(term).id == term.id).values(from_at=lately))
    day = (utc_now() - dt.timedelta(days=7)).date()
    url = f"{url_of(person)}/clients"
    assert "Acme Ltd" in ada.browser.get(f"{url}?day={day}").response.text
    assert "Acme Ltd" not in ada.browser.get(url).response.text
    assert "Acme Ltd" in ada.browser.get(f"{url}.csv?day={day}").response.text
    url = f"{ada.clients_url}/{clients[0].id}/people"
    assert tom.account.name in ada.browser.get(f"{url}?day={day}").response.text
    database.run(delete(ProviderPerson).where(ProviderPerson.id == person.id))
    then = ada.browser.get(f"{url}?day={day}").response.text
    assert tom.account.email in then
    assert "Removed since" in then
    assert tom.account.email not in ada.browser.get(url).response.text
    assert tom.account.email in ada.browser.get(f"{url}.csv?day={day}").response.text
    tom2, _person = service_user(database, provider)
    tom2.browser.get(url, status=403)


def test_who_reaches_all_reached_a_client_only_while_it_was_one(database, provider, ada, clients):
    myself = place_of(database, ada)
    yesterday = (utc_now() - dt.timedelta(days=2)).date()
    for table in terms(database, myself.id):
        long_ago = utc_now() - dt.timedelta(days=50)
        database.run(update(type(table)).values(from_at=long_ago))
    url = f"{ada.clients_url}/{clients[0].id}/people"
    assert ada.account.email in ada.browser.get(url).response.text
    assert (
        ada.account.email
        not in ada.browser.get(f"{url}?day={yesterday}").response.text.split("<main")[1]
    )
    mine = f"{url_of(myself)}/clients"
    assert "Acme Ltd" in ada.browser.get(mine).response.text
    assert "Acme Ltd" not in ada.browser.get(f"{mine}?day={yesterday}").response.text


# The last day


def end_now(database, person):
    database.run(
        update(ProviderPerson)
        .where(ProviderPerson.id == person.id)
        .values(access_ends_at=utc_now() - dt.timedelta(minutes=1))
    )


def sessions_of(app):
    from sqlalchemy.orm import sessionmaker  # noqa: PLC0415

    from portal.extensions import db  # noqa: PLC0415

    with app.app_context():
        return sessionmaker(db.engine, expire_on_commit=False)


def test_the_worker_suspends_whose_last_day_is_over(committed, committed_app):
    provider = make_provider(committed)
    persona(committed, Role.PROVIDER_ADMIN, provider)
    client = make_client(committed, provider)
    tom = scoped(committed, provider, clients=[client])
    person = place_of(committed, tom)
    end_now(committed, person)
    assert end_due(sessions_of(committed_app)) == 1
    assert end_due(sessions_of(committed_app)) == 0
    assert place_of(committed, tom).state is ProviderPersonState.SUSPENDED
    assert open_access(committed, person.id) == {}
    assert len(all_told(committed, "provider:person:end_access")) == 1


def test_the_worker_never_ends_the_last_admin(committed, committed_app):
    provider = make_provider(committed)
    ada = persona(committed, Role.PROVIDER_ADMIN, provider)
    end_now(committed, place_of(committed, ada))
    assert end_due(sessions_of(committed_app)) == 0
    person = place_of(committed, ada)
    assert person.state is ProviderPersonState.CONFIRMED
    assert person.access_ends_at is None


def test_a_resumed_person_is_not_ended_by_the_old_day(database, provider, ada):
    tom, person = service_user(database, provider)
    database.run(
        update(ProviderPerson)
        .where(ProviderPerson.id == person.id)
        .values(
            state=ProviderPersonState.SUSPENDED, access_ends_at=utc_now() - dt.timedelta(days=1)
        )
    )
    data = {"action": "resume", "person": [str(person.id)]}
    ada.browser.post(f"/providers/{provider.id}/people/changes", data, status=303)
    assert place_of(database, tom).access_ends_at is None
