"""`flask prepare`: what has to be true before the portal serves. `bin/run` calls it when needed."""

import os
import secrets
from pathlib import Path

import click
from flask import current_app
from flask.cli import with_appcontext

from portal.cli.certificate import local_certificate
from portal.cli.demo import is_empty, make_demo, note_of
from portal.config import Settings, is_loopback
from portal.extensions import db
from portal.migrate import upgrade


@click.command()
@click.option("--tls", metavar="NAME", help="Have a certificate for NAME as well.")
@with_appcontext
def prepare(tls: str | None) -> None:
    """Migrate the database; on an empty portal that only this machine reaches, make the demo."""
    settings: Settings = current_app.extensions["settings"]
    if tls:
        announce_certificate(settings, tls)
    upgrade(db.engine)
    if settings.is_local and is_loopback(settings.host) and is_empty():
        file = settings.instance / "demo.txt"
        password = secrets.token_urlsafe(12)
        # The file comes before the accounts, so that no demo exists whose password is lost.
        keep_note(file, password)
        keep_note(file, note_of(make_demo(password), password))


def announce_certificate(settings: Settings, name: str) -> None:
    """Make the certificate or find the one made before, and say how to trust it."""
    try:
        certificate = local_certificate(settings.instance / "tls", name)
    except ValueError as error:
        raise click.BadParameter(f"{error}.", param_hint="--tls") from error
    click.echo(f"Certificate for {name}, SHA-256 fingerprint {certificate.fingerprint()}.")
    click.echo(f"Browsers trust it once they have this authority: {certificate.authority}")
    if is_loopback(settings.host) and not settings.is_local:
        click.echo(
            "Only this machine reaches it. To open it to the network, set PORTAL_HOST=0.0.0.0."
        )


def keep_note(file: Path, text: str) -> None:
    """Write what `bin/run` prints at each start, for the eyes of the file's owner only."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(f"{text}\n")
    draft.replace(file)
