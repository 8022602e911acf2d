"""`flask backup` and `flask restore`: all rows, consistent, while the portal runs."""

import datetime as dt
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import URL, inspect, make_url, select
from sqlalchemy.engine import Engine

from portal.config import Settings
from portal.extensions import db
from portal.models import Account, Provider

KEY_NOTE = (
    "The secret key is not in it. Keep {where} too, in another place: second factors and "
    "invitations are sealed with it."
)


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@with_appcontext
def backup(target: Path) -> None:
    """Copy the database to TARGET, a new file or a folder for one."""
    settings: Settings = current_app.extensions["settings"]
    url = make_url(settings.database_url)
    file = _new_file(target, "db" if _is_sqlite(url) else "dump")
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    # Made empty and private first: both programs write into what is there.
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        if _is_sqlite(url):
            _copy_sqlite(_path(url), draft)
        else:
            _run(["pg_dump", "--format=custom", "--no-owner", "--no-privileges", "-w"], url, draft)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    click.echo(f"Backed up to {file}, {file.stat().st_size:,} bytes.")
    key_file = settings.instance / "secret.key"
    where = str(key_file) if key_file.exists() else "PORTAL_SECRET_KEY"
    click.echo(KEY_NOTE.format(where=where))


@click.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@with_appcontext
def restore(source: Path) -> None:
    """Fill an EMPTY database from the backup SOURCE, with the portal stopped."""
    settings: Settings = current_app.extensions["settings"]
    url = make_url(settings.database_url)
    if _holds_data(db.engine):
        raise click.ClickException(
            "This database holds accounts or a provider. Restoring goes into an empty one only: "
            "point PORTAL_DATABASE_URL or PORTAL_INSTANCE at another."
        )
    db.engine.dispose()
    if _is_sqlite(url):
        _check_sqlite(source)
        with closing(_open(source, "ro")) as old, closing(_open(_path(url), "rwc")) as new:
            old.backup(new)
    else:
        options = [
            "--clean",
            "--if-exists",
            "--no-owner",
            "--no-privileges",
            "--exit-on-error",
            "-w",
        ]
        _run(["pg_restore", "--single-transaction", *options], url, source)
    click.echo(f"Restored from {source}. Start the portal with the secret key of that time.")


def _is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _path(url: URL) -> Path:
    if not url.database or url.database == ":memory:":
        raise click.ClickException("A database in memory cannot be backed up.")
    return Path(url.database)


def _new_file(target: Path, suffix: str) -> Path:
    if target.is_dir():
        target /= f"portal-{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%SZ}.{suffix}"
    if target.exists():
        raise click.ClickException(f"{target} exists; a backup never replaces a file.")
    if not target.parent.is_dir():
        raise click.ClickException(f"There is no folder {target.parent}.")
    return target


def _open(file: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode={mode}", uri=True, timeout=30)


def _copy_sqlite(database: Path, draft: Path) -> None:
    """One step of SQLite's backup: one moment of the database, while writers go on.

    VACUUM INTO would do too, but SQLite 3.40 fails in it over a table with generated columns.
    """
    try:
        with closing(_open(database, "ro")) as old, closing(_open(draft, "rw")) as new:
            old.backup(new)
            # One file, without a log beside it.
            new.execute("PRAGMA journal_mode=DELETE")
        _check_sqlite(draft)
        with draft.open("rb") as copy:
            os.fsync(copy.fileno())
    except sqlite3.Error as error:
        raise click.ClickException(f"The database could not be copied: {error}.") from None


def _check_sqlite(file: Path) -> None:
    try:
        with closing(_open(file, "ro")) as connection:
            (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise click.ClickException(f"{file} is no backup of a portal: {error}.") from None
    if answer != "ok":
        raise click.ClickException(f"{file} is damaged: {answer}.")


def _holds_data(engine: Engine) -> bool:
    with engine.connect() as connection:
        there = set(inspect(connection).get_table_names())
        return any(
            table.__tablename__ in there
            and connection.execute(select(table.id).limit(1)).first() is not None
            for table in (Account, Provider)
        )


def _run(command: list[str], url: URL, file: Path) -> None:
    """Run a program of PostgreSQL over the database; the password stays out of its arguments."""
    program = shutil.which(command[0])
    if program is None:
        raise click.ClickException(
            f"{command[0]} is not installed. It comes with the PostgreSQL client programs "
            "(Debian: postgresql-client); take the version of your server."
        )
    env = {**os.environ}
    if url.password:
        env["PGPASSWORD"] = str(url.password)
    plain = url.set(drivername="postgresql", password=None)
    name = plain.render_as_string(hide_password=False)
    place = ["--file", str(file)] if command[0] == "pg_dump" else [str(file)]
    done = subprocess.run(  # noqa: S603 - a program of PostgreSQL, without a shell
        [program, *command[1:], f"--dbname={name}", *place],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise click.ClickException(f"{command[0]} refused:\n{done.stderr.strip()}")
