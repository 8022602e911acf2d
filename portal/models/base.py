"""What every table shares: ids, times, enumerations, constraint names, and who owns a row.

Law 1 of the architecture: a table is either global (listed here) or belongs to one tenant, whose
id leads its primary key.
"""

import datetime as dt
import uuid
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    Dialect,
    ForeignKeyConstraint,
    Index,
    MetaData,
    String,
    Uuid,
    text,
)
from sqlalchemy.orm import DeclarativeBase, registry
from sqlalchemy.types import TypeDecorator
from uuid_utils.compat import uuid7

GLOBAL_TABLES = frozenset(
    {
        "accounts",
        "affiliations",
        "auth_session",
        "idempotency",
        "organizations",
        "outbox",
        "providers",
        "rate_limit",
        # A code may be asked for an address that has no account (the answer must not tell).
        "sign_in_codes",
        # One row a stream: the lock under which an event gets its number.
        "event_streams",
        # The portal's own keys: one signs the checkpoints of all logs.
        "event_keys",
    }
)
TENANT_COLUMNS = frozenset({"organization_id", "provider_id", "account_id", "stream_id"})


def new_id() -> uuid.UUID:
    """A UUIDv7 (RFC 9562 section 5.7): made by the app, sorted by time."""
    return uuid7()


def utc_now() -> dt.datetime:
    """This moment, UTC and aware."""
    return dt.datetime.now(dt.UTC)


class UtcDateTime(TypeDecorator[dt.datetime]):
    """An aware UTC moment. SQLite would hand back a naive one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time needs a zone")
        return value.astimezone(dt.UTC)

    def process_result_value(
        self, value: dt.datetime | None, dialect: Dialect
    ) -> dt.datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


class EnumText(TypeDecorator[Any]):
    """A StrEnum stored as its value; pair it with `one_of` so that the database checks it too."""

    impl = String(32)
    cache_ok = True

    def __init__(self, kind: type[StrEnum]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: StrEnum | str | None, dialect: Dialect) -> str | None:
        return None if value is None else self.kind(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.kind(value)


# Compared byte by byte, so that both databases put the same folded name in the same place.
BinaryText = String(200).with_variant(String(200, collation="C"), "postgresql")


def one_of(column: str, kind: type[StrEnum]) -> CheckConstraint:
    """A named CHECK that the column holds a value of the enumeration."""
    values = ", ".join(f"'{member.value}'" for member in kind)
    return CheckConstraint(f"{column} in ({values})", name=f"{column}_known")


def belongs_to(
    table: str, column: str, *, tenant: str = "organization_id", name: str | None = None
) -> ForeignKeyConstraint:
    """`column` names a row of `table` in the same tenant, and goes with it (law 1).

    `name` in place of one that would be long: PostgreSQL keeps 63 characters.
    """
    return ForeignKeyConstraint(
        [tenant, column], [f"{table}.{tenant}", f"{table}.id"], name=name, ondelete="CASCADE"
    )


def unique_external_id(table: str) -> Index:
    """A directory's id for a row of `table`: unique in the organization where one is given."""
    given = text("external_id <> ''")
    return Index(
        f"ix_{table}_external_id",
        "organization_id",
        "external_id",
        unique=True,
        sqlite_where=given,
        postgresql_where=given,
    )


_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The declarative base; constraint names follow from table and columns."""

    # A registry of its own, because Flask-SQLAlchemy derives a class from this one and SQLAlchemy
    # 2.1 refuses to inherit a type map that is written on the class.
    registry = registry(
        metadata=MetaData(naming_convention=_NAMES),
        type_annotation_map={uuid.UUID: Uuid(), dt.datetime: UtcDateTime()},
    )
