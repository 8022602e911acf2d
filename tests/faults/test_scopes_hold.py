"""By role, scope and route: a limited scope and a level are held by every address there is."""

import pytest
from sqlalchemy import select, update

from portal.domain.access import Role
from portal.domain.bulk import BulkAction, BulkState, RowState
from portal.domain.scope import READING, Level, Reach, permitted
from portal.models import (
    ChangeSet,
    ChangeSetRow,
    OrganizationTag,
    ProviderPerson,
    new_id,
)
from tests.faults.rights import RIGHTS
from tests.faults.routes import routes_of
from tests.faults.test_tenants_stay_apart import ask, forget_limits
from tests.support.clients import make_client
from tests.support.scopes import name_parts, settle
from tests.support.tenants import make_tenant

# What leads on for whoever may ask, whatever came of it.
ANSWERED = {200, 204, 303, 409, 422}
OF_THE_ROLE = RIGHTS["provider", "service user"]
# About oneself: nobody's client changes.
THEIR_OWN = {
    "grants.ask_submit",
    "grants.ask_withdraw",
    "grants.leave",
    "members.leave_submit",
    "policies.message_seen",
    "providers.leave_submit",
    "radar.make_calendar",
    "radar.start_digest",
    "radar.stop_calendar",
    "radar.stop_digest",
    "recovery.enrol",
    "recovery.stop",
    "recovery.withdraw",
}


@pytest.fixture
def north(database):
    return make_tenant(database, "Northmark")


@pytest.fixture
def routes(app):
    return [route for route in routes_of(app) if route.place]


def limit(database, tenant, reach=Reach.ONLY, level=Level.MANAGE, *, clients=()):
    """Give the tenant's service user a scope."""
    person_id = tenant.person_id
    database.run(
        update(ProviderPerson)
        .where(ProviderPerson.id == person_id)
        .values(reach=reach, level=level)
    )
    person = database.one(select(ProviderPerson).where(ProviderPerson.id == person_id))
    name_parts(database, person, clients=clients)
    settle(database, tenant.provider)


@pytest.mark.parametrize("level", list(Level))
@pytest.mark.parametrize("reach", [Reach.ONLY, Reach.ALL_BUT])
def test_a_client_outside_of_the_scope_is_nowhere(app, database, routes, north, reach, level):
    other = make_client(database, north.provider, "Elsewhere Ltd")
    inside = [other] if reach is Reach.ONLY else [north.client]
    limit(database, north, reach, level, clients=inside)
    browser = north.browser("service user")
    wrong, cells = [], 0
    for route in routes:
        if "organization_id" not in route.arguments:
            continue
        forget_limits(database)
        cells += 1
        answer = ask(browser, route, route.url(app, north))
        # The right comes first where the address is the provider's.
        rights = {right.value for right in permitted(Role.SERVICE_USER, level)}
        hidden = route.place == "organization" or route.needs in rights
        if answer.status_code != (404 if hidden else 403) or north.client.name in answer.text:
            wrong.append(f"{route}: {answer.status}")
    assert wrong == []
    assert cells > 40


def test_a_client_inside_is_there_as_the_level_says(app, database, routes, north):
    for level in Level:
        limit(database, north, Reach.ONLY, level, clients=[north.client])
        rights = {right.value for right in permitted(Role.SERVICE_USER, level)}
        wrong = []
        for route in routes:
            if "organization_id" not in route.arguments:
                continue
            forget_limits(database)
            answer = ask(north.browser("service user"), route, route.url(app, north))
            allowed = answer.status_code in {*ANSWERED, 404}
            if (route.needs in rights) != allowed or answer.status_code >= 500:
                wrong.append(f"{level} {route}: {answer.status}")
        assert wrong == []


@pytest.mark.parametrize("reach", list(Reach))
def test_whoever_may_only_read_changes_nothing(app, database, routes, north, reach):
    limit(database, north, reach, Level.READ_ONLY, clients=[])
    if reach is Reach.ONLY:
        limit(database, north, reach, Level.READ_ONLY, clients=[north.client])
    assert {right.value for right in READING} < set(OF_THE_ROLE)
    wrong = []
    for route in routes:
        forget_limits(database)
        is_theirs = route.endpoint in THEIR_OWN
        if route.method == "GET" or is_theirs or route.needs not in OF_THE_ROLE:
            continue
        answer = ask(north.browser("service user"), route, route.url(app, north))
        if answer.status_code != 403:
            wrong.append(f"{route}: {answer.status}")
    assert wrong == []


def test_a_client_that_leaves_the_scope_while_many_are_changed_is_refused(database, north):
    limit(database, north, clients=[north.client])
    person = database.one(select(ProviderPerson).where(ProviderPerson.id == north.person_id))
    here = {"provider_id": north.provider.id}
    running = database.add(
        ChangeSet(
            **here,
            id=new_id(),
            account_id=person.account_id,
            action=BulkAction.TAG,
            tag_id=north.tag_id,
            state=BulkState.RUNNING,
        )
    )
    row = {"organization_id": north.client.id, "name": "n", "name_ci": "n", "before": ""}
    database.add(ChangeSetRow(**here, **row, change_set_id=running.id, state=RowState.PLANNED))
    name_parts(database, person)
    settle(database, north.provider, people=[person.id])
    browser = north.browser("service user")
    url = f"/providers/{north.provider.id}/clients/changes/{running.id}/work"
    browser.post(url, {}, status=303)
    states = database.all(select(ChangeSetRow.state))
    assert states == [RowState.REFUSED]
    assert database.count(OrganizationTag) == 0


def test_the_scope_is_looked_up_by_its_index(database, north, statements, kind):
    if kind != "sqlite":
        pytest.skip("the plan of a few rows says nothing on PostgreSQL")
    limit(database, north, clients=[north.client])
    browser = north.browser("service user")
    statements.clear()
    browser.get(f"/providers/{north.provider.id}/clients")
    page = next(found for found in statements if "client_access" in found.sql)
    with database.session() as session:
        plan = session.connection().exec_driver_sql(
            f"EXPLAIN QUERY PLAN {page.sql}", page.parameters
        )
        told = [row[3] for row in plan]
    looks = [line for line in told if "client_access" in line]
    assert looks
    assert all("ix_client_access_open" in line and "=? AND" in line for line in looks)
