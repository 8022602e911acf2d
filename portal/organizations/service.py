"""Writes about an organization as a whole."""

import datetime as dt

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from portal import events
from portal.domain.access import Actor
from portal.events import Stream
from portal.models import ProviderEntry


def streams_of(actor: Actor) -> list[Stream]:
    """Where an action inside an organization is told: there, and at the provider it came by."""
    streams = [Stream("organization", actor.organization_id)] if actor.organization_id else []
    if actor.via_provider and actor.provider_id:
        streams.append(Stream("provider", actor.provider_id))
    return streams


def has_entered(session: Session, actor: Actor, day: dt.date) -> bool:
    """Whether this session has already left its trace in the client today."""
    found = select(ProviderEntry.day).where(
        ProviderEntry.organization_id == actor.organization_id,
        ProviderEntry.session_id == actor.session_id,
        ProviderEntry.day == day,
    )
    return session.execute(found).first() is not None


def enter_by_provider(
    session: Session, actor: Actor, day: dt.date, client: str, provider: str
) -> None:
    """Leave the trace of a provider's person in both logs, once a session and UTC day."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    trace = (
        dialect.insert(ProviderEntry)
        .values(organization_id=actor.organization_id, session_id=actor.session_id, day=day)
        .on_conflict_do_nothing()
    )
    if session.execute(trace).rowcount != 1:  # type: ignore[attr-defined]
        return
    events.record(
        session,
        actor,
        "organization:organization:open",
        streams=streams_of(actor),
        subject_id=actor.organization_id,
        provider=provider,
    )
