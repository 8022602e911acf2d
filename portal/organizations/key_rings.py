"""The key ring of a page inside an organization, for members and for the provider's people."""

import uuid

from sqlalchemy.orm import Session

from portal.domain.access import Actor
from portal.organizations import queries
from portal.web.keyring import AccountKey, KeyRing, OrganizationKey, ProviderKeys


def ring_of(session: Session, actor: Actor) -> KeyRing:
    """The wrapped keys by which this person's unlocked vault opens the organization."""
    if actor.organization_id is None:
        raise LookupError("the actor stands in no organization")
    if actor.via_provider:
        return _of_provider(session, actor, actor.organization_id)
    row = queries.keys_of_member(session, actor.organization_id, actor.account_id)
    return KeyRing(
        account=AccountKey(actor.account_id, row.public_key),
        organization=OrganizationKey(
            actor.organization_id, row.wrapped_organization_key, "account"
        ),
    )


def _of_provider(session: Session, actor: Actor, organization_id: uuid.UUID) -> KeyRing:
    row = queries.keys_of_provider_person(session, organization_id, actor.account_id)
    return KeyRing(
        account=AccountKey(actor.account_id, row.public_key),
        provider=ProviderKeys(
            row.provider_id,
            row.wrapped_provider_key,
            row.protected_private_key,
            row.provider_public_key,
        ),
        organization=OrganizationKey.from_provider(organization_id, row.provider_wrapped_key),
    )
