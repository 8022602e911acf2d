"""Mails to the owners of an organization, and to the admins of the provider that has it."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from portal.domain.access import Actor
from portal.organizations import queries
from portal.outbox import enqueue
from portal.providers import queries as provider_queries


def tell_owners(
    session: Session,
    topic: str,
    organization_id: uuid.UUID,
    provider_id: uuid.UUID | None,
    more: Mapping[str, uuid.UUID | str] | None = None,
    *,
    but: uuid.UUID | None = None,
    own: bool = False,
) -> frozenset[uuid.UUID]:
    """Queue a mail to every confirmed owner; its payload holds `organization`, `account`, `locale`.

    `provider` is there where one is given, and what is in `more`, never anything personal. `but`
    is the account that did it and needs no mail; `own` leaves out owners who are people of the
    provider. Returns the accounts of the owners.
    """
    owners: Sequence[Any] = queries.confirmed_owners(session, organization_id)
    if own:
        owners = [owner for owner in owners if not owner.is_of_provider]
    _tell(session, topic, owners, organization_id, provider_id, more or {}, {but})
    return frozenset(owner.account_id for owner in owners)


def key_withheld(
    session: Session, organization_id: uuid.UUID, provider_id: uuid.UUID | None
) -> None:
    """Tell the client's own owners that its provider has no copy of their key any more."""
    tell_owners(session, "mail.key_withheld", organization_id, provider_id, own=True)


def tell_team(
    session: Session,
    topic: str,
    organization_id: uuid.UUID,
    provider_id: uuid.UUID,
    actor: Actor,
) -> None:
    """The same to every confirmed admin of the provider, for what `actor` did (in `by`).

    Left out are the actor and the owners, who are told in their own words.
    """
    owners = queries.confirmed_owners(session, organization_id)
    told = {actor.account_id, *(owner.account_id for owner in owners)}
    admins = provider_queries.admins_to_tell(session, provider_id)
    by = {"by": actor.account_id}
    _tell(session, topic, admins, organization_id, provider_id, by, told)


def tell_admins(
    session: Session,
    topic: str,
    organization_id: uuid.UUID,
    provider_id: uuid.UUID,
    more: Mapping[str, uuid.UUID],
    *,
    but: Iterable[uuid.UUID | None] = (),
) -> None:
    """The same to every confirmed admin of the provider but the accounts of `but`."""
    admins = provider_queries.admins_to_tell(session, provider_id)
    _tell(session, topic, admins, organization_id, provider_id, more, set(but))


def _tell(
    session: Session,
    topic: str,
    people: Iterable[Any],
    organization_id: uuid.UUID,
    provider_id: uuid.UUID | None,
    more: Mapping[str, uuid.UUID | str],
    but: set[uuid.UUID | None],
) -> None:
    ids = dict(more) | ({"provider": provider_id} if provider_id else {})
    for person in people:
        if person.account_id in but:
            continue
        enqueue(
            session,
            topic,
            {
                "organization": str(organization_id),
                "account": str(person.account_id),
                "locale": person.locale or "en",
                **{name: str(value) for name, value in ids.items()},
            },
            organization_id=organization_id,
            provider_id=provider_id,
            account_id=person.account_id,
            subject_id=organization_id,
        )
