"""What an organization asks of its members, and which steps of its set-up were left out."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.domain.policies import PolicyKind
from portal.domain.setup_steps import StepKind
from portal.models.base import Base, EnumText, one_of, utc_now
from portal.models.plumbing import JsonObject


class Policy(Base):
    """One policy of an organization; `data` as its kind's own form has checked it."""

    __tablename__ = "policies"
    __table_args__ = (one_of("kind", PolicyKind),)

    organization_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[PolicyKind] = mapped_column(EnumText(PolicyKind), primary_key=True)
    is_on: Mapped[bool] = mapped_column(default=False)
    data: Mapped[dict[str, Any]] = mapped_column(JsonObject, default=dict)
    version: Mapped[int] = mapped_column(default=1)
    changed_at: Mapped[dt.datetime] = mapped_column(default=utc_now)


class SkippedStep(Base):
    """A step of the set-up that somebody has left out on purpose, and why."""

    __tablename__ = "skipped_steps"
    __table_args__ = (one_of("step", StepKind),)

    organization_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    )
    step: Mapped[StepKind] = mapped_column(EnumText(StepKind), primary_key=True)
    note: Mapped[str] = mapped_column(Text)
    by_name: Mapped[str] = mapped_column(String(100))
    skipped_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
