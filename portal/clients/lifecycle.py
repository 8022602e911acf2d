"""A client suspended and resumed, deleted and kept, and given to its owner."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from portal import events
from portal.domain.access import Actor
from portal.domain.errors import N_, Changed, refuse
from portal.domain.states import ClientStatus
from portal.events import Stream
from portal.grants import service as grants
from portal.grants import switching
from portal.members import seat_requests
from portal.models import (
    Organization,
    OrganizationDeletion,
    OrganizationTag,
    Provider,
    Subscription,
    utc_now,
)
from portal.models.writing import rows_changed
from portal.organizations import queries
from portal.organizations.mail import tell_owners, tell_team
from portal.organizations.service import streams_in
from portal.providers import attention, reach

GRACE = dt.timedelta(days=7)
# What the provider wrote beside the client for itself goes with the provider.
_NO_WORDS = {
    "note": "",
    "external_reference": "",
    "reference_ci": "",
    "tags_shown": "",
    "hidden_since": None,
}
NO_OWNER = N_(
    "No confirmed owner is a person of the client. Confirm one first: an organization without an "
    "owner could never be opened again."
)


def suspend(session: Session, actor: Actor, client: Any) -> None:
    """Lock the members out; everything is kept. `client` is the row its page was made from."""
    kind = "organization:organization:suspend"
    _move(session, actor, client, ClientStatus.SUSPENDED, kind, actor.provider_id)
    _tell_owners(session, actor, client, "mail.client_suspended")


def resume(session: Session, actor: Actor, client: Any) -> None:
    """Let the members in again."""
    if client.status is ClientStatus.DELETING:
        raise Changed
    kind = "organization:organization:resume"
    _move(session, actor, client, ClientStatus.ACTIVE, kind, actor.provider_id)
    _tell_owners(session, actor, client, "mail.client_resumed")


def ask_deletion(session: Session, actor: Actor, client: Any) -> dt.datetime:
    """Close the client and delete it when the days of grace are over; returns that moment."""
    delete_at = close(session, actor, client, actor.provider_id)
    _tell_everybody(session, actor, client, "mail.client_deletion")
    return delete_at


def close(
    session: Session, actor: Actor, client: Any, provider_id: uuid.UUID | None
) -> dt.datetime:
    """The same without its mails, for the actor of a provider or of the organization itself.

    `provider_id` is the client's provider when the page was made, None without one.
    """
    delete_at = utc_now() + GRACE
    _move(
        session,
        actor,
        client,
        ClientStatus.DELETING,
        "organization:organization:ask_deletion",
        provider_id,
        delete_at=delete_at,
        status_before_deletion=client.status,
    )
    return delete_at


def keep(session: Session, actor: Actor, client: Any) -> None:
    """Take the deletion back: the client is again what it was before."""
    reopen(session, actor, client, actor.provider_id)
    _tell_owners(session, actor, client, "mail.client_kept")


def reopen(session: Session, actor: Actor, client: Any, provider_id: uuid.UUID | None) -> None:
    """The same without its mails, as `close` is."""
    if client.status is not ClientStatus.DELETING:
        raise Changed
    _move(
        session,
        actor,
        client,
        client.status_before_deletion,
        "organization:organization:keep",
        provider_id,
        delete_at=None,
        status_before_deletion=None,
    )
    # Whoever wanted it deleted has to want it anew.
    session.execute(
        delete(OrganizationDeletion).where(OrganizationDeletion.organization_id == client.id)
    )


def _tell_owners(session: Session, actor: Actor, client: Any, topic: str) -> None:
    tell_owners(session, topic, client.id, actor.provider_id, but=actor.account_id)


def _tell_everybody(session: Session, actor: Actor, client: Any, topic: str) -> None:
    """Owners get it even for what they did themselves, since it ends what they have."""
    tell_owners(session, topic, client.id, actor.provider_id)
    if actor.provider_id:
        tell_team(session, f"{topic}_team", client.id, actor.provider_id, actor)


def _move(
    session: Session,
    actor: Actor,
    client: Any,
    after: ClientStatus,
    kind: str,
    provider_id: uuid.UUID | None,
    **more: Any,
) -> None:
    if not client.status.may_become(after):
        raise Changed
    _change(session, provider_id, client, status=after, **more)
    if after is not ClientStatus.ACTIVE:
        # Its owners are locked out: nobody could end an access that they have given.
        grants.hold(session, client.id)
        grants.close_all(session, actor, client.id)
    streams = [Stream("organization", client.id)]
    if provider_id is not None:
        streams.append(Stream("provider", provider_id))
    events.record(
        session,
        actor,
        kind,
        streams=streams,
        subject_id=client.id,
        before=client.status.value,
        after=after.value,
    )


def _change(session: Session, provider_id: uuid.UUID | None, client: Any, /, **values: Any) -> None:
    changed = rows_changed(
        session,
        update(Organization)
        .where(
            Organization.provider_id == provider_id,
            Organization.id == client.id,
            Organization.version == client.version,
            Organization.status == client.status,
        )
        .values(version=Organization.version + 1, **values)
        .execution_options(synchronize_session=False),
    )
    if changed != 1:
        raise Changed


def own_owners(session: Session, client: Any) -> list[Any]:
    """The confirmed owners who are people of the client, not of the provider, by address."""
    found = queries.confirmed_owners(session, client.id)
    return [owner for owner in found if not owner.is_of_provider]


def _bill_at_list_price(session: Session, client: Any) -> None:
    session.execute(
        update(Subscription)
        .where(Subscription.organization_id == client.id)
        .values(
            discount_basis_points=0,
            tax_label="",
            tax_basis_points=0,
            version=Subscription.version + 1,
        )
        .execution_options(synchronize_session=False)
    )


def unlink(session: Session, actor: Actor, client: Any) -> None:
    """Give the organization to its owner: the provider loses its key and the way in.

    From the end of the running period it is billed in its own name at list price, to the first
    owner's address. Raises `RuleError` where no owner is a person of the client.
    """
    if client.status is ClientStatus.DELETING:
        raise Changed
    session.execute(
        update(Provider)
        .where(Provider.id == actor.provider_id)
        .values(clients_count=Provider.clients_count - 1)
        .execution_options(synchronize_session=False)
    )
    owners = own_owners(session, client)
    if not owners:
        raise refuse(NO_OWNER)
    _change(
        session,
        actor.provider_id,
        client,
        provider_id=None,
        provider_since=None,
        provider_wrapped_key=None,
        next_wrapped_key=None,
        # The provider's people could open the key: another one is offered to the owner.
        key_rotation_due_since=utc_now() if client.has_keys else None,
        billing_email=owners[0].email,
        status=ClientStatus.ACTIVE,
        **_NO_WORDS,
    )
    _forget(session, actor, client)
    _bill_at_list_price(session, client)
    events.record(
        session,
        actor,
        "organization:organization:unlink",
        streams=streams_in(actor, client.id),
        subject_id=client.id,
        provider=str(actor.provider_id),
        owners=[owner.email for owner in owners],
    )
    _tell_everybody(session, actor, client, "mail.client_unlinked")


def _forget(session: Session, actor: Actor, client: Any) -> None:
    """What stood between the provider and the organization: ways in, tags, and what was asked."""
    switching.forget(session, actor, client.id)
    attention.leave(session, client.id)
    seat_requests.give_up(session, actor, client.id)
    session.execute(delete(OrganizationTag).where(OrganizationTag.organization_id == client.id))
    reach.forget(session, actor.scope.provider_id, client.id)
