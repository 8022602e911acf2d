"""What was changed of a subscription before, as the client's page lists it."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from portal.billing.subscription_queries import changes
from portal.clients.effect import differences
from portal.domain.access import Scope
from portal.domain.money import Money
from portal.domain.plans import Cadence, Plan
from portal.domain.pricing import Selection
from portal.web.formats import day, labelled, money

_READ = {"plan": Plan, "cadence": Cadence}
# Whatever both sides leave open is not shown, so any value does.
_ANY = Selection(Plan.TEAMS, 1, Cadence.MONTHLY)


@dataclass(frozen=True)
class PastChange:
    """One change; `amount` is what it cost until the end of its period."""

    on: str
    what: tuple[str, ...]
    amount: str
    invoice: str


def past_changes(session: Session, scope: Scope, organization_id: uuid.UUID) -> list[PastChange]:
    """The newest ten, the newest first."""
    return [_told(row) for row in changes(session, scope, organization_id)]


def _told(row: Any) -> PastChange:
    found = differences(_selection(row.before), _selection(row.after))
    return PastChange(
        on=day(row.changed_on),
        what=tuple(labelled(each.label, f"{each.before} → {each.after}") for each in found),
        amount=money(Money(row.adjustment_cents, row.currency)),
        invoice=day(row.invoice_on),
    )


def _selection(stored: Mapping[str, Any]) -> Selection:
    """The stored side of a change, what it does not name filled in."""
    values: dict[str, Any] = dict(stored)
    for name, kind in _READ.items():
        if name in values:
            values[name] = kind(values[name])
    return replace(_ANY, **values)
