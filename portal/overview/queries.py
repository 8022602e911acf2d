"""Counts about a provider's clients. Each starts from `_of(scope)`: only clients in it count."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, String, case, func, literal, or_, type_coerce, union_all
from sqlalchemy import select as _select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.attention import STUCK
from portal.domain.expiries import ENDING
from portal.models import Attention, Organization
from portal.models.reach import reached


def _of(scope: Scope, *columns: Any) -> Select[Any]:
    found = (
        _select(*columns)
        .select_from(Organization)
        .where(Organization.provider_id == scope.provider_id)
    )
    if scope.person_id is None:
        return found
    return found.where(reached(scope.provider_id, scope.person_id, Organization.id))


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
    session: Session, scope: Scope, *, own_people: bool, now: dt.datetime, until: dt.datetime
) -> tuple[dict[str, int], int]:
    """How many wait, by kind, and how many things of the radar end from now until then.

    `own_people`: with what concerns the provider's own people.
    """
    stuck = _waits(scope, own_people, type_coerce(Attention.kind, String).label("kind"))
    ends = _waits(scope, own_people, literal("").label("kind"))
    found = session.execute(
        union_all(
            stuck.add_columns(func.count()).where(Attention.kind.in_(STUCK)).group_by("kind"),
            ends.add_columns(func.count()).where(
                Attention.kind.in_(ENDING), Attention.due_at >= now, Attention.due_at < until
            ),
        )
    )
    by_kind = {kind: int(number) for kind, number in found}
    ending = by_kind.pop("", 0)
    return by_kind, ending


def _waits(scope: Scope, own_people: bool, *columns: Any) -> Select[Any]:  # noqa: FBT001
    found = _select(*columns).where(Attention.provider_id == scope.provider_id)
    if scope.person_id is not None:
        theirs = reached(scope.provider_id, scope.person_id, Attention.organization_id)
        own = Attention.organization_id.is_(None) if own_people else literal(value=False)
        return found.where(or_(theirs, own))
    if own_people:
        return found
    return found.where(Attention.organization_id.is_not(None))
