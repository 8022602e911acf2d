"""A client is kept from the provider's service users until it is live."""

import uuid

from sqlalchemy import update
from sqlalchemy.orm import Session

from portal import events
from portal.domain.access import Actor
from portal.models import Organization, utc_now
from portal.organizations.service import streams_in


def hide(session: Session, actor: Actor, organization_id: uuid.UUID) -> bool:
    """Leave it out of all that service users see; False where it was already."""
    return _set(session, actor, organization_id, hidden=True)


def go_live(session: Session, actor: Actor, organization_id: uuid.UUID) -> bool:
    """Show it to everybody whose scope reaches it; False where it was shown already."""
    return _set(session, actor, organization_id, hidden=False)


def _set(session: Session, actor: Actor, organization_id: uuid.UUID, *, hidden: bool) -> bool:
    since = Organization.hidden_since
    changed = session.execute(
        update(Organization)
        .where(
            Organization.id == organization_id,
            # Asked at the write: by now the client may be another provider's.
            Organization.provider_id == actor.provider_id,
            since.is_(None) if hidden else since.is_not(None),
        )
        .values(hidden_since=utc_now() if hidden else None)
        .returning(Organization.id)
        .execution_options(synchronize_session=False)
    ).first()
    if changed is None:
        return False
    events.record(
        session,
        actor,
        f"organization:organization:{'hide' if hidden else 'go_live'}",
        streams=streams_in(actor, organization_id),
        subject_id=organization_id,
    )
    return True
