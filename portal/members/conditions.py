"""What a member must meet to come in: asked at accepting, confirming and restoring.

The list is filled by create_app: the policies of organizations come after members in the order of
areas.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.domain.access import Role
from portal.domain.errors import RuleError
from portal.models import Account, Organization


class Step(StrEnum):
    """Where somebody stands at the door."""

    ACCEPT = "accept"
    CONFIRM = "confirm"
    RESTORE = "restore"


@dataclass(frozen=True)
class Coming:
    """Who wants in, and where. `account_id` is None for an address that has no account yet."""

    organization_id: uuid.UUID
    organization_name: str
    account_id: uuid.UUID | None
    email: str
    role: Role

    @classmethod
    def of(cls, member: Any) -> "Coming":
        """From a row of `members.queries.find`."""
        return cls(
            member.organization_id,
            member.organization_name,
            member.account_id,
            member.email,
            member.role,
        )


class Obstacle(RuleError):
    """Somebody cannot come in as things are. `remedy` says what would help: see `Remedy`."""

    def __init__(self, message: Any, remedy: "Remedy") -> None:
        super().__init__(message)
        self.remedy = remedy


class Remedy(StrEnum):
    """What a person can do about an obstacle."""

    SECOND_FACTOR = "second_factor"
    LEAVE = "leave"


def needs_second_factor(error: RuleError) -> bool:
    """Whether a second factor is all that is missing."""
    return isinstance(error, Obstacle) and error.remedy is Remedy.SECOND_FACTOR


# Each raises `Obstacle`; who calls them has locked the organization's row.
CHECKS: list[Callable[[Session, Coming, Step], None]] = []


def check(session: Session, coming: Coming, step: Step) -> None:
    """Raise `Obstacle` for the first thing that keeps them out."""
    for each in CHECKS:
        each(session, coming, step)


def let_in(session: Session, coming: Coming, step: Step) -> None:
    """`check` for a write: the account is locked, so that nobody joins two places at once."""
    if coming.account_id is not None:
        locked = select(Account.id).where(Account.id == coming.account_id)
        session.execute(locked.with_for_update(key_share=True)).all()
    check(session, coming, step)


def obstacle(session: Session, coming: Coming, step: Step) -> Obstacle | None:
    """The same as an answer, for pages that only look."""
    try:
        check(session, coming, step)
    except Obstacle as found:
        return found
    return None


def hold(session: Session, organization_id: uuid.UUID) -> None:
    """Take turns with whoever changes what the organization asks, until the commit."""
    session.execute(
        update(Organization)
        .where(Organization.id == organization_id)
        .values(seats_used=Organization.seats_used)
        .execution_options(synchronize_session=False)
    )
