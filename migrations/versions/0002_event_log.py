"""The event log is chained, signed, and keeps personal data beside the chain."""

import hashlib
import json
import os
import uuid

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# The words of portal.events.chain as they were when this was written: a revision never changes.
ANCHOR = b"portal event log, first row, version 1\x00"
ROW = b"portal event log, row, version 1\x00"
PART = b"portal event log, personal part, version 1\x00"
PERSONAL_CHANGES = {
    "account:profile:update",
    "organization:billing:update",
    "organization:member:replace_address",
}

# Rows are deleted only once a signed checkpoint says that they lie in an archive. A later
# revision that rebuilds `events` on SQLite drops the triggers there and must make them again.
SQLITE = (
    """CREATE TRIGGER events_refuse_update BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are never changed'); END""",
    """CREATE TRIGGER events_refuse_delete BEFORE DELETE ON events
WHEN NOT EXISTS (SELECT 1 FROM event_checkpoints AS c WHERE c.stream_id = OLD.stream_id
AND c.purpose = 'archive' AND c.seq >= OLD.seq)
BEGIN SELECT RAISE(ABORT, 'events are archived before they are deleted'); END""",
)
POSTGRESQL = (
    """CREATE FUNCTION events_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    RAISE EXCEPTION 'events are never changed';
  END IF;
  IF NOT EXISTS (SELECT 1 FROM event_checkpoints AS c WHERE c.stream_id = OLD.stream_id
                 AND c.purpose = 'archive' AND c.seq >= OLD.seq) THEN
    RAISE EXCEPTION 'events are archived before they are deleted';
  END IF;
  RETURN OLD;
END $$""",
    """CREATE TRIGGER events_refuse_update BEFORE UPDATE ON events
FOR EACH ROW EXECUTE FUNCTION events_refuse_change()""",
    """CREATE TRIGGER events_refuse_delete BEFORE DELETE ON events
FOR EACH ROW EXECUTE FUNCTION events_refuse_change()""",
)

STREAMS = sa.table(
    "event_streams",
    sa.column("stream_id", sa.Uuid()),
    sa.column("last_seq", sa.BigInteger()),
    sa.column("last_hash", sa.LargeBinary()),
)
EVENTS = sa.table(
    "events",
    sa.column("stream_id", sa.Uuid()),
    sa.column("seq", sa.BigInteger()),
    sa.column("type", sa.String()),
    sa.column("actor_id", sa.Uuid()),
    sa.column("provider_id", sa.Uuid()),
    sa.column("payload", sa.Text()),
    sa.column("hash", sa.LargeBinary()),
)
PEOPLE = sa.table(
    "event_people",
    sa.column("stream_id", sa.Uuid()),
    sa.column("seq", sa.BigInteger()),
    sa.column("actor_id", sa.Uuid()),
    sa.column("actor", sa.Text()),
    sa.column("actor_salt", sa.LargeBinary()),
    sa.column("about", sa.Text()),
    sa.column("about_salt", sa.LargeBinary()),
    sa.column("words", sa.Text()),
)
ORGANIZATIONS = sa.table(
    "organizations", sa.column("id", sa.Uuid()), sa.column("provider_id", sa.Uuid())
)
INDEXES = (
    ("stream_id", "type", "id"),
    ("stream_id", "actor_id", "id"),
    ("provider_id", "id"),
    ("provider_id", "type", "id"),
    ("provider_id", "actor_id", "id"),
)


def upgrade() -> None:
    make_tables()
    with op.batch_alter_table("event_streams") as table:
        table.add_column(sa.Column("last_hash", sa.LargeBinary(length=32), nullable=True))
    with op.batch_alter_table("events") as table:
        table.add_column(sa.Column("actor_id", sa.Uuid(), nullable=True))
        table.add_column(sa.Column("provider_id", sa.Uuid(), nullable=True))
        table.add_column(sa.Column("hash", sa.LargeBinary(length=32), nullable=True))
    with op.batch_alter_table("providers") as table:
        table.add_column(sa.Column("events_kept_months", sa.Integer(), nullable=True))
        table.create_check_constraint(
            op.f("ck_providers_events_kept_bounds"), "events_kept_months between 3 and 120"
        )
    connection = op.get_bind()
    for stream_id in connection.execute(sa.select(STREAMS.c.stream_id)).scalars().all():
        chain_stream(connection, stream_id)
    with op.batch_alter_table("event_streams") as table:
        table.create_check_constraint(
            op.f("ck_event_streams_end_of_chain"), "(last_seq = 0) = (last_hash is null)"
        )
    with op.batch_alter_table("events") as table:
        table.alter_column("hash", existing_type=sa.LargeBinary(length=32), nullable=False)
    for columns in INDEXES:
        op.create_index(op.f(f"ix_events_{'_'.join(columns)}"), "events", list(columns))
    dialect = connection.dialect.name
    for statement in POSTGRESQL if dialect == "postgresql" else SQLITE:
        connection.exec_driver_sql(statement)


def make_tables() -> None:
    op.create_table(
        "event_people",
        sa.Column("stream_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=True),
        sa.Column("actor_salt", sa.LargeBinary(length=16), nullable=True),
        sa.Column("about", sa.Text(), nullable=True),
        sa.Column("about_salt", sa.LargeBinary(length=16), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(actor is null) = (actor_salt is null)", name=op.f("ck_event_people_actor_with_salt")
        ),
        sa.CheckConstraint(
            "(about is null) = (about_salt is null)", name=op.f("ck_event_people_about_with_salt")
        ),
        sa.ForeignKeyConstraint(
            ["stream_id"],
            ["event_streams.stream_id"],
            name=op.f("fk_event_people_stream_id_event_streams"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("stream_id", "seq", name=op.f("pk_event_people")),
    )
    op.create_index(op.f("ix_event_people_actor_id"), "event_people", ["actor_id"])
    op.create_table(
        "event_keys",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("public_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("private_key", sa.Text(), nullable=False),
        sa.Column("previous_id", sa.String(length=64), nullable=True),
        sa.Column("endorsement", sa.LargeBinary(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(previous_id is null) = (endorsement is null)",
            name=op.f("ck_event_keys_endorsed_by_one"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_keys")),
    )
    op.create_table(
        "event_checkpoints",
        sa.Column("stream_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("purpose", sa.String(length=8), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("signature", sa.LargeBinary(length=64), nullable=False),
        sa.CheckConstraint(
            "purpose in ('tip', 'archive')", name=op.f("ck_event_checkpoints_purpose_known")
        ),
        sa.ForeignKeyConstraint(
            ["key_id"],
            ["event_keys.id"],
            name=op.f("fk_event_checkpoints_key_id_event_keys"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["stream_id"],
            ["event_streams.stream_id"],
            name=op.f("fk_event_checkpoints_stream_id_event_streams"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("stream_id", "seq", "purpose", name=op.f("pk_event_checkpoints")),
    )
    op.create_table(
        "entry_watchers",
        sa.Column("organization_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("fk_entry_watchers_account_id_accounts"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_entry_watchers_organization_id_organizations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", "account_id", name=op.f("pk_entry_watchers")),
    )


def chain_stream(connection: sa.Connection, stream_id: uuid.UUID) -> None:
    """Move what is personal beside the chain, and give each row its hash, in order."""
    provider_id = connection.execute(
        sa.select(ORGANIZATIONS.c.provider_id).where(ORGANIZATIONS.c.id == stream_id)
    ).scalar_one_or_none()
    last, seq = hashlib.sha256(ANCHOR + stream_id.bytes).digest(), 0
    while rows := connection.execute(
        sa.select(EVENTS.c.seq, EVENTS.c.type, EVENTS.c.payload)
        .where(EVENTS.c.stream_id == stream_id, EVENTS.c.seq > seq)
        .order_by(EVENTS.c.seq)
        .limit(1000)
    ).all():
        changes, people = [], []
        for row in rows:
            payload, person = split(row.type, json.loads(row.payload))
            seq = row.seq
            place = stream_id.bytes + seq.to_bytes(8, "big")
            last = hashlib.sha256(ROW + last + place + payload.encode()).digest()
            changes.append(
                {
                    "stream": stream_id,
                    "number": seq,
                    "new_actor": person["actor_id"],
                    "new_provider": provider_id,
                    "new_payload": payload,
                    "new_hash": last,
                }
            )
            people.append({"stream_id": stream_id, "seq": seq, **person})
        connection.execute(
            sa.update(EVENTS)
            .where(
                EVENTS.c.stream_id == sa.bindparam("stream"),
                EVENTS.c.seq == sa.bindparam("number"),
            )
            .values(
                actor_id=sa.bindparam("new_actor"),
                provider_id=sa.bindparam("new_provider"),
                payload=sa.bindparam("new_payload"),
                hash=sa.bindparam("new_hash"),
            ),
            changes,
        )
        connection.execute(sa.insert(PEOPLE), people)
    if seq:
        connection.execute(
            sa.update(STREAMS)
            .where(STREAMS.c.stream_id == stream_id)
            .values(last_seq=seq, last_hash=last)
        )


def split(kind: str, old: dict) -> tuple[str, dict]:
    """The payload as the chain has it, and the columns of the row beside it."""
    actor, details = old.pop("actor", None) or {}, old["details"]
    about = {name: value for name, value in details.items() if personal(kind, name, value)}
    acting = {"source": old.pop("source", ""), "browser": old.pop("browser", "")}
    acting |= {"name": actor.get("name", ""), "email": actor.get("email", "")}
    acting = {name: word for name, word in acting.items() if word}
    person = {"words": json.dumps([acting, details], ensure_ascii=False).casefold()[:2000]}
    commitments = {}
    for name, facts in (("actor", acting), ("about", about)):
        salt = os.urandom(16) if facts else None
        text = canonical(facts) if facts else None
        person |= {name: text, f"{name}_salt": salt}
        if facts:
            commitments[name] = hashlib.sha256(PART + salt + text.encode()).hexdigest()
    person["actor_id"] = uuid.UUID(actor["account"]) if actor else None
    payload = {
        "id": old["id"],
        "at": old["at"],
        "type": old["type"],
        "subject": old["subject"],
        "account": actor.get("account"),
        "role": actor.get("role"),
        "provider": actor.get("provider"),
        "organization": None,
        "request": old.get("request", ""),
        "details": {name: value for name, value in details.items() if name not in about},
        "personal": commitments,
    }
    return canonical(payload), person


def personal(kind: str, name: str, value: object) -> bool:
    if name == "email" or (name in {"before", "after"} and kind in PERSONAL_CHANGES):
        return True
    return "@" in json.dumps(value)


def canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def downgrade() -> None:
    raise RuntimeError("a log that can be proved is not taken apart again; restore a backup")
