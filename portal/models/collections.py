"""Collections, and who was given what in them."""

import datetime as dt
import uuid

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.domain.collection_access import Level
from portal.models.base import (
    Base,
    EnumText,
    belongs_to,
    new_id,
    one_of,
    unique_external_id,
    utc_now,
)


class Collection(Base):
    """A set of vault items. The name is ciphertext; NULL until the organization has keys."""

    __tablename__ = "collections"
    __table_args__ = (unique_external_id("collections"),)

    organization_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    sealed_name: Mapped[str | None] = mapped_column(Text)
    external_id: Mapped[str] = mapped_column(String(300), default="")
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)


class CollectionMember(Base):
    """What one member may do in one collection, by name."""

    __tablename__ = "collection_members"
    __table_args__ = (
        belongs_to("collections", "collection_id"),
        belongs_to("members", "member_id"),
        Index(None, "organization_id", "member_id"),
        one_of("level", Level),
    )

    organization_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    collection_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    member_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    level: Mapped[Level] = mapped_column(EnumText(Level))


class CollectionGroup(Base):
    """What the people of one group may do in one collection."""

    __tablename__ = "collection_groups"
    __table_args__ = (
        belongs_to("collections", "collection_id"),
        belongs_to("groups", "group_id"),
        Index(None, "organization_id", "group_id"),
        one_of("level", Level),
    )

    organization_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    collection_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    group_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    level: Mapped[Level] = mapped_column(EnumText(Level))
