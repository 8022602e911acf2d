"""People: the account, its sessions, codes and notices."""

import datetime as dt
import uuid

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.domain.access import Role
from portal.models.base import Base, EnumText, new_id, one_of, utc_now

EMAIL = String(256)


class Account(Base):
    """One person. Without `public_key` the account has no keys yet and signs in by code."""

    __tablename__ = "accounts"
    __table_args__ = (
        UniqueConstraint("email"),
        CheckConstraint("kdf_iterations between 600000 and 2000000", name="kdf_iterations_bounds"),
        CheckConstraint("theme in ('system', 'light', 'dark')", name="theme_known"),
        CheckConstraint(
            "(signin_hash is null) = (public_key is null)"
            " and (public_key is null) = (protected_user_key is null)"
            " and (public_key is null) = (protected_private_key is null)",
            name="keys_all_or_none",
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(EMAIL)
    name: Mapped[str] = mapped_column(String(100))
    locale: Mapped[str | None] = mapped_column(String(8))
    time_zone: Mapped[str | None] = mapped_column(String(64))
    theme: Mapped[str] = mapped_column(String(8), default="system")
    kdf_iterations: Mapped[int] = mapped_column(default=600_000)
    signin_hash: Mapped[str | None] = mapped_column(String(200))
    protected_user_key: Mapped[str | None] = mapped_column(Text)
    public_key: Mapped[str | None] = mapped_column(Text)
    protected_private_key: Mapped[str | None] = mapped_column(Text)
    # Sealed with the server's key (portal.crypto.sealing); set once a first code was right.
    totp_secret: Mapped[str | None] = mapped_column(Text)
    totp_last_step: Mapped[int | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    is_demo: Mapped[bool] = mapped_column(default=False)
    # Since when the master password is one that somebody else knows, after a recovery.
    temporary_password_since: Mapped[dt.datetime | None]


class AuthSession(Base):
    """One signed-in browser. The token is stored only as its SHA-256."""

    __tablename__ = "auth_session"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        Index(None, "account_id", "created_at"),
        Index(None, "expires_at"),
        CheckConstraint("method in ('password', 'code')", name="method_known"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    token_hash: Mapped[str] = mapped_column(String(64))
    method: Mapped[str] = mapped_column(String(16))
    # A first step was right and a second is owed: the session opens nothing but that page.
    pending: Mapped[bool] = mapped_column(default=False)
    second_factor_at: Mapped[dt.datetime | None]
    authenticated_at: Mapped[dt.datetime]
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    seen_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    # The session secret of an unlocked vault, sealed with the server's key; None while locked.
    vault_secret: Mapped[str | None] = mapped_column(Text)
    # The master password must be declared good enough, or changed, before anything else.
    password_due_since: Mapped[dt.datetime | None]
    browser: Mapped[str] = mapped_column(String(200), default="")
    source: Mapped[str] = mapped_column(String(64), default="")


class DeclaredPassword(Base):
    """A browser's word that the present master password meets what an organization asks."""

    __tablename__ = "declared_passwords"
    __table_args__ = (Index(None, "organization_id"),)

    account_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True
    )
    organization_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    )
    version: Mapped[int]
    declared_at: Mapped[dt.datetime] = mapped_column(default=utc_now)


class RecoveryCode(Base):
    """One of an account's single-use second-factor recovery codes, as a hash."""

    __tablename__ = "recovery_codes"
    __table_args__ = (Index(None, "account_id", "code_hash", unique=True),)

    account_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    code_hash: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[dt.datetime | None]


class SignInCode(Base):
    """A challenge for a code by mail. The code is an HMAC of the id: nothing usable is stored."""

    __tablename__ = "sign_in_codes"
    __table_args__ = (
        Index(None, "email", "created_at"),
        Index(None, "expires_at"),
        CheckConstraint("tries between 0 and 5", name="tries_bounds"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(EMAIL)
    account_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE")
    )
    # SHA-256 of a random value that only the asking browser's cookie holds.
    browser_hash: Mapped[str] = mapped_column(String(64))
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]


class Notice(Base):
    """The sentence a person reads after a change, fetched by `?saved=<key>`."""

    __tablename__ = "notices"
    __table_args__ = (Index(None, "created_at"),)

    account_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(String(6), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), default="success")
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)


class Affiliation(Base):
    """Where a person belongs: one row a membership, written with it, recounted by doctor."""

    __tablename__ = "affiliations"
    __table_args__ = (
        CheckConstraint("kind in ('provider', 'organization')", name="kind_known"),
        one_of("role", Role),
        Index(None, "tenant_id"),
    )

    account_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    tenant_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    role: Mapped[Role] = mapped_column(EnumText(Role))
    state: Mapped[str] = mapped_column(String(32))
    active: Mapped[bool] = mapped_column(default=True)


class AddressChange(Base):
    """An address that somebody wants to have; it waits until its mailbox confirms it.

    With an account that has keys the new sign-in hash and the re-wrapped user key wait in it.
    """

    __tablename__ = "address_changes"
    __table_args__ = (
        CheckConstraint(
            "(signin_hash is null) = (protected_user_key is null)"
            " and (signin_hash is null) = (kdf_iterations is null)",
            name="key_all_or_none",
        ),
        Index(None, "created_at"),
    )

    account_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    old_email: Mapped[str] = mapped_column(EMAIL)
    new_email: Mapped[str] = mapped_column(EMAIL)
    kdf_iterations: Mapped[int | None]
    signin_hash: Mapped[str | None] = mapped_column(String(200))
    protected_user_key: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[dt.datetime]
    confirmed_at: Mapped[dt.datetime | None]
    cancelled_at: Mapped[dt.datetime | None]
