"""Writes about domains: added, looked up on demand, what a look-up found, removed.

The organization's row is held first, so that whoever changes what depends on its verified domains
takes turns; which of two organizations verifies a domain is for the unique index to say.
"""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import Row, delete, or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal import events
from portal.domain.access import Actor
from portal.domain.claimed_domains import DOMAINS, Answer, Claim, Turn, after, begin
from portal.domain.errors import N_, refuse
from portal.domain.plans import Feature, Plan
from portal.domain.policies import PolicyKind
from portal.domains import queries
from portal.members import conditions
from portal.models import ClaimedDomain, Organization, new_id, utc_now
from portal.models.domains import new_token
from portal.models.writing import rows_changed
from portal.organizations.service import streams_in
from portal.outbox import enqueue
from portal.policies.service import turn_on_by_itself
from portal.providers import attention

CHECK = "domain.check"
# Who asks again while the worker is away for that long asks anew.
ASKED_FOR = dt.timedelta(minutes=1)
TOLD = {
    Turn.VERIFIED: "mail.domain_verified",
    Turn.GIVEN_UP: "mail.domain_not_found",
    Turn.MISSING: "mail.domain_missing",
    Turn.LOST: "mail.domain_lost",
}


def add(session: Session, actor: Actor, organization_id: uuid.UUID, domain: str) -> uuid.UUID:
    """Say that a domain (in its stored form) is the organization's own; returns the row's id.

    Another organization's domain is taken as well: whose it is shows once the record is there.
    """
    conditions.hold(session, organization_id)
    if queries.number_of(session, organization_id) >= DOMAINS:
        raise refuse(
            N_("There are %(count)s domains already. Remove one first."),
            field="domain",
            count=DOMAINS,
        )
    claim, row_id = begin(utc_now()), new_id()
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    added = (
        dialect.insert(ClaimedDomain)
        .values(
            organization_id=organization_id,
            id=row_id,
            domain=domain,
            token=new_token(),
            created_at=utc_now(),
            answer=claim.answer,
            checks=0,
            next_check_at=claim.next_check_at,
            ends_at=claim.ends_at,
        )
        .on_conflict_do_nothing(index_elements=["organization_id", "domain"])
        .returning(ClaimedDomain.id)
    )
    if session.scalar(added) is None:
        raise refuse(N_("This domain is in the list already."), field="domain")
    _record(session, actor, "add", organization_id, row_id, domain)
    attention.domain_changed(session, organization_id, row_id)
    return row_id


def ask(session: Session, actor: Actor, row: Row[Any]) -> bool:
    """Have the worker look at once; a search that has ended begins anew. False if one is asked."""
    now = utc_now()
    anew = begin(now)
    values: dict[str, Any] = {"asked_at": now}
    if row.next_check_at is None:
        values |= {"ends_at": anew.ends_at, "next_check_at": anew.next_check_at, "checks": 0}
    asked = rows_changed(
        session,
        update(ClaimedDomain)
        .where(
            *_is(row.organization_id, row.id),
            or_(ClaimedDomain.asked_at.is_(None), ClaimedDomain.asked_at < now - ASKED_FOR),
        )
        .values(**values)
        .execution_options(synchronize_session=False),
    )
    if asked != 1:
        return False
    ids = {"organization": str(row.organization_id), "domain": str(row.id)}
    enqueue(session, CHECK, ids, organization_id=row.organization_id, subject_id=row.id)
    _record(session, actor, "check", row.organization_id, row.id, row.domain)
    attention.domain_changed(session, row.organization_id, row.id)
    return True


def remove(session: Session, actor: Actor, row: Row[Any]) -> bool:
    """It is no domain of the organization any more; False where it was none by now."""
    conditions.hold(session, row.organization_id)
    still = queries.domain(session, row.organization_id, row.id, lock=True)
    if still is None:
        return False
    session.execute(delete(ClaimedDomain).where(*_is(row.organization_id, row.id)))
    was_verified = still.verified_at is not None
    _record(
        session,
        actor,
        "remove",
        row.organization_id,
        row.id,
        row.domain,
        was_verified=was_verified,
    )
    attention.domain_changed(session, row.organization_id, row.id)
    return True


def found(
    session: Session,
    organization_id: uuid.UUID,
    domain_id: uuid.UUID,
    answer: Answer,
    now: dt.datetime | None = None,
) -> Turn | None:
    """Write down what a look-up found, and do what follows; nothing where the row is gone."""
    conditions.hold(session, organization_id)
    row = queries.domain(session, organization_id, domain_id, lock=True)
    if row is None:
        return None
    moment = now or utc_now()
    turn = _store(session, row, answer, moment)
    attention.domain_changed(session, organization_id, domain_id)
    if turn is None:
        return None
    _record(session, None, turn.value, organization_id, domain_id, row.domain)
    if turn is Turn.VERIFIED and _has_policies(session, organization_id):
        turn_on_by_itself(session, organization_id, PolicyKind.SINGLE_ORGANIZATION)
    if turn in TOLD:
        _tell(session, TOLD[turn], row)
    return turn


def claim_of(row: Any) -> Claim:
    """A row as the rules see it."""
    return Claim(row.verified_at, row.answer, row.checks, row.ends_at, row.next_check_at)


def _store(session: Session, row: Row[Any], answer: Answer, now: dt.datetime) -> Turn | None:
    try:
        with session.begin_nested():
            return _write(session, row, answer, now)
    except IntegrityError:
        # The record is there, but another organization was first.
        return _write(session, row, Answer.TAKEN, now)


def _write(session: Session, row: Row[Any], answer: Answer, now: dt.datetime) -> Turn | None:
    claim, turn = after(claim_of(row), answer, now)
    session.execute(
        update(ClaimedDomain)
        .where(*_is(row.organization_id, row.id))
        .values(
            verified_at=claim.verified_at,
            answer=claim.answer,
            checks=claim.checks,
            ends_at=claim.ends_at,
            next_check_at=claim.next_check_at,
            checked_at=now,
            asked_at=None,
        )
        .execution_options(synchronize_session=False)
    )
    return turn


def _is(organization_id: uuid.UUID, domain_id: uuid.UUID) -> tuple[Any, ...]:
    return (ClaimedDomain.organization_id == organization_id, ClaimedDomain.id == domain_id)


def _has_policies(session: Session, organization_id: uuid.UUID) -> bool:
    organization = session.get(Organization, organization_id)
    plan: Plan | None = organization.plan if organization else None
    return plan is not None and plan.has(Feature.POLICIES)


def _record(
    session: Session,
    actor: Actor | None,
    action: str,
    organization_id: uuid.UUID,
    domain_id: uuid.UUID,
    domain: str,
    **details: Any,
) -> None:
    events.record(
        session,
        actor,
        f"organization:domain:{action}",
        streams=streams_in(actor, organization_id),
        subject_id=domain_id,
        domain=domain,
        **details,
    )


def _tell(session: Session, topic: str, row: Row[Any]) -> None:
    for person in queries.managers(session, row.organization_id):
        enqueue(
            session,
            topic,
            {
                "organization": str(row.organization_id),
                "domain": str(row.id),
                "account": str(person.account_id),
                "locale": person.locale or "en",
            },
            organization_id=row.organization_id,
            account_id=person.account_id,
            subject_id=row.id,
        )
