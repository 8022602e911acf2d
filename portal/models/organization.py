"""A client organization and its subscription."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    Date,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.domain.plans import Cadence, Plan
from portal.domain.states import ClientStatus
from portal.models.account import EMAIL
from portal.models.base import Base, BinaryText, EnumText, belongs_to, new_id, one_of, utc_now
from portal.models.plumbing import JsonObject
from portal.models.provider import BillingAddress

SORTABLE = (
    "name_ci",
    "seats",
    "seats_used",
    "seats_remaining",
    "plan_rank",
    "setup_open",
)


class Organization(Base):
    """A client organization. The numbers a list of ten thousand needs are columns.

    `seats_used`, `setup_done`, `setup_total` and `owner_confirmed` are kept by the transaction
    that changes their cause and recounted by `flask doctor`. `public_key` is NULL while the
    organization was made without keys.
    """

    __tablename__ = "organizations"
    __table_args__ = (
        one_of("plan", Plan),
        one_of("status", ClientStatus),
        CheckConstraint("seats >= 1", name="seats_positive"),
        CheckConstraint("seats_used between 0 and seats", name="seats_used_bounds"),
        CheckConstraint("seat_limit is null or seat_limit >= seats", name="seat_limit_bounds"),
        CheckConstraint("extra_storage_gb between 0 and 99", name="extra_storage_bounds"),
        CheckConstraint("setup_done between 0 and setup_total", name="setup_done_bounds"),
        CheckConstraint(
            "(public_key is null) = (protected_private_key is null)", name="keys_all_or_none"
        ),
        CheckConstraint("(status = 'deleting') = (delete_at is not null)", name="delete_day"),
        CheckConstraint(
            "(status = 'deleting') = (status_before_deletion is not null)", name="delete_undone"
        ),
        CheckConstraint(
            "status_before_deletion in ('active', 'suspended')", name="status_before_known"
        ),
        *(Index(None, "provider_id", column, "id") for column in SORTABLE),
        # Few clients have no keys; finding them must not mean reading the others.
        Index(
            "ix_organizations_keyless",
            "provider_id",
            "id",
            sqlite_where=text("public_key is null"),
            postgresql_where=text("public_key is null"),
        ),
        Index(
            "ix_organizations_rotation_due",
            "provider_id",
            "key_rotation_due_since",
            "id",
            sqlite_where=text("key_rotation_due_since is not null"),
            postgresql_where=text("key_rotation_due_since is not null"),
        ),
        Index(
            "ix_organizations_deleting",
            "delete_at",
            sqlite_where=text("delete_at is not null"),
            postgresql_where=text("delete_at is not null"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    provider_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("providers.id", ondelete="RESTRICT")
    )
    name: Mapped[str] = mapped_column(String(50))
    name_ci: Mapped[str] = mapped_column(BinaryText)
    billing_email: Mapped[str] = mapped_column(EMAIL)
    status: Mapped[ClientStatus] = mapped_column(
        EnumText(ClientStatus), default=ClientStatus.ACTIVE
    )
    plan: Mapped[Plan] = mapped_column(EnumText(Plan))
    plan_rank: Mapped[int]
    seats: Mapped[int]
    seats_used: Mapped[int] = mapped_column(default=0)
    seats_remaining: Mapped[int] = mapped_column(Computed("seats - seats_used", persisted=True))
    seats_grow: Mapped[bool] = mapped_column(default=True)
    seat_limit: Mapped[int | None]
    extra_storage_gb: Mapped[int] = mapped_column(default=0)
    setup_done: Mapped[int] = mapped_column(default=0)
    setup_total: Mapped[int] = mapped_column(default=6)
    setup_open: Mapped[int] = mapped_column(Computed("setup_total - setup_done", persisted=True))
    owner_confirmed: Mapped[bool] = mapped_column(default=False)
    # The provider's own words, which the client never sees; tags as `domain.tags.written`.
    note: Mapped[str] = mapped_column(Text, default="")
    external_reference: Mapped[str] = mapped_column(String(64), default="")
    reference_ci: Mapped[str] = mapped_column(BinaryText, default="")
    tags_shown: Mapped[str] = mapped_column(Text, default="")
    # Not shown to service users until it is live.
    hidden_since: Mapped[dt.datetime | None]
    # When somebody was told that seats grow by themselves, and that they reached the limit.
    growth_told_at: Mapped[dt.datetime | None]
    limit_told_at: Mapped[dt.datetime | None]
    public_key: Mapped[str | None] = mapped_column(Text)
    protected_private_key: Mapped[str | None] = mapped_column(Text)
    # The organization key under the provider key (`2.…`) or the provider's public key (`4.…`).
    provider_wrapped_key: Mapped[str | None] = mapped_column(Text)
    # The same under the provider's next key, while that is being rotated.
    next_wrapped_key: Mapped[str | None] = mapped_column(Text)
    # Since when the provider has it; NULL without one.
    provider_since: Mapped[dt.datetime | None]
    # Somebody who could open the organization key has left: another one should be made.
    key_rotation_due_since: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    # While it is being deleted: from when the worker may, and what "Keep this client" goes back to.
    delete_at: Mapped[dt.datetime | None]
    status_before_deletion: Mapped[ClientStatus | None] = mapped_column(EnumText(ClientStatus))
    version: Mapped[int] = mapped_column(default=1)


class OrganizationSettings(Base):
    """What an organization has set about itself; without a row, the defaults hold.

    The limits say who may make and delete collections and items beside those who manage the
    organization; `admins_reach_all` whether owners and admins reach every collection or those
    that they were given.
    """

    __tablename__ = "organization_settings"

    organization_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    )
    limits_collection_creation: Mapped[bool] = mapped_column(default=True)
    limits_collection_deletion: Mapped[bool] = mapped_column(default=True)
    limits_item_deletion: Mapped[bool] = mapped_column(default=False)
    admins_reach_all: Mapped[bool] = mapped_column(default=True)
    # Of `domain.automatic_confirmation`; off, whatever else holds, until somebody turns it on.
    confirms_automatically: Mapped[bool] = mapped_column(default=False)
    # Of invitations; empty: that of whoever invites.
    locale: Mapped[str] = mapped_column(String(8), default="")
    version: Mapped[int] = mapped_column(default=1)


class SeatDay(Base):
    """The seats of an organization at the end of a day on which they were not as before.

    Written by the worker (`portal.reports.seats`); between two rows the earlier one holds.
    """

    __tablename__ = "seat_days"

    organization_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    )
    day: Mapped[dt.date] = mapped_column(Date, primary_key=True)
    seats: Mapped[int]
    seats_used: Mapped[int]


class Subscription(BillingAddress, Base):
    """What a client has ordered and how it pays. One row an organization."""

    __tablename__ = "subscriptions"
    __table_args__ = (
        one_of("cadence", Cadence),
        UniqueConstraint("organization_id"),
        CheckConstraint("net_days between 0 and 120", name="net_days_bounds"),
        CheckConstraint("payment_method in ('invoice')", name="payment_method_known"),
        CheckConstraint("period_end > period_start", name="period_order"),
    )

    organization_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    cadence: Mapped[Cadence] = mapped_column(EnumText(Cadence))
    currency: Mapped[str] = mapped_column(String(3))
    price_list_version: Mapped[str] = mapped_column(String(32))
    discount_basis_points: Mapped[int] = mapped_column(default=0)
    tax_label: Mapped[str] = mapped_column(String(50), default="")
    tax_basis_points: Mapped[int] = mapped_column(default=0)
    period_start: Mapped[dt.date] = mapped_column(Date)
    period_end: Mapped[dt.date] = mapped_column(Date)
    payment_method: Mapped[str] = mapped_column(String(16), default="invoice")
    net_days: Mapped[int]
    purchase_order: Mapped[str] = mapped_column(String(50), default="")
    version: Mapped[int] = mapped_column(default=1)


class SubscriptionLine(Base):
    """One priced line of a subscription, as the price list of its version had it."""

    __tablename__ = "subscription_lines"
    __table_args__ = (
        belongs_to(
            "subscriptions",
            "subscription_id",
            # By the convention it would be longer than PostgreSQL's 63 characters.
            name="fk_subscription_lines_subscription_subscriptions",
        ),
        Index(None, "organization_id", "subscription_id"),
        CheckConstraint("quantity >= 0", name="quantity_positive"),
        CheckConstraint("unit_cents >= 0", name="unit_cents_positive"),
        CheckConstraint("months in (1, 12)", name="months_known"),
    )

    organization_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    subscription_id: Mapped[uuid.UUID]
    kind: Mapped[str] = mapped_column(String(32))
    price_list_version: Mapped[str] = mapped_column(String(32))
    unit_cents: Mapped[int]
    quantity: Mapped[int]
    months: Mapped[int]
    period_start: Mapped[dt.date] = mapped_column(Date)
    period_end: Mapped[dt.date] = mapped_column(Date)


class SubscriptionChange(Base):
    """One change of a subscription in the middle of a period, and what it costs.

    `adjustment_cents` is the sum of the prorated `lines`, discount taken and tax added; a credit
    is negative. It is invoiced on `invoice_on`. `before` and `after` are what was ordered.
    """

    __tablename__ = "subscription_changes"
    __table_args__ = (
        belongs_to(
            "subscriptions",
            "subscription_id",
            name="fk_subscription_changes_subscription_subscriptions",
        ),
        Index(None, "organization_id", "subscription_id", "invoice_on"),
        CheckConstraint("period_end > period_start", name="period_order"),
    )

    organization_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    subscription_id: Mapped[uuid.UUID]
    changed_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    changed_on: Mapped[dt.date] = mapped_column(Date)
    invoice_on: Mapped[dt.date] = mapped_column(Date)
    # The period for whose rest this is.
    period_start: Mapped[dt.date] = mapped_column(Date)
    period_end: Mapped[dt.date] = mapped_column(Date)
    currency: Mapped[str] = mapped_column(String(3))
    gross_cents: Mapped[int] = mapped_column(BigInteger)
    discount_cents: Mapped[int] = mapped_column(BigInteger, default=0)
    tax_cents: Mapped[int] = mapped_column(BigInteger, default=0)
    adjustment_cents: Mapped[int] = mapped_column(BigInteger)
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JsonObject)
    before: Mapped[dict[str, Any]] = mapped_column(JsonObject)
    after: Mapped[dict[str, Any]] = mapped_column(JsonObject)


class ProviderEntry(Base):
    """The trace of a provider's person entering a client: one a session and UTC day.

    Who is in by an owner's grant leaves another with the grant's id in the place of the session's.
    """

    __tablename__ = "provider_entries"

    organization_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    )
    session_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    day: Mapped[dt.date] = mapped_column(Date, primary_key=True)
