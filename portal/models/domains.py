"""Domains that organizations say are theirs."""

import datetime as dt
import secrets
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.domain.claimed_domains import Answer
from portal.models.base import Base, EnumText, new_id, one_of, utc_now

_VERIFIED = text("verified_at is not null")


def new_token() -> str:
    """What the TXT record holds beside its prefix: 192 bits, no secret once it is published."""
    return secrets.token_urlsafe(24)


class ClaimedDomain(Base):
    """A domain, in its ASCII form. It counts once it is verified (`domain.claimed_domains`).

    Any organization may say that a domain is its own, so that nobody learns by trying whose it
    is; only one can have verified it, whichever comes first.
    """

    __tablename__ = "claimed_domains"
    __table_args__ = (
        UniqueConstraint("organization_id", "domain"),
        Index(
            "ix_claimed_domains_verified",
            "domain",
            unique=True,
            sqlite_where=_VERIFIED,
            postgresql_where=_VERIFIED,
        ),
        Index(None, "next_check_at"),
        one_of("answer", Answer),
        CheckConstraint("verified_at is null or next_check_at is not null", name="kept_watched"),
    )

    organization_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    domain: Mapped[str] = mapped_column(String(253))
    token: Mapped[str] = mapped_column(String(64), default=new_token)
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    verified_at: Mapped[dt.datetime | None]
    checked_at: Mapped[dt.datetime | None]
    answer: Mapped[Answer] = mapped_column(EnumText(Answer), default=Answer.UNASKED)
    checks: Mapped[int] = mapped_column(default=0)
    # Asked by a person who waits for the answer: one look-up at a time.
    asked_at: Mapped[dt.datetime | None]
    next_check_at: Mapped[dt.datetime | None] = mapped_column(default=utc_now)
    ends_at: Mapped[dt.datetime | None]
