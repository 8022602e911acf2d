"""Confirming a provider's person: the provider key, wrapped for them, changes hands."""

from typing import Any

from sqlalchemy import Row, or_, select, update
from sqlalchemy.orm import Session

from portal import events
from portal.accounts import affiliations
from portal.crypto.envelope import looks_sealed
from portal.crypto.fingerprint import fingerprint_phrase
from portal.domain.access import Actor
from portal.domain.errors import N_, refuse
from portal.domain.states import ProviderPersonState
from portal.events import Stream
from portal.models import Account, ProviderPerson, utc_now
from portal.models.writing import rows_changed
from portal.outbox import enqueue
from portal.providers import attention, queries, reach
from portal.providers.scope_keys import needs_key
from portal.providers.staff import check_actor, hold, tenant_of

NO_KEY = N_("No key arrived from your browser. Confirming needs a browser that runs scripts.")
NO_ACCOUNT_KEYS = N_(
    "This person's account has no keys yet. They make them at their next sign-in in a browser "
    "that runs scripts."
)
KEY_CHANGED = N_(
    "This person's key has changed since the page was opened. Nothing was handed over. "
    "Ask them to read you their fingerprint phrase before you try again."
)
ROTATED = N_("The provider key was rotated in the meantime. Load the page again.")
NOT_WAITING = N_("This person is not waiting for the provider key.")


def waits_for_key(person: Any) -> bool:
    """Whether the person waits to be confirmed, or for the provider key that belongs to them."""
    if person.state is ProviderPersonState.ACCEPTED:
        return True
    return (
        person.state is ProviderPersonState.CONFIRMED and not person.holds_key and needs_key(person)
    )


def confirm(
    session: Session,
    actor: Actor,
    person: Row[Any],
    *,
    public_key: str,
    wrapped_key: str,
    provider_public_key: str = "",
) -> None:
    """Give a row of `queries.staff` the provider key, confirming the person if they wait for it.

    `public_key` is the key that the confirmer's browser showed and wrapped for, `wrapped_key` the
    provider key for it (type 4), `provider_public_key` the provider's one that the page had.
    Somebody whose scope takes no provider key is confirmed without one, whatever arrived. Raises
    `RuleError`, and has changed nothing then but the log: a changed key raises an alarm there.
    """
    if not waits_for_key(person):
        raise refuse(NOT_WAITING)
    with_key = needs_key(person)
    _check_keys(session, actor, person, public_key, wrapped_key if with_key else None)
    hold(session, tenant_of(actor))
    check_actor(session, actor)
    current = queries.keys(session, person.provider_id).public_key
    if with_key and provider_public_key and current != provider_public_key:
        raise refuse(ROTATED)
    _mark(session, person, wrapped_key if with_key else None)
    reach.settle(session, person.provider_id, people=[person.id])
    fingerprint = _phrase(person, person.public_key)
    if person.state is ProviderPersonState.CONFIRMED:
        _record(session, actor, "provider:person:hand_over_key", person, fingerprint=fingerprint)
        return
    attention.person_moved(session, person.provider_id, person.id, ProviderPersonState.CONFIRMED)
    _affiliate(session, person)
    _record(
        session,
        actor,
        "provider:person:confirm",
        person,
        fingerprint=fingerprint,
        by_founding=False,
        with_key=with_key,
    )
    _send_mail(session, person)


def _check_keys(
    session: Session, actor: Actor, person: Row[Any], public_key: str, wrapped_key: str | None
) -> None:
    """`wrapped_key` is None where the person gets none, and so may have no keys of their own."""
    if wrapped_key is None:
        if public_key != (person.public_key or ""):
            raise_alarm(session, actor, person, public_key)
            raise refuse(KEY_CHANGED)
        return
    if person.public_key is None:
        raise refuse(NO_ACCOUNT_KEYS)
    if not looks_sealed(wrapped_key, 4):
        raise refuse(NO_KEY)
    if public_key != person.public_key:
        raise_alarm(session, actor, person, public_key)
        raise refuse(KEY_CHANGED)


def _mark(session: Session, person: Row[Any], wrapped_key: str | None) -> None:
    # The key is compared once more inside the statement: between the look and this it may change.
    holder = select(Account.id).where(
        Account.id == person.account_id,
        Account.public_key.is_not_distinct_from(person.public_key),
    )
    values: dict[str, Any] = {"wrapped_provider_key": wrapped_key}
    if person.state is ProviderPersonState.ACCEPTED:
        values |= {"state": ProviderPersonState.CONFIRMED, "confirmed_at": utc_now()}
    marked = rows_changed(
        session,
        update(ProviderPerson)
        .where(
            ProviderPerson.provider_id == person.provider_id,
            ProviderPerson.id == person.id,
            ProviderPerson.state == person.state,
            # The scope too: it decides whether a key may be given at all.
            ProviderPerson.reach == person.reach,
            ProviderPerson.level == person.level,
            or_(
                ProviderPerson.state == ProviderPersonState.ACCEPTED,
                ProviderPerson.wrapped_provider_key.is_(None),
            ),
            ProviderPerson.account_id.in_(holder),
        )
        .values(**values)
        .execution_options(synchronize_session=False),
    )
    if marked != 1:
        raise refuse(N_("This person has changed in the meantime. Load the page again."))


def _affiliate(session: Session, person: Row[Any]) -> None:
    affiliations.put(
        session,
        account_id=person.account_id,
        kind="provider",
        tenant_id=person.provider_id,
        name=person.provider_name,
        role=person.role,
        state=ProviderPersonState.CONFIRMED,
    )


def raise_alarm(session: Session, actor: Actor, person: Row[Any], shown: str) -> None:
    """Record that a key was about to be wrapped for another public key than the person's."""
    _record(
        session,
        actor,
        "provider:person:key_changed",
        person,
        fingerprint=_phrase(person, person.public_key),
        shown=_phrase(person, shown),
    )


def _phrase(person: Row[Any], public_key: str | None) -> str:
    if not public_key:
        return ""
    try:
        return fingerprint_phrase(str(person.account_id), public_key)
    except ValueError:
        return ""


def _record(session: Session, actor: Actor, kind: str, person: Row[Any], **details: Any) -> None:
    events.record(
        session,
        actor,
        kind,
        streams=[Stream("provider", person.provider_id)],
        subject_id=person.id,
        email=person.email,
        **details,
    )


def _send_mail(session: Session, person: Row[Any]) -> None:
    enqueue(
        session,
        "mail.provider_confirmed",
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
