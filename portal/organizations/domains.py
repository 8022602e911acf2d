"""Which domains are an organization's own."""

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.models import ClaimedDomain


def verified_domains(session: Session, organization_id: uuid.UUID) -> frozenset[str]:
    """The domains (in ASCII) that the organization has proved to be its own."""
    found = select(ClaimedDomain.domain).where(
        ClaimedDomain.organization_id == organization_id, ClaimedDomain.verified_at.is_not(None)
    )
    return frozenset(session.scalars(found))
