"""Seats that grow by themselves: the provider's bounds, what was used of them, and requests."""

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.domain.seat_requests import RequestState
from portal.models.base import Base, EnumText, new_id, one_of, utc_now


class SeatRules(Base):
    """What a provider allows its clients' seats to grow; without a row, whatever they need.

    `grown` is how many seats all its clients have gained by themselves in the calendar month that
    begins on `month`, the provider's own; in another month it counts as nought.
    """

    __tablename__ = "seat_rules"
    __table_args__ = (
        CheckConstraint("monthly_ceiling is null or monthly_ceiling >= 0", name="ceiling_bounds"),
        CheckConstraint("daily_number is null or daily_number >= 0", name="daily_bounds"),
        CheckConstraint("grown >= 0", name="grown_positive"),
    )

    provider_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("providers.id", ondelete="CASCADE"), primary_key=True
    )
    # For all clients in a calendar month; for one client in a day without asking.
    monthly_ceiling: Mapped[int | None]
    daily_number: Mapped[int | None]
    month: Mapped[dt.date] = mapped_column(Date)
    grown: Mapped[int] = mapped_column(default=0)


class SeatGrowth(Base):
    """How many seats one client has gained by itself on its newest day of growth."""

    __tablename__ = "seat_growth"
    __table_args__ = (CheckConstraint("grown >= 0", name="grown_positive"),)

    organization_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[dt.date] = mapped_column(Date)
    grown: Mapped[int] = mapped_column(default=0)


class SeatRequest(Base):
    """Somebody of a client asks its provider for `seats` more; at most one waits at a time."""

    __tablename__ = "seat_requests"
    __table_args__ = (
        one_of("state", RequestState),
        CheckConstraint("seats >= 1", name="seats_positive"),
        CheckConstraint("(state = 'open') = (answered_at is null)", name="answered_once"),
        Index(
            "ix_seat_requests_open",
            "organization_id",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
    )

    organization_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    state: Mapped[RequestState] = mapped_column(EnumText(RequestState), default=RequestState.OPEN)
    seats: Mapped[int]
    note: Mapped[str] = mapped_column(Text, default="")
    # Accounts, not references: a request may outlive them.
    asked_by: Mapped[uuid.UUID]
    asked_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    answer: Mapped[str] = mapped_column(Text, default="")
    answered_by: Mapped[uuid.UUID | None]
    answered_at: Mapped[dt.datetime | None]
