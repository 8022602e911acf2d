"""What waits for a provider: each cause writes its row, and a recount finds the same."""

import datetime as dt

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import sessionmaker

from portal.accounts.address import _rename
from portal.domain.access import Role
from portal.domain.attention import AttentionKind
from portal.domain.states import MemberState
from portal.extensions import db
from portal.members import service
from portal.models import (
    Attention,
    Member,
    Organization,
    Outbox,
    new_id,
    utc_now,
)
from portal.outbox import jobs
from portal.outbox.housekeeping import tidy
from portal.outbox.jobs import Outcome
from portal.providers import attention
from tests.support.attention import row_of, waiting, wrong
from tests.support.mailing import change_settings, make_due, send_all
from tests.support.organizations import OWNER, make_place

INVITED, ACCEPTED = AttentionKind.INVITED, AttentionKind.ACCEPTED
MAIL_FAILED, SEATS_FULL = AttentionKind.MAIL_FAILED, AttentionKind.SEATS_FULL


@pytest.fixture
def place(database):
    return make_place(database)


def resend(place):
    with place.database.session() as session:
        service.resend(
            session,
            place.actor,
            organization_id=place.organization.id,
            member_id=place.owner_row,
        )


def test_an_invitation_waits_until_its_link_dies(place, database):
    row = row_of(database, place.owner_row)
    assert (row.provider_id, row.organization_id) == (place.provider.id, place.organization.id)
    assert row.label == OWNER
    assert row.due_at == place.member().invitation_expires_at
    assert wrong(database) == []


def test_sending_again_moves_the_end_and_keeps_the_beginning(place, database):
    yesterday = utc_now() - dt.timedelta(days=1)
    database.run(update(Attention).values(since=yesterday, due_at=yesterday))
    resend(place)
    row = row_of(database, place.owner_row)
    assert row.since == yesterday
    assert row.due_at == place.member().invitation_expires_at > yesterday


def test_another_address_is_the_label_then(place, database):
    with database.session() as session:
        service.replace_address(
            session,
            place.actor,
            organization_id=place.organization.id,
            member_id=place.owner_row,
            before=OWNER,
            email="olga@elsewhere.example",
        )
    assert waiting(database) == [("invited", "olga@elsewhere.example")]


def test_an_account_that_changes_its_address_is_listed_by_the_new_one(place, database):
    olga = place.person(OWNER, "Olga Petrova", keys=True)
    place.browser_of(olga).post(f"{place.link()}/accept", status=303)
    with database.session() as session:
        _rename(session, Member, olga.account_id, "o@acme.example")
    assert waiting(database) == [("accepted", "o@acme.example")]
    assert wrong(database) == []


def test_put_keeps_the_beginning_unless_it_is_given(place, database):
    subject = new_id()
    known = (place.provider.id, AttentionKind.CERTIFICATE, subject)
    began = utc_now() - dt.timedelta(days=3)
    with database.session() as session:
        attention.put(session, *known, label="acme.example", since=began)
        attention.put(session, *known, label="www.acme.example", due_at=utc_now())
    row = row_of(database, subject, AttentionKind.CERTIFICATE)
    assert (row.label, row.since) == ("www.acme.example", began)
    with database.session() as session:
        attention.put(session, *known, since=utc_now())
    assert row_of(database, subject, AttentionKind.CERTIFICATE).since > began


def test_drop_takes_what_it_names(place, database):
    subject = new_id()
    with database.session() as session:
        for kind in (AttentionKind.CERTIFICATE, AttentionKind.GRANT):
            attention.put(session, place.provider.id, kind, subject)
        attention.drop(session, new_id(), subject)
        attention.drop(session, None, subject, AttentionKind.GRANT)
    row_of(database, subject, AttentionKind.CERTIFICATE)
    with database.session() as session:
        attention.drop(session, place.provider.id, subject)
    assert waiting(database) == [("invited", OWNER)]


# Mails.


def fare(database, state, answer, *, tries=1, topic="mail.member_invitation"):
    """The newest mail of a topic ends, or is tried in vain, as the worker writes it down."""
    with database.session() as session:
        newest = select(Outbox.id).where(Outbox.topic == topic).order_by(Outbox.id.desc())
        job_id = session.scalars(newest.limit(1)).one()
        session.execute(
            update(Outbox)
            .where(Outbox.id == job_id)
            .values(state="queued", run_at=utc_now(), attempts=tries - 1)
        )
        job = jobs.claim(session, job_id, "lease", jobs.LEASE)
        assert jobs.finish(session, job, Outcome(state, answer))
        attention.mail_fared(session, job.topic, job.subject_id, state)


def test_a_mail_that_fails_for_good_waits_with_the_servers_answer_until_a_later_one_leaves(
    place, database
):
    fare(database, "failed", "550 No such user")
    row = row_of(database, place.owner_row, MAIL_FAILED)
    assert (row.reason, row.label) == ("550 No such user", OWNER)
    assert wrong(database) == []
    resend(place)
    row_of(database, place.owner_row, MAIL_FAILED)
    assert wrong(database) == []
    fare(database, "sent", "250 Ok")
    assert waiting(database) == [("invited", OWNER)]
    assert wrong(database) == []


def test_a_mail_that_is_tried_again_waits_after_an_hour(place, database):
    fare(database, "queued", "451 Later", tries=jobs.FAILING_AFTER - 1)
    assert waiting(database) == [("invited", OWNER)]
    assert wrong(database) == []
    fare(database, "queued", "451 Later", tries=jobs.FAILING_AFTER)
    assert row_of(database, place.owner_row, MAIL_FAILED).reason == "451 Later"
    assert wrong(database) == []


def test_so_many_tries_take_about_an_hour():
    pauses = (jobs.FIRST_PAUSE * 2**number for number in range(jobs.FAILING_AFTER - 1))
    assert dt.timedelta(hours=1) < sum(pauses, dt.timedelta()) < dt.timedelta(hours=1.2)


def test_an_earlier_mail_that_fails_late_says_nothing(place, database):
    first = database.one(select(Outbox))
    resend(place)
    fare(database, "sent", "250 Ok")
    with database.session() as session:
        session.execute(update(Outbox).where(Outbox.id == first.id).values(state="failed"))
        attention.mail_fared(session, first.topic, first.subject_id, "failed")
    assert waiting(database) == [("invited", OWNER)]


def test_whoever_accepts_has_no_failing_mail(place, database):
    fare(database, "failed", "550 No such user")
    olga = place.person(OWNER, "Olga Petrova", keys=True)
    place.browser_of(olga).post(f"{place.link()}/accept", status=303)
    assert waiting(database) == [("accepted", OWNER)]
    assert wrong(database) == []


def test_other_mails_about_a_person_are_nobodys_business(place, database):
    with database.session() as session:
        attention.mail_fared(session, "mail.member_accepted", place.owner_row, "failed")
        attention.mail_fared(session, "mail.sign_in_code", None, "failed")
    assert waiting(database) == [("invited", OWNER)]


@pytest.mark.committed
def test_the_worker_writes_it_and_takes_it_back(committed_app, committed, monkeypatch, smtp):
    change_settings(committed_app, monkeypatch, smtp_url=smtp.url)
    place = make_place(committed)
    smtp.answers = ["550 5.1.1 No mailbox here"]
    send_all(committed_app)
    assert "No mailbox here" in row_of(committed, place.owner_row, MAIL_FAILED).reason
    resend(place)
    newest = committed.one(select(Outbox).where(Outbox.state == "queued"))
    make_due(committed, newest.id)
    send_all(committed_app)
    assert waiting(committed) == [("invited", OWNER)]


@pytest.mark.committed
def test_news_that_did_not_arrive_is_forgotten_after_a_month_an_invitation_is_not(
    committed_app, committed
):
    place = make_place(committed)
    long_ago = utc_now() - dt.timedelta(days=31)
    with committed.session() as session:
        for subject in (place.owner_row, new_id()):
            known = (place.provider.id, MAIL_FAILED, subject)
            attention.put(session, *known, label=str(subject), since=long_ago)
    with committed_app.app_context():
        tidy(sessionmaker(db.engine))
    assert waiting(committed, Attention.kind == MAIL_FAILED) == [
        ("mail_failed", str(place.owner_row))
    ]


# Seats.


def seats(place, **values):
    with place.database.session() as session:
        session.execute(update(Organization).values(**values))
        attention.seats_changed(session, place.organization.id)


def test_the_last_seat_that_is_taken_is_told(place, database):
    seats(place, seats=2, seats_grow=False)
    assert waiting(database) == [("invited", OWNER)]
    with database.session() as session:
        service.invite(
            session,
            place.actor,
            organization_id=place.organization.id,
            email="b@acme.example",
            role=Role.USER,
            locale="en",
        )
    assert row_of(database, place.organization.id, SEATS_FULL).organization_id
    assert wrong(database) == []
    seats(place, seats=3)
    assert ("seats_full", "") not in waiting(database)
    assert wrong(database) == []


@pytest.mark.parametrize(
    ("terms", "is_full"),
    [
        ({"seats": 1, "seats_grow": False}, True),
        ({"seats": 2, "seats_grow": False}, False),
        ({"seats": 1, "seats_grow": True}, False),
        ({"seats": 1, "seats_grow": True, "seat_limit": 1}, True),
        ({"seats": 1, "seats_grow": True, "seat_limit": 2}, False),
        ({"seats": 1, "seats_grow": False, "seat_limit": 2}, True),
    ],
)
def test_seats_are_full_when_they_cannot_grow(place, database, terms, is_full):
    seats(place, **terms)
    assert (("seats_full", "") in waiting(database)) is is_full
    assert wrong(database) == []


# A recount finds what was changed behind the projection's back.


@pytest.mark.parametrize(
    "change",
    [
        delete(Attention),
        update(Attention).values(label="x"),
        update(Attention).values(kind=ACCEPTED),
        update(Attention).values(due_at=None),
        update(Member).values(state=MemberState.REVOKED),
        update(Organization).values(seats=1, seats_grow=False),
        update(Outbox).values(state="failed"),
    ],
)
def test_a_recount_finds_what_is_wrong(place, database, change):
    assert wrong(database) == []
    database.run(change)
    assert wrong(database)


def test_what_is_read_off_anew_is_the_same(place, database):
    fare(database, "failed", "550 No such user")
    seats(place, seats=1, seats_grow=False)
    before = waiting(database)
    with database.session() as session:
        session.execute(delete(Attention))
        attention.rebuild(session.connection())
    assert waiting(database) == before
    assert wrong(database) == []
