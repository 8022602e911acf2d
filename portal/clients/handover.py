"""What an owner takes over when their organization is unlinked, as its page tells it."""

from dataclasses import dataclass
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from portal.billing import subscriptions
from portal.billing.offer import price_list
from portal.clients import lifecycle
from portal.clients.summary import seats_of
from portal.domain.access import Scope
from portal.domain.emails import shown
from portal.domain.plans import Cadence
from portal.domain.pricing import Terms, quote
from portal.web.formats import day, money


@dataclass(frozen=True)
class Handover:
    """`owners` are names with addresses, the first of whom gets the bills; `facts` the terms."""

    owners: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]


def handover(session: Session, scope: Scope, client: Any) -> Handover:
    """Who takes over what, from when, and for how much."""
    owners = lifecycle.own_owners(session, client)
    prices = price_list(current_app.extensions["settings"].prices)
    world = subscriptions.world_of(session, scope, client.id, prices)
    if world is None:
        raise LookupError(f"no client {client.id}")
    # Discount and tax were agreed with the provider: they end with it.
    total = quote(world.selection, prices, Terms(), world.offer.today).total
    every = (
        _("%(amount)s per year", amount=money(total))
        if world.selection.cadence is Cadence.ANNUAL
        else _("%(amount)s per month", amount=money(total))
    )
    facts = [
        (_("Plan"), seats_of(world.selection.plan, world.selection.seats)),
        (_("Billed in its own name from"), day(world.subscribed.running(world.offer.today).end)),
        (_("Price, before tax"), every),
    ]
    if owners:
        facts.append((_("Invoices go to"), shown(owners[0].email)))
    names = (f"{owner.name} ({shown(owner.email)})" for owner in owners)
    return Handover(tuple(names), tuple((str(label), str(text)) for label, text in facts))
