"""Drains the outbox: looks, claims, works outside the transaction, writes down what came of it.

At least once: a worker that dies after a mail has left and before that is written leaves a job
that another delivers again, with the same Message-ID.
"""

import datetime as dt
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

from portal.database import reading
from portal.models import new_id
from portal.outbox import jobs
from portal.outbox.housekeeping import tidy
from portal.outbox.jobs import Job, Outcome
from portal.providers import attention
from portal.recovery import telling
from portal.web.logs import log

LOOK_EVERY_SECONDS = 0.5
TIDY_EVERY_SECONDS = 600.0
LONGEST_WAIT_SECONDS = 30.0

Handler = Callable[[Session, Job], Callable[[], str]]
"""Reads what it needs and returns the work itself, which runs after the transaction and answers
with a sentence. Either may raise `Again` or `Never`."""


class Again(Exception):
    """It did not work this time."""


class Never(Exception):
    """It will never work. `dropped`: because nobody wants it any more."""

    def __init__(self, answer: str, *, dropped: bool = False) -> None:
        super().__init__(answer)
        self.state = "dropped" if dropped else "failed"


class Worker:
    """One process's worker. `handlers` says by topic what is to be done, `chores` what else."""

    def __init__(
        self,
        engine: Engine,
        handlers: Mapping[str, Handler],
        *,
        chores: Sequence[Callable[[sessionmaker[Session]], None]] = (),
        lease: dt.timedelta = jobs.LEASE,
    ) -> None:
        self._sessions = sessionmaker(engine, expire_on_commit=False)
        self._handlers = handlers
        self._chores = chores
        self._lease_length = lease
        self._lease = f"{socket.gethostname()[:20]}:{os.getpid()}:{new_id().hex[-8:]}"
        self._stop = threading.Event()

    def stop(self) -> None:
        """Finish the job in hand, take no other."""
        self._stop.set()

    def run(self) -> None:
        """Work until `stop()`; a database that is away is waited for."""
        pause, tidy_at = LOOK_EVERY_SECONDS, 0.0
        while not self._stop.is_set():
            try:
                busy = self.drain() > 0
                if time.monotonic() >= tidy_at:
                    self.tidy()
                    tidy_at = time.monotonic() + TIDY_EVERY_SECONDS
            except (DBAPIError, PoolTimeout) as error:
                log.warning("database away", error=type(error).__name__)
                self._stop.wait(pause)
                pause = min(pause * 2, LONGEST_WAIT_SECONDS)
                continue
            pause = LOOK_EVERY_SECONDS
            if not busy:
                self._stop.wait(pause)

    def drain(self) -> int:
        """Do all that is due now; returns how many jobs that were."""
        count = 0
        while not self._stop.is_set():
            with reading(), self._sessions() as session:
                waiting = jobs.due(session)
            if not waiting:
                break
            for job_id in waiting:
                if self._stop.is_set():
                    break
                with self._sessions.begin() as session:
                    job = jobs.claim(session, job_id, self._lease, self._lease_length)
                if job:
                    count += 1
                    self._finish(job, self._work(job))
        return count

    def tidy(self) -> None:
        """Remove rows that have served, and do the chores; each knows when it is due."""
        removed = tidy(self._sessions)
        if removed:
            log.info("tidied", removed=removed)
        for chore in self._chores:
            chore(self._sessions)

    def _work(self, job: Job) -> Outcome:
        try:
            return Outcome("sent", self._handle(job))
        except Never as error:
            return Outcome(error.state, str(error))
        except Again as error:
            answer = str(error)
        except DBAPIError:
            raise
        except Exception as error:  # noqa: BLE001
            # A fault of ours must not stop the mails behind it; it is tried again, then failed.
            log.exception("job broke", topic=job.topic, job=str(job.id))
            answer = f"The portal could not do this ({type(error).__name__})."
        return Outcome("failed" if job.attempts >= jobs.TRIES else "queued", answer)

    def _handle(self, job: Job) -> str:
        handler = self._handlers.get(job.topic)
        if handler is None:
            raise Never(f"Nothing is known to do for {job.topic}.")
        if job.attempts > jobs.TRIES:
            raise Never("The worker ended each time while it was at this.")
        with reading(), self._sessions() as session:
            work = handler(session, job)
        return work()

    def _finish(self, job: Job, outcome: Outcome) -> None:
        """Write the outcome down, however often it takes while the lease lasts."""
        until, pause = time.monotonic() + self._lease_length.total_seconds(), 0.2
        while True:
            try:
                with self._sessions.begin() as session:
                    kept = jobs.finish(session, job, outcome)
                    if kept:
                        attention.mail_fared(session, job.topic, job.subject_id, outcome.state)
                        telling.mail_fared(session, job.topic, job.payload, outcome.state)
                break
            except DBAPIError:
                if self._stop.is_set() or time.monotonic() + pause > until:
                    raise
                time.sleep(pause)
                pause = min(pause * 2, 5.0)
        log.info(
            "job",
            topic=job.topic,
            job=str(job.id),
            state=outcome.state if kept else "lease lost",
            attempts=job.attempts,
        )
