"""Reading a log: the newest events of one stream."""

import datetime as dt
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from portal.models import Event


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
        _of(stream_id, Event.type, Event.at, Event.payload)
        .where(Event.type.in_(kinds))
        .order_by(Event.seq.desc())
        .limit(limit)
    )
    return [_told(row.type, row.at, json.loads(row.payload)) for row in session.execute(found)]


def _told(kind: str, at: dt.datetime, payload: dict[str, Any]) -> Told:
    actor = payload.get("actor") or {}
    return Told(kind, at, actor.get("name", ""), payload.get("details", {}))
