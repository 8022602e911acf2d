"""Organizations whose days of grace are over, deleted for good by the worker."""

import datetime as dt
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, delete, select, update
from sqlalchemy.orm import Session, sessionmaker

from portal import events
from portal.domain.states import ClientStatus
from portal.events import Stream
from portal.models import Affiliation, Organization, Provider, utc_now
from portal.models.writing import rows_changed


class _Kept(Exception):
    """Somebody has kept it, or another worker was faster."""


def delete_due(sessions: sessionmaker[Session]) -> int:
    """Delete what is due, each organization in a transaction of its own; returns how many."""
    with sessions() as session:
        due = session.execute(
            _due(Organization.id, Organization.name, Organization.provider_id)
        ).all()
    count = 0
    for organization in due:
        try:
            with sessions.begin() as session:
                _delete(session, organization)
            count += 1
        except _Kept:
            continue
    return count


def _due(*columns: Any) -> Select[Any]:
    return select(*columns).where(*_is_due(utc_now()))


def _is_due(now: dt.datetime) -> tuple[ColumnElement[bool], ...]:
    return Organization.status == ClientStatus.DELETING, Organization.delete_at <= now


def _delete(session: Session, organization: Row[Any]) -> None:
    # The provider's row first, as everywhere else.
    session.execute(
        update(Provider)
        .where(Provider.id == organization.provider_id)
        .values(clients_count=Provider.clients_count - 1)
    )
    gone = rows_changed(
        session, delete(Organization).where(Organization.id == organization.id, *_is_due(utc_now()))
    )
    if gone != 1:
        raise _Kept
    session.execute(
        delete(Affiliation).where(
            Affiliation.kind == "organization", Affiliation.tenant_id == organization.id
        )
    )
    streams = [Stream("organization", organization.id)]
    if organization.provider_id:
        streams.append(Stream("provider", organization.provider_id))
    events.record(
        session,
        None,
        "organization:organization:delete",
        streams=streams,
        subject_id=organization.id,
        name=organization.name,
    )
