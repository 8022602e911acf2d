"""Domains that organizations say are theirs."""

import datetime as dt
import uuid

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, utc_now


class ClaimedDomain(Base):
    """A domain, in its ASCII form. It counts once it is verified."""

    __tablename__ = "claimed_domains"

    organization_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    )
    domain: Mapped[str] = mapped_column(String(253), primary_key=True)
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    verified_at: Mapped[dt.datetime | None]
