"""Several people are invited at once: all of them who are new, or nobody for want of seats."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Role
from portal.domain.collection_access import Level
from portal.domain.custom_roles import Custom, completed
from portal.domain.membership import Manager, check_role
from portal.domain.price_list import PriceList
from portal.members import assignments, changes, growing, service
from portal.models import CollectionMember, GroupMember, Member


@dataclass(frozen=True)
class Given:
    """What everybody who is invited at once is given."""

    role: Role
    permissions: Collection[Custom] = ()
    groups: Collection[uuid.UUID] = ()
    levels: Mapping[uuid.UUID, Level] = field(default_factory=dict)
    locale: str = "en"


def invite(
    session: Session,
    actor: Actor,
    organization_id: uuid.UUID,
    emails: Sequence[str],
    given: Given,
    *,
    by: Manager,
    prices: PriceList,
    agreed: str | None,
) -> dict[str, bool]:
    """Invite each address (in its stored form); False for one that is here already.

    `RuleError` where `by` cannot give that role, or there is no room for all who are new, as
    `growing.make_room` says it of `prices` and `agreed`; the caller rolls back then. Groups and
    collections that there are not are left out.
    """
    held = changes.hold(session, organization_id)
    parts = completed(given.permissions) if given.role is Role.CUSTOM else frozenset()
    check_role(given.role, parts, held.plan, by)
    here = _here(session, organization_id, emails)
    new = [email for email in emails if email not in here]
    if new:
        growing.make_room(session, actor, organization_id, len(new), prices, agreed=agreed)
        service.take_seat(session, organization_id, len(new))
    wanted = sorted(part.value for part in parts)
    members = [
        service.invite(
            session,
            actor,
            organization_id=organization_id,
            email=email,
            role=given.role,
            locale=given.locale,
            permissions=wanted,
            seat_is_taken=True,
        ).id
        for email in new
    ]
    if members:
        assign(session, organization_id, dict.fromkeys(members, given))
    return {email: email not in here for email in emails}


def newcomers(session: Session, organization_id: uuid.UUID, emails: Sequence[str]) -> list[str]:
    """Those of the addresses (stored forms) that are not here yet, and so take a seat."""
    here = _here(session, organization_id, emails)
    return [email for email in emails if email not in here]


def _here(session: Session, organization_id: uuid.UUID, emails: Sequence[str]) -> frozenset[str]:
    found = select(Member.email).where(
        Member.organization_id == organization_id, Member.email.in_(emails)
    )
    return frozenset(session.scalars(found))


def assign(session: Session, organization_id: uuid.UUID, given: Mapping[uuid.UUID, Given]) -> None:
    """Give each member what is theirs; groups and collections that there are not are left out."""
    place = {"organization_id": organization_id}
    groups = {row.id for row in assignments.groups(session, organization_id, None)}
    inside = [
        {**place, "member_id": member, "group_id": group}
        for member, each in given.items()
        for group in sorted(groups & set(each.groups))
    ]
    if inside:
        session.execute(insert(GroupMember), inside)
    known = {row.id for row in assignments.collections(session, organization_id, None)}
    reached = [
        {**place, "member_id": member, "collection_id": each, "level": theirs.levels[each]}
        for member, theirs in given.items()
        # An owner manages every collection from the start.
        if theirs.role is not Role.OWNER
        for each in sorted(known & set(theirs.levels))
    ]
    if reached:
        session.execute(insert(CollectionMember), reached)
