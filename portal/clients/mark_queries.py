"""Reads of tags and saved views. Each starts from one of the `_of` functions."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    CompoundSelect,
    Select,
    Uuid,
    and_,
    bindparam,
    func,
    literal,
    null,
    or_,
    union_all,
)
from sqlalchemy import select as _select
from sqlalchemy.orm import Session

from portal.clients.listing import Listing
from portal.domain.access import Scope
from portal.models import Account, OrganizationTag, SavedView, Tag
from portal.models.reach import within


class TagShown(NamedTuple):
    """A tag as a table shows it; `colour` is the number of its tone class."""

    id: uuid.UUID
    name: str
    colour: int


class ViewShown(NamedTuple):
    """A saved view as a link; `query` is the query string that it stands for."""

    id: uuid.UUID
    name: str
    query: str


@dataclass(frozen=True)
class Marks:
    """A provider's tags by id, and the saved views that one person sees; each by name."""

    tags: Mapping[uuid.UUID, TagShown] = field(default_factory=dict)
    views: tuple[ViewShown, ...] = ()

    def known(self, listing: Listing) -> Listing:
        """`listing` without a tag that is not the provider's (any more)."""
        if listing.tag is None or listing.tag in self.tags:
            return listing
        return replace(listing, tag=None)


Id = uuid.UUID | BindParameter[uuid.UUID]


def _of(provider_id: Id, *columns: Any) -> Select[Any]:
    return _select(*columns).select_from(Tag).where(Tag.provider_id == provider_id)


def _views_of(provider_id: Id, account_id: Id, *columns: Any) -> Select[Any]:
    """The person's own views, and those that are shared."""
    return (
        _select(*columns)
        .select_from(SavedView)
        .where(
            SavedView.provider_id == provider_id,
            or_(SavedView.account_id == account_id, SavedView.is_shared.is_(True)),
        )
    )


@cache
def _both() -> CompoundSelect[Any]:
    """Built once: every look at the Clients table asks it."""
    provider_id = bindparam("provider_id", type_=Uuid())
    account_id = bindparam("account_id", type_=Uuid())
    return union_all(
        _of(provider_id, Tag.id, Tag.name, Tag.name_ci, Tag.colour, null().label("query")),
        _views_of(
            provider_id,
            account_id,
            SavedView.id,
            SavedView.name,
            SavedView.name_ci,
            literal(0),
            SavedView.query,
        ),
    ).order_by("name_ci", "id")


def marks(session: Session, provider_id: uuid.UUID, account_id: uuid.UUID) -> Marks:
    """Everything that the Clients table needs besides its rows, in one statement."""
    who = {"provider_id": provider_id, "account_id": account_id}
    rows = session.execute(_both(), who).all()
    return Marks(
        {row.id: TagShown(row.id, row.name, row.colour) for row in rows if row.colour},
        tuple(ViewShown(row.id, row.name, row.query) for row in rows if not row.colour),
    )


def tags(session: Session, scope: Scope) -> Sequence[Any]:
    """(id, name, name_ci, colour, clients) of every tag, by name.

    `clients` counts those of the scope that have it.
    """
    borne = and_(OrganizationTag.provider_id == Tag.provider_id, OrganizationTag.tag_id == Tag.id)
    borne = and_(borne, *within(scope, OrganizationTag.organization_id))
    counted = (
        _of(
            scope.provider_id,
            Tag.id,
            Tag.name,
            Tag.name_ci,
            Tag.colour,
            func.count(OrganizationTag.organization_id).label("clients"),
        )
        .outerjoin(OrganizationTag, borne)
        .group_by(Tag.id, Tag.name, Tag.name_ci, Tag.colour)
        .order_by(Tag.name_ci, Tag.id)
    )
    return session.execute(counted).all()


def view(
    session: Session, provider_id: uuid.UUID, account_id: uuid.UUID, view_id: uuid.UUID
) -> Any:
    """One saved view that the person may see; None for any other."""
    return next(iter(views(session, provider_id, account_id, view_id)), None)


def views(
    session: Session,
    provider_id: uuid.UUID,
    account_id: uuid.UUID,
    only: uuid.UUID | None = None,
) -> Sequence[Any]:
    """(id, name, query, is_shared, account_id, owner) of what the person sees, by name."""
    found = _views_of(
        provider_id,
        account_id,
        SavedView.id,
        SavedView.name,
        SavedView.query,
        SavedView.is_shared,
        SavedView.account_id,
        Account.name.label("owner"),
    ).join(Account, Account.id == SavedView.account_id)
    if only:
        found = found.where(SavedView.id == only)
    return session.execute(found.order_by(SavedView.name_ci, SavedView.id)).all()
