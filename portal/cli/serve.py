"""`flask serve`, which `bin/run` calls: the web server and the worker under one parent."""

import errno
import os
import secrets
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from portal.cli.certificate import Certificate, local_certificate
from portal.cli.demo import is_empty, make_demo
from portal.cli.supervisor import Child, Supervisor
from portal.config import Settings, is_loopback
from portal.extensions import db
from portal.migrate import upgrade

WORKERS = 2
THREADS = 8
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Plan:
    """What to serve where. `demo` is the text of the demo note, or nothing."""

    settings: Settings
    certificate: Certificate | None
    demo: str


@click.command()
@click.option("--tls", metavar="NAME", help="Serve https for NAME with a certificate made here.")
@with_appcontext
def serve(tls: str | None) -> None:
    """Start the portal: migrate, then keep the web server and the worker running."""
    settings: Settings = current_app.extensions["settings"]
    certificate = None
    if tls:
        certificate = _certificate(settings, tls)
        host = f"[{tls}]" if ":" in tls else tls.lower()
        settings = replace(settings, base_url=f"https://{host}:{settings.port}")
    refuse_used_port(settings.host, settings.port)
    upgrade(db.engine)
    plan = Plan(settings, certificate, demo_note(settings))
    # Children must not inherit an open SQLite file: two processes on one handle corrupt it.
    db.session.remove()
    db.engine.dispose()
    announce = Announcement(plan)
    sys.exit(Supervisor(children(plan), say=_say).run(announce))


def refuse_used_port(host: str, port: int) -> None:
    """Raise ClickException with a sentence when nobody could listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise click.ClickException(_port_trouble(error, host, port)) from error


def _port_trouble(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is in use; is the portal running already? "
            f"Stop what uses it, or choose another port: PORTAL_PORT={port + 1} bin/run"
        )
    if error.errno == errno.EACCES:
        return f"Port {port} is reserved for root. Choose one above 1023, and a proxy before it."
    return f"The portal cannot listen on {host}, port {port}: {error.strerror}."


def demo_note(settings: Settings) -> str:
    """The demo's addresses and password, made once in an empty portal only this machine reaches."""
    file = settings.instance / "demo.txt"
    if settings.is_local and is_loopback(settings.host) and is_empty():
        password = secrets.token_urlsafe(12)
        file.unlink(missing_ok=True)
        # Written before the accounts are, so that no demo exists whose password is lost.
        draft = file.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as out:
            out.write(f"{password}\n")
        draft.replace(file)
        make_demo(password)
    return file.read_text() if file.exists() else ""


def children(plan: Plan) -> list[Child]:
    """The two programs that make a portal, with the environment that the plan asks for."""
    settings = plan.settings
    env = {
        **os.environ,
        "PORTAL_INSTANCE": str(settings.instance),
        "PORTAL_BASE_URL": settings.base_url,
        "PYTHONPATH": str(ROOT),
    }
    python = sys.executable
    return [
        Child("The web server", [python, "-m", "granian", *_granian(plan)], env, ROOT),
        Child("The worker", [python, "-m", "flask", "--app", "wsgi", "worker"], env, ROOT),
    ]


def _granian(plan: Plan) -> Iterator[str]:
    settings = plan.settings
    yield from ("--interface", "wsgi", "--no-ws", "--log-level", "warning")
    yield from ("--host", settings.host, "--port", str(settings.port))
    yield from ("--workers", str(WORKERS), "--blocking-threads", str(THREADS))
    yield from ("--respawn-failed-workers", "--respawn-interval", "0.2")
    yield from ("--workers-kill-timeout", "20")
    if plan.certificate:
        yield from ("--ssl-certificate", str(plan.certificate.chain))
        yield from ("--ssl-keyfile", str(plan.certificate.key))
        # Light browsers on old systems speak no 1.3.
        yield from ("--ssl-protocol-min", "tls1.2")
    yield "wsgi:app"


class Announcement:
    """Says once that the portal listens. Called again and again until it returns true."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def __call__(self) -> bool:
        settings = self._plan.settings
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        with socket.socket(family) as probe:
            if probe.connect_ex((_reachable(settings.host), settings.port)):
                return False
        for line in self._lines():
            click.echo(line)
        return True

    def _lines(self) -> Iterator[str]:
        settings = self._plan.settings
        yield f"The Provider Portal is at {settings.base_url} (Ctrl-C stops it)."
        if self._plan.certificate:
            yield from _about(self._plan.certificate, settings)
        yield from self._plan.demo.splitlines()


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 only compared


def _about(certificate: Certificate, settings: Settings) -> Iterator[str]:
    yield f"Its certificate has the SHA-256 fingerprint {certificate.fingerprint()}."
    yield f"Browsers trust it once they have this authority: {certificate.authority}"
    if is_loopback(settings.host) and not settings.is_local:
        yield "Only this machine reaches it. To open it to the network, set PORTAL_HOST=0.0.0.0."


def _certificate(settings: Settings, name: str) -> Certificate:
    try:
        return local_certificate(settings.instance / "tls", name)
    except ValueError as error:
        raise click.BadParameter(f"{error}.", param_hint="--tls") from error


def _say(sentence: str) -> None:
    click.echo(sentence, err=True)
