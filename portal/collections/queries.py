"""Reads about an organization's collections."""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, and_, func, select
from sqlalchemy.orm import Session

from portal.models import Collection, CollectionMember, Member


def _of(organization_id: uuid.UUID, *columns: Any) -> Select[Any]:
    return select(*columns).where(Collection.organization_id == organization_id)


def listed(
    session: Session, organization_id: uuid.UUID, account_id: uuid.UUID | None = None
) -> Sequence[Row[Any]]:
    """`id`, `sealed_name`, `members` (how many reach it) and `level` of each, the oldest first.

    `level` is what the member with `account_id` may do there, None for nothing of their own.
    """
    own = and_(Member.account_id == account_id, CollectionMember.member_id == Member.id)
    found = (
        _of(organization_id, Collection.id, Collection.sealed_name)
        .add_columns(
            func.count(CollectionMember.member_id).label("members"),
            func.max(CollectionMember.level).filter(own).label("level"),
        )
        .outerjoin(
            CollectionMember,
            and_(
                CollectionMember.organization_id == Collection.organization_id,
                CollectionMember.collection_id == Collection.id,
            ),
        )
        .outerjoin(
            Member,
            and_(
                Member.organization_id == CollectionMember.organization_id,
                Member.id == CollectionMember.member_id,
            ),
        )
        .group_by(Collection.id, Collection.sealed_name)
        .order_by(Collection.id)
    )
    return session.execute(found).all()
