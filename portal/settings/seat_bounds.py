"""How far the seats of the provider's clients grow by themselves: read and set."""

import datetime as dt
import uuid
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from portal.domain.access import Actor
from portal.domain.seat_growth import Bounds
from portal.models import SeatRules, utc_now
from portal.settings import queries
from portal.settings.service import Changed, begin, tell


def mark(bounds: Bounds) -> str:
    """What the values are recognised by when the form comes back."""
    return f"{bounds.month}-{bounds.day}"


def read(session: Session, provider_id: uuid.UUID) -> tuple[Bounds, int]:
    """The bounds, and how many seats have grown this month."""
    zone, rules = queries.seat_rules(session, provider_id)
    if rules is None:
        return Bounds(), 0
    grown = rules.grown if rules.month == _month(zone) else 0
    return Bounds(rules.monthly_ceiling, rules.daily_number), grown


def _month(zone: str) -> dt.date:
    return utc_now().astimezone(ZoneInfo(zone)).date().replace(day=1)


def save(session: Session, actor: Actor, bounds: Bounds, *, seen: str) -> bool:
    """Store checked bounds; False where they are the same as before.

    Raises `Changed` if `seen` is not the mark of what is stored.
    """
    provider_id = begin(session, actor)
    before, _grown = read(session, provider_id)
    if mark(before) != seen:
        raise Changed
    if before == bounds:
        return False
    # The log first: growth takes these two in the same order.
    kind = "provider:seat_growth:update"
    tell(session, actor, kind, before=_told(before), after=_told(bounds))
    _write(session, provider_id, bounds)
    return True


def _told(bounds: Bounds) -> dict[str, Any]:
    return {"month": bounds.month, "day": bounds.day}


def _write(session: Session, provider_id: uuid.UUID, bounds: Bounds) -> None:
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    zone, _rules = queries.seat_rules(session, provider_id)
    values = {"monthly_ceiling": bounds.month, "daily_number": bounds.day}
    session.execute(
        dialect.insert(SeatRules)
        .values(provider_id=provider_id, month=_month(zone), grown=0, **values)
        .on_conflict_do_update(index_elements=[SeatRules.provider_id], set_=values),
        execution_options={"synchronize_session": False},
    )
