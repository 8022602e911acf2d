"""What a person with a limited scope finds and may do."""

import re

import pytest
from sqlalchemy import delete, select, update

from portal.domain.access import Role
from portal.domain.scope import Level, Reach
from portal.domain.tags import written
from portal.models import (
    Organization,
    OrganizationTag,
    ScopePart,
    Tag,
    utc_now,
)
from tests.support.clients import make_client, make_provider, persona
from tests.support.scope_pages import make_tag
from tests.support.scopes import open_access, place_of, scoped, settle


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
