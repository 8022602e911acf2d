"""Tables that serve all areas: outbox, rate limits, idempotency."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, new_id, utc_now

JsonObject = JSON().with_variant(JSONB(), "postgresql")


class Outbox(Base):
    """What must happen after the commit. The payload holds ids and a locale, nothing usable."""

    __tablename__ = "outbox"
    __table_args__ = (
        CheckConstraint("state in ('queued', 'sent', 'failed', 'dropped')", name="state_known"),
        Index(None, "state", "run_at"),
        Index(None, "subject_id", "created_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    topic: Mapped[str] = mapped_column(String(64))
    payload: Mapped[dict[str, Any]] = mapped_column(JsonObject)
    provider_id: Mapped[uuid.UUID | None]
    organization_id: Mapped[uuid.UUID | None]
    account_id: Mapped[uuid.UUID | None]
    # The row the job is about (a member, a code), so that its page can show how the mail fares.
    subject_id: Mapped[uuid.UUID | None]
    state: Mapped[str] = mapped_column(String(16), default="queued")
    run_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    attempts: Mapped[int] = mapped_column(default=0)
    lease: Mapped[str | None] = mapped_column(String(64))
    last_answer: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    finished_at: Mapped[dt.datetime | None]


class RateLimit(Base):
    """One fixed window of one limit, shared by all workers."""

    __tablename__ = "rate_limit"
    __table_args__ = (Index(None, "expires_at"),)

    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    hits: Mapped[int]
    expires_at: Mapped[dt.datetime]


class Idempotency(Base):
    """The answer a form's token already had. `fingerprint` covers the typed fields."""

    __tablename__ = "idempotency"
    __table_args__ = (Index(None, "created_at"),)

    account_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True
    )
    token: Mapped[str] = mapped_column(String(64), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    result_id: Mapped[uuid.UUID]
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
