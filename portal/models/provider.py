"""A managed service provider and its people."""

import datetime as dt
import uuid
from decimal import Decimal

from sqlalchemy import (
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.domain.access import Role
from portal.domain.scope import Level, Reach
from portal.domain.states import ProviderPersonState
from portal.models.account import EMAIL
from portal.models.base import Base, EnumText, new_id, one_of, utc_now


class BillingAddress:
    """The columns of a billing address, the same for a provider and for one of its clients."""

    billing_name: Mapped[str] = mapped_column(String(100), default="")
    address_line1: Mapped[str] = mapped_column(String(100), default="")
    address_line2: Mapped[str] = mapped_column(String(100), default="")
    postal_code: Mapped[str] = mapped_column(String(20), default="")
    city: Mapped[str] = mapped_column(String(100), default="")
    country: Mapped[str] = mapped_column(String(2), default="")
    vat_number: Mapped[str] = mapped_column(String(30), default="")


class Provider(BillingAddress, Base):
    """A provider. `public_key` is NULL until its first admin's unlocked browser made the keys."""

    __tablename__ = "providers"
    __table_args__ = (
        CheckConstraint("discount_basis_points between 0 and 10000", name="discount_bounds"),
        CheckConstraint("tax_basis_points between 0 and 10000", name="tax_bounds"),
        CheckConstraint("clients_count >= 0", name="clients_count_positive"),
        CheckConstraint("events_kept_months between 3 and 120", name="events_kept_bounds"),
        CheckConstraint(
            "(public_key is null) = (protected_private_key is null)", name="keys_all_or_none"
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(50))
    billing_email: Mapped[str] = mapped_column(EMAIL, default="")
    locale: Mapped[str] = mapped_column(String(8), default="en")
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC")
    net_days: Mapped[int] = mapped_column(default=30)
    # Percentages as basis points (1250 = 12.5 %): exact, and both databases compare them.
    discount_basis_points: Mapped[int] = mapped_column(default=0)
    tax_label: Mapped[str] = mapped_column(String(50), default="")
    tax_basis_points: Mapped[int] = mapped_column(default=0)
    second_factor_required: Mapped[bool] = mapped_column(default=True)
    clients_count: Mapped[int] = mapped_column(default=0)
    # NULL: the event log is kept for good.
    events_kept_months: Mapped[int | None]
    public_key: Mapped[str | None] = mapped_column(Text)
    protected_private_key: Mapped[str | None] = mapped_column(Text)
    # The provider key under a key derived from the printed recovery code.
    recovery_wrapped_key: Mapped[str | None] = mapped_column(Text)
    recovery_saved_at: Mapped[dt.datetime | None]
    # Somebody who held the provider key has left: another one is to be made.
    rotation_due_since: Mapped[dt.datetime | None]
    # The brand: `#rrggbb` or empty, and which of its logos is shown (not a reference: they refer
    # to the provider).
    accent: Mapped[str] = mapped_column(String(7), default="")
    logo_id: Mapped[uuid.UUID | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)

    @property
    def discount_percent(self) -> Decimal:
        """The provider's discount in percent, exact."""
        return Decimal(self.discount_basis_points) / 100

    @property
    def tax_percent(self) -> Decimal:
        """The provider's tax rate in percent, exact."""
        return Decimal(self.tax_basis_points) / 100


class ProviderPerson(Base):
    """A person's place in a provider. `account_id` is NULL while invited."""

    __tablename__ = "provider_people"
    __table_args__ = (
        UniqueConstraint("provider_id", "account_id"),
        UniqueConstraint("provider_id", "email"),
        UniqueConstraint("provider_id", "calendar_token_hash"),
        Index(None, "account_id"),
        Index(
            "ix_provider_people_access_ends",
            "access_ends_at",
            sqlite_where=text("access_ends_at is not null"),
            postgresql_where=text("access_ends_at is not null"),
        ),
        one_of("role", Role),
        one_of("reach", Reach),
        one_of("level", Level),
        one_of("state", ProviderPersonState),
        CheckConstraint(
            "account_id is not null or state = 'invited'", name="account_unless_invited"
        ),
    )

    provider_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("providers.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("accounts.id", ondelete="RESTRICT")
    )
    email: Mapped[str] = mapped_column(EMAIL)
    role: Mapped[Role] = mapped_column(EnumText(Role))
    state: Mapped[ProviderPersonState] = mapped_column(EnumText(ProviderPersonState))
    # The scope as it is set; who reached what and when is in `scope_terms` and `client_access`.
    reach: Mapped[Reach] = mapped_column(EnumText(Reach), default=Reach.ALL)
    level: Mapped[Level] = mapped_column(EnumText(Level), default=Level.MANAGE)
    # The day somebody's work here ends by itself.
    access_ends_at: Mapped[dt.datetime | None]
    # The secret address of this person's calendar of what expires, as a hash.
    calendar_token_hash: Mapped[str | None] = mapped_column(String(64))
    wants_digest: Mapped[bool] = mapped_column(default=True)
    # The day of the last weekly digest.
    digest_sent_on: Mapped[dt.date | None] = mapped_column(Date)
    # The provider key for this person's public key (`4.…`); nobody with a limited reach has it.
    wrapped_provider_key: Mapped[str | None] = mapped_column(Text)
    # The key that takes its place when the rotation under way is finished.
    next_wrapped_key: Mapped[str | None] = mapped_column(Text)
    invitation_version: Mapped[int] = mapped_column(default=1)
    invitation_locale: Mapped[str] = mapped_column(String(8), default="en")
    invitation_expires_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    accepted_at: Mapped[dt.datetime | None]
    confirmed_at: Mapped[dt.datetime | None]


class ProviderKeyRotation(Base):
    """A change of the provider key: under way until `finished_at`, at most one at a time.

    The keys are the next ones; the provider's own stay valid until the rotation is finished.
    """

    __tablename__ = "provider_key_rotations"
    __table_args__ = (
        Index(
            "ix_provider_key_rotations_open",
            "provider_id",
            unique=True,
            sqlite_where=text("finished_at is null"),
            postgresql_where=text("finished_at is null"),
        ),
    )

    provider_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("providers.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    public_key: Mapped[str] = mapped_column(Text)
    protected_private_key: Mapped[str] = mapped_column(Text)
    started_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    finished_at: Mapped[dt.datetime | None]


class ProviderLogo(Base):
    """A picture that was uploaded as the provider's logo; checked, and never changed."""

    __tablename__ = "provider_logos"
    __table_args__ = (
        CheckConstraint(
            "media_type in ('image/png', 'image/jpeg', 'image/webp')", name="media_type_known"
        ),
    )

    provider_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("providers.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    media_type: Mapped[str] = mapped_column(String(32))
    content: Mapped[bytes] = mapped_column(LargeBinary)
    width: Mapped[int]
    height: Mapped[int]
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
