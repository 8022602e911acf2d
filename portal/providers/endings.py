"""People whose last day is over, suspended by the worker."""

from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, sessionmaker

from portal.domain.states import ProviderPersonState
from portal.models import ProviderPerson, utc_now
from portal.providers import queries, staff


def end_due(sessions: sessionmaker[Session]) -> int:
    """Suspend whose time has come, each in a transaction of its own; returns how many."""
    columns = (ProviderPerson.provider_id, ProviderPerson.id)
    with sessions() as session:
        due = session.execute(select(*columns).where(*_is_due())).all()
    count = 0
    for provider_id, person_id in due:
        with sessions.begin() as session:
            count += _end(session, provider_id, person_id)
    return count


def _is_due() -> tuple[ColumnElement[bool], ...]:
    return (
        ProviderPerson.access_ends_at <= utc_now(),
        ProviderPerson.state == ProviderPersonState.CONFIRMED,
    )


def _end(session: Session, provider_id: Any, person_id: Any) -> bool:
    """False where somebody has set another day, or nobody else could administer the provider."""
    staff.hold(session, provider_id)
    still = select(ProviderPerson.id).where(
        ProviderPerson.provider_id == provider_id, ProviderPerson.id == person_id, *_is_due()
    )
    if session.execute(still).first() is None:
        return False
    person = queries.person(session, provider_id, person_id)
    return person is not None and staff.end_access(session, person)
