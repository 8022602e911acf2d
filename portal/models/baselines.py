"""What a provider wants its clients to be set to, and what of it each client was given."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, BinaryText, belongs_to, new_id, utc_now
from portal.models.plumbing import JsonObject


class Baseline(Base):
    """A named configuration of a provider; `newest` is the number of its newest version."""

    __tablename__ = "baselines"
    __table_args__ = (UniqueConstraint("provider_id", "name_ci"),)

    provider_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("providers.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(100))
    name_ci: Mapped[str] = mapped_column(BinaryText)
    newest: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)


class BaselineVersion(Base):
    """One state of a baseline: written once and never changed."""

    __tablename__ = "baseline_versions"
    __table_args__ = (
        belongs_to(
            "baselines",
            "baseline_id",
            tenant="provider_id",
            name="fk_baseline_versions_baseline_baselines",
        ),
    )

    provider_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    baseline_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[dict[str, Any]] = mapped_column(JsonObject)
    note: Mapped[str] = mapped_column(Text, default="")
    by_name: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)


class BaselineAssignment(Base):
    """Which version of which baseline a client was given last, and how far it is from it.

    `drift` counts values that nobody has accepted, as of the event `looked_seq` of the client's
    log and the day `looked_on`; NULL was not looked at yet. `drifts_since` is when it was told.
    """

    __tablename__ = "baseline_assignments"
    __table_args__ = (
        ForeignKeyConstraint(
            ["provider_id", "baseline_id", "number"],
            [
                "baseline_versions.provider_id",
                "baseline_versions.baseline_id",
                "baseline_versions.number",
            ],
            name="fk_baseline_assignments_version_baseline_versions",
            ondelete="CASCADE",
        ),
        Index(None, "provider_id", "baseline_id", "organization_id"),
        Index(None, "organization_id"),
    )

    provider_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    organization_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    )
    baseline_id: Mapped[uuid.UUID]
    number: Mapped[int]
    by_name: Mapped[str] = mapped_column(String(100))
    applied_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    drift: Mapped[int | None]
    drifts_since: Mapped[dt.datetime | None]
    looked_seq: Mapped[int | None] = mapped_column(BigInteger)
    looked_on: Mapped[dt.date | None]


class BaselineDeviation(Base):
    """A value in which a client may differ from its baseline, until `ends_on`, that day included.

    `value` is the accepted one in an object of its own, so that nothing is a value too.
    """

    __tablename__ = "baseline_deviations"
    __table_args__ = (
        ForeignKeyConstraint(
            ["provider_id", "organization_id"],
            ["baseline_assignments.provider_id", "baseline_assignments.organization_id"],
            name="fk_baseline_deviations_assignment_baseline_assignments",
            ondelete="CASCADE",
        ),
    )

    provider_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    organization_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    path_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    path: Mapped[str] = mapped_column(Text)
    value: Mapped[dict[str, Any]] = mapped_column(JsonObject)
    reason: Mapped[str] = mapped_column(Text)
    owner: Mapped[str] = mapped_column(String(100))
    ends_on: Mapped[dt.date]
    by_name: Mapped[str] = mapped_column(String(100))
    accepted_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
