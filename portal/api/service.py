"""The one thing that the API writes: when a key was last used."""

import datetime as dt
import uuid

from sqlalchemy import update
from sqlalchemy.orm import Session

from portal.models import ApiKey


def note_use(
    session: Session, organization_id: uuid.UUID, key_id: uuid.UUID, now: dt.datetime
) -> None:
    """Kept for the page of the key; one that was replaced meanwhile is left alone."""
    session.execute(
        update(ApiKey)
        .where(ApiKey.organization_id == organization_id, ApiKey.id == key_id)
        .values(last_used_at=now)
        .execution_options(synchronize_session=False)
    )
