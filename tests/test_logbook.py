"""The pages of the event logs: who sees which, what the filters leave, and what a page costs."""

import csv
import datetime as dt
import io
import itertools
import json
import subprocess
import sys
import uuid
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from portal.domain.access import Permission, Role
from portal.domain.states import MemberState
from portal.events import Stream, erase, record
from portal.logbook.listing import LogListing
from portal.logbook.queries import WINDOW, Filter, Scope, find
from portal.models import Event, EventPerson, EventStream, Member, new_id, utc_now
from tests.support.browsing import Browser
from tests.support.clients import (
    make_account,
    make_client,
    make_provider,
    persona,
    sign_in,
)
from tests.support.eventlog import exported, fingerprint, person, sign
from tests.support.lookups import Database
from tests.support.project import ROOT


@pytest.fixture
def admin(database):
    return persona(database)


@pytest.fixture
def acme(database, admin):
    return make_client(database, admin.provider, "Acme Ltd")


def member_browser(database, organization, role, *, name="Olga Petrova"):
    account = make_account(database, name, with_keys=True)
    database.add(
        Member(
            organization_id=organization.id,
            account_id=account.id,
            email=account.email,
            role=role,
            state=MemberState.CONFIRMED,
            wrapped_organization_key="4.wrapped",
            confirmed_public_key="public",
            accepted_at=utc_now(),
            confirmed_at=utc_now(),
        )
    )
    return sign_in(database, Browser(database.app), account), account


def tell(database, actor, kind, *streams, **details):
    with database.session() as session:
        return record(session, actor, kind, streams=list(streams), subject_id=new_id(), **details)


def inside(organization, provider=None):
    streams = [Stream("organization", organization.id)]
    return [*streams, Stream("provider", provider.id)] if provider else streams


def invite(database, actor, organization, email="olga@acme.example", provider=None, role="user"):
    return tell(
        database,
        actor,
        "organization:member:invite",
        *inside(organization, provider),
        email=email,
        role=role,
    )


def log_of(organization):
    return f"/organizations/{organization.id}/events"


def provider_log(admin, rest=""):
    return f"/providers/{admin.provider.id}/events{rest}"


def sentences(page):
    return page.texts("#logbook-table tbody th a")


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


@pytest.fixture
def story(database, admin, acme):
    """Five events in Acme's log by two people, all of them inside the provider's."""
    ada = person("Ada Nordström", provider_id=admin.provider.id)
    bo = person("Bo Lind", "bo@northwind.example", provider_id=admin.provider.id)
    streams = inside(acme, admin.provider)
    invite(database, ada, acme, "olga@acme.example", admin.provider)
    invite(database, bo, acme, "zoé@acme.example", admin.provider)
    tell(database, bo, "organization:organization:rename", *streams, before="A", after="Acme 100%")
    tell(database, ada, "organization:organization:open", *streams, provider="Northwind IT")
    return ada, bo


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


# Paging


def many(database, organization, count, *, every=1, types=("organization:member:invite",)):
    """Rows straight into the table: for pages, not for proofs."""
    began = utc_now() - dt.timedelta(days=2)
    actors = [new_id(), new_id()]
    with database.session() as session:
        session.execute(
            insert(EventStream), [{"stream_id": organization.id, "kind": "organization"}]
        )
        rows = []
        for number in range(count):
            at = began + dt.timedelta(milliseconds=number * every)
            identity = uuid.UUID(int=int(at.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62 | number)
            kind = types[number % len(types)]
            rows.append(
                {
                    "stream_id": organization.id,
                    "seq": number + 1,
                    "id": identity,
                    "at": at,
                    "type": kind,
                    "actor_id": actors[number % 2],
                    "provider_id": organization.provider_id,
                    "payload": json.dumps(_bare(identity, kind, number)),
                    "hash": bytes(32),
                }
            )
        session.execute(insert(Event), rows)
        session.execute(
            insert(EventPerson),
            [
                {"stream_id": row["stream_id"], "seq": row["seq"], "words": f"row{row['seq']}x"}
                for row in rows
            ],
        )
    return rows


def _bare(identity, kind, number):
    return {
        "id": str(identity),
        "type": kind,
        "subject": None,
        "account": None,
        "role": None,
        "provider": None,
        "request": "",
        "details": {"role": "user"},
        "personal": {},
    }


def test_pages_follow_each_other_both_ways(database, admin, acme):
    rows = many(database, acme, 120)
    url = provider_log(admin, "/clients")
    links = []
    page = admin.browser.get(url)
    seen = [page]
    while any("Next" in text for text in page.texts(".pager a")):
        page = admin.browser.get(page.link("Next"))
        seen.append(page)
    shown = [tag["href"].rpartition("/")[2] for each in seen for tag in each.select("tbody th a")]
    assert shown == [str(row["id"]) for row in reversed(rows)]
    back = [page]
    while any("Previous" in text for text in page.texts(".pager a")):
        page = admin.browser.get(page.link("Previous"))
        back.append(page)
    links = [[tag["href"] for tag in each.select("tbody th a")] for each in (seen[0], back[-1])]
    assert links[0] == links[1]


def test_a_cursor_that_leads_nowhere_leads_to_the_first_page(database, admin, acme):
    many(database, acme, 3)
    page = admin.browser.get(f"{provider_log(admin, '/clients')}?type=*members&at=x", status=303)
    assert page.location.endswith("/clients?type=%2Amembers")


def test_htmx_gets_the_table_alone(database, admin, acme):
    many(database, acme, 3)
    page = admin.browser.get(provider_log(admin, "/clients"), hx="logbook-table")
    assert len(sentences(page)) == 3


@pytest.mark.parametrize("filters", ["", "type=*members", "q=row", f"person={uuid.uuid4()}"])
def test_a_page_costs_the_same_however_many_rows_there_are(
    database, admin, acme, statements, filters, kind
):
    url = f"{provider_log(admin, '/clients')}?{filters}"
    many(database, acme, 2)
    admin.browser.get(url)
    statements.clear()
    admin.browser.get(url)
    few = len(statements)
    beta = make_client(database, admin.provider, "Beta")
    many(database, beta, 150)
    statements.clear()
    page = admin.browser.get(url)
    assert len(statements) <= few + 1
    statements.most(4)
    assert "count(" not in str(statements).lower()
    if kind == "postgresql":  # SQLAlchemy writes OFFSET 0 into each limit on SQLite
        assert " offset " not in str(statements).lower()
    assert page.response.status_code == 200


def test_a_search_pauses_and_goes_on(database, admin, acme, monkeypatch):
    monkeypatch.setattr("portal.logbook.queries.WINDOW", 40)
    many(database, acme, 100)
    page = admin.browser.get(f"{provider_log(admin, '/clients')}?q=row1x")
    assert sentences(page) == []
    assert "Searched back to" in page
    assert "There are older events to search through" in page
    page = admin.browser.get(page.link("Next"))
    page = admin.browser.get(page.link("Next"))
    assert len(sentences(page)) == 1
    assert "Searched back to" not in page
    assert WINDOW > 40


KINDS = ("organization:member:invite", "organization:member:accept", "organization:keys:create")


@settings(max_examples=25, deadline=None)
@given(
    kinds=st.sets(st.sampled_from(KINDS)),
    person=st.sampled_from([None, 0, 1]),
    words=st.sampled_from(["", "row1", "row2"]),
    size=st.integers(1, 9),
    window=st.integers(3, 30),
    upwards=st.booleans(),
)
def test_walking_page_by_page_finds_each_row_once(walked, upwards, window, **asked):
    database, scope, rows, set_window = walked
    set_window(window)
    kinds, person, words, size = (asked[name] for name in ("kinds", "person", "words", "size"))
    actors = [rows[0]["actor_id"], rows[1]["actor_id"]]
    wanted = Filter(
        kinds=tuple(sorted(kinds)),
        person=None if person is None else actors[person],
        words=words,
    )
    expected = [
        row["id"]
        for row in (rows if upwards else reversed(rows))
        if (not kinds or row["type"] in kinds)
        and (wanted.person in {None, row["actor_id"]})
        and words in f"row{row['seq']}x"
    ]
    found, beside = [], None
    with database.session() as session:
        for _ in itertools.count():
            page = find(session, scope, wanted, beside=beside, upwards=upwards, limit=size)
            found += [row.id for row in page.rows]
            if page.reached is not None:
                beside = page.reached
            elif len(page.rows) < size:
                break
            else:
                beside = page.rows[-1].id
    assert found == expected


@pytest.fixture(scope="module")
def walked(databases):
    """One log that all examples walk through; they only read."""
    database = Database(databases.app("sqlite", "logbook-walk"))
    patched = pytest.MonkeyPatch()
    client = make_client(database, make_provider(database))
    rows = many(database, client, 60, types=KINDS)
    set_window = partial(patched.setattr, "portal.logbook.queries.WINDOW")
    yield database, Scope(client.id), rows, set_window
    patched.undo()


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
    assert page.texts("tbody tr") == ["City Paris Lyon"]
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


# Files


def test_a_spreadsheet_gets_what_the_filters_leave(story, admin):
    answer = admin.browser.client.get(f"{provider_log(admin)}.csv?type=*members")
    table = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert [row["Event"] for row in table] == [
        "Invited zoé@acme.example as User",
        "Invited olga@acme.example as User",
    ]
    assert table[0]["Code"] == "1500"
    assert table[0]["Client"] == "Acme Ltd"
    assert table[0]["Person"] == "Bo Lind"


def check_file(tmp_path, text, *options):
    file = tmp_path / "events.jsonl"
    file.write_text(text)
    program = ROOT / "portal/events/verifier.py"
    return subprocess.run(
        [sys.executable, "-I", "-S", str(program), str(file), *options],
        capture_output=True,
        text=True,
    )


def test_a_whole_log_is_downloaded_with_its_proof(story, database, admin, tmp_path):
    sign(database, admin.provider.id)
    answer = admin.browser.client.get(f"{provider_log(admin)}.jsonl")
    assert answer.mimetype == "application/jsonl"
    done = check_file(tmp_path, answer.text, "--key", fingerprint(database))
    assert done.returncode == 0, done.stdout
    assert "GOOD 4 rows, 1 checkpoints" in done.stdout
    log = Stream("provider", admin.provider.id)
    assert len(exported(database, log).splitlines()) == len(answer.text.splitlines())


@pytest.mark.parametrize("rest", [".jsonl?type=*members", "/clients.jsonl", ".jsonl?q=lind"])
def test_a_filtered_file_proves_each_of_its_rows(story, admin, tmp_path, rest):
    answer = admin.browser.client.get(provider_log(admin, rest))
    done = check_file(tmp_path, answer.text)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "filtered export" in done.stdout
    changed = answer.text.replace('"role\\":\\"user', '"role\\":\\"owner')
    assert changed != answer.text
    assert check_file(tmp_path, changed).returncode == 1


def test_a_large_file_is_read_while_it_is_sent(database, admin, acme, statements):
    many(database, acme, 1200)
    answer = admin.browser.client.get(f"{provider_log(admin, '/clients')}.csv")
    assert answer.text.count("\n") == 1201
    # Some hundred rows at a time, whatever their number.
    assert len([each for each in statements if "event_people.about_salt" in str(each)]) == 3


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
