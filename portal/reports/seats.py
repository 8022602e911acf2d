"""Seats over time: what an organization had at the end of each day on which that changed.

A row is written only where something has changed since the last one, by the worker, so that an
organization that stays as it is costs nothing; what is older than thirteen months goes, but for the
last row before that, which still counts.
"""

import datetime as dt
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Row, Select, and_, delete, exists, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased, sessionmaker

from portal.models import Organization, SeatDay, utc_now

EVERY_SECONDS = 3600.0
KEPT = dt.timedelta(days=400)


def note(session: Session, day: dt.date) -> None:
    """Write down what has changed; a later look on the same day replaces an earlier one."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    later = aliased(SeatDay)
    newer = exists().where(
        later.organization_id == SeatDay.organization_id, later.day > SeatDay.day
    )
    stands = exists().where(
        SeatDay.organization_id == Organization.id,
        SeatDay.seats == Organization.seats,
        SeatDay.seats_used == Organization.seats_used,
        ~newer,
    )
    changed = select(
        Organization.id,
        literal(day, SeatDay.day.type),
        Organization.seats,
        Organization.seats_used,
    ).where(~stands)
    added = dialect.insert(SeatDay).from_select(
        ["organization_id", "day", "seats", "seats_used"], changed
    )
    session.execute(
        added.on_conflict_do_update(
            index_elements=["organization_id", "day"],
            set_={"seats": added.excluded.seats, "seats_used": added.excluded.seats_used},
        ),
        execution_options={"synchronize_session": False},
    )


def forget(session: Session, before: dt.date) -> None:
    """Drop the days before `before`, but for each organization's last one of them."""
    later = aliased(SeatDay)
    superseded = exists().where(
        and_(
            later.organization_id == SeatDay.organization_id,
            later.day > SeatDay.day,
            later.day < before,
        )
    )
    session.execute(
        delete(SeatDay)
        .where(SeatDay.day < before, superseded)
        .execution_options(synchronize_session=False)
    )


def chore() -> Callable[[sessionmaker[Session]], None]:
    """What the worker does every hour."""
    done_at: float | None = None

    def look(sessions: sessionmaker[Session]) -> None:
        nonlocal done_at
        if done_at is not None and time.monotonic() - done_at < EVERY_SECONDS:
            return
        done_at = time.monotonic()
        today = utc_now().date()
        with sessions.begin() as session:
            note(session, today)
            forget(session, today - KEPT)

    return look


def _of(organization_id: uuid.UUID, *columns: Any) -> Select[Any]:
    table = columns[0].class_
    tenant = table.id if table is Organization else table.organization_id
    return select(*columns).where(tenant == organization_id)


def days(session: Session, organization_id: uuid.UUID) -> Sequence[Row[Any]]:
    """(day, seats, seats_used) of each day that changed something, the oldest first; a year's."""
    found = _of(organization_id, SeatDay.day, SeatDay.seats, SeatDay.seats_used)
    return session.execute(found.order_by(SeatDay.day)).all()


def now(session: Session, organization_id: uuid.UUID) -> Row[Any]:
    """(seats, seats_used) at this moment."""
    found = _of(organization_id, Organization.seats, Organization.seats_used)
    return session.execute(found).one()
