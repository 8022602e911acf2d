"""What ought to stand in the projection of what waits: the rows, read off the facts.

Each statement selects the columns of `COLUMNS` in that order, so that one can be inserted as it
is, and compared with what is stored. A row that is made from one other row takes over its id.
"""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    String,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from portal.domain.attention import AttentionKind
from portal.domain.seat_requests import RequestState
from portal.domain.states import MemberState, ProviderPersonState
from portal.models import (
    Account,
    ClaimedDomain,
    Member,
    Organization,
    Outbox,
    ProviderPerson,
    SeatRequest,
    utc_now,
)
from portal.models.base import UtcDateTime
from portal.outbox.jobs import FAILING_AFTER

Facts = Select[Any] | CompoundSelect[Any]
COLUMNS = (
    "provider_id",
    "id",
    "organization_id",
    "kind",
    "subject_id",
    "label",
    "reason",
    "since",
    "due_at",
)
WAITING = (MemberState.STAGED, MemberState.INVITED, MemberState.ACCEPTED)
WAITING_PEOPLE = (ProviderPersonState.INVITED, ProviderPersonState.ACCEPTED)
# The mails that somebody waits for, and the state in which they do.
MEMBER_MAILS = {
    "mail.member_invitation": MemberState.INVITED,
    "mail.member_confirmed": MemberState.CONFIRMED,
}
PERSON_MAILS = {
    "mail.provider_invitation": ProviderPersonState.INVITED,
    "mail.provider_confirmed": ProviderPersonState.CONFIRMED,
}
READ_OFF = (
    *WAITING,
    AttentionKind.MAIL_FAILED,
    AttentionKind.SEATS_FULL,
    AttentionKind.SEATS_ASKED,
    AttentionKind.GRANT,
    AttentionKind.DOMAIN_CHECK,
)
TELLING_MAILS = frozenset(MEMBER_MAILS) | frozenset(PERSON_MAILS)


def _nobody(type_: Any) -> ColumnElement[Any]:
    return cast(null(), type_)


def members(*conditions: ColumnElement[bool]) -> Select[Any]:
    """Clients' people who are prepared, invited, or accepted."""
    return (
        select(
            Organization.provider_id,
            Member.id,
            Member.organization_id,
            Member.state,
            Member.id,
            Member.email,
            literal(""),
            func.coalesce(Member.accepted_at, Member.created_at),
            case((Member.state == MemberState.INVITED, Member.invitation_expires_at)),
        )
        .join(Organization, Organization.id == Member.organization_id)
        .where(Organization.provider_id.is_not(None), Member.state.in_(WAITING), *conditions)
    )


def people(*conditions: ColumnElement[bool]) -> Select[Any]:
    """The provider's own people who are invited or accepted."""
    invited = ProviderPerson.state == ProviderPersonState.INVITED
    return select(
        ProviderPerson.provider_id,
        ProviderPerson.id,
        _nobody(ProviderPerson.id.type),
        ProviderPerson.state,
        ProviderPerson.id,
        ProviderPerson.email,
        literal(""),
        func.coalesce(ProviderPerson.accepted_at, ProviderPerson.created_at),
        case((invited, ProviderPerson.invitation_expires_at)),
    ).where(ProviderPerson.state.in_(WAITING_PEOPLE), *conditions)


def grants(*conditions: ColumnElement[bool]) -> Select[Any]:
    """The provider's own people whose work here ends by itself on a day."""
    person = ProviderPerson
    return select(
        person.provider_id,
        person.id,
        _nobody(person.id.type),
        literal(AttentionKind.GRANT.value),
        person.id,
        person.email,
        literal(""),
        func.coalesce(person.confirmed_at, person.created_at),
        person.access_ends_at,
    ).where(
        person.state == ProviderPersonState.CONFIRMED,
        person.access_ends_at.is_not(None),
        *conditions,
    )


def is_full() -> ColumnElement[bool]:
    """Whether all seats are in use and no more come without somebody buying them."""
    ceiling = case((Organization.seats_grow, Organization.seat_limit), else_=Organization.seats)
    return Organization.seats_used >= ceiling


def full(*conditions: ColumnElement[bool], since: Any = None) -> Select[Any]:
    """Clients in which nobody can be invited any more; from `since`, else from now."""
    return select(
        Organization.provider_id,
        Organization.id,
        Organization.id,
        literal(AttentionKind.SEATS_FULL.value),
        Organization.id,
        literal(""),
        literal(""),
        literal(utc_now(), UtcDateTime()) if since is None else since,
        _nobody(UtcDateTime()),
    ).where(Organization.provider_id.is_not(None), is_full(), *conditions)


def seats_asked(*conditions: ColumnElement[bool]) -> Select[Any]:
    """Requests for seats that wait: by whom, and for how many."""
    return (
        select(
            Organization.provider_id,
            SeatRequest.id,
            SeatRequest.organization_id,
            literal(AttentionKind.SEATS_ASKED.value),
            SeatRequest.id,
            func.coalesce(Account.email, ""),
            cast(SeatRequest.seats, String),
            SeatRequest.asked_at,
            _nobody(UtcDateTime()),
        )
        .join(Organization, Organization.id == SeatRequest.organization_id)
        .outerjoin(Account, Account.id == SeatRequest.asked_by)
        .where(
            Organization.provider_id.is_not(None),
            SeatRequest.state == RequestState.OPEN,
            *conditions,
        )
    )


def domains(*conditions: ColumnElement[bool]) -> Select[Any]:
    """Domains whose search ends, or that stop counting unless their record comes back."""
    domain: Any = ClaimedDomain
    return (
        select(
            Organization.provider_id,
            domain.id,
            domain.organization_id,
            literal(AttentionKind.DOMAIN_CHECK.value),
            domain.id,
            domain.domain,
            literal(""),
            domain.created_at,
            domain.ends_at,
        )
        .join(Organization, Organization.id == domain.organization_id)
        .where(Organization.provider_id.is_not(None), domain.ends_at.is_not(None), *conditions)
    )


def _fails(job: Any) -> ColumnElement[bool]:
    """Given up, or tried in vain for over an hour; the try under way does not count yet."""
    tries = job.attempts - case((job.lease.is_not(None), 1), else_=0)
    return or_(job.state == "failed", and_(job.state == "queued", tries >= FAILING_AFTER))


def _is_last_word(topics: Any) -> ColumnElement[bool]:
    """No later mail about the same person has left or failed."""
    later = aliased(Outbox)
    newer = exists().where(
        later.subject_id == Outbox.subject_id,
        later.topic.in_(topics),
        or_(later.state == "sent", _fails(later)),
        or_(
            later.created_at > Outbox.created_at,
            and_(later.created_at == Outbox.created_at, later.id > Outbox.id),
        ),
    )
    return and_(Outbox.topic.in_(topics), _fails(Outbox), ~newer)


def member_mails(*conditions: ColumnElement[bool]) -> Select[Any]:
    """Clients' people whose invitation, or whose news of being confirmed, does not arrive."""
    wanted = [
        and_(Outbox.topic == each, Member.state == state) for each, state in MEMBER_MAILS.items()
    ]
    return (
        select(
            Organization.provider_id,
            Outbox.id,
            Member.organization_id,
            literal(AttentionKind.MAIL_FAILED.value),
            Member.id,
            Member.email,
            Outbox.last_answer,
            Outbox.created_at,
            _nobody(UtcDateTime()),
        )
        .select_from(Outbox)
        .join(
            Member,
            and_(Member.organization_id == Outbox.organization_id, Member.id == Outbox.subject_id),
        )
        .join(Organization, Organization.id == Member.organization_id)
        .where(
            Organization.provider_id.is_not(None),
            _is_last_word(list(MEMBER_MAILS)),
            or_(*wanted),
            *conditions,
        )
    )


def person_mails(*conditions: ColumnElement[bool]) -> Select[Any]:
    """The same for the provider's own people."""
    person = ProviderPerson
    wanted = [
        and_(Outbox.topic == each, person.state == state) for each, state in PERSON_MAILS.items()
    ]
    return (
        select(
            person.provider_id,
            Outbox.id,
            _nobody(person.id.type),
            literal(AttentionKind.MAIL_FAILED.value),
            person.id,
            person.email,
            Outbox.last_answer,
            Outbox.created_at,
            _nobody(UtcDateTime()),
        )
        .select_from(Outbox)
        .join(
            person,
            and_(person.provider_id == Outbox.provider_id, person.id == Outbox.subject_id),
        )
        .where(_is_last_word(list(PERSON_MAILS)), or_(*wanted), *conditions)
    )


def of_clients(*conditions: ColumnElement[bool], full_since: Any = None) -> tuple[Select[Any], ...]:
    """All facts of the clients (`Organization`) that meet the conditions."""
    return (
        members(*conditions),
        full(*conditions, since=full_since),
        member_mails(*conditions),
        seats_asked(*conditions),
        domains(*conditions),
    )


def everything(full_since: Any = None) -> tuple[Select[Any], ...]:
    """All facts of all providers."""
    return *of_clients(full_since=full_since), people(), person_mails(), grants()


def named(found: Select[Any]) -> Select[Any]:
    """The same with `COLUMNS` as names."""
    columns = zip(COLUMNS, found.selected_columns, strict=True)
    return found.with_only_columns(
        *(column.label(name) for name, column in columns), maintain_column_froms=True
    )


def together(*facts: Facts) -> Facts:
    """Several of them as one statement."""
    return facts[0] if len(facts) == 1 else union_all(*facts)
