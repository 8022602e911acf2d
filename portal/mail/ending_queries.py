"""What mails need to know of the end of an organization, found by the ids in their outbox row."""

import uuid
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from portal.models import Organization, OrganizationDeletion, Provider


def deletion(
    session: Session, organization_id: uuid.UUID, request_id: uuid.UUID
) -> Row[Any] | None:
    """An owner's request to delete an organization, and what both are called."""
    columns: tuple[Any, ...] = (
        OrganizationDeletion.asked_by,
        OrganizationDeletion.expires_at,
        OrganizationDeletion.used_at,
        Organization.name.label("organization"),
        Provider.name.label("provider"),
        Provider.time_zone.label("provider_time_zone"),
    )
    found = (
        select(*columns)
        .join(Organization, Organization.id == OrganizationDeletion.organization_id)
        .outerjoin(Provider, Provider.id == Organization.provider_id)
        .where(
            OrganizationDeletion.organization_id == organization_id,
            OrganizationDeletion.id == request_id,
        )
    )
    return session.execute(found).one_or_none()
