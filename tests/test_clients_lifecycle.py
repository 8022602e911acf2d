"""A client suspended and resumed, unlinked, deleted and kept: pages, rows, logs and mails."""

import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import sessionmaker

from portal.domain.access import Role
from portal.domain.states import ClientStatus, MemberState
from portal.extensions import db
from portal.models import (
    Affiliation,
    Collection,
    Event,
    Member,
    Organization,
    Outbox,
    Provider,
    Subscription,
    utc_now,
)
from portal.organizations.deletion import delete_due
from tests.support.accounts import age, make_person
from tests.support.lookups import Database
from tests.support.organizations import employ, join, make_place

CONFIRMED = MemberState.CONFIRMED


def url_of(place, action):
    return f"/providers/{place.provider.id}/clients/{place.organization.id}/{action}"


def with_owner(place):
    owner = place.person("sue@acme.example", "Sue Owner", keys=True)
    join(place, owner, Role.OWNER, CONFIRMED)
    return owner


def told(database, kind):
    found = database.all(select(Event).where(Event.type == kind))
    return [(event.stream_id, json.loads(event.payload)["details"]) for event in found]


def topics(database):
    return sorted(set(database.all(select(Outbox.topic))) - {"mail.member_invitation"})


@pytest.fixture
def place(database):
    return make_place(database)


@pytest.fixture
def admin(place):
    return place.admins_browser()


def press(browser, place, action, button, status=303):
    return browser.submit(browser.get(url_of(place, action)), button, status=status)


# Suspend and resume


def test_suspending_locks_members_out_and_resuming_lets_them_in(place, admin, database):
    owner = place.browser_of(with_owner(place))
    owner.get(f"{place.url}/collections")
    page = admin.follow(press(admin, place, "suspend", "Suspend Acme Ltd"))
    assert "Acme Ltd is suspended." in page
    assert page.link("Resume") == url_of(place, "resume")
    assert owner.get(f"{place.url}/collections", status=303).location.endswith("/closed")
    assert "is suspended" in owner.get(f"{place.url}/closed")
    admin.get(f"{place.url}/collections")
    admin.follow(press(admin, place, "resume", "Resume Acme Ltd"))
    owner.get(f"{place.url}/collections")
    assert owner.get(f"{place.url}/closed", status=303).location == f"{place.url}/collections"
    for kind in ("suspend", "resume"):
        streams = {stream for stream, _ in told(database, f"organization:organization:{kind}")}
        assert streams == {place.organization.id, place.provider.id}
    details = told(database, "organization:organization:suspend")[0][1]
    assert details == {"before": "active", "after": "suspended"}


def test_who_waits_to_be_confirmed_is_told_of_the_suspension_too(place, admin):
    person = place.person("sam@acme.example", "Sam Body", keys=True)
    join(place, person, Role.USER, MemberState.ACCEPTED)
    press(admin, place, "suspend", "Suspend Acme Ltd")
    browser = place.browser_of(person)
    assert browser.get(f"{place.url}/waiting", status=303).location.endswith("/closed")


def test_a_page_that_is_out_of_date_suspends_nothing(place, admin, database):
    page = admin.get(url_of(place, "suspend"))
    database.run(update(Organization).values(version=9))
    assert "changed this in the meantime" in admin.submit(page, "Suspend Acme Ltd", status=409)
    assert place.client().status is ClientStatus.ACTIVE


@pytest.mark.parametrize("action", ["suspend", "resume", "unlink", "delete", "keep"])
def test_a_service_user_may_not(place, database, action):
    person = make_person(database, "sam@northwind.example", "Sam Service", keys=False)
    employ(database, place.provider, person, Role.SERVICE_USER)
    browser = place.browser_of(person)
    browser.get(url_of(place, action), status=403)
    browser.post(url_of(place, action), status=403)
    menu = browser.get(url_of(place, "manage"), hx="clients-menu")
    assert not {"Suspend", "Resume", "Unlink", "Delete", "Billing terms"} & set(menu.texts("a"))
    assert "Manage subscription" in menu.texts("a")


# Unlink


def test_without_an_owner_of_its_own_nothing_can_be_unlinked(place, admin):
    join(place, place.admin, Role.OWNER, CONFIRMED)
    page = admin.get(url_of(place, "unlink"))
    assert "Nobody could take it over yet" in page
    answer = admin.post(url_of(place, "unlink"), {"version": place.client().version}, status=409)
    assert "No confirmed owner is a person of the client" in answer
    assert place.client().provider_id == place.provider.id
    assert place.database.one(select(Provider.clients_count)) == 1


def test_unlinking_gives_the_organization_to_its_owner(place, admin, database):
    owner = with_owner(place)
    database.run(
        update(Subscription).values(
            discount_basis_points=1000, tax_label="VAT", tax_basis_points=2000
        )
    )
    database.run(update(Organization).values(note="Pays late", external_reference="C-7"))
    page = admin.get(url_of(place, "unlink"))
    assert "Sue Owner (sue@acme.example)" in page
    assert "$50.00 per month" in page
    after = admin.follow(admin.submit(page, "Unlink Acme Ltd"))
    assert "belongs to its owner alone" in after
    client = place.client()
    assert (client.provider_id, client.provider_wrapped_key) == (None, None)
    assert (client.note, client.external_reference) == ("", "")
    assert (client.billing_email, client.public_key) == (owner.email, place.keys.public_key)
    found = database.one(select(Subscription))
    assert (found.discount_basis_points, found.tax_basis_points, found.tax_label) == (0, 0, "")
    assert database.one(select(Provider.clients_count)) == 0
    admin.get(f"{place.url}/collections", status=404)
    admin.get(url_of(place, "manage"), status=404)
    place.browser_of(owner).get(f"{place.url}/collections")
    streams = [stream for stream, _ in told(database, "organization:organization:unlink")]
    assert set(streams) == {place.organization.id, place.provider.id}
    assert topics(database) == ["mail.client_unlinked"]


# Delete and keep


def ask_deletion(admin, place, name="Acme Ltd", status=303):
    page = admin.get(url_of(place, "delete"))
    return admin.submit(page, "Delete in seven days", {"name": name}, status=status)


def test_deleting_asks_for_the_name(place, admin):
    page = ask_deletion(admin, place, "Acme", status=422)
    assert "Type the name of the client, Acme Ltd" in page
    assert place.client().status is ClientStatus.ACTIVE


def test_deleting_asks_once_more_who_is_there(place, admin):
    age(place.database, place.admin, minutes=11)
    answer = admin.get(url_of(place, "delete"), status=303)
    assert answer.location.startswith("/reauthenticate")
    fields = {"name": "Acme Ltd", "version": "1"}
    answer = admin.post(url_of(place, "delete"), fields, status=303)
    assert answer.location.startswith("/reauthenticate")
    assert place.client().status is ClientStatus.ACTIVE


def test_a_client_that_is_being_deleted_is_closed_and_can_be_kept(place, admin, database):
    owner = place.browser_of(with_owner(place))
    press(admin, place, "suspend", "Suspend Acme Ltd")
    page = admin.follow(ask_deletion(admin, place, " acme  LTD "))
    assert "Until then you can keep it" in page
    client = place.client()
    assert client.status is ClientStatus.DELETING
    week = dt.timedelta(days=7)
    assert abs(client.delete_at - utc_now() - week) < dt.timedelta(minutes=1)
    assert "is being deleted" in owner.get(f"{place.url}/closed")
    assert topics(database) == ["mail.client_deletion", "mail.client_suspended"]
    assert page.texts(".stack > .actions a")[-1] == "Keep this client"
    admin.follow(press(admin, place, "keep", "Keep this client Acme Ltd"))
    client = place.client()
    assert (client.status, client.delete_at) == (ClientStatus.SUSPENDED, None)
    kinds = [
        kind
        for kind in ("ask_deletion", "keep")
        if told(database, f"organization:organization:{kind}")
    ]
    assert kinds == ["ask_deletion", "keep"]


def sweep(database):
    with database.app.app_context():
        return delete_due(sessionmaker(db.engine, expire_on_commit=False))


def test_the_worker_deletes_what_is_due_and_nothing_else(place, admin, database):
    with_owner(place)
    ask_deletion(admin, place)
    assert sweep(database) == 0
    database.run(update(Organization).values(delete_at=utc_now() - dt.timedelta(seconds=1)))
    assert sweep(database) == 1
    for model in (Organization, Member, Collection, Subscription):
        assert database.count(model) == 0
    assert database.one(select(Provider.clients_count)) == 0
    kinds = database.all(select(Affiliation.kind))
    assert kinds == ["provider"]
    assert len(told(database, "organization:organization:delete")) == 2
    assert sweep(database) == 0


# Races, in transactions that really commit.


@pytest.fixture
def committed(committed_app):
    return Database(committed_app)


@pytest.mark.parametrize(
    ("action", "fields"), [("unlink", {}), ("suspend", {}), ("delete", {"name": "Acme Ltd"})]
)
def test_of_two_admins_at_once_one_does_it(committed, action, fields):
    place = make_place(committed)
    with_owner(place)
    start = Barrier(2)

    def send(_turn):
        browser = place.admins_browser()
        data = {"version": "1", "csrf_token": browser.csrf_token()} | fields
        start.wait()
        return browser.client.post(url_of(place, action), data=data).status_code

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(send, range(2)))
    assert answers in ([303, 409], [303, 404]), answers
    count = committed.one(select(Provider.clients_count))
    assert count == (0 if action == "unlink" else 1)
