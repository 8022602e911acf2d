"""How long logs are kept: archived first, provable afterwards, deleted last."""

import datetime as dt
import gzip
import stat
import subprocess
import sys

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import sessionmaker

from portal.database import writing
from portal.events import Stream, retention
from portal.events.chores import chores
from portal.extensions import db
from portal.models import Event, EventCheckpoint, EventPerson, Provider, utc_now
from tests.support.clients import make_client, make_provider
from tests.support.eventlog import KEYS, check, exported, fill, fingerprint, person, sign
from tests.support.project import ROOT

ROWS = 6


@pytest.fixture
def log(committed):
    provider = make_provider(committed, events_kept_months=12)
    client = make_client(committed, provider)
    stream = Stream("organization", client.id)
    fill(committed, stream, person(), ROWS)
    sign(committed, client.id)
    return stream


def sessions(committed):
    with committed.app.app_context():
        return sessionmaker(db.engine, expire_on_commit=False)


def archive(committed, log, folder, *, after=4):
    """Archive the rows before row `after` + 1."""
    with committed.session() as session:
        before = session.get_one(Event, (log.id, after + 1)).at
    return retention.archive(sessions(committed), KEYS, folder, log, before, fewest=1)


def verified(tmp_path, text, key):
    file = tmp_path / "checked.jsonl"
    file.write_text(text)
    return checked(file, key)


def checked(file, key):
    program = ROOT / "portal/events/verifier.py"
    return subprocess.run(
        [sys.executable, "-I", "-S", str(program), str(file), "--key", key],
        capture_output=True,
        text=True,
    )


def numbers(committed, log, table=Event):
    return committed.all(select(table.seq).where(table.stream_id == log.id).order_by(table.seq))


def test_old_rows_go_into_a_file_that_proves_itself(committed, log, tmp_path):
    assert archive(committed, log, tmp_path / "archive") == 4
    (file,) = (tmp_path / "archive").iterdir()
    assert file.name == f"organization-{log.id}-1-4.jsonl.gz"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    done = checked(file, fingerprint(committed))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "GOOD 4 rows" in done.stdout
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(file.read_bytes()[:-20])
    done = checked(cut, fingerprint(committed))
    assert (done.returncode, done.stderr[:12]) == (2, "Cannot check")


def test_what_is_left_can_still_be_proved(committed, log, tmp_path):
    archive(committed, log, tmp_path)
    assert numbers(committed, log) == [5, 6, 7]
    assert numbers(committed, log, EventPerson) == [5, 6, 7]
    found = check(committed, log)
    assert (found.fault, found.rows) == ("", 3)
    done = verified(tmp_path, exported(committed, log), fingerprint(committed))
    assert done.returncode == 0, done.stdout


def test_the_log_tells_of_its_archive(committed, log, tmp_path):
    archive(committed, log, tmp_path)
    told = committed.one(select(Event.payload).where(Event.type == "system:log:archive"))
    assert '"first":1' in told
    assert '"through":4' in told
    assert '"sha256":"' in told


def test_a_second_archive_goes_on_where_the_first_ended(committed, log, tmp_path):
    archive(committed, log, tmp_path, after=2)
    archive(committed, log, tmp_path, after=5)
    assert sorted(file.name[-15:] for file in tmp_path.iterdir()) == [
        f"{log.id}-1-2.jsonl.gz"[-15:],
        f"{log.id}-3-5.jsonl.gz"[-15:],
    ]
    for file in list(tmp_path.glob("*.gz")):
        text = gzip.decompress(file.read_bytes()).decode()
        assert verified(tmp_path, text, fingerprint(committed)).returncode == 0
        (tmp_path / "checked.jsonl").unlink()
    assert numbers(committed, log)[0] == 6
    assert check(committed, log).fault == ""


def test_more_than_what_is_archived_cannot_be_deleted(committed, log, tmp_path):
    archive(committed, log, tmp_path)
    with pytest.raises(DBAPIError, match="archived before"), committed.session() as session:
        session.execute(delete(Event).where(Event.stream_id == log.id, Event.seq == 5))


def test_an_archive_that_was_interrupted_is_taken_up(committed, log, tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(retention, "_delete", stop)
    with pytest.raises(KeyboardInterrupt):
        archive(committed, log, tmp_path)
    monkeypatch.undo()
    assert numbers(committed, log)[0] == 1
    assert check(committed, log).fault == ""
    # Some of the rows are gone when it stops again.
    with committed.session() as session:
        session.execute(delete(Event).where(Event.stream_id == log.id, Event.seq <= 2))
    assert check(committed, log).fault == ""
    archive(committed, log, tmp_path)
    assert numbers(committed, log)[0] == 5
    assert check(committed, log).fault == ""


def test_the_newest_row_always_stays(committed, log, tmp_path):
    far = utc_now() + dt.timedelta(days=9000)
    retention.archive(sessions(committed), KEYS, tmp_path, log, far, fewest=1)
    assert numbers(committed, log) == [6, 7]


def test_only_logs_of_providers_that_keep_them_for_a_time_are_due(committed, log):
    other = make_provider(committed, "Other")
    make_client(committed, other)
    fill(committed, Stream("provider", other.id), person(), 1)
    with committed.session() as session:
        now = utc_now()
        found = retention.due(session, now)
    assert [stream for stream, _ in found] == [log]
    assert dt.timedelta(days=360) < now - found[0][1] < dt.timedelta(days=370)


def test_the_worker_signs_what_moved_and_archives_what_is_old(committed, log):
    settings = committed.app.extensions["settings"]
    fill(committed, log, person(), 1)
    with committed.session() as session:
        session.execute(update(EventCheckpoint).values(at=utc_now() - dt.timedelta(hours=2)))
        session.execute(update(Provider).values(events_kept_months=3))
    with writing():
        for chore in chores(settings):
            chore(sessions(committed))
    assert numbers(committed, log, EventCheckpoint) == [ROWS, ROWS + 1]
    with writing():
        for chore in chores(settings):
            chore(sessions(committed))
    assert numbers(committed, log, EventCheckpoint) == [ROWS, ROWS + 1]
