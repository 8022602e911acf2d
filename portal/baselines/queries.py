"""Reads about baselines: every statement is bound to a provider, those of clients to a scope."""

import datetime as dt
import json
import uuid
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, Select, and_, func, select
from sqlalchemy.orm import Session

from portal.configuration import queries as configurations
from portal.domain.access import Actor, Scope
from portal.domain.baselines import Deviation, Difference, differences, missing_collections
from portal.domain.configuration import Configuration, diff_of
from portal.domain.configuration_files import Rules, read_tree
from portal.models import (
    Baseline,
    BaselineAssignment,
    BaselineDeviation,
    BaselineVersion,
    Event,
    Organization,
)
from portal.models.grants import opens_to
from portal.models.reach import within

PAGE_SIZE = 50
# A drop-down and a table hold as many.
LIMIT = 100
STORED = Rules(names_collections=True)


def _of(provider_id: uuid.UUID, *columns: Any) -> Select[Any]:
    """Columns of one table, the first one's, of one provider."""
    return select(*columns).where(columns[0].class_.provider_id == provider_id)


def _clients(scope: Scope, *columns: Any) -> Select[Any]:
    """Columns of clients in the scope."""
    return (
        select(*columns)
        .select_from(Organization)
        .where(Organization.provider_id == scope.provider_id, *within(scope, Organization.id))
    )


_ASSIGNED = and_(
    BaselineAssignment.organization_id == Organization.id,
    BaselineAssignment.provider_id == Organization.provider_id,
)


def baselines(session: Session, scope: Scope) -> Sequence[Row[Any]]:
    """The baselines by name: (id, name, newest, clients), those counted that the scope has."""
    counted = (
        _clients(scope, BaselineAssignment.baseline_id, func.count().label("clients"))
        .join(BaselineAssignment, _ASSIGNED)
        .group_by(BaselineAssignment.baseline_id)
        .subquery()
    )
    found = (
        _of(scope.provider_id, Baseline.id, Baseline.name, Baseline.newest)
        .add_columns(func.coalesce(counted.c.clients, 0).label("clients"))
        .outerjoin(counted, counted.c.baseline_id == Baseline.id)
        .order_by(Baseline.name_ci)
        .limit(LIMIT)
    )
    return session.execute(found).all()


def find(
    session: Session, provider_id: uuid.UUID, baseline_id: uuid.UUID, *, hold: bool = False
) -> Row[Any] | None:
    """One baseline: (id, name, newest, provider_id). With `hold` nobody deletes it meanwhile."""
    columns = (Baseline.id, Baseline.name, Baseline.newest, Baseline.provider_id)
    found = _of(provider_id, *columns).where(Baseline.id == baseline_id)
    if hold:
        # As weak as a reference to it needs: versions are written beside it.
        found = found.with_for_update(read=True, key_share=True)
    return session.execute(found).one_or_none()


def versions(session: Session, provider_id: uuid.UUID, baseline_id: uuid.UUID) -> Sequence[Any]:
    """(number, note, by_name, created_at), the newest first; at most LIMIT."""
    columns = (
        BaselineVersion.number,
        BaselineVersion.note,
        BaselineVersion.by_name,
        BaselineVersion.created_at,
    )
    found = _of(provider_id, *columns).where(BaselineVersion.baseline_id == baseline_id)
    return session.execute(found.order_by(BaselineVersion.number.desc()).limit(LIMIT)).all()


def content(
    session: Session, provider_id: uuid.UUID, baseline_id: uuid.UUID, number: int
) -> Configuration | None:
    """What a version says; None where there is no such version."""
    found = _of(provider_id, BaselineVersion.content).where(
        BaselineVersion.baseline_id == baseline_id, BaselineVersion.number == number
    )
    tree = session.scalars(found).one_or_none()
    return None if tree is None else read_tree(tree, STORED)


def client(session: Session, actor: Actor, organization_id: uuid.UUID) -> Row[Any] | None:
    """A client of the actor's scope and its baseline, which may be none.

    `is_open` says whether the actor may see now what the client is set to.
    """
    found = _with_baseline(actor).where(Organization.id == organization_id)
    return session.execute(found).one_or_none()


def _with_baseline(actor: Actor) -> Select[Any]:
    baseline = and_(
        Baseline.provider_id == BaselineAssignment.provider_id,
        Baseline.id == BaselineAssignment.baseline_id,
    )
    return (
        _clients(actor.scope, Organization.id, Organization.name, Organization.plan)
        .add_columns(
            opens_to(actor.account_id, Organization.id).label("is_open"),
            BaselineAssignment.baseline_id,
            BaselineAssignment.number,
            BaselineAssignment.applied_at,
            BaselineAssignment.by_name,
            Baseline.name.label("baseline"),
            Baseline.newest,
        )
        .outerjoin(BaselineAssignment, _ASSIGNED)
        .outerjoin(Baseline, baseline)
    )


def given_to(
    session: Session, provider_id: uuid.UUID, organization_id: uuid.UUID
) -> Row[Any] | None:
    """What a client of the provider was given: (provider_id, baseline_id, number, name)."""
    columns = (
        BaselineAssignment.provider_id,
        BaselineAssignment.baseline_id,
        BaselineAssignment.number,
    )
    same = and_(
        Baseline.provider_id == BaselineAssignment.provider_id,
        Baseline.id == BaselineAssignment.baseline_id,
    )
    found = (
        _of(provider_id, *columns)
        .add_columns(Baseline.name)
        .join(Baseline, same)
        .join(Organization, _ASSIGNED)
        .where(BaselineAssignment.organization_id == organization_id)
    )
    return session.execute(found).one_or_none()


def clients_of(
    session: Session, actor: Actor, baseline_id: uuid.UUID, after: uuid.UUID | None
) -> Sequence[Row[Any]]:
    """Clients with the baseline as `client` has them, in the order of their ids; one more than
    PAGE_SIZE says that there are more.
    """
    found = _with_baseline(actor).where(BaselineAssignment.baseline_id == baseline_id)
    if after is not None:
        found = found.where(Organization.id > after)
    return session.execute(found.order_by(Organization.id).limit(PAGE_SIZE + 1)).all()


def assigned(
    session: Session, actor: Actor, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, Row[Any]]:
    """Of these clients, each as `client` has it."""
    found = _with_baseline(actor).where(Organization.id.in_(ids))
    return {row.id: row for row in session.execute(found)}


def watched(
    session: Session, provider_id: uuid.UUID, clients: Sequence[Any], today: dt.date
) -> dict[uuid.UUID, list[Difference]]:
    """How each client (a row of `client`) differs from its version.

    Eight statements for all of them, nine where collections are missing.

    Clients without a baseline are left out, and those whose owners do not let the asker in.
    """
    given = [row for row in clients if row.baseline_id is not None and row.is_open]
    if not given:
        return {}
    ids = [row.id for row in given]
    wanted = _contents(session, provider_id, given)
    accepted = deviations(session, provider_id, ids)
    presents = configurations.presents(session, ids)
    changes = {}
    for row in given:
        present = presents[row.id]
        said = present.within_plan(wanted[row.baseline_id, row.number])
        changes[row.id] = diff_of(present.configuration, said)
    gone = _gone(session, [row for row in given if missing_collections(changes[row.id])])
    return {
        key: differences(changed, accepted.get(key, {}), today, gone.get(key, set()))
        for key, changed in changes.items()
    }


def _gone(session: Session, given: Sequence[Any]) -> dict[uuid.UUID, set[str]]:
    """Which external ids collections of these clients have lost since the baseline was applied.

    A collection that was there and is not any more is drift; one that was never made waits.
    """
    if not given:
        return {}
    applied = {row.id: row.applied_at for row in given}
    lost = select(Event.stream_id, Event.at, Event.payload).where(
        Event.stream_id.in_(applied),
        Event.type.in_(("organization:collection:delete", "organization:collection:update")),
        Event.at >= min(applied.values()),
    )
    found: dict[uuid.UUID, set[str]] = {}
    for row in session.execute(lost):
        if row.at >= applied[row.stream_id]:
            before = json.loads(row.payload)["details"].get("before") or {}
            found.setdefault(row.stream_id, set()).add(before.get("external_id", ""))
    return found


def _contents(
    session: Session, provider_id: uuid.UUID, given: Sequence[Any]
) -> dict[tuple[uuid.UUID, int], Configuration]:
    columns = (BaselineVersion.baseline_id, BaselineVersion.number, BaselineVersion.content)
    found = _of(provider_id, *columns).where(
        BaselineVersion.baseline_id.in_({row.baseline_id for row in given}),
        BaselineVersion.number.in_({row.number for row in given}),
    )
    return {
        (row.baseline_id, row.number): read_tree(row.content, STORED)
        for row in session.execute(found)
    }


def deviations(
    session: Session, provider_id: uuid.UUID, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, dict[str, Deviation]]:
    """What was accepted of these clients, by path."""
    columns = (
        BaselineDeviation.organization_id,
        BaselineDeviation.path,
        BaselineDeviation.value,
        BaselineDeviation.reason,
        BaselineDeviation.owner,
        BaselineDeviation.ends_on,
    )
    rows = _of(provider_id, *columns).where(BaselineDeviation.organization_id.in_(ids))
    found: dict[uuid.UUID, dict[str, Deviation]] = {}
    for row in session.execute(rows):
        value = row.value.get("value")
        deviation = Deviation(row.path, value, row.reason, row.owner, row.ends_on)
        found.setdefault(row.organization_id, {})[row.path] = deviation
    return found
