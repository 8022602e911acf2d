"""What applying a baseline did to one client, kept so that it can be taken back.

Only what was changed is kept, by the ids of the rows themselves, as plain values.
"""

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from portal import events
from portal.baselines import drift, queries, service
from portal.collections import queries as collections
from portal.collections import settings as collection_settings
from portal.configuration import queries as configurations
from portal.configuration.queries import Present, PresentGroup
from portal.configuration.service import Look
from portal.domain.access import Actor
from portal.domain.bulk import CHANGED_SINCE
from portal.domain.collection_access import Level
from portal.domain.configuration import (
    COLLECTIONS,
    GROUPS,
    POLICIES,
    SETTINGS,
    flat,
    in_order,
    keys_of,
    match,
    pointer,
)
from portal.domain.errors import N_, refuse
from portal.domain.policies import PolicyKind, read
from portal.domain.policy_data import to_store
from portal.domain.policy_effects import Effect
from portal.groups import queries as group_queries
from portal.groups import service as groups
from portal.members import conditions
from portal.models import BaselineAssignment, BaselineDeviation
from portal.organizations.service import streams_in
from portal.policies import queries as policy_queries
from portal.policies import service as policies
from portal.policies.service import Wanted

REVOKED, GROUPS_GONE = "revoked", "groups"
_GIVEN = ("baseline_id", "number", "applied_at")
# What cannot be taken back, and why: a row says one of these words in place of what was before.
FINAL = {
    REVOKED: N_("Members have lost access by it. They do not come back by themselves."),
    GROUPS_GONE: N_("Groups were deleted by it. They do not come back by themselves."),
}
WOULD_REVOKE = N_("Undoing it would take access away from members. Change the policy yourself.")


def final(look: Look) -> str:
    """The word of `FINAL` for what a look does for good; empty where all of it can be undone."""
    if look.revoked:
        return REVOKED
    removes = any(change.after is None for change in look.changes if change.section == GROUPS)
    return GROUPS_GONE if removes else ""


def before(session: Session, actor: Actor, organization_id: uuid.UUID) -> dict[str, Any]:
    """The client's baseline and what was accepted of it, as plain values."""
    place = {"provider_id": service.provider_of(actor), "organization_id": organization_id}
    assigned = session.execute(
        select(
            BaselineAssignment.baseline_id,
            BaselineAssignment.number,
            BaselineAssignment.by_name,
            BaselineAssignment.applied_at,
            BaselineAssignment.drift,
            BaselineAssignment.drifts_since,
        ).filter_by(**place)
    ).one_or_none()
    accepted = session.execute(
        select(
            BaselineDeviation.path_hash,
            BaselineDeviation.path,
            BaselineDeviation.value,
            BaselineDeviation.reason,
            BaselineDeviation.owner,
            BaselineDeviation.ends_on,
            BaselineDeviation.by_name,
            BaselineDeviation.accepted_at,
        )
        .filter_by(**place)
        .order_by(BaselineDeviation.path_hash)
    )
    return {
        "assigned": _plain(assigned) if assigned else None,
        "accepted": [_plain(row) for row in accepted],
    }


def _plain(row: Any) -> dict[str, Any]:
    found = row._asdict()
    return {name: value if _is_plain(value) else _text(value) for name, value in found.items()}


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, dict | str | int)


def _text(value: Any) -> str:
    return str(value.isoformat() if isinstance(value, dt.date) else value)


def apply(
    session: Session,
    actor: Actor,
    organization_id: uuid.UUID,
    baseline: Any,
    number: int,
    *,
    seen: str,
) -> str:
    """`service.apply`; returns what `take_back` needs, or a word of `FINAL`."""
    look = service.agreed(session, actor, organization_id, baseline, number, seen=seen)
    kept = before(session, actor, organization_id) | changed(session, organization_id, look)
    service.carry_out(session, actor, organization_id, baseline, number, look)
    if word := final(look):
        return word
    there = {group.id for group in look.present.groups}
    made = group_queries.ids(session, organization_id) if kept["groups"] is not None else ()
    return json.dumps(kept | {"made": sorted(str(each) for each in made if each not in there)})


def changed(session: Session, organization_id: uuid.UUID, look: Look) -> dict[str, Any]:
    """What a look is about to change, as it is now: policies, settings, levels and names."""
    touched = {section: set[str]() for section in (POLICIES, SETTINGS, GROUPS, COLLECTIONS)}
    for change in look.changes:
        touched[change.section].add(change.path[1])
    kinds = [kind for kind in PolicyKind if kind.value in touched[POLICIES]]
    stored = policy_queries.stored(session, organization_id, kinds)
    return {
        "policies": {
            kind.value: {"on": found.is_on, "data": to_store(found.data)}
            for kind, found in stored.items()
        },
        "settings": {
            name: look.present.configuration.settings[name] for name in sorted(touched[SETTINGS])
        },
        "groups": _touched_groups(look, touched[GROUPS]) if touched[GROUPS] else None,
    }


def _touched_groups(look: Look, keys: Collection[str]) -> dict[str, Any]:
    wanted = in_order(look.wanted.groups)
    found, _others = match(look.present.groups, wanted)
    pairs = zip(keys_of(wanted), found, strict=True)
    return _groups(look.present, [group for key, group in pairs if group and key in keys])


def _groups(present: Present, groups: Sequence[PresentGroup]) -> dict[str, Any]:
    ids = present.collection_ids
    return {
        str(group.id): {
            "name": group.name,
            "external_id": group.external_id or "",
            "levels": {
                str(key): level.value
                for key, level in (
                    {ids[name]: level for name, level in group.collections.items() if level}
                    | dict(group.unnamed)
                ).items()
            },
        }
        for group in groups
    }


def state(session: Session, actor: Actor, organization_id: uuid.UUID) -> str:
    """A digest of all that applying touches: an undo finds by it whether somebody changed it."""
    present = configurations.present(session, organization_id)
    values = {pointer(path): value for path, value in flat(present.configuration).items()}
    told = before(session, actor, organization_id)
    # How far it is from its baseline follows from all the rest, and from the day.
    given = {name: told["assigned"][name] for name in _GIVEN} if told["assigned"] else None
    known = [values, _groups(present, present.groups), told["accepted"], given]
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def take_back(
    session: Session, actor: Actor, organization_id: uuid.UUID, known: str, left: str
) -> None:
    """Set the client to what `apply` returned, if it is still as `left` (`state`) says.

    `RuleError` where it is not, where what was done is final, where a group that was made has
    members by now, or where a policy that comes back would revoke somebody.
    """
    if known in FINAL:
        raise refuse(FINAL[known])
    kept = json.loads(known)
    conditions.hold(session, organization_id)
    if state(session, actor, organization_id) != left:
        raise refuse(CHANGED_SINCE)
    now = queries.given_to(session, service.provider_of(actor), organization_id)
    _policies(session, actor, organization_id, kept["policies"])
    _settings(session, actor, organization_id, kept["settings"])
    if kept["groups"] is not None:
        _put_back_groups(session, actor, organization_id, kept)
    _assign(session, actor, organization_id, kept)
    events.record(
        session,
        actor,
        "organization:baseline:undo",
        streams=streams_in(actor, organization_id),
        subject_id=organization_id,
        name=now.name if now else "",
        version=now.number if now else None,
    )
    drift.refresh(session, service.provider_of(actor), organization_id, quiet=True)


def _policies(
    session: Session, actor: Actor, organization_id: uuid.UUID, kept: dict[str, Any]
) -> None:
    """Off before on, each in an order in which it has what it needs."""
    kinds = [PolicyKind(name) for name in kept]
    off = sorted((kind for kind in kinds if not kept[kind]["on"]), key=lambda kind: not kind.needs)
    on = sorted((kind for kind in kinds if kept[kind]["on"]), key=lambda kind: bool(kind.needs))
    for kind in (*off, *on):
        present = policy_queries.stored(session, organization_id, [kind])[kind]
        wanted = Wanted(kept[kind]["on"], read(kind, kept[kind]["data"]), present.version)
        look = policies.look(session, actor, organization_id, kind, wanted)
        if Effect.REVOKED in look.effects.values():
            raise refuse(WOULD_REVOKE)
        policies.save(session, actor, organization_id, kind, wanted, seen=look.digest)


def _settings(
    session: Session, actor: Actor, organization_id: uuid.UUID, kept: dict[str, bool]
) -> None:
    if kept:
        present, version = collections.settings(session, organization_id)
        wanted = replace(present, **kept)
        collection_settings.save(session, actor, organization_id, wanted, version=version)


def _put_back_groups(
    session: Session, actor: Actor, organization_id: uuid.UUID, kept: dict[str, Any]
) -> None:
    for row in _chosen(session, organization_id, kept["made"]):
        if row.members:
            raise refuse(CHANGED_SINCE)
        groups.remove(session, actor, row)
    for row in _chosen(session, organization_id, kept["groups"]):
        was = kept["groups"][str(row.id)]
        names = {"name": was["name"], "external_id": was["external_id"]}
        groups.rename(session, actor, row, **names, version=row.version)
        levels = {uuid.UUID(key): Level(level) for key, level in was["levels"].items()}
        groups.give_collections(session, actor, row, levels)


def _chosen(session: Session, organization_id: uuid.UUID, ids: Any) -> Sequence[Any]:
    return group_queries.chosen(session, organization_id, [uuid.UUID(each) for each in ids])


def _assign(
    session: Session, actor: Actor, organization_id: uuid.UUID, kept: dict[str, Any]
) -> None:
    """The baseline that it had, with what was accepted; none where that one is deleted by now."""
    place = {"provider_id": service.provider_of(actor), "organization_id": organization_id}
    session.execute(
        delete(BaselineAssignment)
        .where(*(getattr(BaselineAssignment, name) == value for name, value in place.items()))
        .execution_options(synchronize_session=False)
    )
    was = kept["assigned"]
    if was is None:
        return
    baseline_id = uuid.UUID(was["baseline_id"])
    # Held against whoever deletes it: without it there is nothing to go back to.
    if queries.find(session, place["provider_id"], baseline_id, hold=True) is None:
        return
    since = was["drifts_since"]
    times = {"applied_at": _moment(was["applied_at"]), "drifts_since": since and _moment(since)}
    values = {**place, **was, **times, "baseline_id": baseline_id}
    session.execute(insert(BaselineAssignment).values(**values))
    rows = [
        {
            **place,
            **row,
            "ends_on": dt.date.fromisoformat(row["ends_on"]),
            "accepted_at": _moment(row["accepted_at"]),
        }
        for row in kept["accepted"]
    ]
    if rows:
        session.execute(insert(BaselineDeviation), rows)


def _moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)
