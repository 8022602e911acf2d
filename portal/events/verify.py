"""Checking the logs in the database with the very program that checks exports."""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.events import export, signing
from portal.events.verifier import Bad, Checker, Unreadable
from portal.models import Event, EventCheckpoint, EventPerson, EventStream, Organization


@dataclass(frozen=True)
class Finding:
    """What came of checking one log. `fault` is empty where nothing is wrong.

    `seq` is the first bad row, None where the fault lies in no row.
    """

    stream_id: uuid.UUID
    kind: str
    rows: int
    checkpoints: int
    erased: int
    fault: str = ""
    seq: int | None = None


def verify_stream(
    session: Session, stream_id: uuid.UUID, kind: str, pinned: Iterable[str]
) -> Finding:
    """Check one log against its chain, its checkpoints and the end that its row remembers.

    `pinned` are the fingerprints of keys that may sign (`signing.own_keys`).
    """
    checker = Checker(pinned, signing.is_signed)
    fault, seq = "", None
    try:
        for record in export.of_stream(session, stream_id, {}):
            checker.take(record)
        _check_beyond_end(session, stream_id)
    except Bad as bad:
        fault, seq = bad.text, bad.seq
    except Unreadable as damaged:
        fault = str(damaged)
    return Finding(stream_id, kind, checker.rows, checker.checkpoints, checker.erased, fault, seq)


def _check_beyond_end(session: Session, stream_id: uuid.UUID) -> None:
    """Nothing may stand behind the last row that the stream knows of."""
    last = session.scalar(select(EventStream.last_seq).where(EventStream.stream_id == stream_id))
    for table in (Event, EventCheckpoint, EventPerson):
        beyond = select(table.seq).where(table.stream_id == stream_id, table.seq > (last or 0))
        found = session.scalar(beyond.order_by(table.seq).limit(1))
        if found is not None:
            what = "a row" if table is Event else "a checkpoint or personal data"
            raise Bad(stream_id, found, f"{what} stands behind the end of the log")


def streams(
    session: Session,
    *,
    provider_id: uuid.UUID | None = None,
    organization_id: uuid.UUID | None = None,
) -> Iterator[tuple[uuid.UUID, str]]:
    """The logs to check: one organization's, a provider's with those of its clients, or all."""
    chosen = select(EventStream.stream_id, EventStream.kind)
    if organization_id:
        chosen = chosen.where(EventStream.stream_id == organization_id)
    elif provider_id:
        clients = select(Organization.id).where(Organization.provider_id == provider_id)
        chosen = chosen.where(
            EventStream.stream_id.in_(clients) | (EventStream.stream_id == provider_id)
        )
    rows = session.execute(chosen.order_by(EventStream.stream_id)).all()
    yield from ((row.stream_id, row.kind) for row in rows)
