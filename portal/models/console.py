"""What the owners of an organization hold for it as a whole: the API's key, and its end."""

import datetime as dt
import uuid

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base, new_id, utc_now


class ApiKey(Base):
    """The one key by which programs read an organization. Only its hash is kept.

    `id` stands in the key itself, so that it is found without its secret; another key has another.
    """

    __tablename__ = "api_keys"
    __table_args__ = (Index(None, "id"),)

    organization_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[uuid.UUID]
    key_hash: Mapped[str] = mapped_column(String(64))
    made_by: Mapped[str] = mapped_column(String(100))
    made_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    # Kept to the minute; NULL before the first request.
    last_used_at: Mapped[dt.datetime | None]


class OrganizationDeletion(Base):
    """An owner wants the organization deleted: the mailed link is open until `expires_at`.

    `used_at` is set once the link was used and the organization closed by it.
    """

    __tablename__ = "organization_deletions"
    __table_args__ = (Index(None, "account_id"),)

    organization_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    )
    # Stands in the link, with the row's tenant: another request has another.
    id: Mapped[uuid.UUID] = mapped_column(default=new_id)
    # Only this person may use the link.
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    asked_by: Mapped[str] = mapped_column(String(100))
    asked_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]
