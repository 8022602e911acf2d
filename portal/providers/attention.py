"""The projection of what waits for a provider: written by the transaction of the cause.

What is about a person or the seats of a client is read off their rows once they have changed;
whoever changes them says so here, last. Other things are `put` and `drop`ped by name.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from portal.domain.attention import AttentionKind
from portal.domain.states import MemberState, ProviderPersonState
from portal.models import (
    Attention,
    ClaimedDomain,
    Member,
    Organization,
    Outbox,
    ProviderPerson,
    SeatRequest,
    new_id,
    utc_now,
)
from portal.providers import attention_facts as facts
from portal.providers.attention_facts import COLUMNS, Facts

_UNIQUE = ("provider_id", "kind", "subject_id")
_STATES = (AttentionKind.STAGED, AttentionKind.INVITED, AttentionKind.ACCEPTED)


def put(
    session: Session,
    provider_id: uuid.UUID,
    kind: AttentionKind,
    subject_id: uuid.UUID,
    *,
    organization_id: uuid.UUID | None = None,
    label: str = "",
    reason: str = "",
    since: dt.datetime | None = None,
    due_at: dt.datetime | None = None,
) -> None:
    """Write or rewrite one row. Without `since`, a row that exists keeps the one it has."""
    added = _insert(session).values(
        provider_id=provider_id,
        id=new_id(),
        organization_id=organization_id,
        kind=kind,
        subject_id=subject_id,
        label=label,
        reason=reason,
        since=since or utc_now(),
        due_at=due_at,
    )
    _upsert(session, added, "since" if since else "")


def drop(
    session: Session,
    provider_id: uuid.UUID | None,
    subject_id: uuid.UUID,
    *kinds: AttentionKind,
) -> None:
    """It waits no more: the rows of these kinds, of all kinds without any, go."""
    gone = delete(Attention).where(Attention.subject_id == subject_id)
    if provider_id is not None:
        gone = gone.where(Attention.provider_id == provider_id)
    if kinds:
        gone = gone.where(Attention.kind.in_(kinds))
    session.execute(gone.execution_options(synchronize_session=False))


def replace(
    session: Session,
    provider_id: uuid.UUID,
    organization_id: uuid.UUID,
    kind: AttentionKind,
    rows: Iterable[Mapping[str, Any]],
) -> None:
    """All rows of one kind about a client are these, each as `put` takes it."""
    gone = delete(Attention).where(
        Attention.provider_id == provider_id,
        Attention.organization_id == organization_id,
        Attention.kind == kind,
    )
    session.execute(gone.execution_options(synchronize_session=False))
    for row in rows:
        put(session, provider_id, kind, organization_id=organization_id, **row)


def leave(session: Session, organization_id: uuid.UUID) -> None:
    """The client is no provider's any more: nobody is told of it."""
    gone = delete(Attention).where(Attention.organization_id == organization_id)
    session.execute(gone.execution_options(synchronize_session=False))


def arrive(session: Session, organization_id: uuid.UUID, provider_id: uuid.UUID) -> None:
    """The organization is this provider's client now: what waits there is read off the facts."""
    here = (Organization.id == organization_id, Organization.provider_id == provider_id)
    _write(session, *facts.of_clients(*here))


def reread_people(session: Session, provider_id: uuid.UUID) -> None:
    """Read what waits for the provider's own people off the facts."""
    mine = ProviderPerson.provider_id == provider_id
    _write(session, facts.people(mine), facts.grants(mine))
    _write(session, facts.person_mails(Outbox.provider_id == provider_id))


def rebuild(connection: Connection) -> None:
    """Read everything off the facts, for all providers; full clients since they were created."""
    for found in facts.everything(Organization.created_at):
        _write(connection, found)


def member_invited(session: Session, organization_id: uuid.UUID, member_id: uuid.UUID) -> None:
    """Somebody came into a client; its seats may be used up."""
    _write(
        session,
        facts.members(Member.organization_id == organization_id, Member.id == member_id),
        facts.full(Organization.id == organization_id),
    )


def member_renewed(session: Session, organization_id: uuid.UUID, member_id: uuid.UUID) -> None:
    """Another link went out to somebody who is invited, perhaps only now."""
    drop(session, None, member_id, *_left(MemberState.INVITED.value))
    member_invited(session, organization_id, member_id)


def member_changed(session: Session, organization_id: uuid.UUID, member_id: uuid.UUID) -> None:
    """A member was revoked, restored or removed, and a seat taken or given back."""
    mine = (Member.organization_id == organization_id, Member.id == member_id)
    state = session.scalar(select(Member.state).where(*mine))
    member_moved(session, member_id, state or MemberState.REVOKED)
    seats_changed(session, organization_id)


def member_moved(session: Session, member_id: uuid.UUID, state: MemberState) -> None:
    """A member has another state; the mail about the earlier one is of no importance now."""
    drop(session, None, member_id, *_left(state.value), AttentionKind.MAIL_FAILED)
    if state in facts.WAITING:
        _write(session, facts.members(Member.id == member_id))


def domain_changed(session: Session, organization_id: uuid.UUID, domain_id: uuid.UUID) -> None:
    """A domain was added, looked up, verified, lost or removed."""
    drop(session, None, domain_id, AttentionKind.DOMAIN_CHECK)
    here = (ClaimedDomain.organization_id == organization_id, ClaimedDomain.id == domain_id)
    _write(session, facts.domains(*here))


def seats_changed(session: Session, organization_id: uuid.UUID) -> None:
    """Seats were bought or given back, their limit moved, or somebody left one."""
    room = select(Organization.id).where(Organization.id == organization_id, facts.is_full())
    gone = delete(Attention).where(
        Attention.organization_id == organization_id,
        Attention.kind == AttentionKind.SEATS_FULL,
        ~room.exists(),
    )
    session.execute(gone.execution_options(synchronize_session=False))
    _write(session, facts.full(Organization.id == organization_id))


def seats_asked(session: Session, organization_id: uuid.UUID, request_id: uuid.UUID) -> None:
    """Somebody of a client asks for seats, or the request was answered or taken back."""
    drop(session, None, request_id, AttentionKind.SEATS_ASKED)
    here = (SeatRequest.organization_id == organization_id, SeatRequest.id == request_id)
    _write(session, facts.seats_asked(*here))


def person_moved(
    session: Session,
    provider_id: uuid.UUID,
    person_id: uuid.UUID,
    state: ProviderPersonState | None,
) -> None:
    """A provider's person has another state, or (None) is gone."""
    kinds = (*_left(state.value if state else ""), AttentionKind.MAIL_FAILED)
    drop(session, provider_id, person_id, *(kinds if state else ()))
    if state in facts.WAITING_PEOPLE:
        person_invited(session, provider_id, person_id)
    if state is not None:
        person_ends(session, provider_id, person_id)


def person_invited(session: Session, provider_id: uuid.UUID, person_id: uuid.UUID) -> None:
    """Somebody was invited to the provider, or another link went out to them."""
    mine = (ProviderPerson.provider_id == provider_id, ProviderPerson.id == person_id)
    _write(session, facts.people(*mine))


def person_ends(session: Session, provider_id: uuid.UUID, person_id: uuid.UUID) -> None:
    """The last day of somebody's work at the provider was set, moved or taken back."""
    drop(session, provider_id, person_id, AttentionKind.GRANT)
    mine = (ProviderPerson.provider_id == provider_id, ProviderPerson.id == person_id)
    _write(session, facts.grants(*mine))


def mail_fared(session: Session, topic: str, subject_id: uuid.UUID | None, state: str) -> None:
    """A mail has left, or did not: `state` is the job's, "queued" if it is tried again."""
    if subject_id is None or topic not in facts.TELLING_MAILS or state == "dropped":
        return
    if state == "sent":
        drop(session, None, subject_id, AttentionKind.MAIL_FAILED)
        return
    here = Outbox.subject_id == subject_id
    found = facts.member_mails(here) if topic in facts.MEMBER_MAILS else facts.person_mails(here)
    _write(session, found)


def _left(state: str) -> list[AttentionKind]:
    return [kind for kind in _STATES if kind.value != state]


def _insert(session: Session | Connection) -> Any:
    bind = session.get_bind() if isinstance(session, Session) else session
    dialect = postgresql if bind.dialect.name == "postgresql" else sqlite
    return dialect.insert(Attention)


def _write(session: Session | Connection, *found: Facts) -> None:
    _upsert(session, _insert(session).from_select(COLUMNS, facts.together(*found)))


def _upsert(session: Session | Connection, added: Any, *more: str) -> None:
    """Whatever waits already keeps its beginning."""
    names = ("organization_id", "label", "reason", "due_at", *filter(None, more))
    new = {name: added.excluded[name] for name in names}
    session.execute(
        added.on_conflict_do_update(index_elements=_UNIQUE, set_=new),
        execution_options={"synchronize_session": False},
    )
