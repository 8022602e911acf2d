"""The worker's side of the outbox table: due, claimed, finished.

A claim is a lease: `run_at` moves into the future, so the job of a worker that died comes back by
itself. Who finishes a job must still hold its lease.
"""

import datetime as dt
import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.models import Outbox, utc_now
from portal.models.writing import rows_changed

LEASE = dt.timedelta(minutes=4)
FIRST_PAUSE = dt.timedelta(seconds=30)
LONGEST_PAUSE = dt.timedelta(hours=6)
# With the pauses between them, about a day.
TRIES = 13
# So many tries in vain take about an hour: by then somebody may have to help.
FAILING_AFTER = 8
ANSWER_LIMIT = 500


@dataclass(frozen=True)
class Job:
    """One claimed row. `attempts` counts this one; `lease` proves the claim."""

    id: uuid.UUID
    topic: str
    payload: dict[str, Any]
    attempts: int
    lease: str
    subject_id: uuid.UUID | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a job: sent, failed or dropped; or queued, to be tried again."""

    state: str
    answer: str


def due(session: Session, limit: int = 20) -> Sequence[uuid.UUID]:
    """Jobs whose time has come, the longest waiting first. Takes no lock."""
    found = select(Outbox.id).where(Outbox.state == "queued", Outbox.run_at <= utc_now())
    return session.scalars(found.order_by(Outbox.run_at, Outbox.id).limit(limit)).all()


def claim(session: Session, job_id: uuid.UUID, lease: str, length: dt.timedelta) -> Job | None:
    """Take the job, unless another worker has it by now."""
    now = utc_now()
    # PostgreSQL passes over a row that is being claimed; SQLite has one writer at a time anyway.
    free = (
        select(Outbox.id)
        .where(Outbox.id == job_id, Outbox.state == "queued", Outbox.run_at <= now)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    taken = session.execute(
        update(Outbox)
        .where(Outbox.id == free)
        .values(lease=lease, run_at=now + length, attempts=Outbox.attempts + 1)
        .returning(Outbox.id, Outbox.topic, Outbox.payload, Outbox.attempts, Outbox.subject_id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if taken is None:
        return None
    return Job(taken.id, taken.topic, taken.payload, taken.attempts, lease, taken.subject_id)


def finish(session: Session, job: Job, outcome: Outcome) -> bool:
    """Write down what became of the job; False where its lease was lost to another worker."""
    now = utc_now()
    done = outcome.state != "queued"
    written = rows_changed(
        session,
        update(Outbox)
        .where(Outbox.id == job.id, Outbox.lease == job.lease, Outbox.state == "queued")
        .values(
            state=outcome.state,
            lease=None,
            last_answer=outcome.answer[:ANSWER_LIMIT],
            run_at=now if done else now + pause_after(job.attempts),
            finished_at=now if done else None,
        )
        .execution_options(synchronize_session=False),
    )
    return bool(written)


def pause_after(attempts: int) -> dt.timedelta:
    """How long to wait after so many tries: doubled each time, a fifth more or less by chance."""
    pause = min(FIRST_PAUSE * (1 << max(0, attempts - 1)), LONGEST_PAUSE)
    return pause * random.uniform(0.8, 1.2)  # noqa: S311 - spreads load, hides nothing
