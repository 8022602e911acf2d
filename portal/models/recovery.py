"""Account recovery: who is enrolled, what was asked for, and whether the provider may."""

import datetime as dt
import uuid

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.domain.account_recovery import RecoveryState
from portal.models.base import Base, EnumText, belongs_to, new_id, one_of, utc_now

_IS_OPEN = "state in ('requested', 'approved')"


class RecoveryEnrolment(Base):
    """A member's user key, wrapped in their browser for the organization's public key (`4.…`).

    The two public keys say which pairs it was made with: with others it opens nothing.
    """

    __tablename__ = "recovery_enrolments"
    __table_args__ = (belongs_to("members", "member_id"),)

    organization_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    member_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    wrapped_user_key: Mapped[str] = mapped_column(Text)
    account_public_key: Mapped[str] = mapped_column(Text)
    organization_public_key: Mapped[str] = mapped_column(Text)
    enrolled_at: Mapped[dt.datetime] = mapped_column(default=utc_now)


class RecoveryRequest(Base):
    """One recovery of a member's account. The unique index lets one be open at a time.

    `asked_by` and `approved_by` are accounts, kept when their members have left. `told_at` is when
    the member's mail left: while it is empty nothing can be carried out.
    """

    __tablename__ = "recovery_requests"
    __table_args__ = (
        one_of("state", RecoveryState),
        belongs_to("members", "member_id"),
        Index(
            "ix_recovery_requests_open",
            "organization_id",
            "member_id",
            unique=True,
            sqlite_where=text(_IS_OPEN),
            postgresql_where=text(_IS_OPEN),
        ),
        Index(None, "organization_id", "member_id", "id"),
    )

    organization_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    member_id: Mapped[uuid.UUID]
    state: Mapped[RecoveryState] = mapped_column(
        EnumText(RecoveryState), default=RecoveryState.REQUESTED
    )
    reason: Mapped[str] = mapped_column(String(300))
    asked_by: Mapped[uuid.UUID]
    asked_by_name: Mapped[str] = mapped_column(String(100))
    by_provider: Mapped[bool] = mapped_column(default=False)
    asked_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    told_at: Mapped[dt.datetime | None]
    approved_by: Mapped[uuid.UUID | None]
    approved_by_name: Mapped[str] = mapped_column(String(100), default="")
    approved_at: Mapped[dt.datetime | None]
    closed_at: Mapped[dt.datetime | None]
    closed_by_name: Mapped[str] = mapped_column(String(100), default="")


class RecoverySettings(Base):
    """What an owner allows; a row that is absent allows nothing."""

    __tablename__ = "recovery_settings"

    organization_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    )
    provider_may: Mapped[bool] = mapped_column(default=False)
