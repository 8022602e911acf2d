"""Reads about an organization's collections: every statement is bound to it."""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from portal.collections.access import effective, managed
from portal.domain.collection_rules import CollectionSettings
from portal.domain.searching import ESCAPE, contains
from portal.domain.states import MemberState
from portal.models import (
    Account,
    Collection,
    CollectionGroup,
    CollectionMember,
    Group,
    Member,
    Organization,
    OrganizationSettings,
)

# More than that is no list that a browser opens and sorts.
LIMIT = 2000
HOLDERS = 50
CANDIDATES = 25


def _of(organization_id: uuid.UUID, *columns: Any) -> Select[Any]:
    """Columns of one table, the first one's, of one organization."""
    return select(*columns).where(columns[0].class_.organization_id == organization_id)


def settings(session: Session, organization_id: uuid.UUID) -> tuple[CollectionSettings, int]:
    """What holds for collections, and the version of that row; 0 where the defaults hold."""
    row = session.execute(
        _of(
            organization_id,
            OrganizationSettings.limits_collection_creation,
            OrganizationSettings.limits_collection_deletion,
            OrganizationSettings.limits_item_deletion,
            OrganizationSettings.admins_reach_all,
            OrganizationSettings.version,
        )
    ).one_or_none()
    if row is None:
        return CollectionSettings(), 0
    return CollectionSettings(*row[:4]), row.version


_COLUMNS = (
    Collection.organization_id,
    Collection.id,
    Collection.sealed_name,
    Collection.external_id,
    Collection.version,
)


def _listed(organization_id: uuid.UUID, account_id: uuid.UUID) -> Select[Any]:
    """Each with its groups, whether somebody manages it, and what the asker is given in it."""
    own = effective(organization_id, Member.account_id == account_id)
    groups = (
        _of(organization_id, CollectionGroup.collection_id)
        .add_columns(func.count().label("number"), func.min(Group.name).label("first"))
        .join(
            Group,
            and_(
                Group.organization_id == CollectionGroup.organization_id,
                Group.id == CollectionGroup.group_id,
            ),
        )
        .group_by(CollectionGroup.collection_id)
        .subquery("given_groups")
    )
    return (
        _of(organization_id, *_COLUMNS)
        .add_columns(
            func.coalesce(groups.c.number, 0).label("groups"),
            groups.c.first.label("first_group"),
            Collection.id.in_(managed(organization_id)).label("is_managed"),
            own.level.label("level"),
            own.is_direct.label("is_direct"),
        )
        .outerjoin(groups, groups.c.collection_id == Collection.id)
        .outerjoin(own.rows, own.collection_id == Collection.id)
    )


def listed(
    session: Session, organization_id: uuid.UUID, account_id: uuid.UUID, *, everything: bool
) -> Sequence[Row[Any]]:
    """In the order in which they were made: all, or those that the asker was given.

    One more than LIMIT says that there are more.
    """
    found = _listed(organization_id, account_id)
    if not everything:
        own = effective(organization_id, Member.account_id == account_id)
        found = found.where(Collection.id.in_(select(own.collection_id)))
    return session.execute(found.order_by(Collection.id).limit(LIMIT + 1)).all()


def chosen(
    session: Session,
    organization_id: uuid.UUID,
    account_id: uuid.UUID,
    ids: Sequence[uuid.UUID],
) -> Sequence[Row[Any]]:
    """Those of `ids` that there are, as `listed` has them, with how many members they name."""
    named = (
        select(func.count())
        .select_from(CollectionMember)
        .where(
            CollectionMember.organization_id == Collection.organization_id,
            CollectionMember.collection_id == Collection.id,
        )
        .correlate(Collection)
        .scalar_subquery()
    )
    found = _listed(organization_id, account_id).add_columns(named.label("members"))
    return session.execute(found.where(Collection.id.in_(ids)).order_by(Collection.id)).all()


def find(
    session: Session, organization_id: uuid.UUID, account_id: uuid.UUID, one: uuid.UUID
) -> Row[Any] | None:
    """One collection as `chosen` has it."""
    return next(iter(chosen(session, organization_id, account_id, [one])), None)


def has_keys(session: Session, organization_id: uuid.UUID) -> bool:
    """Whether names can be sealed: whether the organization has keys."""
    found = select(Organization.public_key).where(Organization.id == organization_id)
    return session.execute(found).scalar_one() is not None


def count(session: Session, organization_id: uuid.UUID) -> int:
    """How many collections there are."""
    found = _of(organization_id, Collection.id).with_only_columns(func.count())
    return session.execute(found).scalar_one()


def orphans(session: Session, organization_id: uuid.UUID) -> int:
    """How many collections no confirmed member manages."""
    found = _of(organization_id, Collection.id).where(
        Collection.id.not_in(managed(organization_id))
    )
    return session.execute(found.with_only_columns(func.count())).scalar_one()


_PERSON = (Member.id, Member.email, Member.state, Member.account_id)


def _members(organization_id: uuid.UUID) -> Select[Any]:
    return (
        _of(organization_id, *_PERSON)
        .add_columns(Account.name)
        .outerjoin(Account, Account.id == Member.account_id)
    )


def _assigned(table: Any, holder: Any, key: Any, collection_id: uuid.UUID) -> ColumnElement[bool]:
    return and_(
        table.organization_id == holder.organization_id,
        table.collection_id == collection_id,
        key == holder.id,
    )


def holders(
    session: Session, organization_id: uuid.UUID, collection_id: uuid.UUID, after: uuid.UUID | None
) -> tuple[Sequence[Row[Any]], Sequence[Row[Any]]]:
    """The groups and the members who are assigned, with their level; each HOLDERS and one more.

    `after` is the member after which the list goes on: then groups are left out.
    """
    groups = (
        _of(organization_id, Group.id, Group.name)
        .add_columns(CollectionGroup.level)
        .join(
            CollectionGroup,
            _assigned(CollectionGroup, Group, CollectionGroup.group_id, collection_id),
        )
        .order_by(Group.name_ci, Group.id)
    )
    members = (
        _members(organization_id)
        .add_columns(CollectionMember.level)
        .join(
            CollectionMember,
            _assigned(CollectionMember, Member, CollectionMember.member_id, collection_id),
        )
        .order_by(Member.id)
        .limit(HOLDERS + 1)
    )
    if after is None:
        return session.execute(groups).all(), session.execute(members).all()
    return [], session.execute(members.where(Member.id > after)).all()


def candidates(
    session: Session, organization_id: uuid.UUID, collection_id: uuid.UUID | None, words: str
) -> tuple[Sequence[Row[Any]], Sequence[Row[Any]]]:
    """Groups and members who match and are not assigned yet, at most CANDIDATES of each.

    Without a collection, all of them may be. Who is revoked is not offered.
    """
    groups = _of(organization_id, Group.id, Group.name).order_by(Group.name_ci, Group.id)
    members = _members(organization_id).where(Member.state != MemberState.REVOKED)
    if collection_id is not None:
        given = _of(organization_id, CollectionGroup.group_id)
        named = _of(organization_id, CollectionMember.member_id)
        groups = groups.where(
            Group.id.not_in(given.where(CollectionGroup.collection_id == collection_id))
        )
        members = members.where(
            Member.id.not_in(named.where(CollectionMember.collection_id == collection_id))
        )
    if words:
        like = contains(words)
        groups = groups.where(Group.name_ci.like(like, escape=ESCAPE))
        members = members.where(
            or_(
                Member.email.like(like, escape=ESCAPE),
                func.lower(Account.name).like(like, escape=ESCAPE),
            )
        )
    found = session.execute(groups.limit(CANDIDATES)).all()
    return found, session.execute(members.order_by(Member.id).limit(CANDIDATES)).all()
