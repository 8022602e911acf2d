"""A client that is not live yet: whoever decides it sees it, service users find no trace of it."""

import pytest
from sqlalchemy import select, update

from portal.domain.access import Role
from portal.domain.attention import AttentionKind
from portal.domain.bulk import BulkAction, RowState
from portal.domain.names import name_ci
from portal.domain.scope import Level, Reach
from portal.domain.states import MemberState
from portal.models import (
    Attention,
    ChangeSet,
    ChangeSetRow,
    Event,
    Organization,
    OrganizationTag,
    Tag,
    new_id,
    utc_now,
)
from portal.radar import people, queries
from tests.faults.routes import routes_of
from tests.support.clients import make_client, persona
from tests.support.organizations import employ, join, make_place
from tests.support.scopes import place_of, scoped, settle
from tests.support.tenants import make_tenant

NAME = "Veiled Ltd"


@pytest.fixture
def place(database):
    return make_place(database)


@pytest.fixture
def admin(place):
    return place.admins_browser()


def hide(database, organization_id, *, hidden=True):
    values = {"hidden_since": utc_now() if hidden else None, "name": NAME, "name_ci": name_ci(NAME)}
    database.run(update(Organization).where(Organization.id == organization_id).values(**values))


def events_of(place, action):
    kind = f"organization:organization:{action}"
    return place.database.all(select(Event.payload).where(Event.type == kind))


# The switch.


def test_an_admin_hides_a_client_and_makes_it_live_and_both_logs_tell_it(place, admin):
    url = f"{place.url}/setup"
    admin.submit(admin.get(url), "Hide from service users until it is live")
    page = admin.get(url)
    assert "Not live yet" in page
    assert place.client().hidden_since is not None
    since = place.client().hidden_since
    admin.post(f"{url}/hide", status=303)
    assert place.client().hidden_since == since
    assert len(events_of(place, "hide")) == 2
    admin.submit(page, "Make it live")
    assert place.client().hidden_since is None
    admin.post(f"{url}/live", status=303)
    assert len(events_of(place, "go_live")) == 2
    assert "Ada Nordström made the client live." in admin.get(url).texts(".facts dd")


def test_nobody_but_a_provider_admin_may_switch(place, database):
    olga = place.person("olga2@acme.example", "Olga Petrova", keys=True)
    join(place, olga, Role.OWNER, MemberState.CONFIRMED)
    tom = place.person("tom@northwind.example", "Tom", keys=True)
    employ(database, place.provider, tom, Role.SERVICE_USER)
    for person in (olga, tom):
        browser = place.browser_of(person)
        assert "Hide from service users" not in browser.get(f"{place.url}/setup")
        browser.post(f"{place.url}/setup/hide", status=403)
        browser.post(f"{place.url}/setup/live", status=403)
    assert place.client().hidden_since is None


def test_the_provider_s_admin_sees_it_with_a_tag_and_it_counts(place, admin, database):
    hide(database, place.organization.id)
    page = admin.get(f"/providers/{place.provider.id}/clients")
    assert NAME in page
    assert "Not live yet" in page
    assert "1 client" in page
    assert "Not live yet" in admin.get(
        f"/providers/{place.provider.id}/clients/{place.organization.id}/manage"
    )


def test_a_member_enters_a_hidden_client_as_ever_even_one_who_is_a_service_user(place, database):
    hide(database, place.organization.id)
    tom = place.person("tom@northwind.example", "Tom", keys=True)
    employ(database, place.provider, tom, Role.SERVICE_USER)
    place.browser_of(tom).get(f"{place.url}/setup", status=404)
    join(place, tom, Role.ADMIN, MemberState.CONFIRMED)
    place.browser_of(tom).get(f"{place.url}/setup", status=200)


# What a service user finds, address by address and scope by scope.


def _tom(database, tenant, client, scope):
    if scope == "all":
        return persona(database, Role.SERVICE_USER, tenant.provider)
    reach = Reach.ONLY if scope.startswith("only") else Reach.ALL_BUT
    level = Level.READ_ONLY if scope.endswith("read") else Level.MANAGE
    return scoped(
        database,
        tenant.provider,
        reach,
        level,
        clients=[client] if reach is Reach.ONLY else [],
    )


def _filled(database):
    """A tenant whose one client waits, ends, is tagged, and was changed with others."""
    tenant = make_tenant(database, "Northmark")
    client = tenant.client
    here = {"provider_id": tenant.provider.id, "organization_id": client.id}
    tag = Tag(provider_id=tenant.provider.id, id=new_id(), name="Gold", name_ci="gold", colour=3)
    database.add(tag)
    database.add(OrganizationTag(**here, tag_id=tag.id))
    now = utc_now()
    for kind in (AttentionKind.INVITED, AttentionKind.TRIAL):
        database.add(
            Attention(
                **here,
                id=new_id(),
                kind=kind,
                subject_id=new_id(),
                label=f"{NAME} label",
                since=now,
                due_at=now,
            )
        )
    return tenant, client


@pytest.mark.parametrize("scope", ["all", "only", "all but", "only read"])
def test_no_address_answers_a_service_user_for_a_hidden_client(app, database, scope):
    tenant, client = _filled(database)
    tom = _tom(database, tenant, client, scope)
    wrong, seen = [], 0
    for hidden in (False, True):
        hide(database, client.id, hidden=hidden)
        for route in sorted(routes_of(app), key=lambda route: route.method):
            if not route.place or route.endpoint == "providers.leave_submit":
                continue
            url = route.url(app, tenant)
            data = {"csrf_token": tom.browser.csrf_token()} if route.method == "POST" else None
            if not hidden and route.method == "POST":
                continue
            answer = tom.browser.client.open(url, method=route.method, data=data)
            text = answer.get_data(as_text=True)
            if not hidden:
                seen += NAME in text
                continue
            about = "organization_id" in route.arguments
            if NAME in text or (about and answer.status_code not in {403, 404}):
                wrong.append(f"{route.method} {url}: {answer.status}")
    assert wrong == []
    tom.browser.get(tom.clients_url, status=200)
    assert seen > 3  # Otherwise the names would not be there to be found.


@pytest.mark.parametrize("scope", ["all", "only", "all but"])
def test_numbers_and_files_leave_it_out(database, scope):
    tenant, client = _filled(database)
    make_client(database, tenant.provider, "Plain Ltd", provider_since=utc_now())
    tom = _tom(database, tenant, client, scope)
    settle(database, tenant.provider)
    base = f"/providers/{tenant.provider.id}"
    reaches_other = scope != "only"
    hide(database, client.id, hidden=False)
    both = 2 if reaches_other else 1
    assert f"{both} client" in tom.browser.get(f"{base}/clients").response.text
    hide(database, client.id)
    page = tom.browser.get(f"{base}/clients").response.text
    assert NAME not in page
    assert ("1 client" in page) == reaches_other
    lines = tom.browser.get(f"{base}/clients.csv").response.text.splitlines()
    assert len(lines) == 1 + reaches_other
    assert NAME not in tom.browser.get(f"{base}/clients?q=veiled").response.text


def test_the_week_s_mail_and_the_calendar_leave_it_out(database):
    tenant, client = _filled(database)
    tom = persona(database, Role.SERVICE_USER, tenant.provider)
    ada = persona(database, Role.PROVIDER_ADMIN, tenant.provider)
    hide(database, client.id)
    seen = {}
    for who in (tom, ada):
        row_id = place_of(database, who).id
        with database.session() as session:
            reader = people.reader_of(people.person(session, tenant.provider.id, row_id))
            found = session.execute(queries.visible(reader, Attention.label)).all()
        seen[who is ada] = any(NAME in row.label for row in found)
    assert seen == {True: True, False: False}


def test_others_changes_of_a_hidden_client_are_hidden_too(database):
    tenant, client = _filled(database)
    tom = persona(database, Role.SERVICE_USER, tenant.provider)
    ada = persona(database, Role.PROVIDER_ADMIN, tenant.provider)
    change_set = ChangeSet(
        provider_id=tenant.provider.id,
        id=new_id(),
        account_id=ada.account.id,
        action=BulkAction.SUSPEND,
    )
    database.add(change_set)
    database.add(
        ChangeSetRow(
            provider_id=tenant.provider.id,
            change_set_id=change_set.id,
            organization_id=client.id,
            name=NAME,
            name_ci=name_ci(NAME),
            state=RowState.PLANNED,
        )
    )
    url = f"/providers/{tenant.provider.id}/clients/changes/{change_set.id}"
    tom.browser.get(url, status=200)
    hide(database, client.id)
    tom.browser.get(url, status=404)
    ada.browser.get(url, status=200)
