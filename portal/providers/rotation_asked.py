"""Clients that want to be asked, when the provider key is rotated: wrapped or withheld."""

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from portal import events
from portal.crypto.fingerprint import fingerprint_phrase
from portal.domain.access import Actor
from portal.domain.provider_access import AccessMode
from portal.events import Stream
from portal.models import Organization, ProviderAccess

# (client, provider) mails the owners that the provider has no copy of their key any more;
# create_app fills it, since organizations come after providers.
WITHHELD: list[Callable[[Session, uuid.UUID, uuid.UUID | None], None]] = []
# So many clients that wait for their owners are named on the page.
NAMED = 50


def _of(provider_id: uuid.UUID, *columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .join(ProviderAccess, ProviderAccess.organization_id == Organization.id)
        .where(Organization.provider_id == provider_id, ProviderAccess.mode == AccessMode.ASK)
    )


def clients(session: Session, provider_id: uuid.UUID) -> Sequence[Row[Any]]:
    """(id, has_next) of those whose key the provider has a copy of."""
    has_next = Organization.next_wrapped_key.is_not(None).label("has_next")
    found = _of(provider_id, Organization.id, has_next).where(
        Organization.provider_wrapped_key.is_not(None)
    )
    return session.execute(found.order_by(Organization.id)).all()


def tell(session: Session, actor: Actor, client: Row[Any], public_key: str) -> None:
    """Its log says what became of the provider's copy; `client` is a row of `clients`.

    Where there is none any more, its owners are mailed: only they can hand it over again.
    """
    events.record(
        session,
        actor,
        f"organization:keys:{'rewrap' if client.has_next else 'withhold'}",
        streams=[Stream("organization", client.id)],
        subject_id=client.id,
        fingerprint=fingerprint_phrase(str(actor.provider_id), public_key),
    )
    if not client.has_next:
        for tell_owners in WITHHELD:
            tell_owners(session, client.id, actor.provider_id)


def withheld(session: Session, provider_id: uuid.UUID) -> Sequence[str]:
    """Names of those whose key the provider has no more, some of them.

    An owner's browser hands it over again.
    """
    found = _of(provider_id, Organization.name).where(
        Organization.public_key.is_not(None), Organization.provider_wrapped_key.is_(None)
    )
    return session.scalars(found.order_by(Organization.name_ci, Organization.id).limit(NAMED)).all()
