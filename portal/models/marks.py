"""What a provider writes beside its clients, and the ways of looking at them that it keeps."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.domain.bulk import BulkAction, BulkState, RowState
from portal.models.base import Base, BinaryText, EnumText, belongs_to, new_id, one_of, utc_now
from portal.models.plumbing import JsonObject


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
        belongs_to("tags", "tag_id", tenant="provider_id"),
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


class ChangeSet(Base):
    """One change for many clients. `query` is the filter it was asked for; NULL for ticked rows."""

    __tablename__ = "change_sets"
    __table_args__ = (
        one_of("action", BulkAction),
        one_of("state", BulkState),
        Index(None, "account_id"),
    )

    provider_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("providers.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    action: Mapped[BulkAction] = mapped_column(EnumText(BulkAction))
    # Kept when the tag is deleted, so that what was done stays readable.
    tag_id: Mapped[uuid.UUID | None]
    tag_name: Mapped[str] = mapped_column(String(30), default="")
    # What the action needs beside the clients, such as the seats to add.
    details: Mapped[dict[str, Any]] = mapped_column(JsonObject, default=dict)
    query: Mapped[str | None] = mapped_column(Text)
    state: Mapped[BulkState] = mapped_column(EnumText(BulkState), default=BulkState.PLANNED)
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    done_at: Mapped[dt.datetime | None]


class ChangeSetRow(Base):
    """What a change set does to one client: what it was before, and what it was left as."""

    __tablename__ = "change_set_rows"
    __table_args__ = (
        belongs_to(
            "change_sets",
            "change_set_id",
            tenant="provider_id",
            name="fk_change_set_rows_change_set_change_sets",
        ),
        one_of("state", RowState),
        Index(None, "organization_id"),
    )

    provider_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    change_set_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    organization_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(String(50))
    name_ci: Mapped[str] = mapped_column(BinaryText)
    state: Mapped[RowState] = mapped_column(EnumText(RowState))
    reason: Mapped[dict[str, Any] | None] = mapped_column(JsonObject)
    before: Mapped[str] = mapped_column(Text, default="")
    after: Mapped[str] = mapped_column(Text, default="")
