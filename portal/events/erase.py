"""Erasing a person from the logs: the rows beside the chain go blank, the chain stays whole."""

import json
import uuid
from collections import Counter
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from portal.domain.names import name_ci
from portal.domain.searching import ESCAPE, contains
from portal.events.compose import words_of
from portal.events.record import Stream, record
from portal.models import Account, EventPerson, EventStream


def erase(session: Session, account_id: uuid.UUID) -> int:
    """Blank everything that the logs tell of a person; returns how many rows told something.

    Each log that is touched gets an event which says how many rows were blanked, so that erasing
    cannot be used to hide something quietly. The account itself is the caller's matter. What
    others typed about the person is found by the account's address.
    """
    addresses = _addresses(session, account_id)
    touched: Counter[uuid.UUID] = Counter()
    for row in session.scalars(_rows(account_id, addresses)).all():
        if _blank(row, account_id, addresses):
            touched[row.stream_id] += 1
    session.flush()
    kinds = dict(
        session.execute(
            select(EventStream.stream_id, EventStream.kind).where(
                EventStream.stream_id.in_(list(touched))
            )
        ).all()
    )
    for stream_id, rows in sorted(touched.items()):
        streams = [Stream(kinds[stream_id], stream_id)]
        record(
            session,
            None,
            "account:account:erase",
            streams=streams,
            subject_id=account_id,
            rows=rows,
        )
    return touched.total()


def _addresses(session: Session, account_id: uuid.UUID) -> set[str]:
    """The person's address, and those under which they acted before it changed; folded."""
    found = set(session.scalars(select(Account.email).where(Account.id == account_id)))
    acts = select(EventPerson.actor).where(
        EventPerson.actor_id == account_id, EventPerson.actor.is_not(None)
    )
    found |= {json.loads(actor or "{}").get("email", "") for actor in session.scalars(acts)}
    return {name_ci(address) for address in found if address}


def _rows(account_id: uuid.UUID, addresses: set[str]) -> Any:
    """Rows that may tell of the person: their own acts, their own log, and where an address of
    theirs is written. The last is a search through all rows: rare, and done by an operator.
    """
    told = [EventPerson.actor_id == account_id, EventPerson.stream_id == account_id]
    told += [EventPerson.words.like(contains(each), escape=ESCAPE) for each in addresses]
    return select(EventPerson).where(or_(*told))


def _blank(row: EventPerson, account_id: uuid.UUID, addresses: set[str]) -> bool:
    own = row.stream_id == account_id
    changed = False
    if row.actor is not None and (own or row.actor_id == account_id):
        row.actor = row.actor_salt = None
        changed = True
    if row.about is not None and (own or _tells_of(row.about, addresses)):
        row.about = row.about_salt = None
        changed = True
    if changed:
        left = [json.loads(part) for part in (row.actor, row.about) if part is not None]
        row.words = words_of(*left)
    return changed


def _tells_of(about: str, addresses: set[str]) -> bool:
    folded = name_ci(about)
    return any(address in folded for address in addresses)
