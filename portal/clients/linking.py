"""An organization that exists becomes a client: asked for, and linked by its owner."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import exists, update
from sqlalchemy.orm import Session

from portal import events
from portal.billing.client_queries import ADDRESS
from portal.clients import link_queries
from portal.crypto.envelope import looks_sealed
from portal.domain.access import Actor, Role
from portal.domain.errors import N_, Changed, refuse
from portal.domain.states import ClientStatus, MemberState
from portal.events import Stream
from portal.models import LinkRequest, Member, Organization, Provider, Subscription, utc_now
from portal.models.writing import rows_changed
from portal.organizations.mail import tell_owners, tell_team
from portal.outbox import enqueue
from portal.providers import attention, reach

VALID = dt.timedelta(days=5)
PURPOSE = "link-request"
ASKED_A_DAY = 3


@dataclass(frozen=True)
class WrappedKey:
    """The organization key for the provider's public key (type 4), and that key as it was shown."""

    wrapped: str
    public_key: str

    def __post_init__(self) -> None:
        if not looks_sealed(self.wrapped, 4):
            raise refuse(
                N_("No key arrived from your browser. Linking needs a browser that runs scripts.")
            )


def ask(session: Session, actor: Actor, email: str, locale: str) -> None:
    """Mail the question to an address (stored form); the same whoever reads mail there."""
    if actor.provider_id is None:
        raise LookupError("the actor stands in no provider")
    yesterday = utc_now() - dt.timedelta(days=1)
    if link_queries.asked_since(session, actor.provider_id, email, yesterday) >= ASKED_A_DAY:
        raise refuse(N_("This address was asked three times today. Try tomorrow."), field="email")
    request = LinkRequest(
        provider_id=actor.provider_id,
        email=email,
        asked_by=actor.name,
        expires_at=utc_now() + VALID,
    )
    session.add(request)
    session.flush()
    events.record(
        session,
        actor,
        "provider:link:ask",
        streams=[Stream("provider", actor.provider_id)],
        subject_id=request.id,
        email=email,
    )
    enqueue(
        session,
        "mail.link_request",
        {"provider": str(actor.provider_id), "request": str(request.id), "locale": locale},
        provider_id=actor.provider_id,
        subject_id=request.id,
    )


def decline(session: Session, actor: Actor, request: Any) -> None:
    """Answer no; raises `Changed` where it is answered already."""
    _answer(session, request, answer="no")
    events.record(
        session,
        actor,
        "provider:link:decline",
        streams=[Stream("provider", request.provider_id)],
        subject_id=request.id,
        email=request.email,
    )


def accept(
    session: Session, actor: Actor, request: Any, organization: Any, key: WrappedKey
) -> None:
    """Answer yes for one organization, and link it."""
    _answer(session, request, answer="yes", organization_id=organization.id)
    link(session, actor, request.provider_id, organization, key)


def _answer(session: Session, request: Any, **values: Any) -> None:
    answered = rows_changed(
        session,
        update(LinkRequest)
        .where(
            LinkRequest.provider_id == request.provider_id,
            LinkRequest.id == request.id,
            LinkRequest.answer == "",
            LinkRequest.expires_at > utc_now(),
        )
        .values(**values)
        .execution_options(synchronize_session=False),
    )
    if answered != 1:
        raise Changed


def link(
    session: Session, actor: Actor, provider_id: uuid.UUID, organization: Any, key: WrappedKey
) -> None:
    """Make an organization (a row of `link_queries`) a client; `actor` is its owner.

    Raises `Changed` where the provider has another key by now, or the organization is not what
    the row says any more.
    """
    provider = _count_in(session, provider_id, key)
    _take(session, actor, provider_id, organization, provider, key)
    attention.arrive(session, organization.id, provider_id)
    reach.settle(session, provider_id, organizations=[organization.id])
    session.execute(
        update(Subscription)
        .where(Subscription.organization_id == organization.id)
        .values(
            discount_basis_points=provider.discount_basis_points,
            tax_label=provider.tax_label,
            tax_basis_points=provider.tax_basis_points,
            version=Subscription.version + 1,
            **({name: getattr(provider, name) for name in ADDRESS} if provider.country else {}),
        )
        .execution_options(synchronize_session=False)
    )
    events.record(
        session,
        actor,
        "organization:organization:link",
        streams=[Stream("organization", organization.id), Stream("provider", provider_id)],
        subject_id=organization.id,
        name=organization.name,
        provider=provider.name,
    )
    by = {"by": actor.account_id}
    tell_owners(session, "mail.client_linked", organization.id, provider_id, by)
    tell_team(session, "mail.client_linked_team", organization.id, provider_id, actor)


def _count_in(session: Session, provider_id: uuid.UUID, key: WrappedKey) -> Any:
    """One client more; the row stays locked, so that its key cannot change under the client's."""
    provider = session.execute(
        update(Provider)
        .where(Provider.id == provider_id, Provider.public_key == key.public_key)
        .values(clients_count=Provider.clients_count + 1)
        .returning(
            Provider.name,
            Provider.billing_email,
            Provider.discount_basis_points,
            Provider.tax_label,
            Provider.tax_basis_points,
            *(getattr(Provider, name) for name in ADDRESS),
        )
    ).one_or_none()
    if provider is None:
        raise Changed
    return provider


def _take(
    session: Session,
    actor: Actor,
    provider_id: uuid.UUID,
    organization: Any,
    provider: Any,
    key: WrappedKey,
) -> None:
    owned = exists().where(
        Member.organization_id == Organization.id,
        Member.account_id == actor.account_id,
        Member.role == Role.OWNER,
        Member.state == MemberState.CONFIRMED,
    )
    taken = rows_changed(
        session,
        update(Organization)
        .where(
            Organization.id == organization.id,
            Organization.provider_id.is_(None),
            Organization.status == ClientStatus.ACTIVE,
            Organization.version == organization.version,
            owned,
        )
        .values(
            provider_id=provider_id,
            provider_since=utc_now(),
            provider_wrapped_key=key.wrapped,
            growth_told_at=None,
            limit_told_at=None,
            billing_email=provider.billing_email or organization.billing_email,
            version=Organization.version + 1,
        )
        .execution_options(synchronize_session=False),
    )
    if taken != 1:
        raise Changed
