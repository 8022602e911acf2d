"""Whether clients are as their baselines say: stored for the Clients table, told when it turns.

Every change of a client is an event in its log, so a client is looked at again when its log has
grown, and when a deviation that was accepted has ended.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, delete, exists, or_, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from portal import events
from portal.baselines import queries
from portal.database import reading
from portal.domain import baselines as rules
from portal.domain.attention import AttentionKind
from portal.domain.expiries import midnight, zone_of
from portal.events import Stream
from portal.members import conditions
from portal.models import (
    Attention,
    Baseline,
    BaselineAssignment,
    BaselineDeviation,
    EventStream,
    Organization,
    utc_now,
)
from portal.models.grants import opens_to
from portal.providers import attention
from portal.web.logs import log

AT_ONCE = 100
LABEL_LIMIT = 256


@dataclass(frozen=True)
class Seen:
    """How far a client is from its baseline: `drift` values that nobody has accepted."""

    row: Any
    drift: int

    def turn(self, *, quiet: bool = False) -> str:
        """What is to be told: `deviate` when it begins to, `return` when that is over, or nothing.

        With `quiet` only the end is told.
        """
        if self.row.drifts_since is not None:
            return "" if self.drift else "return"
        return "deviate" if not quiet and self.drift > (self.row.drift or 0) else ""


def _clients(*conditions_: Any) -> Select[Any]:
    """Clients with a baseline whose owners let the provider come and go, as `queries.watched`
    wants them; nobody else's are looked at while nobody asks.
    """
    columns: tuple[Any, ...] = (
        Organization.id,
        Organization.provider_id,
        Organization.plan,
        opens_to(None, Organization.id).label("is_open"),
        BaselineAssignment.baseline_id,
        BaselineAssignment.number,
        BaselineAssignment.applied_at,
        BaselineAssignment.drift,
        BaselineAssignment.drifts_since,
        BaselineAssignment.looked_seq,
        Baseline.name.label("baseline"),
        EventStream.last_seq,
    )
    return (
        select(*columns)
        .select_from(BaselineAssignment)
        .join(
            Organization,
            and_(
                Organization.id == BaselineAssignment.organization_id,
                Organization.provider_id == BaselineAssignment.provider_id,
            ),
        )
        .join(
            Baseline,
            and_(
                Baseline.provider_id == BaselineAssignment.provider_id,
                Baseline.id == BaselineAssignment.baseline_id,
            ),
        )
        .join(EventStream, EventStream.stream_id == Organization.id)
        .where(opens_to(None, Organization.id), *conditions_)
        .order_by(Organization.provider_id, Organization.id)
    )


def _due(today: dt.date) -> Any:
    ended = exists().where(
        BaselineDeviation.provider_id == BaselineAssignment.provider_id,
        BaselineDeviation.organization_id == BaselineAssignment.organization_id,
        BaselineDeviation.ends_on < today,
        BaselineDeviation.ends_on >= BaselineAssignment.looked_on,
    )
    return or_(
        BaselineAssignment.looked_seq.is_(None),
        BaselineAssignment.looked_seq != EventStream.last_seq,
        ended,
    )


def look_again(sessions: sessionmaker[Session], today: dt.date | None = None) -> int:
    """Look at every client that may have turned, a batch at a time; returns how many have.

    Reads without a lock. Only what turns takes its turn with whoever changes that client.
    """
    day, turned, after = today or utc_now().date(), 0, None
    while True:
        with reading(), sessions() as session:
            found = _batch(session, day, after)
        if not found:
            return turned
        with sessions.begin() as session:
            for seen in found:
                if not seen.turn():
                    _store(session, seen, seen.row.drifts_since, seen.row.last_seq, day)
        for seen in found:
            if seen.turn():
                with sessions.begin() as session:
                    place = (seen.row.provider_id, seen.row.id)
                    turned += refresh(session, *place, day)
        after = found[-1].row


def _batch(session: Session, today: dt.date, after: Any) -> list[Seen]:
    statement = _clients(_due(today))
    if after is not None:
        later = and_(Organization.provider_id == after.provider_id, Organization.id > after.id)
        statement = statement.where(or_(Organization.provider_id > after.provider_id, later))
    return _seen(session, session.execute(statement.limit(AT_ONCE)).all(), today)


def _seen(session: Session, rows: Sequence[Any], today: dt.date) -> list[Seen]:
    found = []
    for provider_id in dict.fromkeys(row.provider_id for row in rows):
        mine = [row for row in rows if row.provider_id == provider_id]
        watched = queries.watched(session, provider_id, mine, today)
        found += [Seen(row, rules.drift(watched[row.id])) for row in mine]
    return found


def refresh(
    session: Session,
    provider_id: uuid.UUID,
    organization_id: uuid.UUID,
    today: dt.date | None = None,
    *,
    quiet: bool = False,
) -> bool:
    """Look at one client and store what is seen; True where it is told that it has turned.

    Whoever has just changed the client says so here, last. With `quiet` what is found to deviate
    is not told: applying a baseline leaves collections to be made, and says so itself.
    """
    conditions.hold(session, organization_id)
    _announce(session, provider_id, organization_id)
    day = today or utc_now().date()
    here = (Organization.provider_id == provider_id, Organization.id == organization_id)
    found = _seen(session, session.execute(_clients(*here)).all(), day)
    for seen in found:
        turn = seen.turn(quiet=quiet)
        since = seen.row.drifts_since
        if turn:
            _tell(session, seen, turn)
            since = utc_now() if turn == "deviate" else None
        # Our own event is no reason to look again; any other that came between is one.
        _store(session, seen, since, seen.row.last_seq + bool(turn), day)
    return any(seen.turn(quiet=quiet) for seen in found)


def _announce(session: Session, provider_id: uuid.UUID, organization_id: uuid.UUID) -> None:
    """Let the radar know when each accepted deviation ends: with its last day."""
    accepted = queries.deviations(session, provider_id, [organization_id]).get(organization_id, {})
    rows = [
        {
            "subject_id": uuid.uuid5(organization_id, each.path),
            "label": each.path[:LABEL_LIMIT],
            "due_at": midnight(each.ends_on + dt.timedelta(days=1), zone_of("UTC")),
        }
        for _path, each in sorted(accepted.items())
    ]
    attention.replace(session, provider_id, organization_id, AttentionKind.DEVIATION, rows)


def forget(session: Session, baseline: Any) -> None:
    """The baseline is about to be deleted: what was accepted of it ends nowhere.

    The baseline is locked first, as by whoever applies it, so that nobody waits in a circle.
    """
    session.execute(
        select(Baseline.id)
        .where(Baseline.provider_id == baseline.provider_id, Baseline.id == baseline.id)
        .with_for_update()
    )
    mine = select(BaselineAssignment.organization_id).where(
        BaselineAssignment.provider_id == baseline.provider_id,
        BaselineAssignment.baseline_id == baseline.id,
    )
    session.execute(
        delete(Attention)
        .where(
            Attention.provider_id == baseline.provider_id,
            Attention.kind == AttentionKind.DEVIATION,
            Attention.organization_id.in_(mine),
        )
        .execution_options(synchronize_session=False)
    )


def _tell(session: Session, found: Seen, turn: str) -> None:
    row = found.row
    details: dict[str, Any] = {"values": found.drift} if found.drift else {}
    events.record(
        session,
        None,
        f"organization:baseline:{turn}",
        streams=[Stream("organization", row.id), Stream("provider", row.provider_id)],
        subject_id=row.id,
        name=row.baseline,
        version=row.number,
        **details,
    )


def _store(
    session: Session, found: Seen, since: dt.datetime | None, looked_seq: int, today: dt.date
) -> None:
    """Write it down, unless somebody has looked since."""
    row = found.row
    looked = BaselineAssignment.looked_seq
    session.execute(
        update(BaselineAssignment)
        .where(
            BaselineAssignment.provider_id == row.provider_id,
            BaselineAssignment.organization_id == row.id,
            BaselineAssignment.applied_at == row.applied_at,
            looked.is_(None) if row.looked_seq is None else looked == row.looked_seq,
        )
        .values(drift=found.drift, drifts_since=since, looked_seq=looked_seq, looked_on=today)
        .execution_options(synchronize_session=False)
    )


def chore(sessions: sessionmaker[Session]) -> None:
    """What the worker does between its jobs."""
    try:
        turned = look_again(sessions)
    except DBAPIError:
        raise
    except Exception:  # noqa: BLE001
        # One client that cannot be compared must not keep the mails of all from leaving.
        log.exception("baselines could not be looked at")
        return
    if turned:
        log.info("baselines looked at", turned=turned)
