"""Reads about an organization's settings: every statement is bound to it."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from portal.models import (
    ApiKey,
    ClaimedDomain,
    Collection,
    Group,
    Member,
    Organization,
    OrganizationDeletion,
    OrganizationSettings,
    Policy,
    Provider,
)


def _of(organization_id: uuid.UUID, *columns: Any) -> Select[Any]:
    """Columns of one table, the first one's: the organization itself, or what belongs to it."""
    table = columns[0].class_
    tenant = table.id if table is Organization else table.organization_id
    return select(*columns).where(tenant == organization_id)


def settings(session: Session, organization_id: uuid.UUID) -> Row[Any]:
    """Everything that the page shows and changes; `provider` is None without one."""
    found = (
        _of(
            organization_id,
            Organization.id,
            Organization.name,
            Organization.billing_email,
            Organization.status,
            Organization.status_before_deletion,
            Organization.delete_at,
            Organization.version,
            Organization.provider_id,
            Organization.plan,
            Organization.seats,
            Organization.seats_used,
            Organization.extra_storage_gb,
            Organization.public_key,
            Organization.created_at,
        )
        .add_columns(
            Provider.name.label("provider"),
            func.coalesce(OrganizationSettings.locale, "").label("locale"),
        )
        .outerjoin(Provider, Provider.id == Organization.provider_id)
        .outerjoin(OrganizationSettings, OrganizationSettings.organization_id == Organization.id)
    )
    return session.execute(found).one()


@dataclass(frozen=True)
class Numbers:
    """How much there is of an organization."""

    members: int
    collections: int
    groups: int
    policies: int
    domains: int


def numbers(session: Session, organization_id: uuid.UUID) -> Numbers:
    """In one statement; `policies` are those that are on."""
    counted = (
        _of(organization_id, Member.id),
        _of(organization_id, Collection.id),
        _of(organization_id, Group.id),
        _of(organization_id, Policy.kind).where(Policy.is_on),
        _of(organization_id, ClaimedDomain.id),
    )
    rows = (each.with_only_columns(func.count()).scalar_subquery() for each in counted)
    return Numbers(*session.execute(select(*rows)).one())


def api_key(session: Session, organization_id: uuid.UUID) -> Row[Any] | None:
    """(id, made_by, made_at, last_used_at) of the key of the API, if there is one."""
    columns = ApiKey.id, ApiKey.made_by, ApiKey.made_at, ApiKey.last_used_at
    return session.execute(_of(organization_id, *columns)).one_or_none()


_DELETION = (
    OrganizationDeletion.id,
    OrganizationDeletion.account_id,
    OrganizationDeletion.asked_by,
    OrganizationDeletion.asked_at,
    OrganizationDeletion.expires_at,
)


def open_deletion(
    session: Session, organization_id: uuid.UUID, now: dt.datetime
) -> Row[Any] | None:
    """(id, account_id, asked_by, asked_at, expires_at) of a mailed link that still opens."""
    found = _of(organization_id, *_DELETION).where(
        OrganizationDeletion.used_at.is_(None), OrganizationDeletion.expires_at > now
    )
    return session.execute(found).one_or_none()


def closed_by_owner(session: Session, organization_id: uuid.UUID) -> bool:
    """Whether an owner used such a link, so that an owner may take it back."""
    found = _of(organization_id, OrganizationDeletion.id)
    used = found.where(OrganizationDeletion.used_at.is_not(None))
    return session.scalar(used) is not None
