"""People in an organization, and the groups that they form."""

import datetime as dt
import uuid

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.domain.access import Role
from portal.domain.states import MemberState
from portal.models.account import EMAIL
from portal.models.base import (
    Base,
    BinaryText,
    EnumText,
    belongs_to,
    new_id,
    one_of,
    unique_external_id,
    utc_now,
)
from portal.models.plumbing import JsonObject


class Member(Base):
    """A person's place in an organization. `account_id` is NULL while invited."""

    __tablename__ = "members"
    __table_args__ = (
        UniqueConstraint("organization_id", "account_id"),
        UniqueConstraint("organization_id", "email"),
        Index(None, "account_id"),
        Index(None, "organization_id", "state"),
        one_of("role", Role),
        one_of("state", MemberState),
        CheckConstraint(
            "account_id is not null or state in ('invited', 'revoked', 'staged')",
            name="account_once_accepted",
        ),
        CheckConstraint(
            "state <> 'confirmed' or wrapped_organization_key is not null",
            name="key_once_confirmed",
        ),
    )

    organization_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("accounts.id", ondelete="RESTRICT")
    )
    email: Mapped[str] = mapped_column(EMAIL)
    role: Mapped[Role] = mapped_column(EnumText(Role))
    state: Mapped[MemberState] = mapped_column(EnumText(MemberState))
    # What a custom role is made of (`domain.custom_roles.Custom`), else empty.
    permissions: Mapped[list[str]] = mapped_column(JsonObject, default=list)
    external_id: Mapped[str] = mapped_column(String(300), default="")
    # Why a revoked member is revoked; empty otherwise.
    revoked_because: Mapped[str] = mapped_column(String(32), default="")
    revoked_at: Mapped[dt.datetime | None]
    # The organization key for this member's public key (`4.…`), and that key's fingerprint.
    wrapped_organization_key: Mapped[str | None] = mapped_column(Text)
    confirmed_public_key: Mapped[str | None] = mapped_column(Text)
    # Goes up when the link must die: re-sent, replaced or withdrawn.
    invitation_version: Mapped[int] = mapped_column(default=1)
    invitation_locale: Mapped[str] = mapped_column(String(8), default="en")
    invitation_expires_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    accepted_at: Mapped[dt.datetime | None]
    confirmed_at: Mapped[dt.datetime | None]


class Group(Base):
    """People who are given the same collections. Its name is not a secret."""

    __tablename__ = "groups"
    __table_args__ = (
        Index(None, "organization_id", "name_ci", "id"),
        unique_external_id("groups"),
    )

    organization_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(100))
    name_ci: Mapped[str] = mapped_column(BinaryText)
    # What a directory calls it; unique within the organization where it is given.
    external_id: Mapped[str] = mapped_column(String(300), default="")
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)


class GroupMember(Base):
    """A member of a group, in any state: the group waits for who is not confirmed yet."""

    __tablename__ = "group_members"
    __table_args__ = (
        belongs_to("groups", "group_id"),
        belongs_to("members", "member_id"),
        Index(None, "organization_id", "member_id"),
    )

    organization_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    group_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    member_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
