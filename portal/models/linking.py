"""Requests of a provider to an owner: may we look after your organization?"""

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.account import EMAIL
from portal.models.base import Base, new_id, utc_now


class LinkRequest(Base):
    """A question mailed to an address. Whether an owner reads mail there, it does not say.

    `answer` is empty while it is open; `organization_id` is set by a yes.
    """

    __tablename__ = "link_requests"
    __table_args__ = (
        CheckConstraint("answer in ('', 'yes', 'no')", name="answer_known"),
        CheckConstraint("(answer = 'yes') = (organization_id is not null)", name="yes_to_what"),
        Index(None, "provider_id", "created_at"),
    )

    provider_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("providers.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(EMAIL)
    asked_by: Mapped[str] = mapped_column(String(100))
    expires_at: Mapped[dt.datetime]
    answer: Mapped[str] = mapped_column(String(8), default="")
    # Not a reference: the organization may be deleted long after its answer.
    organization_id: Mapped[uuid.UUID | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
