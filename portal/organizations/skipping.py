"""Steps of the set-up are skipped on purpose, with a note, and taken up again."""

import uuid

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from portal import events
from portal.domain.access import Actor
from portal.domain.errors import N_, refuse
from portal.domain.setup_steps import StepKind, StepState, check_note, setup_steps
from portal.models import SkippedStep, utc_now
from portal.organizations import queries
from portal.organizations.service import recount_setup, streams_in, take_up


def state_of(session: Session, organization_id: uuid.UUID, kind: StepKind) -> StepState | None:
    """How a step stands; None for an unknown organization."""
    found = queries.setup_facts(session, organization_id)
    if found is None:
        return None
    return next(step.state for step in setup_steps(*found) if step.kind is kind)


def skip(
    session: Session, actor: Actor, organization_id: uuid.UUID, kind: StepKind, note: str
) -> None:
    """Leave out an open step; `RuleError` for a note that cannot stand, or a step that is not open.

    Of two who skip the same step at once the first one's note stays.
    """
    cleaned = check_note(note)
    if state_of(session, organization_id, kind) is not StepState.OPEN:
        raise refuse(N_("This step is not open any more. Look at the set-up again."))
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    row = (
        dialect.insert(SkippedStep)
        .values(
            organization_id=organization_id,
            step=kind,
            note=cleaned,
            by_name=actor.name[:100],
            skipped_at=utc_now(),
        )
        .on_conflict_do_nothing()
        .returning(SkippedStep.step)
    )
    if session.execute(row).first() is None:
        return
    recount_setup(session, organization_id)
    _tell(session, actor, organization_id, "skip", kind)


def resume(session: Session, actor: Actor, organization_id: uuid.UUID, kind: StepKind) -> bool:
    """Open a skipped step again; False where it was not skipped."""
    if not take_up(session, organization_id, [kind]):
        return False
    recount_setup(session, organization_id)
    _tell(session, actor, organization_id, "take_up", kind)
    return True


def _tell(
    session: Session, actor: Actor, organization_id: uuid.UUID, action: str, kind: StepKind
) -> None:
    events.record(
        session,
        actor,
        f"organization:setup:{action}",
        streams=streams_in(actor, organization_id),
        subject_id=organization_id,
        step=kind.value,
    )
