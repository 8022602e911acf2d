"""Who from the provider can come into an organization: the owner's word, and time-boxed grants."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    bindparam,
    exists,
    or_,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.domain.provider_access import OPEN, AccessMode, GrantState
from portal.models.base import Base, EnumText, UtcDateTime, new_id, one_of, utc_now

_OPEN = text("state in ('requested', 'approved')")


class ProviderAccess(Base):
    """That the provider's people do not come and go freely; without a row they do."""

    __tablename__ = "provider_access"
    __table_args__ = (CheckConstraint("mode in ('ask', 'never')", name="mode_limits"),)

    organization_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    )
    mode: Mapped[AccessMode] = mapped_column(EnumText(AccessMode))
    changed_at: Mapped[dt.datetime] = mapped_column(default=utc_now)


class AccessGrant(Base):
    """One request of a provider's person to come in, and what became of it.

    Provider and accounts are no references: the history outlives them. `lapses_at` is until when
    an answer counts; `ends_at` until when an approved one lets in.
    """

    __tablename__ = "access_grants"
    __table_args__ = (
        one_of("state", GrantState),
        Index(
            "ix_access_grants_open",
            "organization_id",
            "account_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        CheckConstraint(
            "(state in ('approved', 'ended', 'expired')) = (ends_at is not null)", name="end_known"
        ),
        CheckConstraint(
            "(state in ('requested', 'approved')) = (closed_at is null)", name="closed_once"
        ),
        CheckConstraint("minutes is null or minutes <= asked_minutes", name="never_more"),
    )

    organization_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    provider_id: Mapped[uuid.UUID]
    account_id: Mapped[uuid.UUID]
    person_name: Mapped[str] = mapped_column(String(100))
    reason: Mapped[str] = mapped_column(String(300))
    asked_minutes: Mapped[int]
    asked_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    lapses_at: Mapped[dt.datetime]
    state: Mapped[GrantState] = mapped_column(EnumText(GrantState))
    # Who approved or declined, and what was given.
    answered_by: Mapped[uuid.UUID | None]
    answered_name: Mapped[str] = mapped_column(String(100), default="")
    answered_at: Mapped[dt.datetime | None]
    minutes: Mapped[int | None]
    ends_at: Mapped[dt.datetime | None]
    # Who ended or withdrew it, and when it was over; nobody where time did.
    closed_by: Mapped[uuid.UUID | None]
    closed_name: Mapped[str] = mapped_column(String(100), default="")
    closed_at: Mapped[dt.datetime | None]


def is_live(account_id: Any, now: Any) -> tuple[ColumnElement[bool], ...]:
    """Conditions of a grant by which somebody may be in now; beside the organization's own."""
    return (
        AccessGrant.account_id == account_id,
        # As the partial index says it, which SQLite would not take for the next line alone.
        AccessGrant.state.in_(OPEN),
        AccessGrant.state == GrantState.APPROVED,
        AccessGrant.ends_at > now,
    )


def opens_to(account_id: Any, organization_id: Any) -> ColumnElement[bool]:
    """Whether somebody of the provider may see what is inside of a client now.

    For every statement that reads clients' insides for people on the provider's pages.
    `account_id` None stands for nobody in particular: whoever asks first is left out then.
    """
    limited = (
        exists()
        .where(ProviderAccess.organization_id == organization_id)
        .correlate_except(ProviderAccess)
    )
    if account_id is None:
        return ~limited
    # Asked when the statement runs, so that it can be kept.
    now = bindparam("moment", callable_=utc_now, type_=UtcDateTime(), unique=True)
    granted = (
        exists()
        .where(
            ProviderAccess.organization_id == organization_id,
            ProviderAccess.mode == AccessMode.ASK,
            AccessGrant.organization_id == ProviderAccess.organization_id,
            *is_live(account_id, now),
        )
        .correlate_except(ProviderAccess, AccessGrant)
    )
    return or_(~limited, granted)
