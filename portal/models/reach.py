"""Which clients a provider's people reach: what was set, and who reached what from when to when."""

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    exists,
    text,
)
from sqlalchemy.orm import Mapped, aliased, mapped_column

from portal.domain.access import Role
from portal.domain.scope import Because, Level, Reach
from portal.models.account import EMAIL
from portal.models.base import Base, EnumText, belongs_to, new_id, one_of, utc_now
from portal.models.organization import Organization


class ScopePart(Base):
    """A client or a tag that a person's scope names: left out, or taken in, as their reach says."""

    __tablename__ = "scope_parts"
    __table_args__ = (
        belongs_to("provider_people", "person_id", tenant="provider_id"),
        belongs_to("tags", "tag_id", tenant="provider_id"),
        UniqueConstraint("provider_id", "person_id", "organization_id"),
        UniqueConstraint("provider_id", "person_id", "tag_id"),
        Index(None, "organization_id"),
        Index(None, "provider_id", "tag_id"),
        CheckConstraint("(organization_id is null) <> (tag_id is null)", name="client_or_tag"),
    )

    provider_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[uuid.UUID]
    organization_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE")
    )
    tag_id: Mapped[uuid.UUID | None]


class ScopeTerm(Base):
    """From when to when a person worked here with one role and reach. Closed, never changed.

    `person_id` is no reference: the row outlives the person's place. `email` names them then.
    """

    __tablename__ = "scope_terms"
    __table_args__ = (
        one_of("role", Role),
        one_of("reach", Reach),
        one_of("level", Level),
        CheckConstraint("until_at is null or until_at >= from_at", name="term_order"),
        Index(
            "ix_scope_terms_open",
            "provider_id",
            "person_id",
            unique=True,
            sqlite_where=text("until_at is null"),
            postgresql_where=text("until_at is null"),
        ),
        Index(None, "provider_id", "from_at"),
    )

    provider_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("providers.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[uuid.UUID]
    email: Mapped[str] = mapped_column(EMAIL)
    role: Mapped[Role] = mapped_column(EnumText(Role))
    reach: Mapped[Reach] = mapped_column(EnumText(Reach))
    level: Mapped[Level] = mapped_column(EnumText(Level))
    from_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    until_at: Mapped[dt.datetime | None]


class ClientAccess(Base):
    """From when to when a person with a limited scope reached one client, and why.

    Kept by the transaction that changes the cause (scope, tag, client, person's state), for
    confirmed people whose reach is not all; recounted by `flask doctor`. `wrapped_key` is the
    organization key for the person's public key (`4.…`); it goes when the row is closed.
    """

    __tablename__ = "client_access"
    __table_args__ = (
        one_of("because", Because),
        CheckConstraint("until_at is null or until_at >= from_at", name="access_order"),
        CheckConstraint("until_at is null or wrapped_key is null", name="no_key_once_closed"),
        Index(
            "ix_client_access_open",
            "provider_id",
            "person_id",
            "organization_id",
            unique=True,
            sqlite_where=text("until_at is null"),
            postgresql_where=text("until_at is null"),
        ),
        # What waits for a key is little; finding it must not mean reading what has one.
        Index(
            "ix_client_access_keyless",
            "provider_id",
            "person_id",
            "id",
            sqlite_where=text("until_at is null and wrapped_key is null"),
            postgresql_where=text("until_at is null and wrapped_key is null"),
        ),
        Index(None, "organization_id", "from_at"),
    )

    provider_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("providers.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    # No reference, as in a term.
    person_id: Mapped[uuid.UUID]
    organization_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE")
    )
    because: Mapped[Because] = mapped_column(EnumText(Because))
    tag_name: Mapped[str] = mapped_column(String(30), default="")
    from_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    until_at: Mapped[dt.datetime | None]
    wrapped_key: Mapped[str | None] = mapped_column(Text)


def reached(provider_id: Any, person_id: Any, organization_id: Any) -> ColumnElement[bool]:
    """Whether a person with a limited scope reaches a client now; for a statement's `where`."""
    return exists().where(
        ClientAccess.provider_id == provider_id,
        ClientAccess.person_id == person_id,
        ClientAccess.organization_id == organization_id,
        ClientAccess.until_at.is_(None),
    )


def within(scope: Any, organization_id: Any) -> Iterator[ColumnElement[bool]]:
    """What a statement over a provider's clients asks so that it stays in the scope.

    `scope` is a `Scope`, or has its parts as parameters.
    """
    if scope.person_id is not None:
        yield reached(scope.provider_id, scope.person_id, organization_id)
    if not scope.sees_hidden:
        yield is_live(organization_id)


def is_live(organization_id: Any) -> ColumnElement[bool]:
    """Whether a client is shown to service users; asked of its own row where that is at hand."""
    if organization_id is Organization.id:
        return Organization.hidden_since.is_(None)
    client = aliased(Organization)
    return ~exists().where(client.id == organization_id, client.hidden_since.is_not(None))
