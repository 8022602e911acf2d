"""Flask commands, one module each."""

from flask import Flask

from portal.cli.backup import backup, restore
from portal.cli.demo import demo
from portal.cli.doctor import doctor
from portal.cli.prepare import prepare
from portal.cli.prices import prices
from portal.cli.provider import provider
from portal.cli.verify_log import rotate_log_key, verify_log
from portal.cli.worker import worker

COMMANDS = (
    backup,
    demo,
    doctor,
    prepare,
    prices,
    provider,
    restore,
    rotate_log_key,
    verify_log,
    worker,
)


def register(app: Flask) -> None:
    """Add the portal's commands to `flask`."""
    for command in COMMANDS:
        app.cli.add_command(command)
