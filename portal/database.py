"""How the portal talks to its database: the same promises on SQLite and on PostgreSQL.

GET and HEAD begin read-only, everything else begins for writing (`BEGIN IMMEDIATE` on SQLite, so
that a writer waits at the door instead of failing in the middle). Which of the two is a
context variable: commands and the worker never set it and so begin for writing.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from flask import Flask, request
from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session

from portal.config import Settings
from portal.extensions import db

BUSY_TIMEOUT_MS = 5000
_read_only: ContextVar[bool] = ContextVar("read_only", default=False)
_PRAGMAS = (
    "journal_mode=WAL",
    # An acknowledged client survives a power cut; design/performance.md has the price.
    "synchronous=FULL",
    "foreign_keys=ON",
    f"busy_timeout={BUSY_TIMEOUT_MS}",
    "cache_size=-16000",
    "temp_store=MEMORY",
)


def init_database(app: Flask, settings: Settings) -> None:
    """Bind the database to the app and choose each request's kind of transaction."""
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(settings.database_url)
    if settings.database_url.startswith("sqlite"):
        settings.instance.mkdir(parents=True, exist_ok=True)
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)

    @app.before_request
    def choose_transaction() -> None:
        _read_only.set(request.method in {"GET", "HEAD", "OPTIONS"})

    @app.teardown_request
    def forget_transaction(error: BaseException | None) -> None:
        _read_only.set(False)


def engine_options(url: str) -> dict[str, Any]:
    """Pool settings: a dead PostgreSQL connection is noticed before it is used."""
    if url.startswith("sqlite"):
        return {"connect_args": {"timeout": BUSY_TIMEOUT_MS / 1000}}
    return {
        "pool_pre_ping": True,
        "pool_size": 8,
        "max_overflow": 4,
        "pool_timeout": 2,
        "connect_args": {"connect_timeout": 3},
    }


def prepare_engine(engine: Engine) -> None:
    """Install the connection settings and the way a transaction begins."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "begin", _begin_postgresql)


def _set_up_sqlite(connection: sqlite3.Connection, record: object) -> None:
    # The driver must not open transactions by itself: `_begin_sqlite` says how they begin.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    read_only = _read_only.get()
    connection.exec_driver_sql(f"PRAGMA query_only={int(read_only)}")
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def _begin_postgresql(connection: Connection) -> None:
    if _read_only.get():
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")


@contextmanager
def writing() -> Iterator[None]:
    """Transactions that begin inside are for writing, also in a GET."""
    token = _read_only.set(False)
    try:
        yield
    finally:
        _read_only.reset(token)


@contextmanager
def reading() -> Iterator[None]:
    """Transactions that begin inside only read, also in a POST: they wait for no writer."""
    token = _read_only.set(True)
    try:
        yield
    finally:
        _read_only.reset(token)


@contextmanager
def short_transaction() -> Iterator[Session]:
    """A small writing transaction of its own: committed at the end, rolled back on an error.

    Only before the request's session has started one: two connections of one request would wait
    for each other on SQLite.
    """
    with (
        writing(),
        Session(db.engine, join_transaction_mode="create_savepoint") as session,
        session.begin(),
    ):
        yield session
