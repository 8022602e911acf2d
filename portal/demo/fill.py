"""Fills an empty database with demo data, in one transaction."""

import datetime as dt
import random
import uuid
from dataclasses import dataclass

from sqlalchemy import Connection

from portal.billing import load_prices
from portal.demo.clients import Client, Clients
from portal.demo.contractor import REACHED, make_contractor
from portal.demo.keys import KeyPool
from portal.demo.members import Scene
from portal.demo.names import Names
from portal.demo.plot import began_at, fates
from portal.demo.provider import DemoProvider, make_provider
from portal.demo.structure import Structure
from portal.demo.world import Ids, Log, Order, Rows
from portal.events import Stream
from portal.providers import attention

_COLLECTION = {"en": "Default collection", "fr": "Collection par défaut"}
_HEAD_START = dt.timedelta(days=14)


@dataclass(frozen=True)
class Demo:
    """Where to begin: ids and addresses. The owner is that of the first client, if there is one.

    `recovery_code` is what stands on the printed sheet.
    """

    provider: str
    admin: str
    technician: str
    owner: str | None
    first_client: str | None
    first_client_name: str | None
    recovery_code: str


def fill(connection: Connection, order: Order, now: dt.datetime) -> Demo:
    """Make everything; returns what a person or a test begins with."""
    rng = random.Random(order.seed)  # noqa: S311 - names are no secret
    ids, rows = Ids(rng), Rows(connection)
    log = Log(rows, ids, order.events)
    began = began_at(0, order, now) - _HEAD_START
    provider = make_provider(rows, ids, log, order, began)
    pool = KeyPool(provider.keys.key, _COLLECTION[order.locale])
    names, prices = Names(rng, order.locale), load_prices()
    clients = Clients(Scene(rows, ids, rng, names, provider, pool, now), log, prices)
    first: Client | None = None
    reached: list[uuid.UUID] = []
    for fate in fates(order, rng, now, (order.events or 0) - log.count):
        client = clients.make(fate)
        first = first or client
        reached += [client.id] if len(reached) < REACHED else []
        rows.rest()
    if first:
        rows.flush()
        Structure(connection, rows, log, order).make(first, provider, now)
    _tell_the_rest(rows, log, provider, now)
    log.close()
    if reached:
        make_contractor(rows, provider, order, reached, now)
    attention.rebuild(connection)
    return Demo(
        provider=str(provider.id),
        admin=provider.admin.email,
        technician=provider.technician.email,
        owner=provider.owner.email if first else None,
        first_client=str(first.id) if first else None,
        first_client_name=first.name if first else None,
        recovery_code=provider.recovery_code,
    )


def _tell_the_rest(rows: Rows, log: Log, provider: DemoProvider, now: dt.datetime) -> None:
    """What a share could not hold goes to the admin's own log, so that the total is exact."""
    admin = provider.admin
    while log.left:
        log.tell(
            now,
            "account:session:begin",
            [Stream("account", admin.account_id)],
            admin,
            admin.account_id,
            method="password",
        )
        rows.rest()
