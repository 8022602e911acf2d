"""What waits for a provider, over all its clients: a projection its causes write."""

import datetime as dt
import uuid

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.domain.attention import AttentionKind
from portal.models.base import Base, EnumText, new_id, one_of, utc_now


class Attention(Base):
    """One thing that waits or ends. Written by the transaction of its cause; doctor recounts it.

    `subject_id` is the member, the person, the connection ... it is about; `organization_id` is
    NULL where that belongs to the provider itself. `label` is what people call it (an address, a
    domain), `reason` the mail server's answer where there is one.
    """

    __tablename__ = "attention"
    __table_args__ = (
        one_of("kind", AttentionKind),
        UniqueConstraint("provider_id", "kind", "subject_id"),
        Index(None, "provider_id", "since"),
        Index(None, "provider_id", "due_at"),
        Index(None, "organization_id"),
        Index(None, "subject_id"),
    )

    provider_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("providers.id", ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    organization_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE")
    )
    kind: Mapped[AttentionKind] = mapped_column(EnumText(AttentionKind))
    subject_id: Mapped[uuid.UUID]
    label: Mapped[str] = mapped_column(String(256), default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    since: Mapped[dt.datetime] = mapped_column(default=utc_now)
    due_at: Mapped[dt.datetime | None]
