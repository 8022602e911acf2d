"""Whatever happens, in whatever order: what waits is what a recount finds."""

import dataclasses
import random

import pytest
from sqlalchemy import select, update

from portal.billing import client_queries, load_prices, subscriptions
from portal.clients import lifecycle, link_queries, linking
from portal.crypto.keys import wrap_for
from portal.crypto.tokens import Link
from portal.domain.access import Role, Trace
from portal.domain.errors import RuleError
from portal.domain.membership import MemberAction
from portal.domain.staff import StaffAction
from portal.domain.states import MemberState
from portal.members import acceptance, changes, confirmation, service
from portal.members import queries as member_queries
from portal.models import (
    Account,
    Member,
    Outbox,
    ProviderPerson,
    utc_now,
)
from portal.outbox import jobs
from portal.outbox.jobs import Outcome
from portal.providers import attention, invitations, staff
from tests.support.accounts import keys_for
from tests.support.attention import waiting, wrong
from tests.support.organizations import OWNER, make_place


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
            self.hire, self.person, self.person_accepts, self.manage, self.manage, self.stage,
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

    def manage(self, session):
        """Invited, revoked, restored, removed; the owner stays, so that there is one to link by."""
        everybody = select(Member.id).where(Member.role != Role.OWNER).order_by(Member.id)
        found = session.scalars(everybody).all()
        if found:
            changes.act(
                session,
                self.place.actor,
                self.chance.choice(list(MemberAction)),
                organization_id=self.place.organization.id,
                member_id=self.chance.choice(found),
                by=changes.manager_of(self.place.actor),
            )

    def stage(self, session):
        """As a directory prepares people: a row that nobody has been invited by."""
        self.number += 1
        member = Member(
            organization_id=self.place.organization.id,
            email=f"staged{self.number}@acme.example",
            role=Role.USER,
            state=MemberState.STAGED,
        )
        session.add(member)
        session.flush()
        attention.member_moved(session, member.id, MemberState.STAGED)

    def unlink(self, session):
        client = client_queries.client(session, self.place.actor.scope, self.place.organization.id)
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
            session, self.place.actor.scope, self.place.organization.id, load_prices()
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
