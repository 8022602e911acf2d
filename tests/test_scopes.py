"""Scopes on their pages: chosen, looked at, changed, told of, and ended."""

import datetime as dt
import re

import pytest
from sqlalchemy import delete, update

from portal.domain.access import Role
from portal.domain.scope import Level, Reach
from portal.domain.states import ProviderPersonState
from portal.models import (
    ClientAccess,
    Provider,
    ProviderPerson,
    ScopePart,
    ScopeTerm,
    utc_now,
)
from portal.providers import attention
from portal.providers.endings import end_due
from tests.support.attention import wrong
from tests.support.clients import make_client, make_provider, persona
from tests.support.eventlog import all_told
from tests.support.scope_pages import change, make_tag, service_user, url_of, wish
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


def test_access_from_midnight_on_is_not_told_of_the_day_before(database, provider, ada, clients):
    tom = scoped(database, provider, clients=clients[:1])
    database.run(update(Provider).values(time_zone="UTC"))
    midnight = utc_now().replace(hour=0, minute=0, second=0, microsecond=0)
    begun = midnight - dt.timedelta(days=7)
    for table in (ClientAccess, ScopeTerm):
        database.run(update(table).values(from_at=begun))
    url = f"{ada.clients_url}/{clients[0].id}/people.csv"
    for days, is_told in ((0, True), (-1, False)):
        day = (begun + dt.timedelta(days=days)).date()
        told = ada.browser.get(f"{url}?day={day}").response.text
        assert (tom.account.email in told) is is_told


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
    put_day(database, person)
    with database.session() as session:
        attention.rebuild(session.connection())


def put_day(database, person):
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
    assert wrong(committed) == []


def test_the_worker_never_ends_the_last_admin(committed, committed_app):
    provider = make_provider(committed)
    ada = persona(committed, Role.PROVIDER_ADMIN, provider)
    end_now(committed, place_of(committed, ada))
    assert end_due(sessions_of(committed_app)) == 0
    person = place_of(committed, ada)
    assert person.state is ProviderPersonState.CONFIRMED
    assert person.access_ends_at is None
    assert wrong(committed) == []


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
