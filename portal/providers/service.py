"""Writes about a provider: its beginning, its people, its keys."""

import datetime as dt
import uuid
from dataclasses import dataclass, field

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal import events
from portal.crypto.envelope import SEALED_KEY_LENGTH, SEALED_PRIVATE_KEY_LENGTH, looks_sealed
from portal.crypto.fingerprint import fingerprint_phrase
from portal.crypto.keys import is_public_key
from portal.domain.access import Actor, Role
from portal.domain.errors import N_, RuleError, refuse
from portal.domain.invitations import VALID
from portal.domain.scope import Level, Reach
from portal.domain.states import ProviderPersonState
from portal.events import Stream
from portal.models import Provider, ProviderPerson, utc_now
from portal.models.writing import rows_changed
from portal.outbox import enqueue
from portal.providers import attention

INCOMPLETE = N_("The key that your browser made arrived incomplete. Load the page and try again.")


@dataclass(frozen=True)
class Terms:
    """What was agreed with a provider. Percentages are basis points (1250 is 12.5 %)."""

    locale: str = "en"
    time_zone: str = "UTC"
    second_factor_required: bool = True
    discount_basis_points: int = 0
    tax_label: str = ""
    tax_basis_points: int = 0


def create_provider(session: Session, *, name: str, terms: Terms) -> Provider:
    """A provider without people and keys. `name` is checked already."""
    provider = Provider(
        name=name,
        locale=terms.locale,
        time_zone=terms.time_zone,
        second_factor_required=terms.second_factor_required,
        discount_basis_points=terms.discount_basis_points,
        tax_label=terms.tax_label,
        tax_basis_points=terms.tax_basis_points,
    )
    session.add(provider)
    session.flush()
    streams = [Stream("provider", provider.id)]
    events.record(
        session,
        None,
        "provider:provider:create",
        streams=streams,
        subject_id=provider.id,
        name=name,
    )
    return provider


def invite_person(
    session: Session, *, provider_id: uuid.UUID, email: str, role: Role, locale: str
) -> ProviderPerson:
    """Invite an address (in its stored form) and queue the mail; for the operator's commands."""
    person = ProviderPerson(
        provider_id=provider_id,
        email=email,
        role=role,
        state=ProviderPersonState.INVITED,
        invitation_locale=locale,
        invitation_expires_at=utc_now() + VALID,
    )
    session.add(person)
    session.flush()
    events.record(
        session,
        None,
        "provider:person:invite",
        streams=[Stream("provider", provider_id)],
        subject_id=person.id,
        email=email,
        role=role.value,
    )
    enqueue(
        session,
        "mail.provider_invitation",
        {
            "provider": str(provider_id),
            "person": str(person.id),
            "version": person.invitation_version,
            "locale": locale,
        },
        provider_id=provider_id,
        subject_id=person.id,
    )
    attention.person_invited(session, provider_id, person.id)
    return person


@dataclass(frozen=True)
class ProviderKeys:
    """What a browser made for a provider. Raises `RuleError` if one has another shape.

    `wrapped_provider_key` is the provider key for the public key of the person who makes it.
    """

    public_key: str
    protected_private_key: str = field(repr=False)
    wrapped_provider_key: str = field(repr=False)

    def __post_init__(self) -> None:
        right = (
            is_public_key(self.public_key)
            and looks_sealed(self.protected_private_key, 2, SEALED_PRIVATE_KEY_LENGTH)
            and looks_sealed(self.wrapped_provider_key, 4)
        )
        if not right:
            raise refuse(INCOMPLETE)


class KeysExist(RuleError):
    """Somebody's browser was faster; the keys that came now must be dropped."""

    def __init__(self) -> None:
        super().__init__(N_("The provider key has been made in the meantime. Load the page again."))


def store_keys(session: Session, actor: Actor, keys: ProviderKeys) -> None:
    """Store a provider's first keys, unless there are some: then `KeysExist`."""
    stored = rows_changed(
        session,
        update(Provider)
        .where(Provider.id == actor.provider_id, Provider.public_key.is_(None))
        .values(
            public_key=keys.public_key,
            protected_private_key=keys.protected_private_key,
            # A sheet printed for an earlier key would open nothing.
            recovery_wrapped_key=None,
            recovery_saved_at=None,
        )
        .execution_options(synchronize_session=False),
    )
    if stored != 1:
        raise KeysExist
    _hold_key(session, actor, keys.wrapped_provider_key)
    events.record(
        session,
        actor,
        "provider:keys:create",
        streams=_streams(actor),
        subject_id=actor.provider_id,
        fingerprint=fingerprint_phrase(str(actor.provider_id), keys.public_key),
    )


def save_recovery_sheet(
    session: Session, actor: Actor, wrapped: str, *, public_key: str = ""
) -> None:
    """Store the provider key wrapped by the printed code; an earlier sheet opens nothing now.

    `public_key` says which provider key the page had: one that was rotated since is refused.
    """
    if not looks_sealed(wrapped, 2, SEALED_KEY_LENGTH):
        raise refuse(INCOMPLETE)
    saved = rows_changed(
        session,
        update(Provider)
        .where(
            Provider.id == actor.provider_id,
            Provider.public_key == public_key if public_key else Provider.public_key.is_not(None),
        )
        .values(recovery_wrapped_key=wrapped, recovery_saved_at=dt.datetime.now(dt.UTC))
        .execution_options(synchronize_session=False),
    )
    if saved != 1:
        raise refuse(N_("The provider has another key by now, or none yet. Load the page again."))
    events.record(
        session,
        actor,
        "provider:recovery_sheet:save",
        streams=_streams(actor),
        subject_id=actor.provider_id,
    )


def restore_key(session: Session, actor: Actor, wrapped: str) -> None:
    """Give a person who lost it the provider key, as their browser opened it with a sheet."""
    if not looks_sealed(wrapped, 4):
        raise refuse(INCOMPLETE)
    sheet = select(Provider.recovery_wrapped_key).where(Provider.id == actor.provider_id)
    if session.scalar(sheet) is None:
        raise refuse(N_("This sheet belongs to a provider key that is not used any more."))
    _hold_key(session, actor, wrapped)
    events.record(
        session,
        actor,
        "provider:recovery_sheet:use",
        streams=_streams(actor),
        subject_id=actor.account_id,
    )


def _hold_key(session: Session, actor: Actor, wrapped: str) -> None:
    held = rows_changed(
        session,
        update(ProviderPerson)
        .where(
            ProviderPerson.provider_id == actor.provider_id,
            ProviderPerson.account_id == actor.account_id,
            ProviderPerson.state == ProviderPersonState.CONFIRMED,
            # The key opens every client: who reaches less never holds it.
            ProviderPerson.reach == Reach.ALL,
            ProviderPerson.level == Level.MANAGE,
            ProviderPerson.wrapped_provider_key.is_(None),
        )
        .values(wrapped_provider_key=wrapped)
        .execution_options(synchronize_session=False),
    )
    if held != 1:
        raise refuse(N_("You already hold the provider key."))


def _streams(actor: Actor) -> list[Stream]:
    if actor.provider_id is None:
        raise LookupError("the actor stands in no provider")
    return [Stream("provider", actor.provider_id)]
