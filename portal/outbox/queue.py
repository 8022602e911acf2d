"""Putting a job into the outbox, in the caller's transaction."""

import uuid
from typing import Any

from sqlalchemy.orm import Session

from portal.models import Outbox


def enqueue(
    session: Session,
    topic: str,
    payload: dict[str, Any],
    *,
    provider_id: uuid.UUID | None = None,
    organization_id: uuid.UUID | None = None,
    account_id: uuid.UUID | None = None,
    subject_id: uuid.UUID | None = None,
) -> Outbox:
    """Queue `topic` for the worker. `payload` holds ids and a locale only, never a link or code.

    `subject_id` is the row the job is about; its page shows how the job fares.
    """
    job = Outbox(
        topic=topic,
        payload=payload,
        provider_id=provider_id,
        organization_id=organization_id,
        account_id=account_id,
        subject_id=subject_id,
    )
    session.add(job)
    session.flush()
    return job
