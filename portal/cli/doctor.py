"""`flask doctor`: is all well? The exit status says so; `--repair` mends, `--mail` tries a mail."""

import sys

import click
from flask import current_app
from flask.cli import with_appcontext

from portal.cli.checks import Finding, Level, check_database, examine, script_hashes
from portal.cli.repair import repair
from portal.config import Settings
from portal.extensions import db
from portal.mail.delivery import NotDelivered, deliver
from portal.mail.letters import BadAddress, assemble
from portal.models import new_id

_MARKS = {Level.OK: "ok      ", Level.WARNING: "warning ", Level.FAILURE: "FAILURE "}


@click.command()
@click.option("--mail", "address", metavar="ADDRESS", help="Only send a test mail there, aloud.")
@click.option("--repair", "repairs", is_flag=True, help="Write stored numbers as counted, first.")
@with_appcontext
def doctor(address: str | None, *, repairs: bool) -> None:
    """Check settings, database, migrations, stored numbers, mail, clock and demo accounts.

    Exit status 1 if something is wrong. The hashes of all scripts follow, so that they can be
    compared with those of the release.
    """
    settings: Settings = current_app.extensions["settings"]
    if address and repairs:
        raise click.UsageError("--mail and --repair do not go together.")
    if address:
        sys.exit(0 if send_test_mail(settings, address) else 1)
    if repairs:
        _repair(settings)
    failures = 0
    for found in examine(settings, db.engine):
        click.echo(_line(found))
        failures += found.level is Level.FAILURE
    click.echo("\nScripts (SHA-256):")
    for digest, name in script_hashes():
        click.echo(f"{digest}  {name}")
    click.echo(f"\n{failures} failures." if failures else "\nAll is well.")
    sys.exit(1 if failures else 0)


def _repair(settings: Settings) -> None:
    """Say what is repaired; whether all is well then, the examination says, and its status."""
    if any(found.level is Level.FAILURE for found in check_database(settings, db.engine)):
        click.echo("Nothing was repaired: the database itself is not in order.\n")
        return
    done = 0
    for outcome in repair():
        click.echo(f"{'repaired' if outcome.is_done else 'NOT REPAIRED'} {outcome.text}")
        done += outcome.is_done
    click.echo(f"{done} repairs.\n" if done else "Nothing was repaired.\n")


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
