"""`flask doctor --repair`: what is stored as a number is counted anew and written down.

Each organization, and each provider, in a transaction of its own, in which nobody else changes
what is counted. Only what differs is written; nothing that was counted from is touched.
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from portal.cli import recount, recount_waiting
from portal.cli.recount_reach import recount_access, recount_terms
from portal.cli.repair_places import mend_places, misplaced
from portal.database import reading, short_transaction
from portal.domain.access import Role
from portal.domain.states import SEAT_STATES, MemberState
from portal.extensions import db
from portal.members import conditions
from portal.models import Attention, Member, Organization, Outbox, Provider, ProviderPerson
from portal.organizations.service import recount_setup
from portal.providers import attention, attention_facts, reach

Mend = Callable[[Session, uuid.UUID], Iterator[str]]


class CannotBe(Exception):
    """What was counted cannot be stored; its text says why."""


@dataclass(frozen=True)
class Outcome:
    """One thing that was repaired, or that could not be."""

    text: str
    is_done: bool = True


@dataclass
class Damage:
    """Whose stored numbers differ from what is counted."""

    organizations: set[uuid.UUID] = field(default_factory=set)
    providers: set[uuid.UUID] = field(default_factory=set)


def repair() -> Iterator[Outcome]:
    """Repair everything that differs; a second time there is nothing to do."""
    with reading(), Session(db.engine) as session:
        found = look(session)
    for provider_id in sorted(found.providers):
        yield from _mended(f"provider {provider_id}", _OF_PROVIDER, provider_id, _hold_provider)
    for organization_id in sorted(found.organizations):
        whom = f"client {organization_id}"
        yield from _mended(whom, _OF_ORGANIZATION, organization_id, conditions.hold)


def look(session: Session) -> Damage:
    """Who has something to repair, in as many statements for many as for one."""
    found = Damage()
    for wrong in (recount.seats_used(), recount.owners()):
        found.organizations |= {row[0] for row in session.execute(wrong)}
    found.organizations |= set(recount.other_setup(session))
    found.providers |= {row[0] for row in session.execute(recount.clients())}
    for kind, tenant_id in misplaced(session):
        (found.providers if kind == "provider" else found.organizations).add(tenant_id)
    facts = attention_facts.everything()
    waiting = [*recount_waiting.missing(session, facts), *recount_waiting.stale(session, facts)]
    for row in waiting:
        if row.organization_id is None:
            found.providers.add(row.provider_id)
        else:
            found.organizations.add(row.organization_id)
    if recount_access(session) or recount_terms(session):
        found.providers |= set(session.scalars(select(Provider.id)))
    return found


def _mended(
    whom: str, mends: tuple[Mend, ...], tenant_id: uuid.UUID, hold: Callable[..., None]
) -> Iterator[Outcome]:
    try:
        with short_transaction() as session:
            hold(session, tenant_id)
            told = [text for mend in mends for text in mend(session, tenant_id)]
    except CannotBe as error:
        yield Outcome(f"{whom}: {error}; nothing was changed there.", is_done=False)
    except DBAPIError as error:
        said = " ".join(str(error.orig).split())
        yield Outcome(f"{whom}: {said}; nothing was changed there.", is_done=False)
    else:
        yield from (Outcome(f"{whom}: {text}.") for text in told)


def _hold_provider(session: Session, provider_id: uuid.UUID) -> None:
    mine = select(Provider.id).where(Provider.id == provider_id)
    session.execute(mine.with_for_update()).all()


def _mend_counts(session: Session, organization_id: uuid.UUID) -> Iterator[str]:
    here = Organization.id == organization_id
    stored = session.execute(
        select(Organization.seats, Organization.seats_used, Organization.owner_confirmed).where(
            here
        )
    ).one_or_none()
    if stored is None:
        return
    used, owners = (
        session.scalar(
            select(func.count()).where(Member.organization_id == organization_id, *which)
        )
        or 0
        for which in (
            [Member.state.in_(SEAT_STATES)],
            [Member.role == Role.OWNER, Member.state == MemberState.CONFIRMED],
        )
    )
    if used > stored.seats:
        raise CannotBe(f"{used} seats are in use, and it has {stored.seats}: give it more first")
    values = {"seats_used": used, "owner_confirmed": owners > 0}
    written = update(Organization).where(here).values(**values)
    session.execute(written.execution_options(synchronize_session=False))
    if used != stored.seats_used:
        yield f"seats used were {stored.seats_used}, are {used}"
    if stored.owner_confirmed != (owners > 0):
        yield f"confirmed owners were {'some' if owners == 0 else 'none'}, are {owners}"


def _mend_setup(session: Session, organization_id: uuid.UUID) -> Iterator[str]:
    mine = select(Organization.setup_done, Organization.setup_total)
    stored = session.execute(mine.where(Organization.id == organization_id)).one_or_none()
    if stored is None:
        return
    right = recount_setup(session, organization_id)
    if tuple(stored) != (right.done, right.total):
        yield f"set-up progress was {stored.setup_done}/{stored.setup_total}, is {right}"


def _mend_waiting(session: Session, organization_id: uuid.UUID) -> Iterator[str]:
    facts = attention_facts.of_clients(Organization.id == organization_id)
    here = Attention.organization_id == organization_id
    wrong = {
        (row.provider_id, row.kind, row.subject_id)
        for row in (
            *recount_waiting.missing(session, facts),
            *recount_waiting.stale(session, facts, None, here),
        )
    }
    provider_id = session.scalar(
        select(Organization.provider_id).where(Organization.id == organization_id)
    )
    if wrong and provider_id is not None:
        attention.arrive(session, organization_id, provider_id)
    for row in recount_waiting.stale(session, facts, None, here):
        attention.drop(session, row.provider_id, row.subject_id, row.kind)
    if wrong:
        yield f"what waits, rows put right: {len(wrong)}"


def _mend_clients(session: Session, provider_id: uuid.UUID) -> Iterator[str]:
    stored = session.scalar(select(Provider.clients_count).where(Provider.id == provider_id))
    mine = select(func.count()).where(Organization.provider_id == provider_id)
    right = session.scalar(mine) or 0
    if stored is None or stored == right:
        return
    written = update(Provider).where(Provider.id == provider_id).values(clients_count=right)
    session.execute(written.execution_options(synchronize_session=False))
    yield f"clients were {stored}, are {right}"


def _mend_reach(session: Session, provider_id: uuid.UUID) -> Iterator[str]:
    access = len(recount_access(session, provider_id, None))
    terms = len(recount_terms(session, provider_id, None))
    if access or terms:
        reach.settle(session, provider_id)
    if access:
        yield f"who reaches what, rows put right: {access}"
    if terms:
        yield f"the terms of people, rows put right: {terms}"


def _mend_own_waiting(session: Session, provider_id: uuid.UUID) -> Iterator[str]:
    mine = ProviderPerson.provider_id == provider_id
    jobs = Outbox.provider_id == provider_id
    facts = (
        attention_facts.people(mine),
        attention_facts.person_mails(jobs),
        attention_facts.grants(mine),
    )
    here = (Attention.organization_id.is_(None), Attention.provider_id == provider_id)
    wrong = {
        (row.kind, row.subject_id)
        for row in (
            *recount_waiting.missing(session, facts),
            *recount_waiting.stale(session, facts, None, *here),
        )
    }
    if wrong:
        attention.reread_people(session, provider_id)
        for row in recount_waiting.stale(session, facts, None, *here):
            attention.drop(session, row.provider_id, row.subject_id, row.kind)
        yield f"what waits, rows put right: {len(wrong)}"


_OF_ORGANIZATION: tuple[Mend, ...] = (_mend_counts, _mend_setup, mend_places, _mend_waiting)
_OF_PROVIDER: tuple[Mend, ...] = (_mend_clients, mend_places, _mend_reach, _mend_own_waiting)
