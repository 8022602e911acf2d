"""Carrying a recovery out: the master password that an unlocked browser made takes effect.

That browser has opened the member's user key with the organization's private key, and has seen
that it opens the private key of the member, before it sends anything.
"""

import uuid
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from portal.accounts import address, passwords
from portal.accounts import service as accounts
from portal.accounts.service import ChangedKey
from portal.domain import account_recovery as rules
from portal.domain.access import Actor, Role
from portal.domain.account_recovery import Helper, Step
from portal.domain.errors import N_, RuleError, refuse
from portal.domain.states import MemberState
from portal.models import utc_now
from portal.recovery import queries, service

KEYS_MOVED = N_(
    "The keys of this account, or its address, have changed since the page was opened. Nothing was "
    "changed. Load it again."
)
LOST = N_("One of the two people may not do this any more, so the recovery has to begin again.")
NOT_YOURS = N_("Whoever asked or approved carries it out. Ask one of them.")


@dataclass(frozen=True)
class Temporary:
    """What the recovering browser made. `email` and `public_key` say for which account."""

    key: ChangedKey
    email: str
    public_key: str
    stored: str = field(repr=False)


def temporary(key: ChangedKey, email: str, public_key: str) -> Temporary:
    """With the hash as it is stored; raises `passwords.Busy`. Called before the transaction."""
    return Temporary(key, email, public_key, passwords.store(key.signin_hash))


def carry_out(
    session: Session,
    actor: Actor,
    organization_id: uuid.UUID,
    recovery_id: uuid.UUID,
    made: Temporary,
) -> Row[Any]:
    """Replace the member's master password, end their sessions, tell them; all or nothing."""
    service.hold(session, organization_id)
    found, member = check(session, actor, organization_id, recovery_id)
    now = utc_now()
    after = rules.after(Step.CARRY_OUT, found.state, queries.times_of(found), now)
    service.move(session, found, after, closed_at=now, closed_by_name=actor.name[:100])
    address.drop_waiting(session, member.account_id)
    ended = accounts.give_temporary_password(
        session,
        member.account_id,
        made.key,
        stored=made.stored,
        email=made.email,
        public_key=made.public_key,
    )
    if ended is None:
        raise refuse(KEYS_MOVED)
    service.tell(session, actor, "organization:member:recover", member, sessions=ended)
    service.mail(session, "mail.recovery_done", member, recovery_id, member)
    return member


def check(
    session: Session, actor: Actor, organization_id: uuid.UUID, recovery_id: uuid.UUID
) -> tuple[Row[Any], Row[Any]]:
    """(request, member) where the actor can carry it out now, else `RuleError`.

    Both people must still be who they were: one who was removed or demoted since counts for none.
    """
    found = service.find(session, organization_id, recovery_id)
    _by, member = service.look(session, actor, organization_id, found.member_id)
    rules.after(Step.CARRY_OUT, found.state, queries.times_of(found), utc_now())
    if actor.account_id not in (found.asked_by, found.approved_by):
        raise refuse(NOT_YOURS)
    target = queries.target_of(member)
    rules.check_target(target)
    may = queries.provider_may(session, organization_id)
    asked = _still(session, organization_id, found.asked_by)
    approved = _still(session, organization_id, found.approved_by)
    if asked is None or approved is None:
        raise refuse(LOST)
    try:
        rules.check_request(asked, target, provider_may=may)
        rules.check_approval(approved, target, asked_by=found.asked_by)
    except RuleError as error:
        raise refuse(LOST) from error
    return found, member


def _still(session: Session, organization_id: uuid.UUID, account_id: uuid.UUID) -> Helper | None:
    row = queries.member_of(session, organization_id, account_id)
    if row is not None and row.state is MemberState.CONFIRMED:
        return queries.helper_of(row)
    if queries.provider_person_stays(session, organization_id, account_id):
        return Helper(account_id, Role.SERVICE_USER, is_of_provider=True)
    return None
