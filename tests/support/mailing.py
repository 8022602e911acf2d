"""Mails on their way: somebody invited, a job queued, a worker that sends it."""

import dataclasses
import datetime as dt
from contextlib import contextmanager

from sqlalchemy import select, update

from portal.domain.access import Role
from portal.domain.states import MemberState
from portal.extensions import db
from portal.models import Member, Outbox, Provider, utc_now
from portal.outbox import enqueue
from portal.outbox.mailing import mail_handlers
from portal.outbox.worker import Worker
from tests.support.clients import make_client, make_provider

IN_FIVE_DAYS = dt.timedelta(days=5)


def change_settings(app, monkeypatch, **changes):
    """The app's settings with some of them changed, for this test."""
    changed = dataclasses.replace(app.extensions["settings"], **changes)
    monkeypatch.setitem(app.extensions, "settings", changed)
    return changed


def invited(database, *, role=Role.OWNER, email="zoe@acme.example", name="Acme Ltd", **provider):
    """A member who is invited to a client; no mail is queued."""
    provider = make_provider(database, **provider)
    client = make_client(database, provider, name)
    return database.add(
        Member(
            organization_id=client.id,
            email=email,
            role=role,
            state=MemberState.INVITED,
            invitation_expires_at=utc_now() + IN_FIVE_DAYS,
        )
    )


def queue_invitation(database, member, *, version=1, locale="en"):
    """The job of a member's invitation mail."""
    with database.session() as session:
        return enqueue(
            session,
            "mail.member_invitation",
            {
                "organization": str(member.organization_id),
                "member": str(member.id),
                "version": version,
                "locale": locale,
            },
            organization_id=member.organization_id,
            subject_id=member.id,
        )


@contextmanager
def worker_of(app, handlers=None, **options):
    with app.app_context():
        yield Worker(db.engine, mail_handlers(app) if handlers is None else handlers, **options)


def send_all(app, **options):
    """What a worker does now; returns how many jobs that were."""
    with worker_of(app, **options) as worker:
        return worker.drain()


def job(database, job_id):
    return database.one(select(Outbox).where(Outbox.id == job_id))


def make_due(database, job_id):
    """As if the pause until the next try were over."""
    due = update(Outbox).where(Outbox.id == job_id).values(run_at=utc_now())
    database.run(due)


def provider_of(database):
    return database.one(select(Provider))
