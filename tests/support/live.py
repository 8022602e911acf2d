"""The portal as it really runs: Granian on a free port, with a database of its own."""

import os
import signal
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from portal import create_app
from portal.extensions import db
from tests.support.databases import (
    SECRET_KEY,
    Databases,
    empty_tables,
    make_patient,
    settings,
)
from tests.support.lookups import Database
from tests.support.ports import free_port, wait_until_open
from tests.support.project import ROOT


@dataclass
class Live:
    """A running portal. `app` is the same portal in this process, for look-ups and set-up."""

    url: str
    env: dict[str, str]
    instance: Path
    app: object
    database: Database
    processes: list[subprocess.Popen] = field(default_factory=list)

    @property
    def mails(self) -> list[Path]:
        """The mails the worker wrote, oldest first, where no mail server is set."""
        return sorted((self.instance / "mail").glob("*.eml"))

    def serve(self, *, workers: int = 1) -> None:
        port = self.url.rpartition(":")[2]
        command = ["granian", "--interface", "wsgi", "--no-ws", "--log-level", "error"]
        command += ["--host", "127.0.0.1", "--port", port, "--respawn-failed-workers"]
        command += ["--respawn-interval", "0.2"]
        command += ["--workers", str(workers), "--blocking-threads", "8", "wsgi:app"]
        server = self._start(command)
        wait_until_open(int(port), alive=lambda: server.poll() is None)

    def work(self) -> None:
        """Start the worker beside it."""
        self._start(["flask", "--app", "wsgi", "worker"])

    def flask(self, *arguments: str, **options) -> subprocess.CompletedProcess:
        """Run one of the portal's commands against this portal's database."""
        return subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", *arguments],
            env=self.env,
            cwd=ROOT,
            capture_output=True,
            text=True,
            **options,
        )

    def stop(self) -> None:
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.clear()

    def _start(self, module: list[str]) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-m", *module],
            env=self.env,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        self.processes.append(process)
        return process


def make_live(databases: Databases, kind: str, instance: Path, **env: str) -> Live:
    """A portal that is not running yet. `env` adds settings, `PORTAL_...`."""
    url = f"http://localhost:{free_port()}"
    database_url = databases.url(kind, f"live-{uuid.uuid4().hex[:12]}-{kind}")
    instance.mkdir(parents=True, exist_ok=True)
    app = create_app(settings(database_url, instance, base_url=url))
    make_patient(app)
    variables = {
        "PORTAL_INSTANCE": str(instance),
        "PORTAL_DATABASE_URL": database_url,
        "PORTAL_BASE_URL": url,
        "PORTAL_SECRET_KEY": SECRET_KEY,
        "PORTAL_LOG_LEVEL": "ERROR",
        "PYTHONPATH": str(ROOT),
    }
    foreign = {name for name in os.environ if name.startswith("PORTAL_")}
    inherited = {name: os.environ[name] for name in os.environ if name not in foreign}
    return Live(url, inherited | variables | env, instance, app, Database(app))


@pytest.fixture(scope="session")
def live_portals(databases, tmp_path_factory):
    """Running portals by kind of database, started when first asked for."""
    running: dict[str, Live] = {}

    def get(kind: str) -> Live:
        if kind not in running:
            portal = make_live(databases, kind, tmp_path_factory.mktemp("live"))
            running[kind] = portal
            portal.serve()
        return running[kind]

    yield get
    for portal in running.values():
        portal.stop()
        with portal.app.app_context():
            db.engine.dispose()


@pytest.fixture
def live(live_portals, kind):
    """A running portal without data and without worker; emptied after the test."""
    portal = live_portals(kind)
    yield portal
    with portal.app.app_context():
        db.session.remove()
        empty_tables(db.engine)
    for mail in portal.mails:
        mail.unlink()
