"""The outbox: nothing lost, nothing sent that nobody wants any more, every answer kept."""

import datetime as dt
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from portal.models import (
    Member,
    Outbox,
    new_id,
    utc_now,
)
from portal.outbox import enqueue, jobs
from portal.outbox.queries import mail_states
from portal.outbox.worker import Again, Never
from tests.support.databases import SECRET_KEY
from tests.support.mailing import (
    change_settings,
    invited,
    job,
    make_due,
    queue_invitation,
    send_all,
    worker_of,
)
from tests.support.project import ROOT

pytestmark = pytest.mark.committed
NOW_ISH = dt.timedelta(seconds=10)


@pytest.fixture
def mail_app(committed_app, smtp, monkeypatch):
    """The portal with a mail server."""
    change_settings(committed_app, monkeypatch, smtp_url=smtp.url)
    return committed_app


def queue(database, topic="test", **columns):
    """A job of any topic."""
    with database.session() as session:
        row = enqueue(session, topic, {}, subject_id=new_id())
        for name, value in columns.items():
            setattr(row, name, value)
    return row


def test_a_mail_is_refused_for_now_then_for_good_then_sent_anew(mail_app, committed, smtp):
    member = invited(committed)
    first = queue_invitation(committed, member)
    smtp.answers = ["451 4.7.1 Greylisted", "550 5.1.1 No such user"]

    assert send_all(mail_app) == 1
    row = job(committed, first.id)
    assert (row.state, row.attempts, row.last_answer) == ("queued", 1, "451 4.7.1 Greylisted")
    pause = row.run_at - utc_now()
    assert dt.timedelta(seconds=15) < pause < dt.timedelta(seconds=40)
    assert send_all(mail_app) == 0, "it waits for its next try"

    make_due(committed, first.id)
    assert send_all(mail_app) == 1
    row = job(committed, first.id)
    assert (row.state, row.attempts) == ("failed", 2)
    assert row.last_answer == "550 5.1.1 No such user"
    assert row.finished_at is not None
    assert send_all(mail_app) == 0, "what failed is not tried again"

    again = queue_invitation(committed, member)
    send_all(mail_app)
    row = job(committed, again.id)
    assert (row.state, row.last_answer) == ("sent", "250 2.0.0 Accepted")
    with committed.session() as session:
        state = mail_states(session, [member.id])[member.id]
    assert (state.state, state.next_try) == ("sent", None)
    assert [delivery.recipients for delivery in smtp.deliveries] == [["zoe@acme.example"]]


def test_what_nobody_wants_any_more_is_dropped(mail_app, committed, smtp):
    member = invited(committed)
    old, new = (queue_invitation(committed, member, version=number) for number in (1, 2))
    committed.run(update(Member).values(invitation_version=2))
    send_all(mail_app)
    assert job(committed, old.id).state == "dropped"
    assert "newer" in job(committed, old.id).last_answer
    assert job(committed, new.id).state == "sent"
    assert len(smtp.deliveries) == 1


def test_a_mail_server_that_is_away_is_tried_again_and_again(committed_app, committed, monkeypatch):
    change_settings(committed_app, monkeypatch, smtp_url="smtp://127.0.0.1:1")
    row = queue_invitation(committed, invited(committed))
    for attempts in range(1, jobs.TRIES + 1):
        make_due(committed, row.id)
        assert send_all(committed_app) == 1
        assert job(committed, row.id).attempts == attempts
    found = job(committed, row.id)
    assert found.state == "failed"
    assert "cannot be reached" in found.last_answer


def test_the_pauses_between_tries_grow_to_about_a_day_in_all():
    pauses = [jobs.pause_after(number) for number in range(1, jobs.TRIES)]
    assert dt.timedelta(hours=14) < sum(pauses, dt.timedelta()) < dt.timedelta(hours=36)
    assert max(pauses) <= jobs.LONGEST_PAUSE * 1.2
    assert len({jobs.pause_after(5) for _ in range(20)}) > 10, "not all come back at once"


def test_without_a_mail_server_the_mail_is_a_file(committed_app, committed, tmp_path, monkeypatch):
    change_settings(committed_app, monkeypatch, instance=tmp_path)
    row = queue_invitation(committed, invited(committed))
    send_all(committed_app)
    (file,) = (tmp_path / "mail").iterdir()
    assert job(committed, row.id).last_answer == f"Written to mail/{file.name}"


def test_a_killed_worker_leaves_a_mail_that_comes_again_under_the_same_id(
    mail_app, committed, smtp
):
    row = queue_invitation(committed, invited(committed))
    killed = subprocess.run(
        [sys.executable, "-m", "tests.support.dying_worker", "0.3"],
        cwd=ROOT,
        env=os.environ
        | {
            "PORTAL_DATABASE_URL": mail_app.extensions["settings"].database_url,
            "PORTAL_INSTANCE": str(mail_app.extensions["settings"].instance),
            "PORTAL_BASE_URL": "http://localhost",
            "PORTAL_SMTP_URL": smtp.url,
            "PORTAL_SECRET_KEY": SECRET_KEY,
            "PORTAL_LOG_LEVEL": "ERROR",
        },
    )
    assert killed.returncode == -signal.SIGKILL
    assert job(committed, row.id).state == "queued"
    time.sleep(0.35)
    assert send_all(mail_app) == 1
    found = job(committed, row.id)
    assert (found.state, found.attempts) == ("sent", 2)
    ids = [delivery.mail["Message-ID"] for delivery in smtp.deliveries]
    assert ids == [f"<{row.id}@localhost>"] * 2


def test_two_workers_do_each_job_once(committed_app, committed):
    rows = [queue(committed) for _ in range(40)]
    done, lock = [], threading.Lock()

    def handler(session, job):
        def work():
            with lock:
                done.append(job.id)
            return "done"

        return work

    def drain():
        with worker_of(committed_app, {"test": handler}) as worker:
            worker.drain()

    threads = [threading.Thread(target=drain) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == sorted(row.id for row in rows)
    assert set(committed.all(select(Outbox.state))) == {"sent"}


def handler_that(outcome):
    def handler(session, job):
        def work():
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        return work

    return handler


@pytest.mark.parametrize(
    ("outcome", "state", "answer"),
    [
        ("done", "sent", "done"),
        (Again("later"), "queued", "later"),
        (Never("no"), "failed", "no"),
        (Never("not needed", dropped=True), "dropped", "not needed"),
        (ZeroDivisionError("secret detail"), "queued", "ZeroDivisionError"),
    ],
)
def test_what_comes_of_a_job_is_written_down(committed_app, committed, outcome, state, answer):
    row = queue(committed)
    behind = queue(committed)
    assert send_all(committed_app, handlers={"test": handler_that(outcome)}) == 2
    found = job(committed, row.id)
    assert found.state == state
    assert answer in found.last_answer
    assert "secret" not in found.last_answer
    assert found.lease is None
    assert job(committed, behind.id).attempts == 1, "a job that breaks stops no other"


def test_a_topic_that_nobody_knows_fails_at_once(committed_app, committed):
    row = queue(committed, "unheard.of")
    send_all(committed_app)
    assert job(committed, row.id).state == "failed"


def test_a_job_that_kills_its_worker_each_time_is_given_up(committed_app, committed):
    row = queue(committed, attempts=jobs.TRIES)
    send_all(committed_app, handlers={"test": handler_that("done")})
    assert job(committed, row.id).state == "failed"


def test_a_worker_whose_lease_ran_out_does_not_overwrite_the_next_one(committed_app, committed):
    row = queue(committed)

    def slow(session, job):
        def work():
            committed.run(update(Outbox).values(lease="another worker"))
            return "too late"

        return work

    send_all(committed_app, handlers={"test": slow})
    assert job(committed, row.id).last_answer == ""


def test_looking_takes_no_lock(committed_app, committed, statements):
    with worker_of(committed_app) as worker:
        statements.clear()
        assert worker.drain() == 0
    assert [str(each)[:6] for each in statements] == ["SELECT"]


def test_no_transaction_is_open_while_a_job_works(committed_app, committed):
    queue(committed)

    def handler(session, job):
        # Another connection writes while the work goes on.
        return lambda: committed.run(update(Outbox).values(last_answer="seen")) or "done"

    assert send_all(committed_app, handlers={"test": handler}) == 1


def test_the_worker_waits_for_a_database_that_was_away(committed_app, committed, monkeypatch):
    row = queue(committed)
    real, calls = jobs.due, []

    def flaky(session, *arguments):
        calls.append(1)
        if len(calls) < 3:
            raise OperationalError("SELECT", {}, Exception("gone"))
        return real(session, *arguments)

    monkeypatch.setattr("portal.outbox.worker.LOOK_EVERY_SECONDS", 0.01)
    monkeypatch.setattr(jobs, "due", flaky)
    with worker_of(committed_app, {"test": handler_that("done")}) as worker:
        thread = threading.Thread(target=worker.run)
        thread.start()
        deadline = time.monotonic() + 60
        while job(committed, row.id).state == "queued" and time.monotonic() < deadline:
            time.sleep(0.02)
        worker.stop()
        thread.join(60)
    assert not thread.is_alive()
    assert job(committed, row.id).state == "sent"


def test_an_outcome_is_written_once_the_database_is_back(committed_app, committed, monkeypatch):
    row = queue(committed)
    real, calls = jobs.finish, []

    def flaky(*arguments):
        calls.append(1)
        if len(calls) == 1:
            raise OperationalError("UPDATE", {}, Exception("gone"))
        return real(*arguments)

    monkeypatch.setattr(jobs, "finish", flaky)
    assert send_all(committed_app, handlers={"test": handler_that("done")}) == 1
    assert (job(committed, row.id).state, len(calls)) == ("sent", 2)


def test_stopping_finishes_the_job_in_hand_and_takes_no_other(committed_app, committed):
    rows = [queue(committed) for _ in range(3)]
    with worker_of(committed_app) as worker:

        def handler(session, job):
            return lambda: worker.stop() or "done"

        worker._handlers = {"test": handler}
        worker.run()
    assert sorted(job(committed, row.id).state for row in rows) == ["queued", "queued", "sent"]
