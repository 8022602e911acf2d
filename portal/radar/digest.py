"""The weekly mail: whom it is due to, and what it has to tell."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import Session, sessionmaker

from portal.database import reading
from portal.domain.expiries import digest_moment, digest_week, midnight, zone_of
from portal.models import Attention, Organization, utc_now
from portal.providers.stuck import once
from portal.radar import people
from portal.radar.queries import COUNTED, Reader, clients, ending, visible
from portal.radar.service import claim_digest
from portal.web.logs import log

AHEAD = 30


@dataclass(frozen=True)
class Digest:
    """Rows of each part, at most `COUNTED` + 1 of them."""

    stuck: list[Any]
    ending: list[Any]
    without_owner: list[Any]
    full: list[Any]
    created: list[Any]

    @property
    def has_nothing(self) -> bool:
        return not (self.stuck or self.ending or self.without_owner or self.full or self.created)


def make_due(sessions: sessionmaker[Session], now: dt.datetime | None = None) -> int:
    """Queue the digests whose Monday morning has come; returns how many.

    Looks without a lock. Each is claimed by a row of its own, so that any number of workers may
    look at once.
    """
    moment, count = now or utc_now(), 0
    with reading(), sessions() as session:
        waiting = list(people.wanting_digest(session, moment))
    for each in waiting:
        zone = zone_of(each.time_zone)
        monday = digest_week(moment, zone)
        # Who came after Monday morning begins with the next one.
        if monday is None or each.since >= digest_moment(monday, zone):
            continue
        with sessions.begin() as session:
            place = (each.provider_id, each.person_id)
            count += claim_digest(session, *place, monday, each.locale)
    return count


def chore(sessions: sessionmaker[Session]) -> None:
    """What the worker does between its jobs."""
    queued = make_due(sessions)
    if queued:
        log.info("digests queued", mails=queued)


def collect(
    session: Session, reader: Reader, monday: dt.date, time_zone: str, now: dt.datetime
) -> Digest:
    """What there is to tell of a week that begins at `monday`, in five statements."""
    zone = zone_of(time_zone)
    today = now.astimezone(zone).date()
    names = clients(reader, Organization.name)
    return Digest(
        stuck=_rows(session, _stuck(reader)),
        ending=ending(
            session,
            reader,
            since=now,
            until=midnight(today + dt.timedelta(days=AHEAD + 1), zone),
            limit=COUNTED + 1,
        ),
        without_owner=_rows(session, names.where(Organization.owner_confirmed.is_(False))),
        full=_rows(session, names.where(Organization.seats_remaining <= 0)),
        created=_rows(
            session,
            names.where(
                Organization.created_at >= midnight(monday - dt.timedelta(days=7), zone),
                Organization.created_at < midnight(monday, zone),
            ),
        ),
    )


def _stuck(reader: Reader) -> Select[Any]:
    return (
        visible(
            reader,
            Attention.kind,
            Attention.label,
            Attention.since,
            Organization.name.label("client"),
        )
        .where(*once())
        .order_by(Attention.since, Attention.id)
    )


def _rows(session: Session, found: Select[Any]) -> list[Any]:
    return list(session.execute(found.limit(COUNTED + 1)))
