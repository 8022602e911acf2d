"""What a provider writes beside its clients, and the ways of looking at them that it keeps."""

import datetime as dt
import uuid

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, BinaryText, new_id, utc_now


class Tag(Base):
    """A word that a provider puts to its clients; `colour` is one of the tone classes."""

    __tablename__ = "tags"
    __table_args__ = (
        UniqueConstraint("provider_id", "name_ci"),
        CheckConstraint("colour between 1 and 12", name="colour_bounds"),
    )

    provider_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("providers.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(30))
    name_ci: Mapped[str] = mapped_column(BinaryText)
    colour: Mapped[int]
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)


class OrganizationTag(Base):
    """A tag of a client. The client's `tags_shown` says the same in one text."""

    __tablename__ = "organization_tags"
    __table_args__ = (
        ForeignKeyConstraint(
            ["provider_id", "tag_id"], ["tags.provider_id", "tags.id"], ondelete="CASCADE"
        ),
        Index(None, "provider_id", "tag_id", "organization_id"),
        Index(None, "organization_id"),
    )

    provider_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    organization_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    )
    tag_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)


class SavedView(Base):
    """A name for a query string of the Clients table, of one person or shared with all."""

    __tablename__ = "saved_views"
    __table_args__ = (
        UniqueConstraint("provider_id", "account_id", "name_ci"),
        Index(None, "account_id"),
    )

    provider_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("providers.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(50))
    name_ci: Mapped[str] = mapped_column(BinaryText)
    query: Mapped[str] = mapped_column(Text, default="")
    is_shared: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
