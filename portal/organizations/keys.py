"""An organization's keys: made in a browser, stored once."""

import uuid
from dataclasses import dataclass, field

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal import events
from portal.crypto.envelope import SEALED_KEY_LENGTH, SEALED_PRIVATE_KEY_LENGTH, looks_sealed
from portal.crypto.fingerprint import fingerprint_phrase
from portal.crypto.keys import is_public_key
from portal.domain.access import Actor, Trace
from portal.domain.errors import N_, RuleError, refuse
from portal.models import Collection, Organization, Provider
from portal.models.writing import rows_changed
from portal.organizations.service import streams_in

INCOMPLETE = N_("The keys that your browser made arrived incomplete. Load the page and try again.")


@dataclass(frozen=True)
class OrganizationKeys:
    """What a browser made for an organization; all of it wrapped, none of it can be read here.

    `public_key` is SPKI DER in base64. `provider_wrapped_key` is the organization key under the
    provider key (type 2) or for the provider's public key (type 4); `collection_name` the first
    collection's name under the organization key; `provider_public_key` says which provider key it
    was wrapped with, where that is known. Raises `RuleError` if one has another shape.
    """

    public_key: str
    protected_private_key: str = field(repr=False)
    provider_wrapped_key: str = field(repr=False)
    collection_name: str = field(repr=False)
    provider_public_key: str = ""

    def __post_init__(self) -> None:
        right = (
            is_public_key(self.public_key)
            and looks_sealed(self.protected_private_key, 2, SEALED_PRIVATE_KEY_LENGTH)
            and looks_sealed(self.collection_name, 2)
            and (self.is_sealed_by_provider_key or looks_sealed(self.provider_wrapped_key, 4))
        )
        if not right:
            raise refuse(INCOMPLETE)

    @property
    def is_sealed_by_provider_key(self) -> bool:
        """Whether the provider key itself wraps it, not the provider's public key."""
        return looks_sealed(self.provider_wrapped_key, 2, SEALED_KEY_LENGTH)


class KeysExist(RuleError):
    """Somebody's browser was faster; the keys that came now must be dropped."""

    def __init__(self) -> None:
        super().__init__(
            N_("Another browser has made the keys in the meantime. Load the page again.")
        )


def store_keys(
    session: Session,
    actor: Actor | None,
    organization_id: uuid.UUID,
    keys: OrganizationKeys,
    *,
    by_owner: bool,
    trace: Trace | None = None,
) -> None:
    """Store the keys and the first collection's name, unless there are keys: then `KeysExist`.

    `actor` is None for the owner who is just accepting. The event tells what the organization key
    was wrapped for: the provider key, or the fingerprint phrase of the provider's public key.
    """
    if not _provider_key_is_current(session, organization_id, keys):
        raise KeysExist
    stored = rows_changed(
        session,
        update(Organization)
        .where(Organization.id == organization_id, Organization.public_key.is_(None))
        .values(
            public_key=keys.public_key,
            protected_private_key=keys.protected_private_key,
            provider_wrapped_key=keys.provider_wrapped_key,
        )
        .execution_options(synchronize_session=False),
    )
    if stored != 1:
        raise KeysExist
    _name_collection(session, organization_id, keys.collection_name)
    events.record(
        session,
        actor,
        "organization:keys:create",
        streams=streams_in(actor, organization_id),
        subject_id=organization_id,
        trace=trace,
        fingerprint=fingerprint_phrase(str(organization_id), keys.public_key),
        by_owner=by_owner,
        wrapped_to=_wrapped_to(session, organization_id, keys),
    )


def _wrapped_to(session: Session, organization_id: uuid.UUID, keys: OrganizationKeys) -> str:
    if keys.is_sealed_by_provider_key:
        return "provider key"
    found = session.execute(
        select(Provider.id, Provider.public_key)
        .join(Organization, Organization.provider_id == Provider.id)
        .where(Organization.id == organization_id)
    ).one_or_none()
    if found is None or found.public_key is None:
        return ""
    return fingerprint_phrase(str(found.id), found.public_key)


def _name_collection(session: Session, organization_id: uuid.UUID, sealed_name: str) -> None:
    # There is exactly one collection before there are keys: the one that came with the client.
    session.execute(
        update(Collection)
        .where(Collection.organization_id == organization_id, Collection.sealed_name.is_(None))
        .values(sealed_name=sealed_name)
        .execution_options(synchronize_session=False)
    )


def _provider_key_is_current(
    session: Session, organization_id: uuid.UUID, keys: OrganizationKeys
) -> bool:
    """Hold the provider's row, so that its key stays what it is until the commit.

    A page may have been opened before the provider key was rotated: what it wrapped then would
    open with a key that nobody holds any more.
    """
    if not keys.provider_public_key:
        return True
    provider_id = (
        select(Organization.provider_id).where(Organization.id == organization_id).scalar_subquery()
    )
    held = rows_changed(
        session,
        update(Provider)
        .where(Provider.id == provider_id, Provider.public_key == keys.provider_public_key)
        .values(clients_count=Provider.clients_count)
        .execution_options(synchronize_session=False),
    )
    return held == 1
