"""Alembic, called from code: `bin/run`, `flask demo`, tests and doctor share these four words."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

FOLDER = Path(__file__).parents[1] / "migrations"


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's configuration; `connection` is the one to migrate."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the database to `revision`; a second call does nothing."""
    with engine.connect() as connection:
        command.upgrade(configuration(connection), revision)


@cache
def newest_revision() -> str | None:
    """The revision this code expects."""
    return ScriptDirectory.from_config(configuration()).get_current_head()


def current_revision(connection: Connection) -> str | None:
    """The revision the database has; None when it is empty."""
    return MigrationContext.configure(connection).get_current_revision()
