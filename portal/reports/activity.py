"""Signing in, of the confirmed members of one organization: by day, and who has not for long.

The facts are the members' own logs of signing in. Only what happened since somebody accepted
their place is looked at, and only on which day: where from and with what is theirs alone.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, case, func, select
from sqlalchemy.orm import Session

from portal.domain.states import MemberState
from portal.logbook.queries import id_at
from portal.models import Account, Event, Member

SIGNED_IN = "account:session:begin"
PAGE_SIZE = 50


def _of(organization_id: uuid.UUID, *columns: Any) -> Select[Any]:
    here = (Member.organization_id == organization_id, Member.state == MemberState.CONFIRMED)
    return select(*columns).select_from(Member).where(*here)


def _is_theirs() -> ColumnElement[bool]:
    """A sign-in of the member's account, since they belong to the organization."""
    return and_(
        Event.stream_id == Member.account_id,
        Event.type == SIGNED_IN,
        Event.at >= func.coalesce(Member.accepted_at, Member.created_at),
    )


def by_time(
    session: Session, organization_id: uuid.UUID, bounds: Sequence[dt.datetime]
) -> dict[int, tuple[int, int]]:
    """{place: (sign-ins, members who signed in)} between one bound and the next."""
    places = [(Event.at < bound, place) for place, bound in enumerate(bounds[1:])]
    each = (
        _of(organization_id, Event.stream_id, case(*places, else_=-1).label("place"))
        .join(Event, _is_theirs())
        .where(Event.id >= id_at(bounds[0]), Event.at >= bounds[0])
        .subquery()
    )
    counted = select(each.c.place, func.count(), func.count(each.c.stream_id.distinct())).group_by(
        each.c.place
    )
    return {place: (sign_ins, people) for place, sign_ins, people in session.execute(counted)}


def _is_quiet(since: dt.datetime) -> ColumnElement[bool]:
    """Belongs to the organization since before then, and has not signed in after it."""
    came = func.coalesce(Member.accepted_at, Member.created_at)
    signed_in = select(Event.id).where(_is_theirs(), Event.id >= id_at(since)).correlate(Member)
    return and_(came < since, ~signed_in.exists())


@dataclass(frozen=True)
class Numbers:
    """Confirmed members, those with a second factor, and those quiet since each moment."""

    members: int
    second_factor: int
    quiet: tuple[int, ...]


def numbers(session: Session, organization_id: uuid.UUID, since: Sequence[dt.datetime]) -> Numbers:
    """In one statement."""
    sums = [
        func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
        for condition in (
            Account.totp_secret.is_not(None),
            *(_is_quiet(moment) for moment in since),
        )
    ]
    found = _of(organization_id, func.count(Member.id), *sums)
    members, second_factor, *quiet = session.execute(
        found.join(Account, Account.id == Member.account_id)
    ).one()
    return Numbers(members, second_factor, tuple(quiet))


def quiet(
    session: Session,
    organization_id: uuid.UUID,
    since: dt.datetime,
    after: uuid.UUID | None,
    size: int | None = PAGE_SIZE,
) -> Sequence[Row[Any]]:
    """Members who have not signed in since then, one more than `size`; all without a `size`.

    In the order in which they were invited, after the member `after`; `last_at` is when they
    signed in before, None for not since they joined.
    """
    last = (
        select(Event.at)
        .where(_is_theirs())
        .order_by(Event.id.desc())
        .limit(1)
        .correlate(Member)
        .scalar_subquery()
    )
    found = (
        _of(organization_id, Member.id, Member.email, Member.role, Member.accepted_at)
        .add_columns(
            Account.name,
            Account.totp_secret.is_not(None).label("has_second_factor"),
            last.label("last_at"),
        )
        .join(Account, Account.id == Member.account_id)
        .where(_is_quiet(since))
        .order_by(Member.id)
    )
    if after is not None:
        found = found.where(Member.id > after)
    return session.execute(found.limit(size + 1) if size else found).all()
