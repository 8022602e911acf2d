"""The outbox: what is tidied, what pages tell, and the command."""

import datetime as dt
import os
import signal
import subprocess
import sys
import time

from sqlalchemy import update

from portal.extensions import db
from portal.models import (
    Account,
    AuthSession,
    Idempotency,
    Notice,
    Outbox,
    RateLimit,
    SignInCode,
    new_id,
    utc_now,
)
from portal.outbox.queries import mail_states
from portal.outbox.worker import Worker
from tests.support.clients import make_account
from tests.support.databases import SECRET_KEY
from tests.support.mailing import (
    change_settings,
    invited,
    job,
    queue_invitation,
    worker_of,
)
from tests.support.project import ROOT
from tests.test_outbox import NOW_ISH, queue


def test_mail_states_tell_the_newest_mail_of_each_row_in_one_statement(
    committed_app, committed, statements
):
    one = invited(committed)
    two = invited(committed, email="two@acme.example")
    queue_invitation(committed, one)
    newest = queue_invitation(committed, one)
    queue_invitation(committed, two)
    committed.run(
        update(Outbox)
        .where(Outbox.id == newest.id)
        .values(last_answer="451 Later", attempts=3, run_at=utc_now() + dt.timedelta(hours=1))
    )
    with committed.session() as session:
        statements.clear()
        found = mail_states(session, [one.id, two.id, new_id()])
        statements.most(1)
    assert set(found) == {one.id, two.id}
    assert found[one.id].is_delayed
    assert found[one.id].attempts == 3
    assert not found[two.id].is_delayed


def test_what_has_served_is_removed_and_nothing_else(committed_app, committed):
    now, day = utc_now(), dt.timedelta(days=1)
    account = make_account(committed)

    def session_row(**columns):
        values = {"seen_at": now, "expires_at": now + day, "authenticated_at": now}
        values |= {"account_id": account.id, "method": "code", "token_hash": new_id().hex}
        return AuthSession(**(values | columns))

    def code(expires_at):
        return SignInCode(email="a@b.example", browser_hash="x", expires_at=expires_at)

    kept = [
        session_row(),
        code(now - day / 2),
        RateLimit(key="kept", hits=1, expires_at=now + day),
        Notice(account_id=account.id, key="aaaaaa", text="kept"),
        Idempotency(account_id=account.id, token="k", fingerprint="f", result_id=new_id()),
        Outbox(topic="t", payload={}, state="sent", finished_at=now - 29 * day),
        Outbox(topic="t", payload={}, state="queued", created_at=now - 90 * day),
    ]
    gone = [
        session_row(expires_at=now - NOW_ISH),
        session_row(seen_at=now - dt.timedelta(hours=13)),
        code(now - 2 * day),
        RateLimit(key="gone", hits=1, expires_at=now - NOW_ISH),
        Notice(account_id=account.id, key="bbbbbb", text="gone", created_at=now - 2 * day),
        Idempotency(
            account_id=account.id,
            token="g",
            fingerprint="f",
            result_id=new_id(),
            created_at=now - 2 * day,
        ),
        Outbox(topic="t", payload={}, state="dropped", finished_at=now - 31 * day),
    ]
    committed.add(*kept, *gone)
    with worker_of(committed_app) as worker:
        worker.tidy()
        worker.tidy()
    counts = {}
    for row in kept:
        counts[type(row)] = counts.get(type(row), 0) + 1
    assert {table: committed.count(table) for table in counts} == counts
    assert committed.count(Account) == 1


def test_the_command_sends_what_is_due_and_ends(committed_app, committed, tmp_path, monkeypatch):
    change_settings(committed_app, monkeypatch, instance=tmp_path)
    row = queue_invitation(committed, invited(committed))
    result = committed_app.test_cli_runner().invoke(args=["worker", "--once"])
    assert result.exit_code == 0, result.output
    assert job(committed, row.id).state == "sent"


def test_the_worker_ends_gently_on_term(committed_app, committed):
    settings = committed_app.extensions["settings"]
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "wsgi", "worker"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        env=os.environ
        | {
            "PORTAL_DATABASE_URL": settings.database_url,
            "PORTAL_INSTANCE": str(settings.instance),
            "PORTAL_BASE_URL": "http://localhost",
            "PORTAL_SECRET_KEY": SECRET_KEY,
        },
    )
    row = queue(committed, "unheard.of")
    deadline = time.monotonic() + 120
    while job(committed, row.id).state == "queued" and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _out, log = process.communicate(timeout=60)
    assert process.returncode == 0
    assert b"unheard.of" in log
    assert job(committed, row.id).state == "failed"


def test_a_worker_needs_no_request(committed_app):
    with committed_app.app_context():
        assert Worker(db.engine, {}).drain() == 0
