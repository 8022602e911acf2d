"""Writes about an organization as a whole."""

import datetime as dt
import uuid
from collections.abc import Callable, Collection

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from portal import events
from portal.domain.access import Actor
from portal.domain.setup_steps import Progress, StepKind, progress, setup_steps
from portal.events import Stream
from portal.models import Organization, ProviderEntry, SkippedStep
from portal.organizations import queries

# Told of each entry of a provider's person, after its event; create_app fills it (logbook).
ENTERED: list[Callable[[Session, Actor], None]] = []


def streams_of(actor: Actor) -> list[Stream]:
    """Where an action inside an organization is told: there, and at the provider it came by."""
    streams = [Stream("organization", actor.organization_id)] if actor.organization_id else []
    if actor.via_provider and actor.provider_id:
        streams.append(Stream("provider", actor.provider_id))
    return streams


def streams_in(actor: Actor | None, organization_id: uuid.UUID) -> list[Stream]:
    """The same for an actor on any page of the provider, or a visitor with a mailed link."""
    streams = [Stream("organization", organization_id)]
    if actor and actor.provider_id:
        streams.append(Stream("provider", actor.provider_id))
    return streams


def recount_setup(session: Session, organization_id: uuid.UUID) -> Progress:
    """Derive the set-up progress from the facts and store it; for whoever changes a fact.

    A step that was skipped and is done by now is skipped no more.
    """
    # Of two who change facts at once the second one counts what the first has stored.
    mine = select(Organization.id).where(Organization.id == organization_id)
    session.execute(mine.with_for_update(key_share=True))
    found = queries.setup_facts(session, organization_id)
    if found is None:
        raise LookupError(f"no organization {organization_id}")
    plan, facts, skipped = found
    outdone = [kind for kind in skipped if facts.proves(kind)]
    if outdone:
        take_up(session, organization_id, outdone)
    counted = progress(setup_steps(plan, facts, skipped))
    session.execute(
        update(Organization)
        .where(Organization.id == organization_id)
        .values(setup_done=counted.done, setup_total=counted.total)
        .execution_options(synchronize_session=False)
    )
    return counted


def take_up(session: Session, organization_id: uuid.UUID, kinds: Collection[StepKind]) -> int:
    """Forget that these steps were skipped; returns how many were."""
    gone = delete(SkippedStep).where(
        SkippedStep.organization_id == organization_id, SkippedStep.step.in_(kinds)
    )
    taken = session.execute(gone.returning(SkippedStep.step)).all()
    return len(taken)


def has_entered(session: Session, actor: Actor, day: dt.date) -> bool:
    """Whether this session, and the grant it is in by, have left their trace here today."""
    marks = _marks(actor)
    found = select(ProviderEntry.day).where(
        ProviderEntry.organization_id == actor.organization_id,
        ProviderEntry.session_id.in_(marks),
        ProviderEntry.day == day,
    )
    return len(session.execute(found).all()) == len(marks)


def _marks(actor: Actor) -> list[uuid.UUID]:
    """A grant is a mark of its own: what is done under it begins with the entry under it."""
    return [mark for mark in (actor.session_id, actor.grant_id) if mark]


def enter_by_provider(
    session: Session, actor: Actor, day: dt.date, client: str, provider: str
) -> None:
    """Leave the trace of a provider's person in both logs, once a session, grant and UTC day."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    here = {"organization_id": actor.organization_id, "day": day}
    trace = (
        dialect.insert(ProviderEntry)
        .values([{**here, "session_id": mark} for mark in _marks(actor)])
        .on_conflict_do_nothing()
        .returning(ProviderEntry.day)
    )
    # Not by the row count: PostgreSQL's driver gives none for such an insert.
    if not session.execute(trace).all():
        return
    events.record(
        session,
        actor,
        "organization:organization:open",
        streams=streams_of(actor),
        subject_id=actor.organization_id,
        provider=provider,
    )
    for tell in ENTERED:
        tell(session, actor)
