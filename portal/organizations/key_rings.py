"""The key ring of a page inside an organization, for members and for the provider's people."""

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from portal.crypto.versions import version_of
from portal.domain.access import Actor
from portal.domain.scope import Level, needs_provider_key
from portal.organizations import queries
from portal.providers.queries import key_holders
from portal.web.keyring import AccountKey, KeyRing, OrganizationKey, ProviderKeys


@dataclass(frozen=True)
class Opening:
    """How a person opens the organization: `ring`, or else why not.

    `helpers` are the names of those who can hand the key to a person of the provider who has none
    yet; `reads_only` says that none is meant for them. `rotation_due` says that another key is
    offered.
    """

    ring: KeyRing
    lacks_key: bool = False
    reads_only: bool = False
    withheld: bool = False
    helpers: tuple[str, ...] = ()
    rotation_due: bool = False


def ring_of(session: Session, actor: Actor) -> KeyRing:
    """The wrapped keys by which this person's unlocked vault opens the organization."""
    return opening_of(session, actor).ring


def opening_of(session: Session, actor: Actor) -> Opening:
    """The ring, and what stands in its way."""
    if actor.organization_id is None:
        raise LookupError("the actor stands in no organization")
    if actor.via_provider:
        return _of_provider(session, actor, actor.organization_id)
    row = queries.keys_of_member(session, actor.organization_id, actor.account_id)
    key = OrganizationKey(
        actor.organization_id, row.wrapped_organization_key, "account", _version(row)
    )
    ring = KeyRing(account=AccountKey(actor.account_id, row.public_key), organization=key)
    return Opening(ring, rotation_due=row.key_rotation_due_since is not None)


def _of_provider(session: Session, actor: Actor, organization_id: uuid.UUID) -> Opening:
    row = queries.keys_of_provider_person(session, organization_id, actor.account_id)
    ring = _ring(row, AccountKey(actor.account_id, row.public_key), organization_id)
    due = row.key_rotation_due_since is not None
    holds = row.provider_wrapped_key is not None and ring.holds_provider_key
    opens = ring.opens_organization or holds
    if opens or row.protected_private_key is None:
        return Opening(ring, rotation_due=due)
    if row.level is Level.READ_ONLY:
        return Opening(ring, lacks_key=True, reads_only=True, rotation_due=due)
    if row.provider_wrapped_key is None:
        # Nobody of the provider has it: an owner hands it over.
        return Opening(ring, lacks_key=True, withheld=True, rotation_due=due)
    helpers = tuple(key_holders(session, row.provider_id))
    return Opening(ring, lacks_key=True, helpers=helpers, rotation_due=due)


def _ring(row: Any, account: AccountKey, organization_id: uuid.UUID) -> KeyRing:
    if not needs_provider_key(row.reach, row.level):
        # Nothing of the provider's: what the page does not carry, nobody opens with it.
        own = row.own_key if row.level is Level.MANAGE else None
        key = OrganizationKey(organization_id, own, "account", _version(row))
        return KeyRing(account=account, organization=key)
    return KeyRing(
        account=account,
        provider=ProviderKeys(
            row.provider_id,
            row.wrapped_provider_key,
            row.protected_provider_key,
            row.provider_public_key,
        ),
        organization=OrganizationKey.from_provider(
            organization_id, row.provider_wrapped_key, _version(row)
        ),
    )


def _version(row: Any) -> str:
    return version_of(row.protected_private_key) if row.protected_private_key else ""
