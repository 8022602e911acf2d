"""What the mails on the provider's access need to know, by the ids in their outbox row."""

import uuid
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from portal.models import AccessGrant, Account, Organization, Provider, ProviderAccess


def _of(tenant: Any, tenant_id: uuid.UUID, *columns: Any) -> Select[Any]:
    return select(*columns).where(tenant == tenant_id)


def access_grant(
    session: Session, organization_id: uuid.UUID, grant_id: uuid.UUID
) -> Row[Any] | None:
    """A request of a provider's person to come in, and what became of it."""
    found = (
        _of(
            AccessGrant.organization_id,
            organization_id,
            AccessGrant.organization_id,
            AccessGrant.id,
            AccessGrant.account_id,
            AccessGrant.person_name,
            AccessGrant.reason,
            AccessGrant.asked_minutes,
            AccessGrant.lapses_at,
            AccessGrant.state,
            AccessGrant.answered_name,
            AccessGrant.ends_at,
            Organization.name.label("organization"),
            Provider.name.label("provider"),
            Provider.time_zone.label("provider_time_zone"),
        )
        .join(Organization, Organization.id == AccessGrant.organization_id)
        .outerjoin(Provider, Provider.id == AccessGrant.provider_id)
        .where(AccessGrant.id == grant_id)
    )
    return session.execute(found).one_or_none()


def access_mode(session: Session, organization_id: uuid.UUID) -> Row[Any] | None:
    """What the owner has decided about the provider (`mode` is NULL for always)."""
    found = _of(
        Organization.id,
        organization_id,
        Organization.name.label("organization"),
        Organization.provider_id,
        Organization.provider_wrapped_key.is_not(None).label("provider_holds_key"),
        ProviderAccess.mode,
        Provider.name.label("provider"),
    ).outerjoin(ProviderAccess, ProviderAccess.organization_id == Organization.id)
    found = found.outerjoin(Provider, Provider.id == Organization.provider_id)
    return session.execute(found).one_or_none()


def zone_of(session: Session, account_id: uuid.UUID) -> str | None:
    """The reader's own zone, where one is set."""
    zone: str | None = session.scalar(_of(Account.id, account_id, Account.time_zone))
    return zone
