"""What waits for a provider: each cause writes its row, and a recount finds the same."""

import dataclasses
import datetime as dt
import random

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import sessionmaker

from portal.accounts.address import _rename
from portal.billing import load_prices
from portal.cli.recount import recount_waiting
from portal.clients import lifecycle, link_queries, linking, queries, subscriptions
from portal.crypto.keys import wrap_for
from portal.crypto.tokens import Link
from portal.domain.access import Role, Trace
from portal.domain.attention import AttentionKind
from portal.domain.errors import RuleError
from portal.domain.staff import StaffAction
from portal.domain.states import MemberState
from portal.extensions import db
from portal.members import acceptance, confirmation, service
from portal.members import queries as member_queries
from portal.models import (
    Account,
    Attention,
    Member,
    Organization,
    Outbox,
    ProviderPerson,
    new_id,
    utc_now,
)
from portal.outbox import jobs
from portal.outbox.housekeeping import tidy
from portal.outbox.jobs import Outcome
from portal.providers import attention, invitations, staff
from tests.support.accounts import keys_for
from tests.support.mailing import change_settings, make_due, send_all
from tests.support.organizations import OWNER, make_place

INVITED, ACCEPTED = AttentionKind.INVITED, AttentionKind.ACCEPTED
MAIL_FAILED, SEATS_FULL = AttentionKind.MAIL_FAILED, AttentionKind.SEATS_FULL


@pytest.fixture
def place(database):
    return make_place(database)


def waiting(database, *conditions):
    """(kind, label) of all that waits."""
    found = select(Attention.kind, Attention.label).where(*conditions)
    return sorted((row.kind.value, row.label) for row in database.all(found))


def row_of(database, subject_id, kind=INVITED):
    return database.one(
        select(Attention).where(Attention.subject_id == subject_id, Attention.kind == kind)
    )


def wrong(database):
    """What a recount says against the projection."""
    with database.session() as session:
        return recount_waiting(session)


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


# Random histories.


class History:
    """Things that happen to one client and its provider, in any order."""

    def __init__(self, place, chance):
        self.place, self.chance, self.database = place, chance, place.database
        self.number = 0

    def go_on(self):
        """One thing; whatever the rules refuse is rolled back."""
        acts = (
            self.invite, self.invite, self.resend, self.readdress, self.accept, self.accept,
            self.confirm, self.unlink, self.link, self.change_seats, self.mail, self.mail,
            self.hire, self.person, self.person_accepts,
        )  # fmt: skip
        act = self.chance.choice(acts)
        with self.database.session() as session:
            try:
                with session.begin_nested():
                    act(session)
            except RuleError:
                pass
        return act.__name__

    def member(self, session, *states):
        found = session.scalars(
            select(Member.id).where(Member.state.in_(states)).order_by(Member.id)
        ).all()
        return self.chance.choice(found) if found else None

    def invite(self, session):
        self.number += 1
        self.ask(
            service.invite,
            session,
            email=f"person{self.number}@acme.example",
            role=Role.USER,
            locale="en",
        )

    def ask(self, what, session, **more):
        what(session, self.place.actor, organization_id=self.place.organization.id, **more)

    def resend(self, session):
        member = self.member(session, MemberState.INVITED)
        if member:
            self.ask(service.resend, session, member_id=member)

    def readdress(self, session):
        member = self.member(session, MemberState.INVITED)
        if member:
            self.number += 1
            self.ask(
                service.replace_address,
                session,
                member_id=member,
                before=session.scalar(select(Member.email).where(Member.id == member)),
                email=f"other{self.number}@acme.example",
            )

    def account(self, session, email):
        found = session.scalars(select(Account).where(Account.email == email)).one_or_none()
        if found is None:
            key = keys_for(OWNER).public_key
            found = Account(
                email=email,
                name=email,
                signin_hash="hash",
                public_key=key,
                protected_user_key="2.u",
                protected_private_key="2.p",
            )
            session.add(found)
            session.flush()
        return found

    def accept(self, session):
        member = self.member(session, MemberState.INVITED)
        if member:
            version = session.scalar(select(Member.invitation_version).where(Member.id == member))
            found = acceptance.find(session, Link(self.place.organization.id, member, version))
            acceptance.accept(
                session, found, lambda: self.account(session, found.email), trace=Trace()
            )

    def confirm(self, session):
        member = self.member(session, MemberState.ACCEPTED)
        if member:
            row = member_queries.find(session, self.place.organization.id, member)
            key = wrap_for(row.public_key, self.place.keys.key.raw)
            confirmation.confirm(
                session, self.place.actor, row, public_key=row.public_key, wrapped_key=key
            )

    def unlink(self, session):
        client = queries.client(session, self.place.provider.id, self.place.organization.id)
        if client:
            lifecycle.unlink(session, self.place.actor, client)

    def link(self, session):
        owner = session.scalars(select(Account).where(Account.email == OWNER)).one_or_none()
        own = owner and link_queries.own_organization(session, owner.id, self.place.organization.id)
        if own:
            actor = dataclasses.replace(
                self.place.actor, account_id=owner.id, role=Role.OWNER, provider_id=None
            )
            public = self.place.provider_keys.public_key
            key = linking.WrappedKey(wrap_for(public, self.place.keys.key.raw), public)
            linking.link(session, actor, self.place.provider.id, own, key)

    def change_seats(self, session):
        world = subscriptions.world_of(
            session, self.place.provider.id, self.place.organization.id, load_prices()
        )
        if world:
            grows = self.chance.random() < 0.3
            wanted = dataclasses.replace(
                world.selection,
                seats=max(1, world.used + self.chance.choice((0, 0, 1, 5))),
                autogrow=grows,
                seat_limit=None,
            )
            subscriptions.commit(session, self.place.actor, world, world.preview(wanted))

    def mail(self, session):
        queued = select(Outbox.id).where(Outbox.state == "queued").order_by(Outbox.id)
        found = session.scalars(queued).all()
        if not found:
            return
        job_id = self.chance.choice(found)
        tries = self.chance.choice((0, jobs.FAILING_AFTER - 1))
        session.execute(
            update(Outbox).where(Outbox.id == job_id).values(run_at=utc_now(), attempts=tries)
        )
        job = jobs.claim(session, job_id, "lease", jobs.LEASE)
        outcome = Outcome(self.chance.choice(("sent", "failed", "queued", "dropped")), "said")
        jobs.finish(session, job, outcome)
        attention.mail_fared(session, job.topic, job.subject_id, outcome.state)

    def hire(self, session):
        self.number += 1
        staff.invite(
            session,
            self.place.actor,
            email=f"hand{self.number}@northwind.example",
            role=Role.SERVICE_USER,
            locale="en",
        )

    def somebody(self, session):
        found = session.scalars(
            select(ProviderPerson.id)
            .where(ProviderPerson.account_id.is_distinct_from(self.place.admin.account_id))
            .order_by(ProviderPerson.id)
        ).all()
        return self.chance.choice(found) if found else None

    def person(self, session):
        person = self.somebody(session)
        if person:
            action = self.chance.choice(
                (StaffAction.RESEND, StaffAction.SUSPEND, StaffAction.RESUME, StaffAction.REMOVE)
            )
            staff.act(session, self.place.actor, action, person)

    def person_accepts(self, session):
        person = self.somebody(session)
        if person:
            version = session.scalar(
                select(ProviderPerson.invitation_version).where(ProviderPerson.id == person)
            )
            found = invitations.find(session, Link(self.place.provider.id, person, version))
            invitations.accept(
                session, found, lambda: self.account(session, found.email), trace=Trace()
            )


@pytest.mark.parametrize("seed", range(4))
def test_after_any_history_a_recount_finds_the_same(database, seed):
    place = make_place(database)
    history = History(place, random.Random(seed))
    with database.session() as session:
        # The owner first, so that the client can be unlinked and linked again.
        history.accept(session)
        history.confirm(session)
    done = []
    for _turn in range(50):
        done.append(history.go_on())
        assert wrong(database) == [], done
    assert waiting(database), done


def test_the_history_can_go_wrong(database, monkeypatch):
    """Without what a cause writes, the same histories end in a recount that differs."""
    monkeypatch.setattr(attention, "member_moved", lambda *_: None)
    with pytest.raises(AssertionError):
        test_after_any_history_a_recount_finds_the_same(database, 1)
