"""The event log: streams, rows, what stands beside them, and what signs them."""

import datetime as dt
import uuid

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, utc_now


class EventStream(Base):
    """One organization, provider or account that events happen to; holds the end of its chain."""

    __tablename__ = "event_streams"
    __table_args__ = (
        CheckConstraint("kind in ('organization', 'provider', 'account')", name="kind_known"),
        CheckConstraint("(last_seq = 0) = (last_hash is null)", name="end_of_chain"),
    )

    stream_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    last_seq: Mapped[int] = mapped_column(BigInteger, default=0)
    last_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))


class Event(Base):
    """One line of an event log. `hash` covers `payload`, which is canonical JSON, and its place.

    `id`, `at`, `type` and `actor_id` repeat what the payload says, for the indexes; the verifier
    compares them. `provider_id`, on the rows of an organization, is the provider it had then; it
    is in no hash. The database refuses changes (migration 0002).
    """

    __tablename__ = "events"
    __table_args__ = (
        *(
            Index(None, *columns)
            for columns in (
                ("stream_id", "id"),
                ("stream_id", "type", "id"),
                ("stream_id", "actor_id", "id"),
                ("provider_id", "id"),
                ("provider_id", "type", "id"),
                ("provider_id", "actor_id", "id"),
            )
        ),
    )

    stream_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("event_streams.stream_id", ondelete="RESTRICT"), primary_key=True
    )
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    # The same id in two streams is the same event, seen from both sides.
    id: Mapped[uuid.UUID]
    at: Mapped[dt.datetime]
    type: Mapped[str] = mapped_column(String(64))
    actor_id: Mapped[uuid.UUID | None]
    provider_id: Mapped[uuid.UUID | None]
    payload: Mapped[str] = mapped_column(Text)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class EventPerson(Base):
    """The personal data of one event, beside the chain, which holds only salted hashes of it.

    `actor` is canonical JSON about who acted (name, address, IP, browser), `about` what the event
    says of others; both are NULL once erased. `words` is both, folded for searching.
    """

    __tablename__ = "event_people"
    __table_args__ = (
        CheckConstraint("(actor is null) = (actor_salt is null)", name="actor_with_salt"),
        CheckConstraint("(about is null) = (about_salt is null)", name="about_with_salt"),
        Index(None, "actor_id"),
    )

    stream_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("event_streams.stream_id", ondelete="RESTRICT"), primary_key=True
    )
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    actor_id: Mapped[uuid.UUID | None]
    actor: Mapped[str | None] = mapped_column(Text)
    actor_salt: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    about: Mapped[str | None] = mapped_column(Text)
    about_salt: Mapped[bytes | None] = mapped_column(LargeBinary(16))
    words: Mapped[str] = mapped_column(Text, default="")


class EventKey(Base):
    """A key that signs checkpoints. `id` is its fingerprint; the newest one signs.

    `private_key` is sealed with the server's secret. `endorsement` is the signature of the key
    before it over this one, so that who trusts the old one can trust the new one.
    """

    __tablename__ = "event_keys"
    __table_args__ = (
        CheckConstraint("(previous_id is null) = (endorsement is null)", name="endorsed_by_one"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary(32))
    private_key: Mapped[str] = mapped_column(Text)
    previous_id: Mapped[str | None] = mapped_column(String(64))
    endorsement: Mapped[bytes | None] = mapped_column(LargeBinary(64))
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)


class EventCheckpoint(Base):
    """A signature over the hash of one row, and so over all rows before it.

    `purpose` tip: the log went at least so far. `archive`: the rows up to here lie in an archive
    and may be gone from the table; the row is also what lets the database delete them.
    """

    __tablename__ = "event_checkpoints"
    __table_args__ = (
        CheckConstraint("purpose in ('tip', 'archive')", name="purpose_known"),
        ForeignKeyConstraint(["key_id"], ["event_keys.id"], ondelete="RESTRICT"),
    )

    stream_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("event_streams.stream_id", ondelete="RESTRICT"), primary_key=True
    )
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    purpose: Mapped[str] = mapped_column(String(8), primary_key=True, default="tip")
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    key_id: Mapped[str] = mapped_column(String(64))
    signature: Mapped[bytes] = mapped_column(LargeBinary(64))


class EntryWatcher(Base):
    """An owner who wants a mail when somebody of the provider enters the organization."""

    __tablename__ = "entry_watchers"

    organization_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    )
    account_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True
    )
