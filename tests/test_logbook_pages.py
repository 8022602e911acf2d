"""The pages of the event logs: who sees which, what the filters leave, and what they tell."""

import datetime as dt
import subprocess
import uuid

import pytest
from sqlalchemy import select

from portal.domain.access import Permission, Role
from portal.events import Stream, erase
from portal.logbook.listing import LogListing
from portal.models import Event
from tests.support.clients import make_client, make_provider, persona
from tests.support.eventlog import fingerprint, person
from tests.support.logbook import (
    inside,
    invite,
    log_of,
    member_browser,
    provider_log,
    sentences,
    tell,
    tell_story,
)
from tests.support.project import ROOT


@pytest.fixture
def admin(database):
    return persona(database)


@pytest.fixture
def acme(database, admin):
    return make_client(database, admin.provider, "Acme Ltd")


@pytest.fixture
def story(database, admin, acme):
    return tell_story(database, admin, acme)


# Who sees what


def test_what_a_provider_does_in_a_client_stands_in_both_logs(database, admin, acme):
    ada = person("Ada Nordström", provider_id=admin.provider.id)
    invite(database, ada, acme, provider=admin.provider)
    owner, _ = member_browser(database, acme, Role.OWNER)
    for page in (owner.get(log_of(acme)), admin.browser.get(provider_log(admin))):
        assert sentences(page) == ["Invited olga@acme.example as User"]
        assert "Ada Nordström" in page
        assert "192.0.2.7" in page
    assert "Acme Ltd" in admin.browser.get(provider_log(admin)).text("tbody")


def test_a_provider_reads_all_clients_logs_together(database, admin, acme):
    beta = make_client(database, admin.provider, "Beta AG")
    olga = person("Olga", "olga@acme.example", role=Role.OWNER)
    invite(database, olga, acme, "a@acme.example")
    invite(database, olga, beta, "b@beta.example")
    page = admin.browser.get(provider_log(admin, "/clients"))
    assert sentences(page) == [
        "Invited b@beta.example as User",
        "Invited a@acme.example as User",
    ]
    assert sentences(admin.browser.get(provider_log(admin))) == []


def test_rows_from_before_and_after_the_provider_had_the_client_are_not_its_own(database, admin):
    client = make_client(database, admin.provider, "Acme Ltd")
    olga = person("Olga", role=Role.OWNER)
    invite(database, olga, client, "then@acme.example")
    with database.session() as session:
        session.get_one(type(client), client.id).provider_id = None
    invite(database, olga, client, "later@acme.example")
    page = admin.browser.get(provider_log(admin, "/clients"))
    assert sentences(page) == ["Invited then@acme.example as User"]
    assert "Acme Ltd" not in page.text("tbody")


@pytest.mark.parametrize("rest", ["", ".csv", ".jsonl", "/clients", "/clients.jsonl", "/proof"])
def test_a_service_user_sees_no_log_of_the_provider(database, admin, rest):
    technician = persona(database, Role.SERVICE_USER, admin.provider)
    technician.browser.get(provider_log(admin, rest), status=403)


@pytest.mark.parametrize(
    ("role", "status"), [(Role.OWNER, 200), (Role.ADMIN, 200), (Role.USER, 403)]
)
@pytest.mark.parametrize("rest", ["", ".csv", "/proof"])
def test_owners_and_admins_of_an_organization_see_its_log(database, acme, role, status, rest):
    browser, _ = member_browser(database, acme, role)
    browser.get(log_of(acme) + rest, status=status)


def test_somebody_of_another_tenant_finds_nothing(database, admin, acme):
    event = invite(database, person(), acme, provider=admin.provider)
    other = persona(database, provider=make_provider(database, "Other"))
    own = make_client(database, other.provider, "Own")
    for path in (provider_log(admin), provider_log(admin, "/clients"), log_of(acme)):
        for rest in ("", ".csv", ".jsonl", f"/{event}"):
            other.browser.get(path + rest, status=404)
    for path in (log_of(own), f"/providers/{other.provider.id}/events"):
        other.browser.get(f"{path}/{event}", status=404)
    page = other.browser.get(f"/providers/{other.provider.id}/events/clients?client={acme.id}")
    assert sentences(page) == []
    assert "Acme Ltd" not in page


def test_the_nav_leads_there_for_those_who_may(database, admin, acme):
    assert admin.browser.get(provider_log(admin)).one(".bar [aria-current]").text.strip() == (
        "Event log"
    )
    technician = persona(database, Role.SERVICE_USER, admin.provider)
    assert "Event log" not in technician.browser.get(technician.clients_url)
    owner, _ = member_browser(database, acme, Role.OWNER)
    assert owner.get(log_of(acme)).link("Event log").endswith("/events")


def test_permissions_are_held_by_those_who_need_them():
    holders = {
        permission: [role for role in Role if permission in role.permissions]
        for permission in (Permission.PROVIDER_EVENTS_READ, Permission.ORGANIZATION_EVENTS_READ)
    }
    assert holders == {
        Permission.PROVIDER_EVENTS_READ: [Role.PROVIDER_ADMIN],
        Permission.ORGANIZATION_EVENTS_READ: [Role.PROVIDER_ADMIN, Role.OWNER, Role.ADMIN],
    }


# Filters


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 4),
        ("type=organization:member:invite", 2),
        ("type=*members", 2),
        ("type=*organization", 2),
        ("type=*keys", 0),
        ("type=unheard:of:kind", 4),
        ("q=olga", 1),
        ("q=ZOE", 1),
        ("q=100%25", 1),
        ("q=1%25%25", 0),
        ("q=%25", 1),
        ("q=lind", 2),
        ("q=192.0.2.7", 4),
        ("q=lind&type=*members", 1),
        ("from=2001-01-01", 4),
        ("to=2001-01-01", 0),
        ("from=9999-12-31", 0),
        ("to=9999-12-31&from=0001-01-01", 4),
        ("from=yesterday&person=nobody", 4),
    ],
)
@pytest.mark.parametrize("side", ["provider", "clients", "organization"])
def test_filters_leave_what_they_name(story, admin, acme, query, count, side):
    url = {"provider": provider_log(admin), "clients": provider_log(admin, "/clients")}
    page = admin.browser.get(f"{url.get(side, log_of(acme))}?{query}")
    # Reading Acme's log as the provider is an entry, and stands in it.
    entries = sum("Entered" in text for text in sentences(page)) - (
        1 if any("Entered" in text for text in sentences(page)) else 0
    )
    assert len(sentences(page)) - entries == count or side == "organization"


def test_one_persons_acts_alone(story, admin):
    ada, _bo = story
    page = admin.browser.get(provider_log(admin))
    found = admin.browser.get(page.link("Ada Nordström"))
    assert len(sentences(found)) == 2
    assert "Person: Ada Nordström" in found
    both = admin.browser.get(f"{provider_log(admin)}?person={ada.account_id}&type=*members")
    assert sentences(both) == ["Invited olga@acme.example as User"]


def test_clients_by_name_or_id(database, admin, acme):
    olga = person("Olga", role=Role.OWNER)
    for number in range(3):
        client = make_client(database, admin.provider, f"Beta {number}")
        invite(database, olga, client, f"m{number}@beta.example")
    invite(database, olga, acme)
    url = provider_log(admin, "/clients")
    assert len(sentences(admin.browser.get(f"{url}?client=beta"))) == 3
    assert len(sentences(admin.browser.get(f"{url}?client=Acme&type=*members"))) == 1
    page = admin.browser.get(f"{url}?client={acme.id}")
    assert len(sentences(page)) == 1
    assert "Client: Acme Ltd" in page
    assert "No client has these words" in admin.browser.get(f"{url}?client=gamma")


def test_days_begin_and_end_in_the_readers_zone(database, acme):
    owner, account = member_browser(database, acme, Role.OWNER)
    with database.session() as session:
        session.get_one(type(account), account.id).time_zone = "Pacific/Auckland"
    invite(database, person(), acme)
    with database.session() as session:
        at = session.scalars(select(Event.at)).one()
    # Auckland is 13 hours ahead in November.
    here = (at + dt.timedelta(hours=13)).date()
    assert sentences(owner.get(f"{log_of(acme)}?from={here}&to={here}"))
    day_after = here + dt.timedelta(days=1)
    assert not sentences(owner.get(f"{log_of(acme)}?from={day_after}"))


# One event, erased people, empty states


def test_one_event_tells_all_that_is_known(database, admin, acme):
    ada = person(provider_id=admin.provider.id)
    event = tell(
        database,
        ada,
        "organization:billing:update",
        *inside(acme, admin.provider),
        before={"city": "Paris", "email": "old@acme.example"},
        after={"city": "Lyon", "email": "old@acme.example"},
    )
    owner, _ = member_browser(database, acme, Role.OWNER)
    page = owner.get(f"{log_of(acme)}/{event}")
    assert page.heading == "Changed the billing details"
    assert page.texts("tbody tr") == ["Town or city Paris Lyon"]
    for words in ("192.0.2.7", "Firefox", "organization:billing:update (1600)", "Provider admin"):
        assert words in page
    assert str(admin.provider.id) in page
    assert admin.browser.get(provider_log(admin, f"/{event}")).heading == page.heading
    assert admin.browser.get(provider_log(admin, f"/clients/{event}")).heading == page.heading


def test_what_was_erased_is_said_to_be(database, admin, acme):
    ada = person(provider_id=admin.provider.id)
    event = invite(database, ada, acme, provider=admin.provider)
    with database.session() as session:
        erase(session, ada.account_id)
    owner, _ = member_browser(database, acme, Role.OWNER)
    page = owner.get(log_of(acme))
    assert "Erased person" in page
    assert "Ada" not in page
    assert "Erased the personal data in 1 rows of this log" in page
    assert "Personal data of this event was erased" in owner.get(f"{log_of(acme)}/{event}")


def test_three_empty_states(database, admin, acme):
    owner, _ = member_browser(database, acme, Role.OWNER)
    assert "No events yet" in owner.get(log_of(acme))
    assert "Nothing matches" in owner.get(f"{log_of(acme)}?q=zzz")
    technician = persona(database, Role.SERVICE_USER, admin.provider)
    page = technician.browser.get(provider_log(admin), status=403)
    assert "Provider admin" in page


def test_what_people_type_is_text(database, admin, acme):
    tell(
        database,
        person("<b>Ada</b>"),
        "organization:organization:rename",
        *inside(acme, admin.provider),
        before="A",
        after="<script>%(x)s",
    )
    page = admin.browser.get(f"{provider_log(admin)}?q=%3Cscript%3E")
    assert sentences(page) == ["Renamed the organization to <script>%(x)s"]
    assert "<b>Ada</b>" in page


def test_a_text_browser_can_read_it(database, admin, acme):
    invite(database, person(), acme, provider=admin.provider)
    page = admin.browser.get(provider_log(admin))
    html = page.response.text
    done = subprocess.run(
        ["w3m", "-dump", "-T", "text/html", "-cols", "100"],
        input=html,
        capture_output=True,
        text=True,
    )
    assert "Invited olga@acme.example as User" in done.stdout
    assert "(newest first)" in done.stdout


# Proof and settings


def test_the_proof_page_signs_and_tells(database, admin):
    tell(database, person(), "provider:recovery_sheet:save", Stream("provider", admin.provider.id))
    page = admin.browser.get(provider_log(admin, "/proof"))
    assert "None yet" in page
    page = admin.browser.follow(admin.browser.submit(page, "Sign the log now"))
    assert "The log is signed up to event 1." in page
    assert fingerprint(database) in page
    page = admin.browser.follow(admin.browser.submit(page, "Sign the log now"))
    assert "The newest event is signed already." in page
    program = admin.browser.client.get(page.link("Download the program"))
    assert program.data == (ROOT / "portal/events/verifier.py").read_bytes()


def test_how_long_events_are_kept_is_an_event_itself(database, admin):
    page = admin.browser.get(provider_log(admin, "/proof"))
    page = admin.browser.follow(admin.browser.submit(page, "Save", {"months": "24"}))
    assert "Saved." in page
    assert page.one("option[selected]")["value"] == "24"
    (event,) = admin.browser.get(provider_log(admin)).select("tbody th a")
    assert "Changed how long" in event.text
    admin.browser.post(provider_log(admin, "/keep"), {"months": "1"}, status=422)
    page = admin.browser.follow(admin.browser.submit(page, "Save", {"months": "24"}))
    assert "Nothing was changed." in page


def test_a_listing_reads_what_it_wrote():
    listing = LogListing.read(
        {"q": " a  b ", "type": "*keys", "from": "2026-11-22", "person": str(uuid.uuid4())}
    )
    assert LogListing.read(listing.query()) == listing
    assert listing.search == "a b"
    assert not LogListing.read({"from": "x", "person": "y"}).is_filtered
