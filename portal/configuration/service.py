"""A configuration is looked at, then applied: exactly what was shown, in one transaction."""

import hashlib
import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from portal import events
from portal.collections import queries as collections
from portal.collections import settings as collection_settings
from portal.configuration import queries
from portal.configuration.queries import Present, PresentGroup
from portal.domain.access import Actor
from portal.domain.collection_rules import CollectionSettings
from portal.domain.configuration import (
    COLLECTIONS,
    GROUPS,
    ON,
    POLICIES,
    SETTINGS,
    Change,
    Configuration,
    GroupSetting,
    diff_of,
    in_order,
    keys_of,
    match,
    pointer,
)
from portal.domain.errors import N_, RuleError, refuse
from portal.domain.policies import PolicyKind, check_domains, check_switch
from portal.domain.policy_effects import Effect, Standing, effects
from portal.domain.states import MemberState
from portal.groups import queries as group_queries
from portal.groups import service as groups
from portal.members import conditions
from portal.organizations.domains import verified_in
from portal.organizations.service import streams_in
from portal.policies import queries as policy_queries
from portal.policies import service as policies

MYSELF = N_(
    "The policy “%(policy)s” would revoke yourself. Meet it first, or leave it out of the file."
)


class Moved(RuleError):
    """The client, or who would be revoked, is not what was shown any more."""

    def __init__(self) -> None:
        super().__init__(
            N_("The client has changed since you looked. Nothing was applied: look again.")
        )


_ABOUT_DOMAINS = {PolicyKind.SINGLE_ORGANIZATION, PolicyKind.BLOCK_ACCOUNT_CREATION}


@dataclass(frozen=True)
class Look:
    """What applying would do now.

    `said` is all that was asked, `wanted` what of it the plan of the client has.
    `changes` are made by the server, `waiting` need collections that are not there; `effects` are
    those of each policy that is turned on, in the order in which they are.
    """

    present: Present = field(repr=False)
    said: Configuration = field(repr=False)
    wanted: Configuration = field(repr=False)
    changes: tuple[Change, ...]
    waiting: tuple[Change, ...]
    skips_policies: bool
    effects: Mapping[PolicyKind, Mapping[uuid.UUID, Effect]] = field(repr=False)
    people: Mapping[uuid.UUID, Row[Any]] = field(repr=False)

    @property
    def digest(self) -> str:
        """The same for the same changes with the same effects."""
        told = [
            [(pointer(change.path), change.before, change.after) for change in self.changes],
            [(pointer(change.path), change.after) for change in self.waiting],
            [
                (kind.value, sorted((str(key), effect.value) for key, effect in found.items()))
                for kind, found in self.effects.items()
            ],
        ]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()

    @property
    def missing(self) -> tuple[str, ...]:
        """The external ids of the collections that are not there."""
        return tuple(change.path[1] for change in self.waiting if change.section == COLLECTIONS)

    @property
    def revoked(self) -> tuple[Row[Any], ...]:
        """Who loses access."""
        found = (each.items() for each in self.effects.values())
        return tuple(
            self.people[member_id]
            for pairs in found
            for member_id, effect in pairs
            if effect is Effect.REVOKED
        )


def look(session: Session, actor: Actor, organization_id: uuid.UUID, wanted: Configuration) -> Look:
    """What applying would do. `RuleError` where the policies do not go together, or revoke oneself.

    Nothing is changed. On a plan without policies those of `wanted` are left out.
    """
    found = looks(session, actor, [organization_id], wanted)[organization_id]
    if isinstance(found, RuleError):
        raise found
    return found


def looks(
    session: Session, actor: Actor, ids: Sequence[uuid.UUID], wanted: Configuration
) -> dict[uuid.UUID, Look | RuleError]:
    """The look at each of several clients, or why there is none: the same statements for all."""
    presents = queries.presents(session, ids)
    domains = verified_in(session, ids) if wanted.policies.keys() & _ABOUT_DOMAINS else {}
    worlds: dict[uuid.UUID, _World | RuleError] = {}
    for organization_id in ids:
        try:
            own = domains.get(organization_id, frozenset())
            worlds[organization_id] = _world(presents[organization_id], wanted, own)
        except RuleError as error:
            worlds[organization_id] = error
    asking = [key for key, world in worlds.items() if isinstance(world, _World) and world.turned_on]
    people: dict[uuid.UUID, dict[uuid.UUID, Row[Any]]] = {key: {} for key in ids}
    if asking:
        for row in policy_queries.people_in(session, asking):
            people[row.organization_id][row.id] = row
    return {
        key: world if isinstance(world, RuleError) else _look(actor, world, people[key], wanted)
        for key, world in worlds.items()
    }


@dataclass(frozen=True)
class _World:
    """A client and what would change in it, before anybody is asked about."""

    present: Present
    wanted: Configuration
    changes: tuple[Change, ...]
    waiting: tuple[Change, ...]
    turned_on: tuple[PolicyKind, ...]


def _world(present: Present, said: Configuration, domains: Collection[str]) -> _World:
    wanted = present.within_plan(said)
    now, waiting = _split(present, diff_of(present.configuration, wanted))
    switched = _switches(present.configuration, now)
    for kind, on in switched:
        check_domains(kind, on=on, domains=domains)
    return _World(present, wanted, now, waiting, tuple(kind for kind, on in switched if on))


def _look(
    actor: Actor, world: _World, people: dict[uuid.UUID, Row[Any]], said: Configuration
) -> Look | RuleError:
    found = _effects(world.turned_on, people) if world.turned_on else {}
    try:
        _spare(actor, found, people)
    except RuleError as error:
        return error
    skips = bool(said.policies) and not world.wanted.policies
    return Look(
        world.present, said, world.wanted, world.changes, world.waiting, skips, found, people
    )


def _split(
    present: Present, changes: Sequence[Change]
) -> tuple[tuple[Change, ...], tuple[Change, ...]]:
    """What the server can do, and what waits for a collection whose name only a browser seals."""

    def waits(change: Change) -> bool:
        in_group = change.section == GROUPS and len(change.path) == 4
        needed = change.path[1] if change.section == COLLECTIONS else change.path[-1]
        is_asked = change.section == COLLECTIONS or in_group
        return is_asked and needed not in present.collection_ids

    return (
        tuple(change for change in changes if not waits(change)),
        tuple(change for change in changes if waits(change)),
    )


def _switches(present: Configuration, changes: Sequence[Change]) -> list[tuple[PolicyKind, bool]]:
    """Which policies are turned on and off, in an order in which each has what it needs."""
    asked = [
        (PolicyKind(change.path[1]), bool(change.after))
        for change in changes
        if change.section == POLICIES and change.path[-1] == ON
    ]
    on = sorted((kind for kind, turns in asked if turns), key=lambda kind: bool(kind.needs))
    off = sorted((kind for kind, turns in asked if not turns), key=lambda kind: not kind.needs)
    switched = [*((kind, True) for kind in on), *((kind, False) for kind in off)]
    are_on = {kind for kind, policy in present.policies.items() if policy.is_on}
    for kind, turns_on in switched:
        check_switch(kind, on=turns_on, are_on=are_on)
        are_on = are_on | {kind} if turns_on else are_on - {kind}
    return switched


def _effects(
    kinds: Sequence[PolicyKind], people: Mapping[uuid.UUID, Row[Any]]
) -> dict[PolicyKind, dict[uuid.UUID, Effect]]:
    """What each does after the ones before it: nobody is revoked twice."""
    standings = {key: policy_queries.standing_of(row) for key, row in people.items()}
    found: dict[PolicyKind, dict[uuid.UUID, Effect]] = {}
    for kind in kinds:
        found[kind] = effects(kind, standings.values(), turns_on=True)
        for key, effect in found[kind].items():
            if effect is Effect.REVOKED:
                standings[key] = _revoked(standings[key])
    return found


def _revoked(standing: Standing) -> Standing:
    return replace(standing, subject=replace(standing.subject, state=MemberState.REVOKED))


def _spare(
    actor: Actor,
    found: Mapping[PolicyKind, Mapping[uuid.UUID, Effect]],
    people: Mapping[uuid.UUID, Row[Any]],
) -> None:
    own = {key for key, row in people.items() if row.account_id == actor.account_id}
    for kind, touched in found.items():
        if any(touched.get(key) is Effect.REVOKED for key in own):
            raise refuse(MYSELF, policy=kind.label)


def apply(
    session: Session,
    actor: Actor,
    organization_id: uuid.UUID,
    wanted: Configuration,
    *,
    seen: str,
) -> Look:
    """Make all changes of the look whose digest is `seen`, or raise and make none.

    The caller tells of the whole. Raises `Moved`; the caller rolls back.
    """
    found = agreed(session, actor, organization_id, wanted, seen=seen)
    make(session, actor, organization_id, found)
    return found


def agreed(
    session: Session,
    actor: Actor,
    organization_id: uuid.UUID,
    wanted: Configuration,
    *,
    seen: str,
) -> Look:
    """The look whose digest is `seen`, which holds until the commit; raises `Moved`."""
    conditions.hold(session, organization_id)
    found = look(session, actor, organization_id, wanted)
    if found.digest != seen:
        raise Moved
    return found


def make(session: Session, actor: Actor, organization_id: uuid.UUID, found: Look) -> None:
    """Make the changes of a look: each by the service whose matter it is, with its own event."""
    _apply_policies(session, actor, organization_id, found)
    _apply_settings(session, actor, organization_id, found)
    _apply_groups(session, actor, organization_id, found)


def apply_file(
    session: Session,
    actor: Actor,
    organization_id: uuid.UUID,
    wanted: Configuration,
    *,
    seen: str,
) -> Look:
    """`apply` for a file that somebody sent, with an event of its own."""
    found = apply(session, actor, organization_id, wanted, seen=seen)
    if found.changes:
        events.record(
            session,
            actor,
            "organization:configuration:apply",
            streams=streams_in(actor, organization_id),
            subject_id=organization_id,
            changes=len(found.changes),
        )
    return found


def _apply_policies(
    session: Session, actor: Actor, organization_id: uuid.UUID, found: Look
) -> None:
    order = [kind for kind, _on in _switches(found.present.configuration, found.changes)]
    told = {change.path[1] for change in found.changes if change.section == POLICIES}
    order += [kind for kind in PolicyKind if kind.value in told and kind not in order]
    for kind in order:
        stored = policy_queries.stored(session, organization_id, [kind])[kind]
        setting = found.wanted.policies[kind]
        data = setting.data if setting.is_on else stored.data
        if setting.is_on and data is None:
            data = stored.data
        wanted = policies.Wanted(setting.is_on, data, stored.version)
        seen = policies.look(session, actor, organization_id, kind, wanted).digest
        policies.save(session, actor, organization_id, kind, wanted, seen=seen)


def _apply_settings(
    session: Session, actor: Actor, organization_id: uuid.UUID, found: Look
) -> None:
    changed = {
        change.path[1]: bool(change.after) for change in found.changes if change.section == SETTINGS
    }
    if changed:
        present, version = collections.settings(session, organization_id)
        wanted: CollectionSettings = replace(present, **changed)
        collection_settings.save(session, actor, organization_id, wanted, version=version)


def _apply_groups(session: Session, actor: Actor, organization_id: uuid.UUID, found: Look) -> None:
    """Who goes first, so that an external id is free before another group takes it."""
    wanted = in_order(found.wanted.groups)
    matched, left = match(found.present.groups, wanted)
    if found.wanted.removes_others and left:
        ids = [group.id for group in left]
        for row in group_queries.chosen(session, organization_id, ids):
            groups.remove(session, actor, row)
    present = {
        row.id: row
        for row in group_queries.chosen(
            session, organization_id, [group.id for group in matched if group]
        )
    }
    touched = {change.path[1] for change in found.changes if change.section == GROUPS}
    for key, group, said in zip(keys_of(wanted), matched, wanted, strict=True):
        if key not in touched:
            continue
        if group is None:
            _make(session, actor, organization_id, said, found)
        else:
            _change(session, actor, present[group.id], group, said, found)


def _make(
    session: Session, actor: Actor, organization_id: uuid.UUID, said: GroupSetting, found: Look
) -> None:
    name = groups.check_group_name(said.name)
    external_id = said.external_id or ""
    group_id = groups.create(session, actor, organization_id, name=name, external_id=external_id)
    levels = _levels(said, PresentGroup(name, external_id), found)
    if levels:
        (row,) = group_queries.chosen(session, organization_id, [group_id])
        groups.give_collections(session, actor, row, levels)


def _change(
    session: Session,
    actor: Actor,
    row: Any,
    group: PresentGroup,
    said: GroupSetting,
    found: Look,
) -> None:
    external_id = group.external_id or "" if said.external_id is None else said.external_id
    version = row.version
    groups.rename(session, actor, row, name=said.name, external_id=external_id, version=version)
    levels = _levels(said, group, found)
    groups.give_collections(session, actor, row, levels)


def _levels(said: GroupSetting, group: PresentGroup, found: Look) -> dict[uuid.UUID, Any]:
    """What the group reaches afterwards: collections that are not there wait."""
    known = found.present.collection_ids
    kept = {} if found.wanted.removes_others else dict(group.collections)
    named = {**kept, **said.collections}
    levels = {known[key]: level for key, level in named.items() if key in known and level}
    return {**group.unnamed, **levels}
