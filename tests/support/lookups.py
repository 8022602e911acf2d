"""Setting up and looking up, in contexts of its own: a test sees only what was committed."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Executable, func, select
from sqlalchemy.orm import Session

from portal.database import writing
from portal.extensions import db


class Database:
    """The rows of an app's database, seen from outside of any request."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    @contextlib.contextmanager
    def session(self) -> Iterator[Session]:
        """A session that commits at the end; entities stay readable afterwards."""
        with self.app.app_context(), writing():
            session = db.session()
            session.expire_on_commit = False
            yield session
            session.commit()

    def add(self, *rows: Any) -> Any:
        """Store rows in the order given (parents first); returns the row, or all of them."""
        with self.session() as session:
            for row in rows:
                session.add(row)
                session.flush()
        return rows[0] if len(rows) == 1 else rows

    def all(self, statement: Executable) -> list[Any]:
        """Every row; the bare values where the statement asks for one column or entity."""
        with self.session() as session:
            rows = session.execute(statement).all()
        return [row[0] if len(row) == 1 else row for row in rows]

    def one(self, statement: Executable) -> Any:
        """The only row; an error when there are none or several."""
        (row,) = self.all(statement)
        return row

    def count(self, model: type) -> int:
        return self.one(select(func.count()).select_from(model))

    def run(self, statement: Executable) -> None:
        """Execute a change and commit it."""
        with self.session() as session:
            session.execute(statement)


@pytest.fixture
def database(app):
    return Database(app)


@pytest.fixture
def committed(committed_app):
    """The same for `committed_app`."""
    return Database(committed_app)
