"""Lists of clients and of people: what was typed, line by line, and what became of it."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.domain.csv_lists import ImportState, LineState
from portal.models.base import Base, EnumText, belongs_to, new_id, one_of, utc_now
from portal.models.plumbing import JsonObject


class ClientImport(Base):
    """One list, uploaded or pasted. It is checked first, and created when somebody says so."""

    __tablename__ = "client_imports"
    __table_args__ = (one_of("state", ImportState), Index(None, "account_id"))

    provider_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("providers.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    state: Mapped[ImportState] = mapped_column(EnumText(ImportState), default=ImportState.PLANNED)
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    done_at: Mapped[dt.datetime | None]


class ClientImportLine(Base):
    """One line: `typed` is what stood in it, by field; `problems` what is wrong, by field."""

    __tablename__ = "client_import_lines"
    __table_args__ = (
        belongs_to(
            "client_imports",
            "import_id",
            tenant="provider_id",
            name="fk_client_import_lines_import_client_imports",
        ),
        one_of("state", LineState),
        CheckConstraint("line >= 1", name="line_positive"),
    )

    provider_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    import_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    typed: Mapped[dict[str, Any]] = mapped_column(JsonObject)
    problems: Mapped[dict[str, Any]] = mapped_column(JsonObject, default=dict)
    state: Mapped[LineState] = mapped_column(EnumText(LineState))
    # Not a reference: the client may be deleted long after it was created here.
    organization_id: Mapped[uuid.UUID | None]


class MemberImport(Base):
    """One list of people to be invited. `levels` are the collections that each of them is given."""

    __tablename__ = "member_imports"
    __table_args__ = (one_of("state", ImportState), Index(None, "account_id"))

    organization_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    locale: Mapped[str] = mapped_column(String(8), default="en")
    levels: Mapped[dict[str, Any]] = mapped_column(JsonObject, default=dict)
    state: Mapped[ImportState] = mapped_column(EnumText(ImportState), default=ImportState.PLANNED)
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    done_at: Mapped[dt.datetime | None]


class MemberImportLine(Base):
    """One line: `typed` is what stood in it, by field; `problems` what is wrong, by field."""

    __tablename__ = "member_import_lines"
    __table_args__ = (
        belongs_to(
            "member_imports", "import_id", name="fk_member_import_lines_import_member_imports"
        ),
        one_of("state", LineState),
        CheckConstraint("line >= 1", name="line_positive"),
    )

    organization_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    import_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    typed: Mapped[dict[str, Any]] = mapped_column(JsonObject)
    problems: Mapped[dict[str, Any]] = mapped_column(JsonObject, default=dict)
    state: Mapped[LineState] = mapped_column(EnumText(LineState))
    # Not a reference: the member may be removed long after they were invited here.
    member_id: Mapped[uuid.UUID | None]
