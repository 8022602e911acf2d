"""What the worker does about domains: looks them up, outside every transaction."""

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from sqlalchemy import Engine, Row, select, update
from sqlalchemy.orm import Session, sessionmaker

from portal.database import reading
from portal.domain.claimed_domains import SOON
from portal.domains import queries, service
from portal.domains.lookup import Resolver
from portal.models import ClaimedDomain, utc_now
from portal.models.writing import rows_changed
from portal.outbox.jobs import Job
from portal.outbox.worker import Handler, Never
from portal.web.logs import log

# Eight at once and five seconds each: mails wait for the others at most forty seconds.
AT_ONCE, BATCH = 8, 64


def handler(engine: Engine, resolver: Resolver) -> Handler:
    """Looks one domain up, because somebody pressed a button."""
    sessions = sessionmaker(engine, expire_on_commit=False)

    def prepare(session: Session, job: Job) -> Callable[[], str]:
        ids = uuid.UUID(job.payload["organization"]), uuid.UUID(job.payload["domain"])
        row = queries.domain(session, *ids)
        if row is None:
            raise Never("The domain was removed.", dropped=True)
        return partial(_look, sessions, resolver, row)

    return prepare


def _look(sessions: sessionmaker[Session], resolver: Resolver, row: Row[Any]) -> str:
    answer = resolver.look(row.domain, row.token)
    with sessions.begin() as session:
        service.found(session, row.organization_id, row.id, answer)
    return f"Looked up: {answer.value}."


def chore(resolver: Resolver) -> Callable[[sessionmaker[Session]], None]:
    """What the worker does between its jobs."""

    def look(sessions: sessionmaker[Session]) -> None:
        done = check_due(sessions, resolver)
        if done:
            log.info("domains looked up", domains=done)

    return look


def check_due(
    sessions: sessionmaker[Session], resolver: Resolver, now: dt.datetime | None = None
) -> int:
    """Look up whose time has come; returns how many. Any number of workers may do so at once."""
    moment = now or utc_now()
    with reading(), sessions() as session:
        waiting = _due(session, moment)
    mine = [row for row in waiting if _claim(sessions, row, moment)]
    if not mine:
        return 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda row: resolver.look(row.domain, row.token), mine))
    for row, answer in zip(mine, answers, strict=True):
        with sessions.begin() as session:
            service.found(session, row.organization_id, row.id, answer, now)
    return len(mine)


def _due(session: Session, now: dt.datetime) -> Sequence[Row[Any]]:
    found = select(
        ClaimedDomain.organization_id,
        ClaimedDomain.id,
        ClaimedDomain.domain,
        ClaimedDomain.token,
        ClaimedDomain.next_check_at,
    ).where(ClaimedDomain.next_check_at <= now)
    waiting: Any = found.order_by(ClaimedDomain.next_check_at, ClaimedDomain.id).limit(BATCH)
    return list(session.execute(waiting))


def _claim(sessions: sessionmaker[Session], row: Row[Any], now: dt.datetime) -> bool:
    """Put the next look-up off: a worker that dies at this one leaves it to another."""
    with sessions.begin() as session:
        moved = rows_changed(
            session,
            update(ClaimedDomain)
            .where(
                ClaimedDomain.organization_id == row.organization_id,
                ClaimedDomain.id == row.id,
                ClaimedDomain.next_check_at == row.next_check_at,
            )
            .values(next_check_at=now + SOON)
            .execution_options(synchronize_session=False),
        )
    return moved == 1
