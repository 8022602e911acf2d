"""Reads of lists of clients. Each starts from `_of`: a list is its maker's alone."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from portal.clients.tagging import provider_of
from portal.domain.access import Actor
from portal.domain.csv_lists import LineState
from portal.models import ClientImport, ClientImportLine, Organization

SHOWN = 20


def _of(actor: Actor, *columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(ClientImport)
        .where(
            ClientImport.provider_id == provider_of(actor),
            ClientImport.account_id == actor.account_id,
        )
    )


def _lines_of(actor: Actor, import_id: uuid.UUID, *columns: Any) -> Select[Any]:
    return (
        _of(actor, *columns)
        .join(
            ClientImportLine,
            (ClientImportLine.provider_id == ClientImport.provider_id)
            & (ClientImportLine.import_id == ClientImport.id),
        )
        .where(ClientImport.id == import_id)
    )


def find(session: Session, actor: Actor, import_id: uuid.UUID, *, lock: bool = False) -> Any:
    """The list, locked for whoever goes on with it; None if it is not this person's."""
    found = _of(actor, ClientImport).where(ClientImport.id == import_id)
    return session.scalars(found.with_for_update() if lock else found).one_or_none()


def lists(session: Session, actor: Actor) -> Sequence[Any]:
    """The newest lists and how many lines of each are in which state, the newest first."""
    newest = _of(actor, ClientImport).order_by(ClientImport.id.desc()).limit(SHOWN)
    return session.scalars(newest).all()


def counts(
    session: Session, actor: Actor, ids: Collection[uuid.UUID]
) -> Mapping[uuid.UUID, Mapping[LineState, int]]:
    """How many lines of each list are in which state."""
    found = (
        select(ClientImportLine.import_id, ClientImportLine.state, func.count())
        .where(
            ClientImportLine.provider_id == provider_of(actor),
            ClientImportLine.import_id.in_(ids),
        )
        .group_by(ClientImportLine.import_id, ClientImportLine.state)
    )
    counted: dict[uuid.UUID, dict[LineState, int]] = {each: {} for each in ids}
    for import_id, state, number in session.execute(found):
        counted[import_id][state] = number
    return counted


def lines(session: Session, actor: Actor, import_id: uuid.UUID) -> Sequence[Any]:
    """All lines (at most `client_import.LINES`) in the order of the list."""
    found = _lines_of(actor, import_id, ClientImportLine)
    return session.scalars(found.order_by(ClientImportLine.line)).all()


def line(session: Session, actor: Actor, import_id: uuid.UUID, number: int) -> Any:
    """One line; None where there is none of this number."""
    found = _lines_of(actor, import_id, ClientImportLine)
    return session.scalars(found.where(ClientImportLine.line == number)).one_or_none()


def waiting(session: Session, actor: Actor, import_id: uuid.UUID, limit: int) -> Sequence[Any]:
    """The next lines to be created."""
    found = _lines_of(actor, import_id, ClientImportLine).where(
        ClientImportLine.state == LineState.PLANNED
    )
    return session.scalars(found.order_by(ClientImportLine.line).limit(limit)).all()


def names_there(session: Session, provider_id: uuid.UUID, names: Collection[str]) -> frozenset[str]:
    """Which of these folded names clients of the provider have already."""
    found = select(Organization.name_ci).where(
        Organization.provider_id == provider_id, Organization.name_ci.in_(names)
    )
    return frozenset(session.scalars(found))
