"""The end of an organization: asked for by an owner, confirmed by a mailed link, taken back.

The link is a signature, so nothing that opens it lies in the database; its row says for whom and
until when it counts, and is spent by a conditional UPDATE.
"""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from portal import events
from portal.clients import lifecycle
from portal.console import queries
from portal.console.service import tenant_of, told_to
from portal.domain.access import Actor
from portal.domain.errors import N_, refuse
from portal.domain.states import ClientStatus
from portal.models import Organization, OrganizationDeletion, new_id, utc_now
from portal.models.writing import rows_changed
from portal.organizations.mail import tell_owners, tell_team
from portal.outbox import enqueue

VALID = dt.timedelta(hours=1)
PURPOSE = "organization-deletion"
LINK = "mail.organization_deletion_link"
OVER = N_(
    "This link is over: it was used, cancelled or replaced, it was mailed to somebody else, or "
    "the hour has passed. Nothing was deleted."
)


def ask(session: Session, actor: Actor, locale: str) -> None:
    """Mail the link to the actor, and tell the other owners; a link that is open dies."""
    organization_id = _hold(session, actor)
    found = queries.settings(session, organization_id)
    request_id = _store(session, actor, organization_id)
    events.record(
        session,
        actor,
        "organization:deletion:ask",
        streams=told_to(organization_id, found.provider_id),
        subject_id=organization_id,
        minutes=int(VALID.total_seconds() // 60),
    )
    ids = {"organization": organization_id, "account": actor.account_id, "request": request_id}
    enqueue(
        session,
        LINK,
        {**{name: str(value) for name, value in ids.items()}, "locale": locale},
        organization_id=organization_id,
        account_id=actor.account_id,
        subject_id=request_id,
    )
    more = {"request": request_id, "by": actor.account_id}
    topic = "mail.organization_deletion_asked"
    tell_owners(session, topic, organization_id, found.provider_id, more, but=actor.account_id)


def _hold(session: Session, actor: Actor) -> uuid.UUID:
    """Take the organization's row, which closing and keeping it change first of all.

    Else one of two at once could hold the request and wait for the log, the other the reverse.
    """
    organization_id = tenant_of(actor)
    mine = select(Organization.id).where(Organization.id == organization_id)
    session.execute(mine.with_for_update(key_share=True))
    return organization_id


def _store(session: Session, actor: Actor, organization_id: uuid.UUID) -> uuid.UUID:
    """The row of the newest request: there is one an organization."""
    now, request_id = utc_now(), new_id()
    values: dict[str, Any] = {
        "id": request_id,
        "account_id": actor.account_id,
        "asked_by": actor.name,
        "asked_at": now,
        "expires_at": now + VALID,
    }
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    stored = (
        dialect.insert(OrganizationDeletion)
        .values(organization_id=organization_id, **values)
        .on_conflict_do_update(
            index_elements=[OrganizationDeletion.organization_id],
            set_=values,
            where=OrganizationDeletion.used_at.is_(None),
        )
        .returning(OrganizationDeletion.id)
    )
    if session.execute(stored).first() is None:
        raise refuse(OVER)
    return request_id


def cancel(session: Session, actor: Actor, seen: uuid.UUID) -> bool:
    """The mailed link opens nothing any more; False where it did not anyway. Any owner may."""
    organization_id = _hold(session, actor)
    gone = rows_changed(
        session,
        delete(OrganizationDeletion)
        .where(
            OrganizationDeletion.organization_id == organization_id,
            OrganizationDeletion.id == seen,
            OrganizationDeletion.used_at.is_(None),
            OrganizationDeletion.expires_at > utc_now(),
        )
        .execution_options(synchronize_session=False),
    )
    if gone != 1:
        return False
    events.record(
        session,
        actor,
        "organization:deletion:cancel",
        streams=told_to(organization_id, queries.settings(session, organization_id).provider_id),
        subject_id=organization_id,
    )
    return True


def is_open(session: Session, actor: Actor, request_id: uuid.UUID | None) -> bool:
    """Whether the link of this request opens for this person."""
    found = queries.open_deletion(session, tenant_of(actor), utc_now())
    return found is not None and (found.id, found.account_id) == (request_id, actor.account_id)


def use(session: Session, actor: Actor, request_id: uuid.UUID) -> dt.datetime:
    """Close the organization, to be deleted after the days of grace; returns that moment.

    What the provider's own Delete does, told to everybody in other words. Raises `RuleError` for
    a link that is over.
    """
    organization_id = tenant_of(actor)
    found = queries.settings(session, organization_id)
    if not found.status.may_become(ClientStatus.DELETING):
        raise refuse(OVER)
    delete_at = lifecycle.close(session, actor, found, found.provider_id)
    _spend(session, actor, organization_id, request_id)
    by = {"by": actor.account_id}
    tell_owners(session, "mail.organization_closed", organization_id, found.provider_id, by)
    if found.provider_id is not None:
        tell_team(session, "mail.client_deletion_team", organization_id, found.provider_id, actor)
    return delete_at


def _spend(
    session: Session, actor: Actor, organization_id: uuid.UUID, request_id: uuid.UUID
) -> None:
    now = utc_now()
    spent = rows_changed(
        session,
        update(OrganizationDeletion)
        .where(
            OrganizationDeletion.organization_id == organization_id,
            OrganizationDeletion.id == request_id,
            OrganizationDeletion.account_id == actor.account_id,
            OrganizationDeletion.used_at.is_(None),
            OrganizationDeletion.expires_at > now,
        )
        .values(used_at=now)
        .execution_options(synchronize_session=False),
    )
    if spent != 1:
        raise refuse(OVER)


def keep(session: Session, actor: Actor) -> bool:
    """Take back what an owner decided; False where it was another's decision, or is taken back.

    What a provider has decided is the provider's to take back.
    """
    organization_id = tenant_of(actor)
    if not queries.closed_by_owner(session, organization_id):
        return False
    found = queries.settings(session, organization_id)
    if found.status is not ClientStatus.DELETING:
        return False
    lifecycle.reopen(session, actor, found, found.provider_id)
    by = {"by": actor.account_id}
    tell_owners(
        session,
        "mail.organization_kept",
        organization_id,
        found.provider_id,
        by,
        but=actor.account_id,
    )
    if found.provider_id is not None:
        tell_team(session, "mail.organization_kept", organization_id, found.provider_id, actor)
    return True
