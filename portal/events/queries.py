"""Reading a log: the newest events of one stream."""

import datetime as dt
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import Session

from portal.models import Event, EventPerson


@dataclass(frozen=True)
class Told:
    """One event as a page tells it. `who` is empty for what a visitor or the system did."""

    kind: str
    at: dt.datetime
    who: str
    details: dict[str, Any]


def _of(stream_id: uuid.UUID, *columns: Any) -> Select[Any]:
    return select(*columns).where(Event.stream_id == stream_id)


def newest(
    session: Session, stream_id: uuid.UUID, kinds: Sequence[str], limit: int = 20
) -> list[Told]:
    """The newest `limit` events of these kinds, the newest first."""
    found = (
        _of(stream_id, Event.type, Event.at, Event.payload, EventPerson.actor, EventPerson.about)
        .outerjoin(
            EventPerson,
            and_(EventPerson.stream_id == Event.stream_id, EventPerson.seq == Event.seq),
        )
        .where(Event.type.in_(kinds))
        .order_by(Event.seq.desc())
        .limit(limit)
    )
    return [told(row) for row in session.execute(found)]


def subjects(session: Session, stream_id: uuid.UUID, kind: str) -> frozenset[uuid.UUID]:
    """Whom the events of a kind are about; for kinds that are rare."""
    found = _of(stream_id, Event.payload).where(Event.type == kind)
    named = (json.loads(payload)["subject"] for payload in session.scalars(found))
    return frozenset(uuid.UUID(each) for each in named if each)


def told(row: Any) -> Told:
    """What a row says (`type`, `at`, `payload`, `actor`, `about`), both its parts together."""
    payload = json.loads(row.payload)
    actor = json.loads(row.actor) if row.actor else {}
    about = json.loads(row.about) if row.about else {}
    return Told(row.type, row.at, actor.get("name", ""), payload["details"] | about)
