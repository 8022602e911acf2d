"""Counts anew what is stored as a number: each check names the rows that are wrong."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    and_,
    case,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from portal.cli.recount_reach import recount_access, recount_terms
from portal.cli.recount_waiting import recount_waiting
from portal.domain.access import Role
from portal.domain.plans import Plan
from portal.domain.setup_steps import SetupFacts, StepKind, progress, setup_steps
from portal.domain.states import SEAT_STATES, MemberState, ProviderPersonState
from portal.models import (
    Affiliation,
    Collection,
    CollectionGroup,
    Event,
    EventCheckpoint,
    EventStream,
    Member,
    Organization,
    Policy,
    Provider,
    ProviderPerson,
    SkippedStep,
)

NAMED = 5
Rows = Select[*tuple[Any, ...]]
_Column = ColumnElement[Any] | InstrumentedAttribute[Any]
_HERE = (MemberState.ACCEPTED, MemberState.CONFIRMED)
_EMPLOYED = (ProviderPersonState.ACCEPTED, ProviderPersonState.CONFIRMED)


def recount(session: Session) -> Iterator[tuple[str, list[str]]]:
    """(what was counted, the rows that are wrong) of each stored number; few are named."""
    yield "seats used", _wrong(session, seats_used())
    yield "confirmed owners", _wrong(session, owners())
    yield "set-up progress", _setup(session)
    yield "clients of providers", _wrong(session, clients())
    yield (
        "where people belong",
        [
            *_wrong(session, lost_affiliations()),
            *_wrong(session, stale_affiliations()),
        ][:NAMED],
    )
    yield "event numbers", _wrong(session, _streams())
    yield "what waits", recount_waiting(session)
    yield "who reaches what", recount_access(session)
    yield "the terms of people", recount_terms(session)


def _wrong(session: Session, found: Rows) -> list[str]:
    rows = session.execute(found.limit(NAMED)).all()
    return [f"{row[0]}: {row[1]}, counted {row[2]}" for row in rows]


def per_organization(condition: ColumnElement[bool]) -> Any:
    return (
        select(Member.organization_id, func.count().label("number"))
        .where(condition)
        .group_by(Member.organization_id)
        .subquery()
    )


def seats_used() -> Rows:
    counted = per_organization(Member.state.in_(SEAT_STATES))
    number = func.coalesce(counted.c.number, 0)
    return (
        select(Organization.id, Organization.seats_used, number)
        .outerjoin(counted, counted.c.organization_id == Organization.id)
        .where(Organization.seats_used != number)
    )


def owners() -> Rows:
    counted = per_organization(
        and_(Member.role == Role.OWNER, Member.state == MemberState.CONFIRMED)
    )
    number = func.coalesce(counted.c.number, 0)
    there = case((number > 0, True), else_=False)
    return (
        select(Organization.id, Organization.owner_confirmed, number)
        .outerjoin(counted, counted.c.organization_id == Organization.id)
        .where(Organization.owner_confirmed != there)
    )


def _setup(session: Session) -> list[str]:
    """The domain's own rule, asked once for each combination of facts that occurs."""
    return [
        f"{clients} clients on {plan}: {stored}, counted {right}"
        for clients, plan, stored, right in _other_setup(session, func.count())
    ][:NAMED]


def other_setup(session: Session) -> list[Any]:
    """The organizations whose set-up progress is not what their facts say."""
    return [row[0] for row in _other_setup(session, Organization.id, Organization.id)]


def _other_setup(
    session: Session, told: _Column, *apart: _Column
) -> Iterator[tuple[Any, Plan, str, str]]:
    counted = {
        "collections": _counted(Collection.organization_id, func.count()),
        "confirmed_members": per_organization(Member.state == MemberState.CONFIRMED),
        "groups_with_access": _counted(
            CollectionGroup.organization_id, func.count(CollectionGroup.group_id.distinct())
        ),
        "policies_on": _counted(Policy.organization_id, func.count(), Policy.is_on),
    }
    skipped = _skipped()
    columns = (
        Organization.plan,
        # No rule tells more than two apart.
        *(_at_most_two(each.c.number).label(name) for name, each in counted.items()),
        *(func.coalesce(each, 0).label(each.name) for each in list(skipped.c)[1:]),
        Organization.setup_done,
        Organization.setup_total,
    )
    found = select(*columns, told.label("told")).select_from(Organization)
    for each in (*counted.values(), skipped):
        found = found.outerjoin(each, each.c.organization_id == Organization.id)
    for row in session.execute(found.group_by(*columns, *apart)).mappings():
        facts = SetupFacts(**{name: row[name] for name in counted})
        left_out = [kind for kind in StepKind if row[f"without_{kind}"]]
        right = progress(setup_steps(row["plan"], facts, left_out))
        if (row["setup_done"], row["setup_total"]) != (right.done, right.total):
            stored = f"{row['setup_done']}/{row['setup_total']}"
            yield row["told"], row["plan"], stored, str(right)


def _counted(organization_id: Any, number: Any, *conditions: Any) -> Subquery:
    found = select(organization_id, number.label("number")).where(*conditions)
    return found.group_by(organization_id).subquery()


def _skipped() -> Subquery:
    """A row for each client that has skipped steps, a column for each step: 1 if skipped."""
    ones = {kind: case((SkippedStep.step == kind, 1), else_=0) for kind in StepKind}
    return (
        select(
            SkippedStep.organization_id,
            *(func.max(one).label(f"without_{kind}") for kind, one in ones.items()),
        )
        .group_by(SkippedStep.organization_id)
        .subquery()
    )


def _at_most_two(number: ColumnElement[int]) -> ColumnElement[int]:
    return case((number > 2, 2), else_=func.coalesce(number, 0))


def clients() -> Rows:
    counted = (
        select(Organization.provider_id, func.count().label("number"))
        .group_by(Organization.provider_id)
        .subquery()
    )
    number = func.coalesce(counted.c.number, 0)
    return (
        select(Provider.id, Provider.clients_count, number)
        .outerjoin(counted, counted.c.provider_id == Provider.id)
        .where(Provider.clients_count != number)
    )


def _places() -> Subquery:
    """Every place of a person, in an organization or in a provider, as its own table has it."""
    members = (
        select(
            Member.account_id,
            literal("organization").label("kind"),
            Member.organization_id.label("tenant_id"),
            Member.role,
            Member.state,
            Organization.name,
        )
        .join(Organization, Organization.id == Member.organization_id)
        .where(Member.account_id.is_not(None), Member.state.in_(_HERE))
    )
    people = (
        select(
            ProviderPerson.account_id,
            literal("provider"),
            ProviderPerson.provider_id,
            ProviderPerson.role,
            ProviderPerson.state,
            Provider.name,
        )
        .join(Provider, Provider.id == ProviderPerson.provider_id)
        .where(ProviderPerson.account_id.is_not(None), ProviderPerson.state.in_(_EMPLOYED))
    )
    return members.union_all(people).subquery()


def lost_affiliations() -> Rows:
    """Memberships without their row, or with a row that says something else."""
    place = _places()
    return (
        select(
            place.c.account_id,
            func.coalesce(Affiliation.state, "nothing").label("stored"),
            place.c.state,
            place.c.kind,
            place.c.tenant_id,
            place.c.role,
            place.c.name,
        )
        .outerjoin(
            Affiliation,
            and_(
                Affiliation.account_id == place.c.account_id,
                Affiliation.kind == place.c.kind,
                Affiliation.tenant_id == place.c.tenant_id,
            ),
        )
        .where(
            or_(
                Affiliation.account_id.is_(None),
                Affiliation.role != place.c.role,
                Affiliation.state != place.c.state,
                Affiliation.name != place.c.name,
            )
        )
    )


def stale_affiliations() -> Rows:
    """Rows that lead somewhere, with nobody's membership behind them."""
    member, person = aliased(Member), aliased(ProviderPerson)
    return (
        select(
            Affiliation.account_id,
            Affiliation.state,
            literal("nothing").label("counted"),
            Affiliation.kind,
            Affiliation.tenant_id,
        )
        .outerjoin(
            member,
            and_(
                Affiliation.kind == "organization",
                member.organization_id == Affiliation.tenant_id,
                member.account_id == Affiliation.account_id,
                member.state.in_(_HERE),
            ),
        )
        .outerjoin(
            person,
            and_(
                Affiliation.kind == "provider",
                person.provider_id == Affiliation.tenant_id,
                person.account_id == Affiliation.account_id,
                person.state.in_(_EMPLOYED),
            ),
        )
        .where(
            Affiliation.active.is_(True),
            Affiliation.state.in_([state.value for state in _HERE]),
            member.id.is_(None),
            person.id.is_(None),
        )
    )


def _streams() -> Rows:
    """Gapless: as many rows as the last number says, after those that lie in an archive."""
    archived = (
        select(EventCheckpoint.stream_id, func.max(EventCheckpoint.seq).label("last"))
        .where(EventCheckpoint.purpose == "archive")
        .group_by(EventCheckpoint.stream_id)
        .subquery()
    )
    counted = (
        select(
            Event.stream_id,
            func.count().label("number"),
            func.max(Event.seq).label("last"),
        )
        .outerjoin(archived, archived.c.stream_id == Event.stream_id)
        .where(Event.seq > func.coalesce(archived.c.last, 0))
        .group_by(Event.stream_id)
        .subquery()
    )
    number = func.coalesce(counted.c.number, 0) + func.coalesce(archived.c.last, 0)
    return (
        select(EventStream.stream_id, EventStream.last_seq, number)
        .outerjoin(counted, counted.c.stream_id == EventStream.stream_id)
        .outerjoin(archived, archived.c.stream_id == EventStream.stream_id)
        .where(
            or_(
                EventStream.last_seq != number,
                EventStream.last_seq != func.coalesce(counted.c.last, archived.c.last, 0),
            )
        )
    )
