"""The weekly mail: once a person and week, only with something to tell, and left with one click."""

import datetime as dt
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes, policy

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import sessionmaker

from portal.crypto.tokens import Link, LinkSigner
from portal.domain.attention import AttentionKind
from portal.domain.states import ProviderPersonState
from portal.extensions import db
from portal.mail.letters import compose
from portal.mail.messages import MESSAGES, Office, Outdated
from portal.models import Account, Attention, Organization, Outbox, ProviderPerson, new_id, utc_now
from portal.outbox.mailing import absolute_url
from portal.radar import digest, service
from portal.radar.digest import make_due
from tests.support.browsing import Browser
from tests.support.clients import make_provider, persona
from tests.support.databases import SECRET_KEY
from tests.support.eventlog import all_told
from tests.support.mailing import change_settings, worker_of
from tests.support.radar import (
    client_of,
    ends,
    limit,
    many,
    row_of,
    technician,
    url_of,
)

TOPIC = "mail.weekly_digest"
MONDAY = dt.date(2026, 11, 23)
MORNING = dt.datetime(2026, 11, 23, 7, 5, tzinfo=dt.UTC)
LAST_WEEK = dt.datetime(2026, 11, 18, tzinfo=dt.UTC)
LONG_AGO = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
def ada(database):
    return persona(database, confirmed_at=LONG_AGO)


@pytest.fixture
def acme(database, ada):
    return client_of(database, ada)


def queue(database, now=MORNING):
    with database.app.app_context():
        return make_due(sessionmaker(db.engine), now)


def letter_of(database, ada, locale="en", week=MONDAY):
    settings = database.app.extensions["settings"]
    office = Office(
        (SECRET_KEY,), lambda name, **ids: absolute_url(database.app, settings, name, **ids)
    )
    payload = {
        "provider": str(ada.provider.id),
        "person": str(row_of(database, ada).id),
        "week": week.isoformat(),
        "locale": locale,
    }
    with database.session() as session:
        return MESSAGES[TOPIC](session, office, payload)


def mail_of(database, ada, locale="en", **options):
    letter = letter_of(database, ada, locale, **options)
    with database.app.app_context():
        mail = compose(letter, database.app.extensions["settings"], new_id())
    return message_from_bytes(mail.message.as_bytes(), policy=policy.default)


def text_of(mail):
    return mail.get_body(("plain",)).get_content()


def leave_path(database, ada):
    link = Link(ada.provider.id, row_of(database, ada).id, 1)
    return f"/weekly-email/{LinkSigner((SECRET_KEY,), 'weekly-email').sign(link)}"


# When


def test_it_is_queued_once_a_week(ada, database):
    assert queue(database) == 1
    assert queue(database) == 0
    assert queue(database, MORNING + dt.timedelta(days=2)) == 0
    assert queue(database, MORNING + dt.timedelta(days=5)) == 0
    assert queue(database, MORNING + dt.timedelta(days=7)) == 1
    jobs = database.all(select(Outbox).where(Outbox.topic == TOPIC))
    assert [job.payload["week"] for job in jobs] == ["2026-11-23", "2026-11-30"]
    assert set(jobs[0].payload) == {"provider", "person", "week", "locale"}
    assert row_of(database, ada).digest_sent_on == dt.date(2026, 11, 30)


@pytest.mark.parametrize(
    ("zone", "hour", "number"),
    [("UTC", 6, 0), ("UTC", 7, 1), ("Asia/Tokyo", 0, 1), ("America/New_York", 11, 0)],
)
def test_it_waits_for_seven_in_the_morning_where_its_reader_lives(
    ada, database, zone, hour, number
):
    database.run(update(Account).values(time_zone=zone))
    assert queue(database, MORNING.replace(hour=hour)) == number


def test_without_a_zone_of_ones_own_the_providers_counts(database):
    tokyo = make_provider(database, "Tokyo IT", time_zone="Asia/Tokyo")
    persona(database, provider=tokyo, confirmed_at=LONG_AGO)
    assert queue(database, MORNING.replace(day=22, hour=21, minute=59)) == 0
    assert queue(database, MORNING.replace(day=22, hour=22)) == 1


@pytest.mark.parametrize(
    "columns",
    [
        {"wants_digest": False},
        {"state": ProviderPersonState.SUSPENDED},
        {"state": ProviderPersonState.ACCEPTED},
        {"access_ends_at": LONG_AGO},
        {"confirmed_at": MORNING.replace(hour=7, minute=0)},
    ],
)
def test_it_is_for_confirmed_people_who_want_it_and_were_here(ada, database, columns):
    database.run(update(ProviderPerson).values(**columns))
    assert queue(database) == 0


def test_all_people_of_all_providers_are_found_however_many(ada, database, monkeypatch):
    monkeypatch.setattr(digest.people, "AT_ONCE", 2)
    for _ in range(4):
        persona(database, confirmed_at=LONG_AGO, provider=ada.provider)
    persona(database, confirmed_at=LONG_AGO)
    assert queue(database) == 6


@pytest.mark.committed
def test_two_workers_never_queue_one_digest_twice(committed_app, committed):
    people = [persona(committed, confirmed_at=LONG_AGO) for _ in range(12)]
    barrier = threading.Barrier(4)

    def work(_number):
        barrier.wait()
        return queue(committed)

    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(work, range(4)))
    assert sum(counts) == len(people)
    jobs = committed.all(select(Outbox).where(Outbox.topic == TOPIC))
    assert len({job.payload["person"] for job in jobs}) == len(jobs) == len(people)


def test_the_worker_looks_for_it_between_its_jobs(ada, database, monkeypatch):
    monkeypatch.setattr(digest, "utc_now", lambda: MORNING)
    with worker_of(database.app, chores=(digest.chore,)) as worker:
        worker.tidy()
    assert database.count(Outbox) == 1


def test_a_worker_sends_it_with_something_to_tell_and_drops_it_without(ada, acme, database):
    queue(database)
    database.run(update(Organization).values(owner_confirmed=True, created_at=LONG_AGO))
    with worker_of(database.app) as worker:
        worker.drain()
    assert database.one(select(Outbox.state)) == "dropped"
    ends(database, ada.provider, acme, days=4)
    queue(database, MORNING + dt.timedelta(days=7))
    with worker_of(database.app) as worker:
        worker.drain()
    assert sorted(database.all(select(Outbox.state))) == ["dropped", "sent"]


# What


def test_it_tells_what_waits_ends_lacks_and_came(ada, acme, database):
    database.run(update(Organization).values(created_at=LAST_WEEK, seats=3, seats_used=3))
    since = dt.datetime(2026, 11, 2, 12, tzinfo=dt.UTC)
    due = utc_now() + dt.timedelta(days=4)
    ends(database, ada.provider, acme, since=since, due_at=due)
    ends(database, ada.provider, acme, AttentionKind.ACCEPTED, since=since, due_at=None)
    mail = mail_of(database, ada)
    assert mail["Subject"] == "Your week at Northwind IT"
    assert mail["To"] == ada.account.email
    told = text_of(mail)
    for line in (
        "Waiting for somebody: 2",
        "- zoe@acme.example has not accepted the invitation · Acme Ltd · since Nov 2, 2026",
        "- zoe@acme.example waits to be confirmed · Acme Ltd · since Nov 2, 2026",
        "Ends within 30 days: 1",
        "- The invitation of zoe@acme.example ends · Acme Ltd · ",
        "Clients without a confirmed owner: 1",
        "Clients without a free seat: 1",
        "New clients last week: 1",
        "- Acme Ltd",
    ):
        assert re.search(rf"^{re.escape(line)}", told, re.MULTILINE), (line, told)
    html = mail.get_body(("html",)).get_content()
    assert "<li>zoe@acme.example has not accepted the invitation · Acme Ltd" in html
    assert "\n\n\n" not in told


def test_somebody_whose_mail_fails_is_told_of_once_as_on_their_page(ada, acme, database):
    ends(database, ada.provider, acme, days=40)
    person = database.one(select(Attention))
    database.add(
        Attention(
            provider_id=person.provider_id,
            organization_id=acme.id,
            kind=AttentionKind.MAIL_FAILED,
            subject_id=person.subject_id,
            label=person.label,
        )
    )
    told = text_of(mail_of(database, ada))
    assert "Waiting for somebody: 1" in told
    assert "did not arrive" in told


def test_it_names_five_and_counts_to_ninety_nine(ada, acme, database):
    many(database, ada.provider, acme, 150)
    database.run(update(Attention).values(due_at=utc_now() + dt.timedelta(days=31)))
    told = text_of(mail_of(database, ada))
    assert "Waiting for somebody: 99+" in told
    assert told.count("has not accepted the invitation") == 5
    assert "Ends within 30 days" not in told


@pytest.mark.parametrize(("day", "is_told"), [(15, False), (16, True), (22, True), (23, False)])
def test_last_week_is_from_monday_to_sunday(ada, acme, database, day, is_told):
    made = dt.datetime(2026, 11, day, 12, tzinfo=dt.UTC)
    database.run(update(Organization).values(created_at=made))
    assert ("New clients last week" in text_of(mail_of(database, ada))) == is_told


def test_names_are_text_in_both_parts(ada, database):
    client_of(database, ada, "A & B <i>Ltd</i>", created_at=LAST_WEEK)
    mail = mail_of(database, ada)
    assert "- A & B <i>Ltd</i>" in text_of(mail)
    assert "A &amp; B &lt;i&gt;Ltd&lt;/i&gt;" in mail.get_body(("html",)).get_content()


def test_it_tells_nothing_beyond_the_readers_scope(ada, acme, database):
    client_of(database, ada, "Beta Ltd", owner_confirmed=True)
    tech = technician(database, ada.provider)
    limit(database, tech, acme)
    ends(database, ada.provider, None, label="new@northwind.example", days=4)
    for client in database.all(select(Organization)):
        ends(database, ada.provider, client, label=f"zoe@{client.name[:4].lower()}.example", days=4)
    database.run(update(Organization).values(created_at=LAST_WEEK))
    told = text_of(mail_of(database, tech))
    assert "zoe@acme.example" in told
    assert "Beta" not in told
    assert "northwind.example" not in told.replace(tech.account.email, "")
    assert "New clients last week: 1" in told
    assert "Waiting for somebody: 1" in told
    assert "Waiting for somebody: 3" in text_of(mail_of(database, ada))


def test_it_is_written_in_french_for_who_reads_french(ada, acme, database):
    ends(database, ada.provider, acme, days=4)
    mail = mail_of(database, ada, "fr")
    assert mail["Subject"] == "Votre semaine chez Northwind IT"
    assert "Clients sans propriétaire confirmé\u00a0: 1" in text_of(mail)


@pytest.mark.parametrize(
    "columns", [{"wants_digest": False}, {"state": ProviderPersonState.SUSPENDED}]
)
def test_a_mail_that_nobody_wants_any_more_stays_here(ada, acme, database, columns):
    ends(database, ada.provider, acme)
    database.run(update(ProviderPerson).values(**columns))
    with pytest.raises(Outdated):
        letter_of(database, ada)


def test_with_nothing_to_tell_there_is_no_mail(ada, acme, database):
    database.run(update(Organization).values(owner_confirmed=True, created_at=LONG_AGO))
    with pytest.raises(Outdated, match="nothing to tell"):
        letter_of(database, ada)


def test_what_it_costs_does_not_grow(ada, acme, database, statements):
    costs = []
    for number in (10, 2_000):
        database.run(delete(Attention))
        many(database, ada.provider, acme, number)
        statements.clear()
        mail_of(database, ada)
        costs.append(len(statements))
    assert costs[0] == costs[1]


# Leaving


@pytest.mark.parametrize("base_url", ["http://localhost", f"https://{'portal.' * 12}example"])
def test_its_headers_let_a_mail_program_switch_it_off(ada, acme, database, monkeypatch, base_url):
    change_settings(database.app, monkeypatch, base_url=base_url)
    mail = mail_of(database, ada)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    url = mail["List-Unsubscribe"]
    assert url == f"<{base_url}{leave_path(database, ada)}>"
    assert url[1:-1] in text_of(mail)


def test_a_long_address_of_leaving_is_not_encoded_on_its_way(ada, acme, database):
    letter = letter_of(database, ada)
    with database.app.app_context():
        raw = compose(letter, database.app.extensions["settings"], new_id()).message.as_bytes()
    header = re.search(rb"List-Unsubscribe:\s*(\S+)\r\n", raw)
    assert header, raw[:900]
    assert header[1] == f"<{letter.leave_url}>".encode()


def test_a_mail_program_switches_it_off_with_one_request(ada, database):
    path = leave_path(database, ada)
    program = database.app.test_client()
    answer = program.post(path, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert row_of(database, ada).wants_digest is False
    assert program.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert len(all_told(database, "provider:digest:stop")) == 1


def test_another_site_cannot_press_the_button(ada, database):
    stranger = database.app.test_client()
    path, one_click = leave_path(database, ada), {"List-Unsubscribe": "One-Click"}
    assert stranger.post(path).status_code == 400
    assert stranger.post(path, data={"csrf_token": "x"}).status_code == 400
    evil = {"Origin": "https://evil.example"}
    assert stranger.post(path, data=one_click, headers=evil).status_code == 400
    assert row_of(database, ada).wants_digest


def test_opening_the_link_changes_nothing_and_its_button_does(ada, database):
    visitor = Browser(database.app)
    page = visitor.get(leave_path(database, ada))
    assert page.heading == "Switch off the weekly e-mail"
    assert row_of(database, ada).wants_digest
    done = visitor.submit(page, "Switch off", status=200)
    assert done.heading == "The weekly e-mail is off"
    assert row_of(database, ada).wants_digest is False
    assert visitor.get(leave_path(database, ada)).heading == "The weekly e-mail is off"


@pytest.mark.parametrize("token", ["x", "WyJ4Il0.abc", "é"])
def test_a_link_that_is_not_ours_switches_nothing_off(ada, database, token):
    visitor = Browser(database.app)
    assert visitor.get(f"/weekly-email/{token}", status=410).heading == "This link is not valid"
    visitor.post(f"/weekly-email/{token}", status=410)
    assert row_of(database, ada).wants_digest


def test_a_link_of_another_purpose_is_not_valid(ada, database):
    link = Link(ada.provider.id, row_of(database, ada).id, 1)
    token = LinkSigner((SECRET_KEY,), "provider-invitation").sign(link)
    Browser(database.app).post(f"/weekly-email/{token}", status=410)
    assert row_of(database, ada).wants_digest


def test_the_page_switches_it_off_and_on(ada, database):
    page = ada.browser.get(url_of(ada))
    ada.browser.follow(ada.browser.submit(page, "Switch off the weekly e-mail"))
    assert row_of(database, ada).wants_digest is False
    page = ada.browser.get(url_of(ada))
    assert "It is off." in page
    ada.browser.follow(ada.browser.submit(page, "Switch on the weekly e-mail"))
    assert row_of(database, ada).wants_digest
    ada.browser.post(url_of(ada, "/digest/on"), status=303)
    assert len(all_told(database, "provider:digest:start")) == 1


def test_one_person_switches_nobody_elses_off(ada, database):
    tech = technician(database, ada.provider)
    tech.browser.post(url_of(tech, "/digest/off"), status=303)
    assert row_of(database, ada).wants_digest
    assert row_of(database, tech).wants_digest is False


def test_switched_on_after_monday_it_begins_with_the_next_one(ada, database, monkeypatch):
    tuesday = MORNING + dt.timedelta(days=1)
    monkeypatch.setattr(service, "utc_now", lambda: tuesday)
    ada.browser.post(url_of(ada, "/digest/off"), status=303)
    ada.browser.post(url_of(ada, "/digest/on"), status=303)
    assert queue(database, tuesday) == 0
    assert queue(database, MORNING + dt.timedelta(days=7)) == 1
