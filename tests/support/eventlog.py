"""Event logs for tests: filled, exported, checked, and tampered with behind the portal's back."""

import contextlib
import json
import uuid

from sqlalchemy import and_, select, text

from portal.domain.access import Actor, Role, Trace
from portal.events import Stream, checkpoints, export, record, signing
from portal.events.verify import verify_stream
from portal.models import Event, EventPerson, new_id
from tests.support.databases import SECRET_KEY

KEYS = (SECRET_KEY,)


def person(name="Ada Nordström", email="ada@northwind.example", **columns) -> Actor:
    values = {
        "account_id": new_id(),
        "session_id": None,
        "role": Role.PROVIDER_ADMIN,
        "permissions": frozenset(),
        "trace": Trace("192.0.2.7", "Mozilla/5.0 (X11; Linux) Firefox/144.0", "0" * 32),
    }
    return Actor(name=name, email=email, **(values | columns))


def fill(database, stream: Stream, actor: Actor, rows: int) -> None:
    """So many invitations."""
    for number in range(rows):
        with database.session() as session:
            record(
                session,
                actor,
                "organization:member:invite",
                streams=[stream],
                subject_id=new_id(),
                email=f"member{number}@acme.example",
                role="user",
            )


def sign(database, stream_id: uuid.UUID) -> None:
    with database.session() as session:
        checkpoints.sign_tip(session, signing.signer(session, KEYS), stream_id)


def check(database, stream: Stream):
    """The finding of the portal's own check."""
    with database.session() as session:
        pinned = signing.own_keys(session, KEYS)
        return verify_stream(session, stream.id, stream.kind, pinned)


def exported(database, stream: Stream) -> str:
    """The JSON Lines of a whole log."""
    with database.session() as session:
        records = export.of_stream(session, stream.id, {"kind": stream.kind})
        return "".join(export.line(each) for each in records)


def fingerprint(database) -> str:
    with database.session() as session:
        return signing.fingerprint(session)


@contextlib.contextmanager
def unguarded(database):
    """A session in which the triggers of the event table sleep: somebody who owns the database."""
    with database.session() as session:
        if session.get_bind().dialect.name == "postgresql":
            session.execute(text("ALTER TABLE events DISABLE TRIGGER ALL"))
            yield session
            session.flush()
            session.execute(text("ALTER TABLE events ENABLE TRIGGER ALL"))
        else:
            found = session.execute(
                text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            ).all()
            for name, _ in found:
                session.execute(text(f"DROP TRIGGER {name}"))
            yield session
            session.flush()
            for _, sql in found:
                session.connection().exec_driver_sql(sql)


def told(row) -> dict:
    """A row of events joined with event_people (`payload`, `actor`, `about`) in one dictionary."""
    payload = json.loads(row.payload)
    actor = json.loads(row.actor) if row.actor else {}
    about = json.loads(row.about) if row.about else {}
    return payload | {"actor": actor, "details": payload["details"] | about}


def all_told(database, kind: str, stream_id: uuid.UUID | None = None) -> list[dict]:
    """What every event of a kind tells (in one log), chained and personal parts together."""
    found = (
        select(Event.payload, EventPerson.actor, EventPerson.about)
        .join(
            EventPerson,
            and_(EventPerson.stream_id == Event.stream_id, EventPerson.seq == Event.seq),
        )
        .where(Event.type == kind)
        .order_by(Event.id)
    )
    if stream_id:
        found = found.where(Event.stream_id == stream_id)
    return [told(row) for row in database.all(found)]
