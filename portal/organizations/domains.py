"""Which domains are an organization's own."""

import uuid
from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.models import ClaimedDomain


def verified_domains(session: Session, organization_id: uuid.UUID) -> frozenset[str]:
    """The domains (in ASCII) that the organization has proved to be its own."""
    return verified_in(session, [organization_id]).get(organization_id, frozenset())


def verified_in(session: Session, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, frozenset[str]]:
    """The same of several organizations; those that have none are not in it."""
    rows = session.execute(
        select(ClaimedDomain.organization_id, ClaimedDomain.domain).where(
            ClaimedDomain.organization_id.in_(ids), ClaimedDomain.verified_at.is_not(None)
        )
    ).all()
    return {
        each: frozenset(row.domain for row in rows if row.organization_id == each)
        for each in {row.organization_id for row in rows}
    }
