"""What clients are set to: every statement is bound to the organizations that it is asked for."""

import uuid
from collections import defaultdict
from collections.abc import Collection as Several
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import Session

from portal.domain.collection_access import Level
from portal.domain.collection_rules import CollectionSettings
from portal.domain.configuration import Configuration, GroupSetting, PolicySetting
from portal.domain.plans import Feature, Plan
from portal.domain.policies import PolicyKind, read
from portal.models import (
    Collection,
    CollectionGroup,
    Group,
    Organization,
    OrganizationSettings,
    Policy,
)
from portal.policies.service import OFFERED


@dataclass(frozen=True)
class PresentGroup(GroupSetting):
    """A group as it is; `unnamed` are its levels in collections without an external id."""

    id: uuid.UUID = field(default=uuid.UUID(int=0))
    unnamed: Mapping[uuid.UUID, Level] = field(default_factory=dict)


@dataclass(frozen=True)
class Present:
    """A client as it is: a complete configuration, and what a file cannot say of it."""

    plan: Plan
    configuration: Configuration
    groups: tuple[PresentGroup, ...] = ()
    collection_ids: Mapping[str, uuid.UUID] = field(default_factory=dict)

    def within_plan(self, wanted: Configuration) -> Configuration:
        """What of a configuration the client's plan has: without policies on the smaller one."""
        has_policies = self.plan.has(Feature.POLICIES)
        return wanted if has_policies else replace(wanted, policies={})


def _of(ids: Several[uuid.UUID], *columns: Any) -> Select[Any]:
    """Columns of one table, the first one's, of these organizations."""
    return select(*columns).where(columns[0].class_.organization_id.in_(ids))


def present(session: Session, organization_id: uuid.UUID) -> Present:
    """One client as it is. LookupError if there is none."""
    return presents(session, [organization_id])[organization_id]


def presents(session: Session, ids: Several[uuid.UUID]) -> dict[uuid.UUID, Present]:
    """Each of the clients as it is: the same statements for one and for many."""
    plans = session.execute(
        select(Organization.id, Organization.plan).where(Organization.id.in_(ids))
    )
    policies, settings = _policies(session, ids), _settings(session, ids)
    collections, groups = _collections(session, ids), _groups(session, ids)
    found = {}
    for row in plans:
        said = dict(collections[row.id])
        configuration = Configuration(
            policies=policies[row.id] if row.plan.has(Feature.POLICIES) else {},
            settings=settings.get(row.id, asdict(CollectionSettings())),
            groups=tuple(groups[row.id]),
            collections=dict.fromkeys(said, ""),
        )
        found[row.id] = Present(row.plan, configuration, tuple(groups[row.id]), said)
    return found


def _policies(
    session: Session, ids: Several[uuid.UUID]
) -> dict[uuid.UUID, dict[PolicyKind, PolicySetting]]:
    off = {kind: PolicySetting(is_on=False) for kind in OFFERED}
    found: dict[uuid.UUID, dict[PolicyKind, PolicySetting]] = {each: dict(off) for each in ids}
    columns = (Policy.organization_id, Policy.kind, Policy.data)
    on = _of(ids, *columns).where(Policy.is_on, Policy.kind.in_(OFFERED))
    for row in session.execute(on):
        data = read(row.kind, row.data)
        found[row.organization_id][row.kind] = PolicySetting(is_on=True, data=data)
    return found


def _settings(session: Session, ids: Several[uuid.UUID]) -> dict[uuid.UUID, dict[str, bool]]:
    names = tuple(asdict(CollectionSettings()))
    columns = [getattr(OrganizationSettings, name) for name in names]
    return {
        row.organization_id: {name: getattr(row, name) for name in names}
        for row in session.execute(_of(ids, OrganizationSettings.organization_id, *columns))
    }


def _collections(
    session: Session, ids: Several[uuid.UUID]
) -> dict[uuid.UUID, dict[str, uuid.UUID]]:
    found: dict[uuid.UUID, dict[str, uuid.UUID]] = defaultdict(dict)
    columns = (Collection.organization_id, Collection.external_id, Collection.id)
    for row in session.execute(_of(ids, *columns).where(Collection.external_id != "")):
        found[row.organization_id][row.external_id] = row.id
    return found


def _groups(session: Session, ids: Several[uuid.UUID]) -> dict[uuid.UUID, list[PresentGroup]]:
    named: dict[uuid.UUID, dict[str, Level | None]] = defaultdict(dict)
    unnamed: dict[uuid.UUID, dict[uuid.UUID, Level]] = defaultdict(dict)
    for row in session.execute(_levels(ids)):
        if row.external_id:
            named[row.group_id][row.external_id] = row.level
        else:
            unnamed[row.group_id][row.collection_id] = row.level
    columns = (Group.organization_id, Group.id, Group.name, Group.external_id)
    found: dict[uuid.UUID, list[PresentGroup]] = defaultdict(list)
    for row in session.execute(_of(ids, *columns).order_by(Group.id)):
        group = PresentGroup(
            row.name, row.external_id or None, named[row.id], id=row.id, unnamed=unnamed[row.id]
        )
        found[row.organization_id].append(group)
    return found


def _levels(ids: Several[uuid.UUID]) -> Select[Any]:
    columns = (
        CollectionGroup.organization_id,
        CollectionGroup.group_id,
        CollectionGroup.collection_id,
        CollectionGroup.level,
    )
    same = and_(
        Collection.organization_id == CollectionGroup.organization_id,
        Collection.id == CollectionGroup.collection_id,
    )
    return _of(ids, *columns).add_columns(Collection.external_id).join(Collection, same)
