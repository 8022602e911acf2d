"""`flask doctor`: is all well? The exit status says so; `--mail` tries a mail as well."""

import sys

import click
from flask import current_app
from flask.cli import with_appcontext

from portal.cli.checks import Finding, Level, examine, script_hashes
from portal.config import Settings
from portal.extensions import db
from portal.mail.delivery import NotDelivered, deliver
from portal.mail.letters import BadAddress, assemble
from portal.models import new_id

_MARKS = {Level.OK: "ok      ", Level.WARNING: "warning ", Level.FAILURE: "FAILURE "}


@click.command()
@click.option("--mail", "address", metavar="ADDRESS", help="Only send a test mail there, aloud.")
@with_appcontext
def doctor(address: str | None) -> None:
    """Check settings, database, migrations, stored numbers, mail, clock and demo accounts.

    Exit status 1 if something is wrong. The hashes of all scripts follow, so that they can be
    compared with those of the release.
    """
    settings: Settings = current_app.extensions["settings"]
    if address:
        sys.exit(0 if send_test_mail(settings, address) else 1)
    failures = 0
    for found in examine(settings, db.engine):
        click.echo(_line(found))
        failures += found.level is Level.FAILURE
    click.echo("\nScripts (SHA-256):")
    for digest, name in script_hashes():
        click.echo(f"{digest}  {name}")
    click.echo(f"\n{failures} failures." if failures else "\nAll is well.")
    sys.exit(1 if failures else 0)


def _line(found: Finding) -> str:
    return f"{_MARKS[found.level]}{found.text}"


def send_test_mail(settings: Settings, address: str) -> bool:
    """Send one mail at once, past the outbox, and print the conversation; whether it left."""
    text = (
        f"This is a test mail of the Provider Portal at {settings.base_url}.\n\n"
        "Whoever runs it asked for it with `flask doctor --mail`. You need not do anything.\n"
    )
    try:
        mail = assemble(settings, new_id(), address, "Provider Portal", "Test mail", text)
        answer = deliver(settings, mail, click.echo)
    except (BadAddress, NotDelivered) as error:
        click.echo(f"Not sent: {error}", err=True)
        return False
    click.echo(f"Sent to {address}: {answer}")
    return True
