"""Mails to the owners of an organization."""

import uuid
from collections.abc import Mapping

from sqlalchemy.orm import Session

from portal.organizations import queries
from portal.outbox import enqueue


def tell_owners(
    session: Session,
    topic: str,
    organization_id: uuid.UUID,
    provider_id: uuid.UUID | None,
    more: Mapping[str, uuid.UUID] | None = None,
) -> None:
    """Queue a mail to every confirmed owner; its payload holds `organization`, `account`, `locale`.

    `provider` is there where one is given, and the ids in `more`.
    """
    ids = dict(more or {}) | ({"provider": provider_id} if provider_id else {})
    for owner in queries.confirmed_owners(session, organization_id):
        enqueue(
            session,
            topic,
            {
                "organization": str(organization_id),
                "account": str(owner.account_id),
                "locale": owner.locale or "en",
                **{name: str(value) for name, value in ids.items()},
            },
            organization_id=organization_id,
            provider_id=provider_id,
            account_id=owner.account_id,
            subject_id=organization_id,
        )
