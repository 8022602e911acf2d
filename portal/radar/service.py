"""What a person sets for themselves: the address of their calendar, and the weekly mail."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import Update, or_, update
from sqlalchemy.orm import Session

from portal.accounts.sessions import hash_token, new_token
from portal.domain.access import Actor, Trace
from portal.domain.expiries import digest_week, zone_of
from portal.domain.states import ProviderPersonState
from portal.events import Stream, record
from portal.models import ProviderPerson, utc_now
from portal.models.writing import rows_changed
from portal.outbox import enqueue

DIGEST = "mail.weekly_digest"
# What the link that switches the mail off is signed for.
LEAVE = "weekly-email"


def _of(provider_id: uuid.UUID, person_id: uuid.UUID) -> Update:
    return update(ProviderPerson).where(
        ProviderPerson.provider_id == provider_id,
        ProviderPerson.id == person_id,
        ProviderPerson.state == ProviderPersonState.CONFIRMED,
    )


def _changed(session: Session, statement: Update) -> bool:
    return rows_changed(session, statement.execution_options(synchronize_session=False)) > 0


def make_address(session: Session, actor: Actor, person_id: uuid.UUID) -> str:
    """A new secret address of the person's calendar; the one before stops working.

    Returns the token, which is kept nowhere.
    """
    provider_id, token = _provider(actor), new_token()
    here = _of(provider_id, person_id)
    first = here.where(ProviderPerson.calendar_token_hash.is_(None))
    kind = "provider:calendar:create"
    if not _changed(session, first.values(calendar_token_hash=hash_token(token))):
        kind = "provider:calendar:replace"
        _changed(session, here.values(calendar_token_hash=hash_token(token)))
    _tell(session, actor, kind, provider_id, person_id)
    return token


def drop_address(session: Session, actor: Actor, person_id: uuid.UUID) -> bool:
    """No address opens the person's calendar any more; False where none did."""
    provider_id = _provider(actor)
    there = _of(provider_id, person_id).where(ProviderPerson.calendar_token_hash.is_not(None))
    if not _changed(session, there.values(calendar_token_hash=None)):
        return False
    _tell(session, actor, "provider:calendar:delete", provider_id, person_id)
    return True


def start_digest(session: Session, actor: Actor, person_id: uuid.UUID, time_zone: str) -> bool:
    """The person gets the weekly mail from next Monday on; False where they get it already."""
    provider_id = _provider(actor)
    off = _of(provider_id, person_id).where(ProviderPerson.wants_digest.is_(False))
    values: dict[str, Any] = {"wants_digest": True}
    # Turning it on on a Tuesday is no reason to send Monday's at once.
    monday = digest_week(utc_now(), zone_of(time_zone))
    if monday is not None:
        values["digest_sent_on"] = monday
    if not _changed(session, off.values(values)):
        return False
    _tell(session, actor, "provider:digest:start", provider_id, person_id)
    return True


def stop_digest(
    session: Session,
    actor: Actor | None,
    provider_id: uuid.UUID,
    person_id: uuid.UUID,
    trace: Trace | None = None,
) -> bool:
    """No weekly mail any more; False where there was none. Without an actor by a mailed link."""
    on = _of(provider_id, person_id).where(ProviderPerson.wants_digest)
    if not _changed(session, on.values(wants_digest=False)):
        return False
    _tell(session, actor, "provider:digest:stop", provider_id, person_id, trace)
    return True


def claim_digest(
    session: Session,
    provider_id: uuid.UUID,
    person_id: uuid.UUID,
    monday: dt.date,
    locale: str,
) -> bool:
    """Queue the week's mail, unless another worker has; the row decides between them."""
    open_ = _of(provider_id, person_id).where(
        ProviderPerson.wants_digest,
        or_(ProviderPerson.digest_sent_on.is_(None), ProviderPerson.digest_sent_on < monday),
    )
    if not _changed(session, open_.values(digest_sent_on=monday)):
        return False
    payload = {
        "provider": str(provider_id),
        "person": str(person_id),
        "week": monday.isoformat(),
        "locale": locale,
    }
    enqueue(session, DIGEST, payload, provider_id=provider_id, subject_id=person_id)
    return True


def _provider(actor: Actor) -> uuid.UUID:
    if actor.provider_id is None:
        raise ValueError("only a provider's person has a radar")
    return actor.provider_id


def _tell(
    session: Session,
    actor: Actor | None,
    kind: str,
    provider_id: uuid.UUID,
    person_id: uuid.UUID,
    trace: Trace | None = None,
) -> None:
    streams = [Stream("provider", provider_id)]
    record(session, actor, kind, streams=streams, subject_id=person_id, trace=trace)
