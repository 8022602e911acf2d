"""Counts anew who reaches which client, and under which terms everybody works."""

import uuid

from sqlalchemy import and_, exists, select
from sqlalchemy.orm import Session

from portal.domain.states import ProviderPersonState
from portal.models import ClientAccess, ProviderPerson, ScopeTerm
from portal.providers.reach import wanted_access

NAMED = 5


def recount_access(
    session: Session, provider_id: uuid.UUID | None = None, most: int | None = NAMED
) -> list[str]:
    """Clients that somebody should reach and does not, or the other way round; few are named."""
    wanted = wanted_access(provider_id)
    here = [] if provider_id is None else [ClientAccess.provider_id == provider_id]
    same = and_(
        ClientAccess.person_id == wanted.c.person_id,
        ClientAccess.organization_id == wanted.c.organization_id,
        ClientAccess.because == wanted.c.because,
        ClientAccess.tag_name == wanted.c.tag_name,
        ClientAccess.until_at.is_(None),
    )
    missing = select(wanted).where(~exists().where(same)).limit(most)
    surplus = (
        select(ClientAccess.person_id, ClientAccess.organization_id, ClientAccess.because)
        .where(ClientAccess.until_at.is_(None), ~exists().where(same), *here)
        .limit(most)
    )
    lost = session.execute(missing).all()
    stale = session.execute(surplus).all()
    return [
        *(f"{row.person_id}: nothing, counted {row.organization_id}" for row in lost),
        *(f"{row.person_id}: {row.organization_id}, counted nothing" for row in stale),
    ][:most]


def recount_terms(
    session: Session, provider_id: uuid.UUID | None = None, most: int | None = NAMED
) -> list[str]:
    """People who work under no term or another one, and terms of nobody; few are named."""
    mine = [] if provider_id is None else [ProviderPerson.provider_id == provider_id]
    here = [] if provider_id is None else [ScopeTerm.provider_id == provider_id]
    same = and_(
        ScopeTerm.provider_id == ProviderPerson.provider_id,
        ScopeTerm.person_id == ProviderPerson.id,
        ScopeTerm.role == ProviderPerson.role,
        ScopeTerm.reach == ProviderPerson.reach,
        ScopeTerm.level == ProviderPerson.level,
        ScopeTerm.until_at.is_(None),
    )
    works = ProviderPerson.state == ProviderPersonState.CONFIRMED
    missing = select(ProviderPerson.id).where(works, ~exists().where(same), *mine).limit(most)
    surplus = (
        select(ScopeTerm.person_id)
        .where(ScopeTerm.until_at.is_(None), ~exists().where(same, works), *here)
        .limit(most)
    )
    return [
        *(f"{person}: no term" for person in session.scalars(missing)),
        *(f"{person}: a term, counted none" for person in session.scalars(surplus)),
    ][:most]
