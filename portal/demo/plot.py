"""What becomes of each client: decided by its number before any row is made."""

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass

from portal.demo.world import Order
from portal.domain.plans import Cadence, Plan
from portal.domain.states import ClientStatus, MemberState

_YEARS_BACK = dt.timedelta(days=1095)
# A small provider is a young one: nobody wants to look at years with a handful of clients.
_EACH = dt.timedelta(days=9)
_LARGEST_WEIGHT = 60.0


@dataclass(frozen=True)
class Fate:
    """The outline of one client, `number` counted from 0, the oldest.

    `people` includes the owner. `until` is the beginning of the next client: what the provider
    does inside this one happens before it, so that the provider's own log is in order.
    `mail_failed` and `mail_sent` tell how the owner's invitation fared, where it is shown.
    """

    number: int
    began: dt.datetime
    until: dt.datetime
    plan: Plan
    cadence: Cadence
    status: ClientStatus
    with_keys: bool
    owner: MemberState
    is_full: bool
    people: int
    events: int


def began_at(number: int, order: Order, now: dt.datetime) -> dt.datetime:
    """When client `number` was made: more and more of them towards `now`."""
    age = order.clients - number
    if age <= 0:
        return now
    span = min(_YEARS_BACK, _EACH * order.clients)
    step = min(dt.timedelta(minutes=20), dt.timedelta(days=365) / order.clients)
    return now - span * (age / order.clients) ** 3 - step * age


def fates(order: Order, rng: random.Random, now: dt.datetime, events: int) -> Iterator[Fate]:
    """One fate a client, oldest first; people and `events` add up to what was ordered."""
    outlines = [_outline(number, order, rng) for number in range(order.clients)]
    weights = [weight for *_rest, weight in outlines]
    people = _shares(weights, order.members - order.clients)
    rows = _shares([1.0] * order.clients, events)
    began = began_at(0, order, now)
    for number, (status, with_keys, owner, _weight) in enumerate(outlines):
        until = began_at(number + 1, order, now)
        yield Fate(
            number=number,
            began=began,
            until=until,
            plan=Plan.ENTERPRISE if number == 0 or rng.random() < 0.4 else Plan.TEAMS,
            cadence=Cadence.ANNUAL if rng.random() < 0.6 else Cadence.MONTHLY,
            status=status,
            with_keys=with_keys,
            owner=owner,
            is_full=number == 3 or rng.random() < 0.12,
            people=1 + people[number],
            events=rows[number],
        )
        began = until


Outline = tuple[ClientStatus, bool, MemberState, float]


def _outline(number: int, order: Order, rng: random.Random) -> Outline:
    """Status, keys, the owner's state, and how heavy the client weighs in people."""
    weight = min(rng.paretovariate(1.1), _LARGEST_WEIGHT)
    chance = rng.random()
    if number == 0:
        return ClientStatus.ACTIVE, True, MemberState.CONFIRMED, 4.0
    if order.clients - number in _NEWEST:
        with_keys, owner = _NEWEST[order.clients - number]
        return ClientStatus.ACTIVE, with_keys, owner, 0.0
    if chance < 0.03:
        return ClientStatus.ACTIVE, chance < 0.015, MemberState.INVITED, 0.0
    suspended = number == 2 or chance > 0.96
    status = ClientStatus.SUSPENDED if suspended else ClientStatus.ACTIVE
    return status, True, MemberState.CONFIRMED, weight


# By age, 1 for the newest: whether it has keys, and how far its owner has come.
_NEWEST = {
    1: (False, MemberState.INVITED),
    2: (True, MemberState.ACCEPTED),
    3: (False, MemberState.ACCEPTED),
    4: (True, MemberState.INVITED),
}


def _shares(weights: list[float], total: int) -> list[int]:
    """Whole numbers in proportion to the weights that add up to `total`."""
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    shares, passed, given = [], 0.0, 0
    for weight in weights:
        passed += weight
        upto = round(total * (passed / whole))
        shares.append(upto - given)
        given = upto
    return shares
