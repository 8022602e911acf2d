"""Domains of a client, and the worker that looks them up at a name server of the test."""

import datetime as dt

from sqlalchemy import select, update
from sqlalchemy.orm import sessionmaker

from portal.domain.claimed_domains import PREFIX
from portal.domain.plans import Plan
from portal.domains.checking import check_due, handler
from portal.domains.service import CHECK
from portal.extensions import db
from portal.models import ClaimedDomain, Event, Organization, Outbox, utc_now
from portal.outbox.worker import Worker
from tests.support.organizations import make_place

ACME = "acme.example"


def make_house(database):
    """A client on Enterprise whose owner has confirmed keys."""
    place = make_place(database)
    database.run(update(Organization).values(plan=Plan.ENTERPRISE, plan_rank=2, seats=50))
    return place


def add(place, browser, domain=ACME):
    """Through the page; returns the row."""
    browser.post(f"{place.url}/domains/new", {"domain": domain}, status=303)
    return row_of(place, domain)


def row_of(place, domain=ACME, organization_id=None):
    return place.database.one(
        select(ClaimedDomain).where(
            ClaimedDomain.organization_id == (organization_id or place.organization.id),
            ClaimedDomain.domain == domain,
        )
    )


def url_of(place, row):
    return f"{place.url}/domains/{row.id}"


def publish(name_server, row):
    name_server.publish(row.domain, PREFIX + row.token)


def look(place, name_server, *, days=0, hours=1):
    """What the worker does when its time comes, so much later."""
    now = utc_now() + dt.timedelta(days=days, hours=hours)
    with place.database.app.app_context():
        return check_due(sessionmaker(db.engine), name_server.resolver, now)


def drain(place, name_server):
    """What it does at once after a button was pressed."""
    with place.database.app.app_context():
        work = handler(db.engine, name_server.resolver)
        Worker(db.engine, {CHECK: work}).drain()


def kinds(place):
    found = select(Event.type).where(Event.stream_id == place.organization.id).order_by(Event.seq)
    return [kind for kind in place.database.all(found) if ":domain:" in kind or "policy" in kind]


def mails(place):
    found = select(Outbox.topic).where(Outbox.topic.like("mail.domain%")).order_by(Outbox.id)
    return place.database.all(found)
