"""Reads of who is stuck. Each starts from `providers.stuck`, so none can lose tenant or scope."""

import datetime as dt
import uuid
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import Select, and_
from sqlalchemy.orm import Session, aliased

from portal.clients.stuck_listing import PAGE_SIZE, SORT, StuckListing
from portal.domain.access import Actor
from portal.domain.attention import AttentionKind
from portal.domain.names import name_ci
from portal.domain.paging import Cursor, Page, page_of
from portal.domain.searching import ESCAPE, contains
from portal.models import Account, Attention, ClientAccess, Member, Organization, utc_now
from portal.models.keyset import seek
from portal.providers.stuck import stuck

_SHOWN = (
    Attention.id,
    Attention.kind,
    Attention.subject_id,
    Attention.organization_id,
    Attention.label,
    Attention.reason,
    Attention.since,
    Attention.due_at,
    Organization.name.label("client"),
    Organization.status,
    Member.state,
    Member.role,
)
_MEMBER = and_(
    Member.organization_id == Attention.organization_id, Member.id == Attention.subject_id
)


def _of(actor: Actor, listing: StuckListing, *more: Any) -> Select[Any]:
    found = stuck(actor, *_SHOWN, *more).outerjoin(Member, _MEMBER)
    if listing.kind:
        found = found.where(Attention.kind == listing.kind)
    before = listing.before(utc_now())
    if before:
        found = found.where(Attention.since <= before)
    if listing.search and name_ci(listing.search):
        words = contains(listing.search)
        found = found.where(Organization.name_ci.like(words, escape=ESCAPE))
    return found


def page(session: Session, actor: Actor, listing: StuckListing, cursor: Cursor | None) -> Page[Any]:
    """One page of the list, in one statement."""
    return page_of(
        _read(session, actor, listing, cursor, PAGE_SIZE),
        size=PAGE_SIZE,
        sort=SORT,
        descending=listing.youngest_first,
        cursor=cursor,
        place=lambda row: (row.since.isoformat(), row.id),
    )


def everybody(
    session: Session, actor: Actor, listing: StuckListing, *, batch: int = 500
) -> Iterator[Any]:
    """All that the filters leave, in the order of the list, read `batch` at a time."""
    cursor: Cursor | None = None
    while True:
        rows = _read(session, actor, listing, cursor, batch - 1)
        yield from rows
        if len(rows) < batch:
            return
        last = rows[-1]
        cursor = Cursor(SORT, listing.youngest_first, last.since.isoformat(), last.id)


def _read(
    session: Session, actor: Actor, listing: StuckListing, cursor: Cursor | None, size: int
) -> Sequence[Any]:
    # Walking back through a list that runs up is walking on through one that runs down.
    downwards = listing.youngest_first != (cursor is not None and cursor.backwards)
    statement = seek(
        _of(actor, listing),
        Attention.since,
        Attention.id,
        downwards=downwards,
        beside=cursor is not None,
    )
    values: dict[str, Any] = {"rows": size + 1}
    if cursor:
        beside = dt.datetime.fromisoformat(str(cursor.value))
        values |= {"beside": beside, "beside_id": cursor.id}
    return session.execute(statement, values).all()


def chosen(
    session: Session,
    actor: Actor,
    listing: StuckListing,
    ids: Collection[uuid.UUID] | None,
    kinds: Collection[AttentionKind],
    *,
    limit: int,
) -> Sequence[Any]:
    """The oldest of those kinds that `listing` leaves, or (with ids of subjects) of those alone."""
    found = _of(actor, listing if ids is None else StuckListing())
    found = found.where(Attention.kind.in_(kinds))
    if ids is not None:
        found = found.where(Attention.subject_id.in_(list(ids)[:limit]))
    return session.execute(found.order_by(Attention.since, Attention.id).limit(limit)).all()


def lately_mailed(
    session: Session, actor: Actor, emails: Collection[str], after: dt.datetime
) -> set[str]:
    """Those of the addresses to which an invitation by the provider left that lately.

    `after` is the end of an invitation's link that is as old as it may be.
    """
    found = stuck(actor, Member.email).join(Member, _MEMBER)
    sent = found.where(Member.email.in_(emails), Member.invitation_expires_at > after)
    return set(session.scalars(sent))


def to_confirm(
    session: Session,
    actor: Actor,
    listing: StuckListing,
    ids: Collection[uuid.UUID] | None,
    *,
    limit: int,
) -> Sequence[Any]:
    """Members of clients who have accepted, the oldest first, with their keys and the client's.

    `own_key` is the client's key as the actor has it whose scope is limited.
    """
    own = aliased(ClientAccess)
    is_own = and_(
        own.provider_id == Attention.provider_id,
        own.person_id == actor.scope.person_id,
        own.organization_id == Attention.organization_id,
        own.until_at.is_(None),
    )
    found = (
        _of(
            actor,
            listing if ids is None else StuckListing(),
            Member.account_id,
            Account.name,
            Account.public_key,
            Organization.protected_private_key,
            Organization.provider_wrapped_key,
            own.wrapped_key.label("own_key"),
        )
        .join(Account, Account.id == Member.account_id)
        .outerjoin(own, is_own)
        .where(Attention.kind == AttentionKind.ACCEPTED, Organization.id.is_not(None))
    )
    if ids is not None:
        found = found.where(Attention.subject_id.in_(list(ids)[:limit]))
    return session.execute(found.order_by(Attention.since, Attention.id).limit(limit)).all()
