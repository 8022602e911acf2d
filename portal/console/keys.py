"""The key of an organization's API: made, replaced and revoked; only its hash is kept."""

import uuid
from typing import Any

from sqlalchemy import delete, insert, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal import events
from portal.accounts.sessions import hash_token, new_token
from portal.console import queries
from portal.console.service import tenant_of, told_to
from portal.domain.access import Actor
from portal.domain.api_keys import written
from portal.models import ApiKey, utc_now
from portal.models.writing import rows_changed
from portal.settings.service import Changed


def make(session: Session, actor: Actor) -> str:
    """The first key, which is kept nowhere; raises `Changed` where there is one already."""
    organization_id = tenant_of(actor)
    row, key = _new(actor)
    try:
        with session.begin_nested():
            session.execute(insert(ApiKey).values(organization_id=organization_id, **row))
    except IntegrityError as error:
        raise Changed from error
    _tell(session, actor, "organization:api_key:create", key_id=row["id"].hex)
    return key


def rotate(session: Session, actor: Actor, seen: uuid.UUID) -> str:
    """Another key in place of `seen`, which dies at once; raises `Changed` if it has gone."""
    row, key = _new(actor)
    replaced = rows_changed(
        session,
        update(ApiKey)
        .where(ApiKey.organization_id == tenant_of(actor), ApiKey.id == seen)
        .values(**row, last_used_at=None)
        .execution_options(synchronize_session=False),
    )
    if replaced != 1:
        raise Changed
    ids = {"before": seen.hex, "after": row["id"].hex}
    _tell(session, actor, "organization:api_key:rotate", **ids)
    return key


def revoke(session: Session, actor: Actor, seen: uuid.UUID) -> bool:
    """No program reads any more; False where the key has gone already."""
    gone = rows_changed(
        session,
        delete(ApiKey)
        .where(ApiKey.organization_id == tenant_of(actor), ApiKey.id == seen)
        .execution_options(synchronize_session=False),
    )
    if gone != 1:
        return False
    _tell(session, actor, "organization:api_key:revoke", key_id=seen.hex)
    return True


def _new(actor: Actor) -> tuple[dict[str, Any], str]:
    # Not by the clock, as other ids: it is shown to whoever reads a log of the key.
    key_id = uuid.uuid4()
    key = written(key_id, new_token())
    return {
        "id": key_id,
        "key_hash": hash_token(key),
        "made_by": actor.name,
        "made_at": utc_now(),
    }, key


def _tell(session: Session, actor: Actor, kind: str, **details: Any) -> None:
    organization_id = tenant_of(actor)
    provider_id = queries.settings(session, organization_id).provider_id
    streams = told_to(organization_id, provider_id)
    events.record(session, actor, kind, streams=streams, subject_id=organization_id, **details)
