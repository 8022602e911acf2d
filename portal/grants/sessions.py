"""Sessions of the provider's people that are inside, and ending one of them."""

import uuid
from typing import Any

from sqlalchemy.orm import Session

from portal import events
from portal.accounts import devices
from portal.domain.access import Actor, Trace
from portal.domain.errors import refuse
from portal.domain.provider_access import Over
from portal.events import Stream
from portal.grants import queries, service


def find(session: Session, organization_id: uuid.UUID, session_id: uuid.UUID) -> Any | None:
    """The row of `queries.live_sessions`; None for whoever is not inside here."""
    rows = queries.live_sessions(session, organization_id)
    return next((row for row in rows if row.session_id == session_id), None)


def end(session: Session, actor: Actor, organization_id: uuid.UUID, session_id: uuid.UUID) -> str:
    """Sign that browser out of the portal; returns whose it was.

    Only of people of this organization's provider who have come in here. Raises `Over` where the
    session is none of those (any more), `RuleError` for who is no owner any more.
    """
    if not queries.is_own_owner(session, organization_id, actor.account_id):
        raise refuse(service.NOT_OWNER)
    found = find(session, organization_id, session_id)
    if found is None:
        raise Over
    place = queries.place(session, organization_id)
    # Their own log tells that it ended, not from where: that is the owner's.
    if not devices.end(session, found.account_id, session_id, Trace()):
        raise Over
    events.record(
        session,
        actor,
        "organization:provider_access:end_session",
        streams=[Stream("organization", organization_id), Stream("provider", place.provider_id)],
        subject_id=session_id,
        person=found.name,
    )
    return str(found.name)
