"""Reads about subscriptions and their changes. Each starts from `_of(scope)`."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.models import Organization, Subscription, SubscriptionChange, SubscriptionLine
from portal.models.reach import within


def _of(scope: Scope, ids: Collection[uuid.UUID], *columns: Any) -> Select[Any]:
    found = (
        select(*columns)
        .select_from(Organization)
        .where(Organization.provider_id == scope.provider_id, Organization.id.in_(ids))
    )
    return found.where(*within(scope, Organization.id))


def pending(session: Session, scope: Scope, ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, int]:
    """Cents that changes left for the invoice at the end of each stored period; else zero."""
    left = (
        _of(scope, ids, Organization.id, func.sum(SubscriptionChange.adjustment_cents))
        .join(Subscription, Subscription.organization_id == Organization.id)
        .join(SubscriptionChange, SubscriptionChange.organization_id == Organization.id)
        .where(SubscriptionChange.invoice_on == Subscription.period_end)
        .group_by(Organization.id)
    )
    found = {organization_id: int(cents) for organization_id, cents in session.execute(left)}
    return defaultdict(int, found)


def lines(
    session: Session, scope: Scope, ids: Collection[uuid.UUID]
) -> Mapping[uuid.UUID, Sequence[Any]]:
    """The priced lines of each client's subscription, seats first; none where there are none."""
    found = (
        _of(
            scope,
            ids,
            Organization.id,
            SubscriptionLine.kind,
            SubscriptionLine.price_list_version,
            SubscriptionLine.unit_cents,
            SubscriptionLine.quantity,
            SubscriptionLine.months,
            SubscriptionLine.period_start,
            SubscriptionLine.period_end,
        )
        .join(SubscriptionLine, SubscriptionLine.organization_id == Organization.id)
        .order_by(SubscriptionLine.kind, SubscriptionLine.id)
    )
    by_client: dict[uuid.UUID, list[Any]] = defaultdict(list)
    for line in session.execute(found):
        by_client[line.id].append(line)
    return by_client


def changes(session: Session, scope: Scope, organization_id: uuid.UUID) -> Sequence[Any]:
    """The newest ten changes of a client's subscription, the newest first."""
    found = _of(
        scope,
        [organization_id],
        SubscriptionChange.changed_on,
        SubscriptionChange.invoice_on,
        SubscriptionChange.adjustment_cents,
        SubscriptionChange.currency,
        SubscriptionChange.before,
        SubscriptionChange.after,
    ).join(SubscriptionChange, SubscriptionChange.organization_id == Organization.id)
    return session.execute(found.order_by(SubscriptionChange.id.desc()).limit(10)).all()
