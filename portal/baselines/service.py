"""Baselines are written, applied to clients, and deviated from with a reason."""

import hashlib
import uuid
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import UpdateBase

from portal import events
from portal.baselines import drift, queries
from portal.configuration import service as configurations
from portal.configuration.service import Look
from portal.domain.access import Actor
from portal.domain.baselines import NAME_LIMIT, NO_NAME, NOTE_LIMIT, Deviation
from portal.domain.configuration import Configuration
from portal.domain.configuration_files import write_tree
from portal.domain.errors import N_, RuleError, refuse
from portal.domain.names import check_name, is_printable, name_ci, too_long
from portal.events import Stream
from portal.members import conditions
from portal.models import (
    Baseline,
    BaselineAssignment,
    BaselineDeviation,
    BaselineVersion,
    new_id,
    utc_now,
)
from portal.models.writing import rows_changed
from portal.organizations.service import streams_in

TAKEN = N_("Another baseline has this name already.")
NOTHING_SAID = N_("A baseline says at least one thing. Write what clients shall be set to.")
CONTROL = N_("Remove the invisible control characters; type the text instead of pasting it.")
OF_OTHERS = N_(
    "Clients that you do not reach may have this baseline. Somebody who reaches all deletes it."
)
GONE = N_("The baseline is not there any more.")
UNWATCHED = N_("The client has no baseline any more.")
TOO_MANY = N_("A provider has at most %(limit)s baselines.")


class Changed(RuleError):
    """Somebody else has written a version since the page was opened."""

    def __init__(self) -> None:
        super().__init__(
            N_("Somebody else has saved a version in the meantime. Look at it, then save yours.")
        )


def provider_of(actor: Actor) -> uuid.UUID:
    if actor.provider_id is None:
        raise LookupError("baselines belong to a provider")
    return actor.provider_id


def check_baseline_name(text: str) -> str:
    """The name as it is stored, or a `RuleError` on `name`."""
    return check_name(text, missing=NO_NAME, limit=NAME_LIMIT)


def check_note(text: str) -> str:
    """A note as it is stored: it may be empty."""
    note = " ".join(text.split())
    if len(note) > NOTE_LIMIT:
        raise RuleError(too_long(len(note) - NOTE_LIMIT, NOTE_LIMIT), field="note")
    if not is_printable(note):
        raise refuse(CONTROL, field="note")
    return note


def check_says_something(configuration: Configuration) -> None:
    """Raise `RuleError` where a baseline would ask nothing of anybody."""
    if not set(write_tree(configuration)) - {"format", "others"}:
        raise refuse(NOTHING_SAID, field="text")


def create(
    session: Session, actor: Actor, *, name: str, configuration: Configuration, note: str
) -> uuid.UUID:
    """A baseline with its first version. `RuleError` where the name is taken."""
    check_says_something(configuration)
    if len(queries.baselines(session, actor.scope)) >= queries.LIMIT:
        raise refuse(TOO_MANY, limit=queries.LIMIT)
    baseline_id = new_id()
    row = {
        "provider_id": provider_of(actor),
        "id": baseline_id,
        "name": name,
        "name_ci": name_ci(name),
        "newest": 1,
        "created_at": utc_now(),
    }
    _unless_taken(session, insert(Baseline).values(**row))
    _add_version(session, actor, baseline_id, 1, configuration, note)
    _tell(session, actor, "create", baseline_id, name=name)
    return baseline_id


def _unless_taken(session: Session, statement: UpdateBase) -> int:
    try:
        with session.begin_nested():
            return rows_changed(session, statement)
    except IntegrityError as error:
        raise refuse(TAKEN, field="name") from error


def _add_version(
    session: Session,
    actor: Actor,
    baseline_id: uuid.UUID,
    number: int,
    configuration: Configuration,
    note: str,
) -> None:
    session.execute(
        insert(BaselineVersion).values(
            provider_id=provider_of(actor),
            baseline_id=baseline_id,
            number=number,
            content=write_tree(configuration),
            note=note,
            by_name=actor.name,
            created_at=utc_now(),
        )
    )


def save(
    session: Session,
    actor: Actor,
    baseline: Any,
    *,
    name: str,
    configuration: Configuration,
    note: str,
    seen: int,
) -> int | None:
    """Write the next version, and the name; the number of the version that is newest then.

    None where nothing changes. Raises `Changed` where `seen` is not the newest any more. The row
    decides between two who save at once.
    """
    check_says_something(configuration)
    present = queries.content(session, baseline.provider_id, baseline.id, seen)
    if present is None or seen != baseline.newest:
        raise Changed
    writes = write_tree(present) != write_tree(configuration)
    if not writes and name == baseline.name:
        return None
    number = seen + 1 if writes else seen
    _move_on(session, baseline, seen, number, name)
    if writes:
        _add_version(session, actor, baseline.id, number, configuration, note)
    before = {"name": baseline.name, "version": seen}
    after = {"name": name, "version": number}
    _tell(session, actor, "update", baseline.id, before=before, after=after)
    return number


def _move_on(session: Session, baseline: Any, seen: int, number: int, name: str) -> None:
    """To the next number and the name, unless somebody else was faster."""
    written = _unless_taken(
        session,
        update(Baseline)
        .where(
            Baseline.provider_id == baseline.provider_id,
            Baseline.id == baseline.id,
            Baseline.newest == seen,
        )
        .values(name=name, name_ci=name_ci(name), newest=number)
        .execution_options(synchronize_session=False),
    )
    if written != 1:
        raise Changed


def remove(session: Session, actor: Actor, baseline: Any) -> None:
    """Delete it with its versions; clients keep what they are set to and are watched no more.

    `RuleError` for whoever does not reach all of them.
    """
    if not actor.scope.is_whole:
        raise refuse(OF_OTHERS)
    drift.forget(session, baseline)
    session.execute(
        delete(Baseline)
        .where(Baseline.provider_id == baseline.provider_id, Baseline.id == baseline.id)
        .execution_options(synchronize_session=False)
    )
    _tell(session, actor, "delete", baseline.id, name=baseline.name)


def apply(
    session: Session,
    actor: Actor,
    organization_id: uuid.UUID,
    baseline: Any,
    number: int,
    *,
    seen: str,
) -> Look:
    """Bring a client to a version as far as the server can, and watch it from now on.

    `seen` is the digest of the look that was shown; raises `configuration.service.Moved`.
    """
    found = agreed(session, actor, organization_id, baseline, number, seen=seen)
    carry_out(session, actor, organization_id, baseline, number, found)
    return found


def agreed(
    session: Session,
    actor: Actor,
    organization_id: uuid.UUID,
    baseline: Any,
    number: int,
    *,
    seen: str,
) -> Look:
    """The look at a version whose digest is `seen`; raises `configuration.service.Moved`."""
    wanted = queries.content(session, baseline.provider_id, baseline.id, number)
    if wanted is None:
        raise refuse(GONE)
    return configurations.agreed(session, actor, organization_id, wanted, seen=seen)


def carry_out(
    session: Session,
    actor: Actor,
    organization_id: uuid.UUID,
    baseline: Any,
    number: int,
    found: Look,
) -> None:
    """Make the changes of an agreed look, and watch the client from now on.

    `RuleError` where the baseline was deleted in the meantime.
    """
    if queries.find(session, baseline.provider_id, baseline.id, hold=True) is None:
        raise refuse(GONE)
    configurations.make(session, actor, organization_id, found)
    _assign(session, actor, organization_id, baseline, number)
    events.record(
        session,
        actor,
        "organization:baseline:apply",
        streams=streams_in(actor, organization_id),
        subject_id=organization_id,
        name=baseline.name,
        version=number,
        changes=len(found.changes),
    )
    drift.refresh(session, baseline.provider_id, organization_id, quiet=True)


def give(session: Session, actor: Actor, organization_id: uuid.UUID, baseline_id: str) -> None:
    """Set a client that is being created to the newest version. `RuleError` on `baseline`."""
    try:
        found = queries.find(session, provider_of(actor), uuid.UUID(baseline_id))
    except ValueError:
        found = None
    if found is None:
        raise refuse(GONE, field="baseline")
    wanted = queries.content(session, found.provider_id, found.id, found.newest)
    if wanted is None:
        raise refuse(GONE, field="baseline")
    look = configurations.look(session, actor, organization_id, wanted)
    apply(session, actor, organization_id, found, found.newest, seen=look.digest)


def _assign(
    session: Session, actor: Actor, organization_id: uuid.UUID, baseline: Any, number: int
) -> None:
    """What was accepted against another baseline says nothing about this one."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    place = {"provider_id": baseline.provider_id, "organization_id": organization_id}
    values = {
        "baseline_id": baseline.id,
        "number": number,
        "by_name": actor.name,
        "applied_at": utc_now(),
    }
    elsewhere = select(BaselineAssignment.organization_id).where(
        BaselineAssignment.provider_id == baseline.provider_id,
        BaselineAssignment.organization_id == organization_id,
        BaselineAssignment.baseline_id != baseline.id,
    )
    session.execute(
        delete(BaselineDeviation)
        .where(
            BaselineDeviation.provider_id == baseline.provider_id,
            BaselineDeviation.organization_id.in_(elsewhere),
        )
        .execution_options(synchronize_session=False)
    )
    added = dialect.insert(BaselineAssignment).values(**place, **values)
    key = [BaselineAssignment.provider_id, BaselineAssignment.organization_id]
    session.execute(added.on_conflict_do_update(index_elements=key, set_=values))


def accept(
    session: Session, actor: Actor, organization_id: uuid.UUID, deviation: Deviation
) -> None:
    """Let the client deviate; an earlier word about the same path is replaced."""
    conditions.hold(session, organization_id)
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    values = {
        "path": deviation.path,
        "value": {"value": deviation.value},
        "reason": deviation.reason,
        "owner": deviation.owner,
        "ends_on": deviation.ends_on,
        "by_name": actor.name,
        "accepted_at": utc_now(),
    }
    place = {
        "provider_id": provider_of(actor),
        "organization_id": organization_id,
        "path_hash": path_hash(deviation.path),
    }
    added = dialect.insert(BaselineDeviation).values(**place, **values)
    key = [getattr(BaselineDeviation, name) for name in place]
    try:
        with session.begin_nested():
            session.execute(added.on_conflict_do_update(index_elements=key, set_=values))
    except IntegrityError as error:
        raise refuse(UNWATCHED) from error
    events.record(
        session,
        actor,
        "organization:deviation:accept",
        streams=streams_in(actor, organization_id),
        subject_id=organization_id,
        path=deviation.path,
        ends_on=deviation.ends_on.isoformat(),
    )
    drift.refresh(session, provider_of(actor), organization_id)


def withdraw(session: Session, actor: Actor, organization_id: uuid.UUID, path: str) -> bool:
    """Accept it no longer; False where nobody had."""
    conditions.hold(session, organization_id)
    gone = session.execute(
        delete(BaselineDeviation)
        .where(
            BaselineDeviation.provider_id == provider_of(actor),
            BaselineDeviation.organization_id == organization_id,
            BaselineDeviation.path_hash == path_hash(path),
        )
        .returning(BaselineDeviation.path_hash)
        .execution_options(synchronize_session=False)
    ).all()
    if not gone:
        return False
    events.record(
        session,
        actor,
        "organization:deviation:withdraw",
        streams=streams_in(actor, organization_id),
        subject_id=organization_id,
        path=path,
    )
    drift.refresh(session, provider_of(actor), organization_id)
    return True


def path_hash(path: str) -> str:
    """A key of one length for a path of any."""
    return hashlib.sha256(path.encode()).hexdigest()


def _tell(
    session: Session, actor: Actor, action: str, baseline_id: uuid.UUID, **details: Any
) -> None:
    events.record(
        session,
        actor,
        f"provider:baseline:{action}",
        streams=[Stream("provider", provider_of(actor))],
        subject_id=baseline_id,
        **details,
    )
