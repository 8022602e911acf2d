"""Nobody widens their own reach by a group, unless their role reaches everything anyway."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import and_, exists, select
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Role
from portal.domain.collection_access import Level, widest
from portal.domain.errors import N_, refuse
from portal.models import GroupMember, Member, OrganizationSettings

NOT_MYSELF = N_(
    "Owners and admins do not reach every collection here, so nobody gives themselves more. Ask "
    "another owner or admin."
)


def check_new_members(
    session: Session, actor: Actor, group: Any, member_ids: Sequence[uuid.UUID]
) -> None:
    """Raise `RuleError` where the actor would come into the group by this."""
    own = _bound(session, actor, group)
    if own is not None and own.id in member_ids and not own.belongs:
        raise refuse(NOT_MYSELF)


def check_levels(
    session: Session,
    actor: Actor,
    group: Any,
    before: Mapping[uuid.UUID, Level],
    after: Mapping[uuid.UUID, Level],
) -> None:
    """Raise `RuleError` where the group of the actor would reach more by this."""
    if not any(_is_wider(before.get(each), level) for each, level in after.items()):
        return
    own = _bound(session, actor, group)
    if own is not None and own.belongs:
        raise refuse(NOT_MYSELF)


def _is_wider(before: Level | None, after: Level) -> bool:
    return before is None or widest((before, after)) is not before


def _bound(session: Session, actor: Actor, group: Any) -> Any:
    """(id, belongs) of the actor's own row; None for whom no group widens anything."""
    if actor.via_provider:
        return None
    here = Member.organization_id == group.organization_id
    narrowed = exists().where(
        OrganizationSettings.organization_id == Member.organization_id,
        OrganizationSettings.admins_reach_all.is_(False),
    )
    reaches_all = and_(Member.role.in_((Role.OWNER, Role.ADMIN)), ~narrowed)
    belongs = exists().where(
        GroupMember.organization_id == Member.organization_id,
        GroupMember.group_id == group.id,
        GroupMember.member_id == Member.id,
    )
    found = select(Member.id, belongs.label("belongs")).where(
        here, Member.account_id == actor.account_id, ~reaches_all
    )
    return session.execute(found).one_or_none()
