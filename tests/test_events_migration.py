"""Migration 0002 on a log that was written before it: chained, and personal data moved beside."""

import json
import uuid

import pytest
from sqlalchemy import MetaData, insert, select, text
from sqlalchemy.orm import Session

from portal.events.verify import verify_stream
from portal.migrate import upgrade
from portal.models import Event, EventPerson, new_id, utc_now
from tests.support.databases import engine_for

ADA = {"account": str(new_id()), "name": "Ada", "email": "ada@northwind.example"}


@pytest.fixture
def old(databases, kind):
    """A database of the first release."""
    with engine_for(databases.empty(kind, f"old-{uuid.uuid4().hex}")) as engine:
        upgrade(engine, "0001")
        yield engine


def write(engine, stream_id, rows):
    """Rows as the first release wrote them."""
    tables = MetaData()
    with engine.begin() as connection:
        tables.reflect(connection, only=["event_streams", "events"])
        connection.execute(
            insert(tables.tables["event_streams"]),
            {"stream_id": _raw(engine, stream_id), "kind": "account", "last_seq": len(rows)},
        )
        for seq, (kind, details, actor) in enumerate(rows, 1):
            event_id, now = new_id(), utc_now()
            payload = {
                "id": str(event_id),
                "at": now.isoformat(timespec="microseconds"),
                "type": kind,
                "subject": None,
                "source": "192.0.2.7",
                "browser": "w3m",
                "request": "",
                "details": details,
            }
            if actor:
                payload["actor"] = {**actor, "role": "owner", "provider": None}
            connection.execute(
                insert(tables.tables["events"]),
                {
                    "stream_id": _raw(engine, stream_id),
                    "seq": seq,
                    "id": _raw(engine, event_id),
                    "at": now,
                    "type": kind,
                    "payload": json.dumps(payload),
                },
            )


def _raw(engine, value):
    return value if engine.dialect.name == "postgresql" else value.hex


def test_old_rows_are_chained_and_can_be_proved(old):
    stream_id = uuid.UUID(int=7)
    write(
        old,
        stream_id,
        [
            ("account:account:create", {"with_keys": True}, ADA),
            ("organization:member:invite", {"email": "olga@acme.example", "role": "user"}, ADA),
            ("account:session:refused", {"method": "password"}, None),
        ],
    )
    upgrade(old)
    with Session(old) as session:
        found = verify_stream(session, stream_id, "account", [])
        rows = session.scalars(select(Event).order_by(Event.seq)).all()
        people = session.scalars(select(EventPerson).order_by(EventPerson.seq)).all()
    assert (found.fault, found.rows) == ("", 3)
    assert "olga" not in "".join(row.payload for row in rows)
    assert "Ada" not in "".join(row.payload for row in rows)
    assert json.loads(people[1].about) == {"email": "olga@acme.example"}
    assert json.loads(people[0].actor)["name"] == "Ada"
    assert [str(row.actor_id) for row in rows] == [ADA["account"], ADA["account"], "None"]


def test_a_log_without_rows_stays_one(old):
    write(old, uuid.UUID(int=8), [])
    upgrade(old)
    with Session(old) as session:
        assert verify_stream(session, uuid.UUID(int=8), "account", []).fault == ""


def test_the_new_schema_guards_the_rows(old):
    upgrade(old)
    with old.connect() as connection:
        if old.dialect.name == "postgresql":
            names = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
        else:
            names = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        found = set(connection.execute(text(names)).scalars())
    assert {"events_refuse_update", "events_refuse_delete"} <= found
