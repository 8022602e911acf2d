"""Who reads the radar outside its page: by a calendar's address, or by the weekly mail."""

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Row, Select, func, or_, select, tuple_
from sqlalchemy.orm import Session

from portal.domain.access import Permission, sees_hidden
from portal.domain.scope import Reach, permitted
from portal.domain.states import ProviderPersonState
from portal.models import Account, ClientAccess, Provider, ProviderPerson, utc_now
from portal.models.reach import reached
from portal.radar.queries import Reader

AT_ONCE = 500


def _of(provider_id: uuid.UUID, *columns: Any) -> Select[Any]:
    """Columns of the provider's people, of their accounts and of the provider itself."""
    return (
        select(*columns)
        .select_from(ProviderPerson)
        .join(Provider, Provider.id == ProviderPerson.provider_id)
        .join(Account, Account.id == ProviderPerson.account_id)
        .where(ProviderPerson.provider_id == provider_id)
    )


_ZONE = func.coalesce(Account.time_zone, Provider.time_zone).label("time_zone")
_LOCALE = func.coalesce(Account.locale, Provider.locale).label("locale")
_PERSON = (
    ProviderPerson.provider_id,
    ProviderPerson.id.label("person_id"),
    ProviderPerson.role,
    ProviderPerson.reach,
    ProviderPerson.level,
    ProviderPerson.wants_digest,
    ProviderPerson.digest_sent_on,
    ProviderPerson.calendar_token_hash,
    Account.email,
    Provider.name.label("provider"),
    _ZONE,
    _LOCALE,
)


def _works_here(now: dt.datetime) -> tuple[Any, ...]:
    """Conditions: confirmed, and their access has not ended."""
    return (
        ProviderPerson.state == ProviderPersonState.CONFIRMED,
        or_(ProviderPerson.access_ends_at.is_(None), ProviderPerson.access_ends_at > now),
    )


def person(session: Session, provider_id: uuid.UUID, person_id: uuid.UUID) -> Row[Any] | None:
    """Somebody who works here, with their language and zone; None for everybody else."""
    found = _of(provider_id, *_PERSON).where(
        ProviderPerson.id == person_id, *_works_here(utc_now())
    )
    return session.execute(found).one_or_none()


def by_calendar(session: Session, provider_id: uuid.UUID, token_hash: str) -> Row[Any] | None:
    """Whose calendar has the address with this hash; None unless they work here, and with a client.

    Somebody whose scope has no client left has no calendar either.
    """
    found = _of(provider_id, *_PERSON).where(
        ProviderPerson.calendar_token_hash == token_hash,
        *_works_here(utc_now()),
        or_(
            ProviderPerson.reach == Reach.ALL,
            reached(ProviderPerson.provider_id, ProviderPerson.id, ClientAccess.organization_id),
        ),
    )
    return session.execute(found).one_or_none()


def reader_of(found: Any) -> Reader:
    """What a row of `person` may see."""
    permissions = permitted(found.role, found.level)
    return Reader(
        found.provider_id,
        limited_to=None if found.reach is Reach.ALL else found.person_id,
        sees_people=Permission.PROVIDER_PEOPLE_READ in permissions,
        sees_hidden=sees_hidden(found.role),
    )


def wanting_digest(session: Session, now: dt.datetime) -> Iterator[Any]:
    """Everybody of all providers who may be due: an index tells who has had this week's already."""
    last: tuple[uuid.UUID, uuid.UUID] | None = None
    rows: Sequence[Any]
    place = tuple_(ProviderPerson.provider_id, ProviderPerson.id)
    found = (
        select(
            ProviderPerson.provider_id,
            ProviderPerson.id.label("person_id"),
            func.coalesce(ProviderPerson.confirmed_at, ProviderPerson.created_at).label("since"),
            _ZONE,
            _LOCALE,
        )
        .join(Provider, Provider.id == ProviderPerson.provider_id)
        .join(Account, Account.id == ProviderPerson.account_id)
        .where(ProviderPerson.wants_digest, *_works_here(now), _had_none_lately(now))
        .order_by(ProviderPerson.provider_id, ProviderPerson.id)
        .limit(AT_ONCE)
    )
    while True:
        rows = session.execute(found if last is None else found.where(place > last)).all()
        yield from rows
        if len(rows) < AT_ONCE:
            return
        last = (rows[-1].provider_id, rows[-1].person_id)


def _had_none_lately(now: dt.datetime) -> Any:
    # A digest is sent within three days of its Monday; somewhere the day is one ahead or behind.
    before = now.date() - dt.timedelta(days=3)
    return or_(ProviderPerson.digest_sent_on.is_(None), ProviderPerson.digest_sent_on < before)
