"""Accepting the invitation of a provider's person."""

import uuid
from collections.abc import Callable
from typing import Any

from sqlalchemy import Row, Select, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from portal import events
from portal.accounts import affiliations
from portal.crypto.fingerprint import fingerprint_phrase
from portal.crypto.tokens import Link
from portal.domain.access import Actor, Role, Trace
from portal.domain.invitations import ASK_EVERY, VALID, Invitation, Purpose, Spent, standing
from portal.domain.states import ProviderPersonState
from portal.events import Stream
from portal.models import Account, Provider, ProviderPerson, utc_now
from portal.models.writing import rows_changed
from portal.outbox import enqueue
from portal.providers import attention, reach


def _of(provider_id: uuid.UUID, *columns: InstrumentedAttribute[Any]) -> Select[Any]:
    return select(*columns).where(ProviderPerson.provider_id == provider_id)


def _row(session: Session, link: Link) -> Row[Any] | None:
    addressee = aliased(Account)
    found = (
        _of(
            link.tenant_id,
            ProviderPerson.account_id,
            ProviderPerson.email,
            ProviderPerson.role,
            ProviderPerson.state,
            ProviderPerson.invitation_version,
            ProviderPerson.invitation_expires_at,
        )
        .add_columns(Provider.name, addressee.id.label("addressee_id"))
        .join(Provider, Provider.id == ProviderPerson.provider_id)
        .outerjoin(addressee, addressee.email == ProviderPerson.email)
        .where(ProviderPerson.id == link.row_id)
    )
    return session.execute(found).one_or_none()


def find(session: Session, link: Link) -> Invitation | None:
    """The invitation behind a link; None where its row is gone."""
    row = _row(session, link)
    if row is None:
        return None
    return Invitation(
        purpose=Purpose.PROVIDER,
        standing=standing(
            invited=row.state is ProviderPersonState.INVITED,
            withdrawn=row.state is ProviderPersonState.SUSPENDED,
            is_newest=row.invitation_version == link.version,
            expires_at=row.invitation_expires_at,
            now=utc_now(),
        ),
        tenant_id=link.tenant_id,
        row_id=link.row_id,
        version=link.version,
        place=row.name,
        inviter=row.name,
        email=row.email,
        role=row.role,
        expires_at=row.invitation_expires_at,
        account_id=row.account_id,
        is_confirmed=row.state is ProviderPersonState.CONFIRMED,
        has_account=row.addressee_id is not None,
        provider_id=link.tenant_id,
    )


def accept(
    session: Session,
    invitation: Invitation,
    find_account: Callable[[], Account],
    *,
    trace: Trace,
) -> tuple[Account, ProviderPersonState]:
    """Spend the link and link the account, made only now if it is a new one.

    The founding admin, the first person of a provider, is confirmed at once: nobody else could
    do it. Raises `Spent` for whoever comes second with the same link.
    """
    founding = _is_founding(session, invitation)
    _claim(session, invitation)
    account = find_account()
    if account.email != invitation.email:
        raise Spent
    state = ProviderPersonState.CONFIRMED if founding else ProviderPersonState.ACCEPTED
    _link(session, invitation, account, state)
    attention.person_moved(session, invitation.tenant_id, invitation.row_id, state)
    reach.settle(session, invitation.tenant_id, people=[invitation.row_id])
    affiliations.put(
        session,
        account_id=account.id,
        kind="provider",
        tenant_id=invitation.tenant_id,
        name=invitation.place,
        role=invitation.role,
        state=state,
    )
    _tell(session, invitation, account, trace, founding=founding)
    return account, state


def _is_founding(session: Session, invitation: Invitation) -> bool:
    """Whether nobody of the provider is confirmed; holds the provider's row until the commit."""
    session.execute(
        update(Provider)
        .where(Provider.id == invitation.tenant_id)
        .values(clients_count=Provider.clients_count)
        .execution_options(synchronize_session=False)
    )
    confirmed = _of(invitation.tenant_id, ProviderPerson.id).where(
        ProviderPerson.state == ProviderPersonState.CONFIRMED
    )
    anybody = session.execute(confirmed.limit(1)).first() is not None
    return invitation.role is Role.PROVIDER_ADMIN and not anybody


def _claim(session: Session, invitation: Invitation) -> None:
    now = utc_now()
    claimed = rows_changed(
        session,
        update(ProviderPerson)
        .where(
            ProviderPerson.provider_id == invitation.tenant_id,
            ProviderPerson.id == invitation.row_id,
            ProviderPerson.state == ProviderPersonState.INVITED,
            ProviderPerson.invitation_version == invitation.version,
            ProviderPerson.invitation_expires_at > now,
        )
        .values(accepted_at=now)
        .execution_options(synchronize_session=False),
    )
    if claimed != 1:
        raise Spent


def _link(
    session: Session, invitation: Invitation, account: Account, state: ProviderPersonState
) -> None:
    confirmed_at = utc_now() if state is ProviderPersonState.CONFIRMED else None
    session.execute(
        update(ProviderPerson)
        .where(
            ProviderPerson.provider_id == invitation.tenant_id,
            ProviderPerson.id == invitation.row_id,
        )
        .values(state=state, account_id=account.id, confirmed_at=confirmed_at)
        .execution_options(synchronize_session=False)
    )


def _tell(
    session: Session, invitation: Invitation, account: Account, trace: Trace, *, founding: bool
) -> None:
    actor = Actor(
        account_id=account.id,
        session_id=None,
        name=account.name,
        email=account.email,
        role=invitation.role,
        permissions=frozenset(),
        provider_id=invitation.tenant_id,
        trace=trace,
    )
    streams = [Stream("provider", invitation.tenant_id)]
    events.record(
        session,
        actor,
        "provider:person:accept",
        streams=streams,
        subject_id=invitation.row_id,
        email=account.email,
        role=invitation.role.value,
    )
    if not founding:
        return
    key = account.public_key
    events.record(
        session,
        actor,
        "provider:person:confirm",
        streams=streams,
        subject_id=invitation.row_id,
        email=account.email,
        fingerprint=fingerprint_phrase(str(account.id), key) if key else None,
        by_founding=True,
    )


def ask_again(session: Session, link: Link, *, trace: Trace) -> bool:
    """Send a waiting invitation once more to its address, for whoever holds one of its links.

    Returns False, and does nothing, where none waits or the last mail is too young.
    """
    now = utc_now()
    renewed = session.execute(
        update(ProviderPerson)
        .where(
            ProviderPerson.provider_id == link.tenant_id,
            ProviderPerson.id == link.row_id,
            ProviderPerson.state == ProviderPersonState.INVITED,
            ProviderPerson.invitation_expires_at <= now + VALID - ASK_EVERY,
        )
        .values(
            invitation_version=ProviderPerson.invitation_version + 1,
            invitation_expires_at=now + VALID,
        )
        .returning(
            ProviderPerson.email,
            ProviderPerson.role,
            ProviderPerson.invitation_version,
            ProviderPerson.invitation_locale,
        )
    ).one_or_none()
    if renewed is None:
        return False
    _send_again(session, link, renewed, trace)
    return True


def _send_again(session: Session, link: Link, renewed: Any, trace: Trace) -> None:
    events.record(
        session,
        None,
        "provider:person:invite",
        streams=[Stream("provider", link.tenant_id)],
        subject_id=link.row_id,
        trace=trace,
        email=renewed.email,
        role=renewed.role.value,
    )
    enqueue(
        session,
        "mail.provider_invitation",
        {
            "provider": str(link.tenant_id),
            "person": str(link.row_id),
            "version": renewed.invitation_version,
            "locale": renewed.invitation_locale,
        },
        provider_id=link.tenant_id,
        subject_id=link.row_id,
    )
    attention.person_invited(session, link.tenant_id, link.row_id)


def admin_names(session: Session, provider_id: uuid.UUID) -> list[str]:
    """The names of the provider's confirmed admins: those whom a new person waits for."""
    found = (
        _of(provider_id, ProviderPerson.id)
        .add_columns(Account.name)
        .join(Account, Account.id == ProviderPerson.account_id)
        .where(
            ProviderPerson.role == Role.PROVIDER_ADMIN,
            ProviderPerson.state == ProviderPersonState.CONFIRMED,
        )
        .order_by(Account.name)
    )
    return [row.name for row in session.execute(found)]
