"""Somebody of the demo's provider with a scope: reads five clients, and leaves in a year."""

import datetime as dt
import random
import uuid
from collections.abc import Sequence

from portal.demo.provider import DemoProvider, make_person
from portal.demo.world import Ids, Order, Rows
from portal.domain.access import Role
from portal.domain.scope import Because, Level, Reach
from portal.domain.states import ProviderPersonState
from portal.models import Affiliation, ClientAccess, ProviderPerson, ScopePart, ScopeTerm

CONTRACTOR = "contractor@demo.example"
REACHED = 5
_NAMES = {"en": "Ines Calloway", "fr": "Malo Kervella"}
_STAYS = dt.timedelta(days=365)


def make_contractor(
    rows: Rows, provider: DemoProvider, order: Order, clients: Sequence[uuid.UUID], now: dt.datetime
) -> None:
    """Read only, and only these clients. All rows before are flushed."""
    # Chance of its own: the other people and clients stay what they are without this one.
    ids = Ids(random.Random(order.seed + 1))  # noqa: S311 - ids are no secret
    at = now - dt.timedelta(days=1)
    person = make_person(rows, ids, order, at, _NAMES[order.locale], CONTRACTOR)
    place_id, here = ids.at(at), {"provider_id": provider.id}
    what = {"role": Role.SERVICE_USER, "reach": Reach.ONLY, "level": Level.READ_ONLY}
    rows.add(
        ProviderPerson,
        **here,
        **what,
        id=place_id,
        account_id=person.id,
        email=person.email,
        state=ProviderPersonState.CONFIRMED,
        access_ends_at=at + _STAYS,
        invitation_locale=order.locale,
        **dict.fromkeys(("created_at", "accepted_at", "confirmed_at"), at),
    )
    term = {"person_id": place_id, "email": person.email, "from_at": at}
    rows.add(ScopeTerm, **here, **what, **term, id=ids.at(at))
    rows.add(
        Affiliation,
        account_id=person.id,
        kind="provider",
        tenant_id=provider.id,
        name=provider.name,
        role=Role.SERVICE_USER,
        state=ProviderPersonState.CONFIRMED.value,
        active=True,
    )
    for client in clients:
        named = {"person_id": place_id, "organization_id": client}
        rows.add(ScopePart, **here, **named, id=ids.at(at))
        reach = {"because": Because.LISTED, "from_at": at}
        rows.add(ClientAccess, **here, **named, **reach, id=ids.at(at))
    rows.flush()
