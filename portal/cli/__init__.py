"""Flask commands, one module each."""

from flask import Flask

from portal.cli.demo import demo
from portal.cli.prepare import prepare
from portal.cli.prices import prices
from portal.cli.verify_log import rotate_log_key, verify_log
from portal.cli.worker import worker


def register(app: Flask) -> None:
    """Add the portal's commands to `flask`."""
    for command in (demo, prepare, prices, rotate_log_key, verify_log, worker):
        app.cli.add_command(command)
