"""Being enrolled: the member's user key, wrapped for the organization, is kept or dropped."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from portal import events
from portal.crypto.envelope import looks_sealed
from portal.crypto.fingerprint import fingerprint_phrase
from portal.domain.access import Actor
from portal.domain.errors import N_, RuleError, refuse
from portal.events import Stream
from portal.models import RecoveryEnrolment, utc_now
from portal.models.writing import rows_changed
from portal.recovery import queries

NOT_OFFERED = N_("This organization does not offer account recovery.")
NO_KEY = N_("No key arrived from your browser. Enrolling needs a browser that runs scripts.")
KEY_CHANGED = N_("The keys have changed since the page was opened. Compare the phrase again.")
FOR_ALL = N_(
    "This organization enrols everybody, so it cannot be withdrawn while you are a member."
)
NOBODY = N_("You are not enrolled.")


class NotMember(RuleError):
    """Who came by way of the provider has no place here that could be enrolled."""

    def __init__(self) -> None:
        super().__init__(N_("You are no member here: you came by way of your provider."))


@dataclass(frozen=True)
class RecoveryKey:
    """A user key for an organization's public key (type 4), and that key as the page showed it."""

    wrapped_user_key: str = field(repr=False)
    organization_public_key: str


@dataclass(frozen=True)
class Offer:
    """What somebody who joins is shown: the key that theirs is wrapped for, and its phrase."""

    organization_id: uuid.UUID
    public_key: str
    phrase: str


def offer(session: Session, organization_id: uuid.UUID) -> Offer | None:
    """Where the organization enrols everybody and has keys; else None."""
    policy = queries.policy(session, organization_id)
    key = queries.public_key(session, organization_id)
    if policy is None or not policy.enrols_all or key is None:
        return None
    return Offer(organization_id, key, fingerprint_phrase(str(organization_id), key))


def enrol(session: Session, actor: Actor, organization_id: uuid.UUID, key: RecoveryKey) -> None:
    """Keep the actor's own recovery key, wrapped for the public key that they were shown.

    Raises `RuleError` where the organization offers no recovery or has another key by now.
    """
    member = _own(session, organization_id, actor.account_id)
    if queries.policy(session, organization_id) is None:
        raise refuse(NOT_OFFERED)
    _store(session, member, key)
    _tell(session, actor, "organization:member:enrol_recovery", member)


def enrol_on_joining(
    session: Session, actor: Actor, organization_id: uuid.UUID, key: RecoveryKey
) -> None:
    """The same in the call that accepts an invitation, where the organization enrols everybody.

    A key that does not fit is left out: the person is asked again at their next unlock.
    """
    policy = queries.policy(session, organization_id)
    if policy is None or not policy.enrols_all:
        return
    member = _own(session, organization_id, actor.account_id)
    try:
        _store(session, member, key)
    except RuleError:
        return
    _tell(session, actor, "organization:member:enrol_recovery", member)


def is_enrolled(session: Session, organization_id: uuid.UUID, member_id: uuid.UUID) -> bool:
    """Whether a member has a recovery key that fits the keys of today."""
    member = queries.member(session, organization_id, member_id)
    return member is not None and queries.is_current(member)


def withdraw(session: Session, actor: Actor, organization_id: uuid.UUID) -> None:
    """Drop the recovery key; refused while the organization enrols everybody."""
    member = _own(session, organization_id, actor.account_id)
    policy = queries.policy(session, organization_id)
    if policy is not None and policy.enrols_all:
        raise refuse(FOR_ALL)
    dropped = rows_changed(
        session,
        delete(RecoveryEnrolment)
        .where(
            RecoveryEnrolment.organization_id == organization_id,
            RecoveryEnrolment.member_id == member.id,
        )
        .execution_options(synchronize_session=False),
    )
    if dropped != 1:
        raise refuse(NOBODY)
    _tell(session, actor, "organization:member:withdraw_recovery", member)


def _own(session: Session, organization_id: uuid.UUID, account_id: uuid.UUID) -> Any:
    member = queries.member_of(session, organization_id, account_id)
    if member is None:
        raise NotMember
    return member


def _store(session: Session, member: Any, key: RecoveryKey) -> None:
    if member.public_key is None or not looks_sealed(key.wrapped_user_key, 4):
        raise refuse(NO_KEY)
    if key.organization_public_key != member.organization_public_key:
        raise refuse(KEY_CHANGED)
    values = {
        "wrapped_user_key": key.wrapped_user_key,
        "account_public_key": member.public_key,
        "organization_public_key": key.organization_public_key,
        "enrolled_at": utc_now(),
    }
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    added = dialect.insert(RecoveryEnrolment).values(
        organization_id=member.organization_id, member_id=member.id, **values
    )
    place = [RecoveryEnrolment.organization_id, RecoveryEnrolment.member_id]
    session.execute(added.on_conflict_do_update(index_elements=place, set_=values))


def _tell(session: Session, actor: Actor, kind: str, member: Any) -> None:
    events.record(
        session,
        actor,
        kind,
        streams=[Stream("organization", member.organization_id)],
        subject_id=member.id,
        email=member.email,
    )
