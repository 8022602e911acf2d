"""Reads about one organization: every statement is bound to its id."""

import uuid
from typing import Any

from sqlalchemy import Select, func
from sqlalchemy import select as _select
from sqlalchemy.orm import InstrumentedAttribute, Session

from portal.domain.plans import Plan
from portal.domain.setup_steps import SetupFacts
from portal.domain.states import MemberState
from portal.models import Collection, Member, Organization


def _of(organization_id: uuid.UUID, *columns: InstrumentedAttribute[Any]) -> Select[Any]:
    """Columns of one table, the first one's, for one organization."""
    table = columns[0].class_
    tenant = table.id if table is Organization else table.organization_id
    return _select(*columns).where(tenant == organization_id)


def setup_facts(session: Session, organization_id: uuid.UUID) -> tuple[Plan, SetupFacts] | None:
    """The plan and what exists so far, in one statement; None for an unknown id."""
    confirmed = _of(organization_id, Member.id).where(Member.state == MemberState.CONFIRMED)
    row = session.execute(
        _of(organization_id, Organization.plan).add_columns(
            _count(_of(organization_id, Collection.id)), _count(confirmed)
        )
    ).one_or_none()
    if row is None:
        return None
    plan, collections, members = row
    return plan, SetupFacts(collections=collections, confirmed_members=members)


def _count(found: Select[Any]) -> Any:
    return found.with_only_columns(func.count()).scalar_subquery()
