"""Counts about a provider's clients. Each starts from `_of(scope)`: only clients in it count."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, String, and_, case, func, literal, or_, type_coerce
from sqlalchemy import select as _select
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Permission, Scope
from portal.domain.attention import STUCK
from portal.domain.expiries import ENDING
from portal.models import Attention, Organization
from portal.models.grants import opens_to
from portal.models.reach import within
from portal.providers.stuck import stuck


def _of(scope: Scope, *columns: Any) -> Select[Any]:
    found = (
        _select(*columns)
        .select_from(Organization)
        .where(Organization.provider_id == scope.provider_id)
    )
    return found.where(*within(scope, Organization.id))


def counts(
    session: Session, scope: Scope, *, since: dt.datetime, months: Sequence[dt.datetime]
) -> Sequence[Any]:
    """All clients in groups of those alike, in one pass over the provider's index range.

    Rows have `status`, `plan`, `setup_open`, `owner`, `has_keys`, `month` (the place of the first
    of `months` before which the provider had the client, or their number) and sums: `clients`,
    `seats`, `used`, `full` (without a seat left) and `fresh` (had since `since`).
    """
    had = func.coalesce(Organization.provider_since, Organization.created_at)
    places = [(had < bound, place) for place, bound in enumerate(months)]
    # The groups are columns of a subquery: PostgreSQL takes two parameters of one value for two.
    each = _of(
        scope,
        type_coerce(Organization.status, String).label("status"),
        type_coerce(Organization.plan, String).label("plan"),
        Organization.setup_open,
        Organization.owner_confirmed.label("owner"),
        Organization.public_key.is_not(None).label("has_keys"),
        case(*places, else_=len(months)).label("month"),
        Organization.seats,
        Organization.seats_used,
        case((Organization.seats_remaining == 0, 1), else_=0).label("full"),
        case((had >= since, 1), else_=0).label("fresh"),
    ).subquery()
    of = each.c
    groups = (of.status, of.plan, of.setup_open, of.owner, of.has_keys, of.month)
    found = _select(
        *groups,
        func.count().label("clients"),
        func.sum(of.seats).label("seats"),
        func.sum(of.seats_used).label("used"),
        func.sum(of.full).label("full"),
        func.sum(of.fresh).label("fresh"),
    ).group_by(*groups)
    return session.connection().execute(found).all()


def waiting(
    session: Session, actor: Actor, *, now: dt.datetime, until: dt.datetime
) -> tuple[int, int]:
    """How many are stuck, as their own page counts them, and how many things end until then.

    Both with what concerns the provider's own people for whoever may see those.
    """
    waits = stuck(actor, func.count()).scalar_subquery()
    ends = _waits(actor.scope, actor.can(Permission.PROVIDER_PEOPLE_READ), func.count()).where(
        Attention.kind.in_(ENDING), Attention.due_at >= now, Attention.due_at < until
    )
    found = session.execute(_select(waits, ends.scalar_subquery())).one()
    return found[0], found[1]


def _waits(scope: Scope, own_people: bool, *columns: Any) -> Select[Any]:  # noqa: FBT001
    told = or_(
        Attention.organization_id.is_(None),
        Attention.kind.not_in(STUCK),
        opens_to(None, Attention.organization_id),
    )
    found = _select(*columns).where(Attention.provider_id == scope.provider_id, told)
    if not scope.is_whole:
        theirs = and_(
            Attention.organization_id.is_not(None), *within(scope, Attention.organization_id)
        )
        own = Attention.organization_id.is_(None) if own_people else literal(value=False)
        return found.where(or_(theirs, own))
    if own_people:
        return found
    return found.where(Attention.organization_id.is_not(None))
