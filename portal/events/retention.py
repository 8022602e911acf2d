"""How long logs are kept: what is older goes into an archive file, and only then away.

An archive is a JSON Lines export of the rows, compressed, which the verifier checks by itself; the
signed archive checkpoint at its last row is where the chain in the database goes on, and what
allows the database to delete (migration 0002).
"""

import datetime as dt
import gzip
import hashlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session, sessionmaker

from portal.database import reading
from portal.events import checkpoints, export
from portal.events.record import Stream, record
from portal.events.signing import Signer, signer
from portal.models import (
    Event,
    EventCheckpoint,
    EventPerson,
    EventStream,
    Organization,
    Provider,
    utc_now,
)

MONTH = dt.timedelta(days=365.25 / 12)
# Fewer rows than these are not worth a file; they wait for more.
FEWEST = 100
AT_ONCE = 1000


def archive_all(sessions: sessionmaker[Session], secret_keys: tuple[str, ...], folder: Path) -> int:
    """Archive and delete what is older than its provider keeps; returns how many rows went."""
    count = 0
    with reading(), sessions() as session:
        waiting = due(session, utc_now())
    for stream, before in waiting:
        count += archive(sessions, secret_keys, folder, stream, before)
    return count


def due(session: Session, now: dt.datetime) -> list[tuple[Stream, dt.datetime]]:
    """The logs of providers that keep them for a time, and of their clients, with that time's
    beginning.
    """
    found = []
    kept = select(Provider.id, Provider.events_kept_months).where(
        Provider.events_kept_months.is_not(None)
    )
    for provider in session.execute(kept).all():
        clients = select(Organization.id).where(Organization.provider_id == provider.id)
        logs = select(EventStream.stream_id, EventStream.kind).where(
            or_(EventStream.stream_id == provider.id, EventStream.stream_id.in_(clients))
        )
        before = now - MONTH * (provider.events_kept_months or 0)
        found += [(Stream(log.kind, log.stream_id), before) for log in session.execute(logs)]
    return found


def archive(
    sessions: sessionmaker[Session],
    secret_keys: tuple[str, ...],
    folder: Path,
    stream: Stream,
    before: dt.datetime,
    fewest: int = FEWEST,
) -> int:
    """Archive the rows of one log that are older than `before`; returns how many.

    The file is complete and on the disk before the first row is deleted, and a run that ends in
    between is taken up by the next one.
    """
    with reading(), sessions() as session:
        first, last = _range(session, stream.id, before)
        begun = _oldest(session, stream.id)
    if begun is not None and begun < first:
        _delete(sessions, stream.id, first - 1)
    if last - first + 1 < fewest:
        return 0
    with sessions.begin() as session:
        signing = signer(session, secret_keys)
        checkpoint = _cut(session, signing, stream.id, last)
        path, digest = _write(session, folder, stream, first, checkpoint)
        record(
            session,
            None,
            "system:log:archive",
            streams=[stream],
            first=first,
            through=last,
            rows=last - first + 1,
            file=path.name,
            sha256=digest,
        )
    _delete(sessions, stream.id, last)
    return last - first + 1


def _range(session: Session, stream_id: uuid.UUID, before: dt.datetime) -> tuple[int, int]:
    """The first and last number of the rows that may go; the newest row always stays."""
    first = checkpoints.first_row(session, stream_id)
    kept = (
        select(Event.seq)
        .where(Event.stream_id == stream_id, Event.at >= before)
        .order_by(Event.seq)
        .limit(1)
    )
    oldest_kept = session.scalar(kept)
    last = session.scalar(select(EventStream.last_seq).where(EventStream.stream_id == stream_id))
    return first, (oldest_kept if oldest_kept is not None else (last or 0)) - 1


def _cut(session: Session, signing: Signer, stream_id: uuid.UUID, last: int) -> EventCheckpoint:
    """The signed place at which the chain in the database will begin."""
    found = session.get(EventCheckpoint, (stream_id, last, "archive"))
    if found:
        return found
    row = session.get_one(Event, (stream_id, last))
    return checkpoints.add(session, signing, stream_id, last, row.hash, "archive")


def _write(
    session: Session, folder: Path, stream: Stream, first: int, cut: EventCheckpoint
) -> tuple[Path, str]:
    """Write the archive; returns its path and SHA-256. Readable by the portal's user alone."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{stream.kind}-{stream.id}-{first}-{cut.seq}.jsonl.gz"
    draft = path.with_suffix(".draft")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as raw:
        with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as out:
            for line in _lines(session, stream, first, cut):
                out.write(line.encode())
        raw.flush()
        os.fsync(raw.fileno())
    draft.replace(path)
    with path.open("rb") as written:
        return path, hashlib.file_digest(written, "sha256").hexdigest()


def _lines(session: Session, stream: Stream, first: int, cut: EventCheckpoint) -> Iterator[str]:
    about = {"kind": stream.kind, "stream": str(stream.id), "first": first, "last": cut.seq}
    yield from (
        export.line(each)
        for each in export.of_part(session, stream.id, about, first=first, cut=cut)
    )


def _oldest(session: Session, stream_id: uuid.UUID) -> int | None:
    return session.scalar(select(func.min(Event.seq)).where(Event.stream_id == stream_id))


def _delete(sessions: sessionmaker[Session], stream_id: uuid.UUID, last: int) -> None:
    """Remove the archived rows little by little, and checkpoints that stand for none any more."""
    while True:
        with sessions.begin() as session:
            oldest = _oldest(session, stream_id)
            if oldest is None or oldest > last:
                break
            for table in (EventPerson, Event):
                session.execute(
                    delete(table)
                    .where(
                        table.stream_id == stream_id,
                        table.seq <= min(oldest + AT_ONCE - 1, last),
                    )
                    .execution_options(synchronize_session=False)
                )
    with sessions.begin() as session:
        session.execute(
            delete(EventCheckpoint)
            .where(EventCheckpoint.stream_id == stream_id, EventCheckpoint.seq < last)
            .execution_options(synchronize_session=False)
        )
