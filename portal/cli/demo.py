"""`flask demo`: fill an empty portal with invented data."""

import json
import secrets
from dataclasses import asdict

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from portal.demo.fill import Demo, fill
from portal.demo.world import Order
from portal.extensions import db
from portal.migrate import upgrade
from portal.models import Account, Provider, utc_now
from portal.web.languages import LANGUAGES


class NotEmptyError(Exception):
    """The database holds accounts or a provider already; nothing was changed."""


def is_empty() -> bool:
    """Whether nobody has used the portal yet. The database must be migrated."""
    with db.engine.connect() as connection:
        return not any(connection.execute(select(table.id).limit(1)).first() for table in _FIRST)


_FIRST: tuple[type[Account] | type[Provider], ...] = (Account, Provider)


def make_demo(
    password: str,
    *,
    clients: int = 24,
    members: int = 240,
    events: int | None = None,
    locale: str = "en",
    seed: int = 1,
) -> Demo:
    """Fill an empty, migrated database; returns where to begin.

    `password` is the master password of the three people who can sign in. `members` and `events`
    are totals; there is at least one member, the owner, a client. Without `events` there are as
    many as the story of each client has. Raises `NotEmptyError`.
    """
    order = Order(clients, max(clients, members), events, password, locale, seed)
    with db.engine.begin() as connection:
        # Asked under the write lock, so that of two fillers one is refused.
        if any(connection.execute(select(table.id).limit(1)).first() for table in _FIRST):
            raise NotEmptyError("The database is not empty; demo data goes into an empty one only.")
        # The day's beginning: whoever makes the demo twice on one day gets the same ids and times.
        today = utc_now().replace(hour=0, minute=0, second=0, microsecond=0)
        return fill(connection, order, today)


def note_of(demo: Demo, password: str) -> str:
    """What `bin/run` prints at each start while the demo's note exists."""
    lines = [
        f"Demo: sign in as {demo.admin} (provider admin) or {demo.technician} (service user),",
        f"master password {password}",
    ]
    if demo.owner:
        lines.insert(1, f"or as {demo.owner} (owner of {demo.first_client_name}),")
    return "\n".join(lines)


@click.command()
@click.option("--clients", default=24, show_default=True, type=click.IntRange(0, 1_000_000))
@click.option(
    "--members",
    default=240,
    show_default=True,
    type=click.IntRange(0, 10_000_000),
    help="In all clients together; each has at least its owner.",
)
@click.option(
    "--events",
    type=click.IntRange(0, 100_000_000),
    help="In all logs together; as many as the story has if left out.",
)
@click.option(
    "--password",
    help="The master password of those who can sign in; made up, and printed, if left out.",
)
@click.option("--locale", default="en", show_default=True, type=click.Choice(list(LANGUAGES)))
@click.option("--seed", default=1, show_default=True, help="Another seed makes other names.")
@with_appcontext
def demo(
    clients: int, members: int, events: int | None, password: str | None, locale: str, seed: int
) -> None:
    """Fill an EMPTY portal with a provider, clients and people, and print where to begin."""
    upgrade(db.engine)
    told = {} if password else {"password": secrets.token_urlsafe(12)}
    try:
        made = make_demo(
            password or told["password"],
            clients=clients,
            members=members,
            events=events,
            locale=locale,
            seed=seed,
        )
    except NotEmptyError as error:
        raise click.ClickException(str(error)) from None
    # SQLite writes its log back when the last connection closes; a server that finds it full of a
    # large demo would answer nobody for as long as that takes.
    db.session.remove()
    db.engine.dispose()
    click.echo(json.dumps(asdict(made) | told))
