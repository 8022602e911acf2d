"""`flask worker`: what must happen after a commit, as long as the process lives."""

import signal

import click
from flask import current_app
from flask.cli import with_appcontext

from portal.baselines.drift import chore as look_for_drift
from portal.domains.checking import chore as domain_chore
from portal.domains.checking import handler as domain_handler
from portal.domains.lookup import Resolver
from portal.domains.service import CHECK
from portal.events.chores import chores
from portal.extensions import db
from portal.grants.service import chore as close_grants
from portal.outbox.mailing import mail_handlers
from portal.outbox.worker import Worker
from portal.radar.digest import chore as queue_digests
from portal.reports.seats import chore as seat_chore


@click.command()
@click.option("--once", is_flag=True, help="Do what is due now, then end.")
@with_appcontext
def worker(*, once: bool) -> None:
    """Send the mails that wait, and tidy up, until TERM."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001
    settings = app.extensions["settings"]
    resolver = Resolver.of(settings)
    signs, domains = chores(settings), domain_chore(resolver)
    also = (*signs, queue_digests, seat_chore(), close_grants, look_for_drift, domains)
    handlers = {**mail_handlers(app), CHECK: domain_handler(db.engine, resolver)}
    found = Worker(db.engine, handlers, chores=also)
    if once:
        found.drain()
        found.tidy()
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: found.stop())
    found.run()
