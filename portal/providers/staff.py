"""A provider's people change: invited, given another role, suspended, resumed, removed.

Every change holds the provider's row first, so that two admins who turn on each other take turns
and one of them stays; the last confirmed provider admin is guarded by the changing statement too.
"""

import uuid
from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, exists, or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from portal import events
from portal.accounts import affiliations
from portal.domain.access import Actor, Role
from portal.domain.errors import N_, RuleError, refuse
from portal.domain.invitations import VALID
from portal.domain.scope import Level, Reach
from portal.domain.staff import LAST_ADMIN, StaffAction, Standing, check_action
from portal.domain.states import ProviderPersonState
from portal.events import Stream
from portal.models import Provider, ProviderPerson, ScopePart, new_id, utc_now
from portal.models.writing import rows_changed
from portal.outbox import enqueue
from portal.providers import attention, queries, reach, scope_keys

GONE = N_("This person is not here any more.")
_CONFIRMED = ProviderPersonState.CONFIRMED


def hold(session: Session, provider_id: uuid.UUID) -> None:
    """Keep everybody else from changing the provider's people until the commit."""
    session.execute(
        update(Provider)
        .where(Provider.id == provider_id)
        .values(clients_count=Provider.clients_count)
        .execution_options(synchronize_session=False)
    )


def tenant_of(actor: Actor) -> uuid.UUID:
    """The provider in which the actor stands."""
    if actor.provider_id is None:
        raise LookupError("the actor stands in no provider")
    return actor.provider_id


def invite(session: Session, actor: Actor, *, email: str, role: Role, locale: str) -> bool:
    """Invite an address (in its stored form); False, and nothing done, if it is here already."""
    provider_id = tenant_of(actor)
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    now = utc_now()
    added = (
        dialect.insert(ProviderPerson)
        .values(
            provider_id=provider_id,
            id=new_id(),
            email=email,
            role=role,
            state=ProviderPersonState.INVITED,
            invitation_version=1,
            invitation_locale=locale,
            invitation_expires_at=now + VALID,
            created_at=now,
        )
        .on_conflict_do_nothing()
        .returning(ProviderPerson)
    )
    person: ProviderPerson | None = session.scalars(added).one_or_none()
    if person is None:
        return False
    _tell(session, actor, "provider:person:invite", person, role=role.value)
    send_invitation(session, provider_id, person)
    attention.person_invited(session, provider_id, person.id)
    return True


def send_invitation(session: Session, provider_id: uuid.UUID, person: Any) -> None:
    """Queue the mail with the link of the row's present version."""
    enqueue(
        session,
        "mail.provider_invitation",
        {
            "provider": str(provider_id),
            "person": str(person.id),
            "version": person.invitation_version,
            "locale": person.invitation_locale,
        },
        provider_id=provider_id,
        subject_id=person.id,
    )


def standing_of(person: Row[Any], actor: Actor, admins: int) -> Standing:
    """How a row of `queries.staff` stands to the actor; `admins` counts the confirmed ones."""
    is_admin = person.role is Role.PROVIDER_ADMIN and person.state is _CONFIRMED
    return Standing(
        role=person.role,
        state=person.state,
        is_self=person.account_id == actor.account_id,
        other_admins=admins - is_admin,
    )


def act(
    session: Session, actor: Actor, action: StaffAction, person_id: uuid.UUID
) -> Row[Any] | None:
    """Do it; returns the person as they were, None if they are gone. Raises `RuleError`.

    Whoever is refused has changed nothing, so several people can be done in one transaction.
    """
    provider_id = tenant_of(actor)
    hold(session, provider_id)
    check_actor(session, actor)
    person = queries.person(session, provider_id, person_id)
    if person is None:
        return None
    admins = queries.count_admins(session, provider_id)
    check_action(action, standing_of(person, actor, admins))
    _DO[action](session, actor, person)
    reach.settle(session, provider_id, people=[person_id])
    return person


def leave(session: Session, actor: Actor) -> None:
    """Give up one's own place; refused to the last confirmed provider admin."""
    provider_id = tenant_of(actor)
    hold(session, provider_id)
    person = queries.person_of(session, provider_id, actor.account_id)
    if person is None:
        raise refuse(GONE)
    _take_place(session, person)
    before = {"role": person.role.value, "state": person.state.value}
    _tell(session, actor, "provider:person:leave", person, before=before)
    reach.settle(session, provider_id, people=[person.id])


def check_actor(session: Session, actor: Actor) -> None:
    """Somebody may have taken the actor's place away between the look and the lock."""
    if not queries.is_confirmed_admin(session, tenant_of(actor), actor.account_id):
        raise refuse(N_("You are not a provider admin any more."))


def _resend(session: Session, actor: Actor, person: Row[Any]) -> None:
    renewed = session.execute(
        update(ProviderPerson)
        .where(*_row(person), ProviderPerson.state == ProviderPersonState.INVITED)
        .values(
            invitation_version=ProviderPerson.invitation_version + 1,
            invitation_expires_at=utc_now() + VALID,
        )
        .returning(
            ProviderPerson.id, ProviderPerson.invitation_version, ProviderPerson.invitation_locale
        )
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if renewed is None:
        raise refuse(GONE)
    _tell(session, actor, "provider:person:reinvite", person)
    send_invitation(session, person.provider_id, renewed)
    attention.person_invited(session, person.provider_id, person.id)


def _give_role(role: Role) -> Callable[[Session, Actor, Row[Any]], None]:
    def give(session: Session, actor: Actor, person: Row[Any]) -> None:
        keeps_admin = [] if role is Role.PROVIDER_ADMIN else [_leaves_an_admin(person)]
        # Admins reach every client; whoever stops being one begins with that, too.
        _write(session, person, keeps_admin, role=role, reach=Reach.ALL, level=Level.MANAGE)
        session.execute(
            delete(ScopePart).where(
                ScopePart.provider_id == person.provider_id, ScopePart.person_id == person.id
            )
        )
        _affiliate(session, person, role=role)
        _tell(
            session,
            actor,
            "provider:person:update",
            person,
            before={"role": person.role.value},
            after={"role": role.value},
        )
        _mail(session, "mail.provider_role_changed", person)

    return give


def _suspend(session: Session, actor: Actor, person: Row[Any]) -> None:
    _lock_out(session, person)
    _tell_state(session, actor, "provider:person:suspend", person, ProviderPersonState.SUSPENDED)


def _lock_out(session: Session, person: Row[Any]) -> None:
    _write(
        session,
        person,
        [_leaves_an_admin(person)],
        state=ProviderPersonState.SUSPENDED,
        wrapped_provider_key=None,
        next_wrapped_key=None,
    )
    scope_keys.left(session, person)
    attention.person_moved(session, *_ids(person), ProviderPersonState.SUSPENDED)
    _affiliate(session, person, state=ProviderPersonState.SUSPENDED)
    _mail(session, "mail.provider_suspended", person)


def end_access(session: Session, person: Row[Any]) -> bool:
    """Suspend somebody whose last day is over, as it is done by hand.

    False, and the day forgotten, where nobody else could administer the provider. The caller
    holds the provider.
    """
    day = person.access_ends_at.isoformat()
    try:
        _lock_out(session, person)
    except RuleError:
        _write(session, person, [], access_ends_at=None)
        attention.person_ends(session, *_ids(person))
        _tell(session, None, "provider:person:keep_access", person, before={"ends_at": day})
        return False
    after = {"state": ProviderPersonState.SUSPENDED.value}
    before = {"state": person.state.value, "ends_at": day}
    _tell(session, None, "provider:person:end_access", person, before=before, after=after)
    reach.settle(session, person.provider_id, people=[person.id])
    return True


def _resume(session: Session, actor: Actor, person: Row[Any]) -> None:
    # Without the key, which was taken away: handing it over again needs somebody's open vault.
    ends_at = person.access_ends_at
    over = ends_at is not None and ends_at <= utc_now()
    _write(session, person, [], state=_CONFIRMED, access_ends_at=None if over else ends_at)
    attention.person_moved(session, *_ids(person), _CONFIRMED)
    _affiliate(session, person, state=_CONFIRMED)
    _tell_state(session, actor, "provider:person:resume", person, _CONFIRMED)
    _mail(session, "mail.provider_resumed", person)


def _remove(session: Session, actor: Actor, person: Row[Any]) -> None:
    _take_place(session, person)
    before = {"role": person.role.value, "state": person.state.value}
    _tell(session, actor, "provider:person:remove", person, before=before)
    _mail(session, "mail.provider_removed", person)


def _take_place(session: Session, person: Row[Any]) -> None:
    """The row and all that hangs on it, unless nobody could administer the provider then."""
    removed = rows_changed(
        session,
        delete(ProviderPerson)
        .where(*_row(person), _leaves_an_admin(person))
        .execution_options(synchronize_session=False),
    )
    if removed != 1:
        raise refuse(LAST_ADMIN)
    scope_keys.left(session, person)
    attention.person_moved(session, *_ids(person), None)
    if person.account_id is None:
        return
    affiliations.drop(
        session, account_id=person.account_id, kind="provider", tenant_id=person.provider_id
    )


_DO: dict[StaffAction, Callable[[Session, Actor, Row[Any]], None]] = {
    StaffAction.RESEND: _resend,
    StaffAction.MAKE_ADMIN: _give_role(Role.PROVIDER_ADMIN),
    StaffAction.MAKE_SERVICE_USER: _give_role(Role.SERVICE_USER),
    StaffAction.SUSPEND: _suspend,
    StaffAction.RESUME: _resume,
    StaffAction.REMOVE: _remove,
}


def _ids(person: Row[Any]) -> tuple[uuid.UUID, uuid.UUID]:
    return person.provider_id, person.id


def _row(person: Row[Any]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (ProviderPerson.provider_id == person.provider_id, ProviderPerson.id == person.id)


def _leaves_an_admin(person: Row[Any]) -> ColumnElement[bool]:
    other = aliased(ProviderPerson)
    is_other_admin = and_(
        other.provider_id == person.provider_id,
        other.id != person.id,
        other.role == Role.PROVIDER_ADMIN,
        other.state == _CONFIRMED,
    )
    return or_(
        ProviderPerson.role != Role.PROVIDER_ADMIN,
        ProviderPerson.state != _CONFIRMED,
        exists().where(is_other_admin),
    )


def _write(
    session: Session, person: Row[Any], conditions: list[ColumnElement[bool]], **values: Any
) -> None:
    written = rows_changed(
        session,
        update(ProviderPerson)
        .where(*_row(person), *conditions)
        .values(**values)
        .execution_options(synchronize_session=False),
    )
    if written != 1:
        raise refuse(LAST_ADMIN if conditions else GONE)


def _affiliate(
    session: Session,
    person: Row[Any],
    *,
    role: Role | None = None,
    state: ProviderPersonState | None = None,
) -> None:
    if person.account_id is None:
        return
    affiliations.put(
        session,
        account_id=person.account_id,
        kind="provider",
        tenant_id=person.provider_id,
        name=person.provider_name,
        role=role or person.role,
        state=state or person.state,
    )


def _tell_state(
    session: Session, actor: Actor, kind: str, person: Row[Any], state: ProviderPersonState
) -> None:
    before, after = {"state": person.state.value}, {"state": state.value}
    _tell(session, actor, kind, person, before=before, after=after)


def _tell(session: Session, actor: Actor | None, kind: str, person: Any, **details: Any) -> None:
    streams = [Stream("provider", tenant_of(actor) if actor else person.provider_id)]
    events.record(
        session,
        actor,
        kind,
        streams=streams,
        subject_id=person.id,
        email=person.email,
        **details,
    )


def _mail(session: Session, topic: str, person: Row[Any]) -> None:
    """To somebody who has an account here; an invitation is withdrawn without a word."""
    if person.account_id is None:
        return
    enqueue(
        session,
        topic,
        {
            "provider": str(person.provider_id),
            "person": str(person.id),
            "account": str(person.account_id),
            "locale": person.locale,
        },
        provider_id=person.provider_id,
        account_id=person.account_id,
        subject_id=person.id,
    )
