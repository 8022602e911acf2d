"""The databases of a test run: one place says which kinds, and how a test gets a clean one.

`app` lives inside one transaction that is rolled back: views may commit, nothing stays. It serves
one thread. `committed_app` really commits, and is emptied afterwards: for races, the worker and
live servers.
"""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Connection, Engine, create_engine, event, text

from portal import create_app
from portal.config import Settings
from portal.database import _read_only, prepare_engine
from portal.extensions import db
from portal.migrate import upgrade
from portal.models import Base
from tests.support.postgres import PostgresServer

KINDS = ["sqlite", "postgresql"]
TEMPLATE = "template"
PATIENCE_SECONDS = 60
_TRUNCATE_FROM_BYTES = 4_000_000
SECRET_KEY = "a key of the tests that guards nothing at all"


class Databases:
    """Makes migrated databases, each a copy of a template, and keeps one app for each use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server: PostgresServer | None = None
        self._templates: set[str] = set()
        self._apps: dict[tuple[str, str], Flask] = {}

    def url(self, kind: str, name: str) -> str:
        """The URL of a new migrated database."""
        if kind not in self._templates:
            upgrade_at(self._empty(kind, TEMPLATE))
            self._templates.add(kind)
        if kind == "postgresql":
            return self.server.create(name, template=TEMPLATE)
        shutil.copyfile(self._folder / f"{TEMPLATE}.db", self._folder / f"{name}.db")
        return f"sqlite:///{self._folder / name}.db"

    def empty(self, kind: str, name: str) -> str:
        """The URL of a new database without any table."""
        return self._empty(kind, name)

    def app(self, kind: str, use: str) -> Flask:
        """The app over the database of this kind and use, made once a run."""
        found = self._apps.get((kind, use))
        if not found:
            url = self.url(kind, f"{use}-{kind}")
            found = create_app(settings(url, self._folder / f"instance-{use}-{kind}"))
            make_patient(found)
            self._apps[kind, use] = found
        return found

    @property
    def server(self) -> PostgresServer:
        """The private PostgreSQL, started when first asked for."""
        if not self._server:
            self._server = PostgresServer()
        return self._server

    def close(self) -> None:
        for app in self._apps.values():
            with app.app_context():
                db.engine.dispose()
        if self._server:
            self._server.stop()

    def _empty(self, kind: str, name: str) -> str:
        if kind == "postgresql":
            return self.server.create(name)
        return f"sqlite:///{self._folder / name}.db"


def settings(url: str, instance: Path, **changes: object) -> Settings:
    """The settings of an app under test; `base_url` is what the test client calls itself."""
    values = {
        "instance": instance,
        "database_url": url,
        "base_url": "http://localhost",
        "secret_keys": (SECRET_KEY,),
        "log_level": "ERROR",
        "testing": True,
    }
    return Settings(**(values | changes))


def make_patient(app: Flask) -> None:
    """A crowd of threads waits for its turn, however slow the machine: nobody is sent away."""

    def wait(connection, _record):
        connection.execute(f"PRAGMA busy_timeout={PATIENCE_SECONDS * 1000}")

    with app.app_context():
        db.engine.pool._timeout = PATIENCE_SECONDS
        if db.engine.dialect.name == "sqlite":
            event.listen(db.engine, "connect", wait)
        db.engine.dispose()


@contextlib.contextmanager
def engine_for(url: str) -> Iterator[Engine]:
    """An engine as the portal sets one up, disposed of at the end."""
    engine = create_engine(url)
    prepare_engine(engine)
    try:
        yield engine
    finally:
        engine.dispose()


def upgrade_at(url: str, revision: str = "head") -> None:
    with engine_for(url) as engine:
        upgrade(engine, revision)


@contextlib.contextmanager
def rolled_back(app: Flask) -> Iterator[None]:
    """Everything the app does joins one transaction, which ends as if it had not been."""
    with app.app_context():
        engine = db.engine
    with engine.connect() as connection:
        transaction = connection.begin()
        event.listen(connection, "before_cursor_execute", _refuse_writes_of_a_get)
        db._app_engines[app][None] = connection
        try:
            yield
        finally:
            db._app_engines[app][None] = engine
            transaction.rollback()


def _refuse_writes_of_a_get(connection, cursor, statement, *_):
    # The real transaction of a GET is read-only; this one began for writing, so it asks itself.
    if _read_only.get() and statement.lstrip()[:6].upper() in {"INSERT", "UPDATE", "DELETE"}:
        raise RuntimeError(f"a GET wrote, which a real database refuses: {statement}")


def empty_tables(engine: Engine) -> None:
    """Remove every row, whatever refers to it."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            _empty_postgresql(connection)
        else:
            _empty_sqlite(connection)


def _empty_postgresql(connection: Connection) -> None:
    names = [table.name for table in Base.metadata.sorted_tables]
    everything = ", ".join(f'"{name}"' for name in names)
    # Whoever still writes, a request whose browser has left, is waited for.
    connection.execute(text(f"LOCK TABLE {everything} IN SHARE ROW EXCLUSIVE MODE"))
    size = text("SELECT max(pg_table_size(oid)) FROM pg_class WHERE relkind = 'r'")
    with_rows = " UNION ALL ".join(
        f"SELECT '{name}' WHERE EXISTS (SELECT FROM \"{name}\")" for name in names
    )
    filled = connection.scalars(text(with_rows)).all()
    if connection.scalar(size) > _TRUNCATE_FROM_BYTES:
        connection.execute(text(f"TRUNCATE {everything} CASCADE"))
    elif filled:
        # A new file for each of all tables takes much longer than a few rows.
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for name in filled:
            connection.execute(text(f'DELETE FROM "{name}"'))
    connection.commit()


def _empty_sqlite(connection: Connection) -> None:
    raw = connection.connection.dbapi_connection
    raw.execute("PRAGMA foreign_keys=OFF")
    try:
        with connection.begin():
            # What the triggers refuse in a portal has to be done between two tests.
            found = text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            triggers = connection.execute(found).all()
            for name, _ in triggers:
                connection.execute(text(f"DROP TRIGGER {name}"))
            for table in Base.metadata.sorted_tables:
                connection.execute(table.delete())
            for _, sql in triggers:
                connection.exec_driver_sql(sql)
    finally:
        raw.execute("PRAGMA foreign_keys=ON")


@pytest.fixture(scope="session")
def databases(tmp_path_factory):
    # Joins the transaction of `rolled_back` by savepoints; over an engine it changes nothing.
    db.session.session_factory.configure(join_transaction_mode="create_savepoint")
    made = Databases(tmp_path_factory.mktemp("databases"))
    yield made
    made.close()


@pytest.fixture(params=KINDS)
def kind(request):
    """The kind of database; a test that asks for an app runs once on each."""
    return request.param


@pytest.fixture
def app(databases, kind):
    """The portal, whose commits vanish with the test."""
    made = databases.app(kind, "rolled-back")
    with rolled_back(made):
        yield made


@pytest.fixture
def committed_app(databases, kind):
    """The portal, whose commits other connections see; emptied after the test."""
    made = databases.app(kind, "committed")
    yield made
    with made.app_context():
        db.session.remove()
        empty_tables(db.engine)
