"""Seats of many clients changed: each exactly as Manage subscription would change them."""

import hashlib
import json
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from portal.billing import subscriptions
from portal.billing.subscriptions import World
from portal.clients.deeds import Planned
from portal.clients.tagging import provider_of
from portal.domain.access import Actor, Scope
from portal.domain.bulk import CHANGED_SINCE, RowState
from portal.domain.errors import Message, RuleError, refuse
from portal.domain.price_list import PriceList
from portal.domain.pricing import Selection
from portal.domain.seat_moves import (
    LOOK_AGAIN,
    OTHER_CURRENCY,
    RAISES_BILLS,
    WOULD_RAISE,
    Look,
    SeatMove,
    plan,
)


class ChangingSeats:
    """Seats added, taken away or set. A row keeps its preview, and is done only as previewed."""

    # A change of a subscription is some twenty statements, of a tag a handful.
    batch = 25

    def __init__(self, session: Session, actor: Actor, change_set: Any, prices: PriceList) -> None:
        self.session, self.actor, self.change_set, self.prices = session, actor, change_set, prices
        self.move = SeatMove.read(change_set.details)
        self.may_raise = actor.can(RAISES_BILLS)

    def plan(self, clients: Sequence[Any]) -> list[Planned]:
        worlds = self._worlds([client.id for client in clients])
        return [self._planned(worlds[client.id])[0] for client in clients]

    def _worlds(self, ids: Collection[UUID]) -> dict[UUID, World]:
        return subscriptions.worlds_of(
            self.session, Scope(provider_of(self.actor)), ids, self.prices
        )

    def _planned(self, world: World) -> tuple[Planned, Selection]:
        current = world.selection
        state, reason, wanted = self._judged(self.move, world, may_raise=self.may_raise)
        if state is not RowState.PLANNED:
            return Planned(state, reason, _told(current.seats)), current
        preview = world.preview(wanted)
        look = Look.at(preview, hashlib.sha256(world.known(preview)).hexdigest())
        return Planned(state, None, json.dumps(look.stored(), sort_keys=True)), wanted

    def _judged(
        self, move: SeatMove, world: World, *, may_raise: bool
    ) -> tuple[RowState, Message | None, Selection]:
        client = world.client
        if client.currency != self.prices.currency:
            # Amounts of two currencies are never added up.
            currencies = {"old": client.currency, "new": self.prices.currency}
            return RowState.REFUSED, Message.of(OTHER_CURRENCY, **currencies), world.selection
        return plan(
            move, world.selection, used=world.used, status=client.status, may_raise=may_raise
        )

    def do(self, client: Any, row: Any) -> None:
        world = self._worlds([client.id])[client.id]
        planned, wanted = self._planned(world)
        if planned.state is RowState.REFUSED and planned.reason:
            raise RuleError(planned.reason)
        if planned.look != row.before:
            raise refuse(LOOK_AGAIN)
        subscriptions.commit(self.session, self.actor, world, world.preview(wanted))

    def seen(self, client: Any, row: Any) -> str:
        # The version alone would not tell of seats that have grown by themselves.
        return f"{client.seats} {client.version}"

    def undo(self, client: Any, row: Any) -> None:
        """Seats as they were. Whoever may not raise a bill takes back only their own change."""
        before = looked_at(row.before)
        if before is None:
            raise refuse(CHANGED_SINCE)
        world = self._worlds([client.id])[client.id]
        raises = before.before > world.selection.seats
        if raises and not self.may_raise and self.change_set.account_id != self.actor.account_id:
            raise refuse(WOULD_RAISE)
        back = SeatMove.read({"set": before.before})
        state, reason, wanted = self._judged(back, world, may_raise=True)
        if state is RowState.REFUSED and reason:
            raise RuleError(reason)
        subscriptions.commit(self.session, self.actor, world, world.preview(wanted))


def _told(seats: int) -> str:
    return json.dumps({"before": seats})


def looked_at(kept: str) -> Look | None:
    """The preview that a row keeps; None where nothing would be changed."""
    found = json.loads(kept) if kept else {}
    return Look.read(found) if "after" in found else None


def seats_of(kept: str) -> int | None:
    """How many seats a client had when it was looked at."""
    found = json.loads(kept) if kept else {}
    return found.get("before")
