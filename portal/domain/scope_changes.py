"""A scope as somebody wants it to be, and what it may not be."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from portal.domain.access import Role
from portal.domain.errors import N_, refuse
from portal.domain.scope import Level, Reach
from portal.domain.staff import LAST_ADMIN, MYSELF, Standing

MOST_CLIENTS = 500
ADMINS_REACH_ALL = N_(
    "A provider admin reaches and manages every client. Make this person a service user first."
)


@dataclass(frozen=True)
class Wanted:
    """Reach, level, the clients and tags that it names, and when the person's work here ends."""

    reach: Reach = Reach.ALL
    level: Level = Level.MANAGE
    clients: frozenset[UUID] = frozenset()
    tags: frozenset[UUID] = frozenset()
    ends_at: dt.datetime | None = None

    @property
    def is_unlimited(self) -> bool:
        return self.reach is Reach.ALL and self.level is Level.MANAGE


def check_wanted(wanted: Wanted, standing: Standing, now: dt.datetime) -> None:
    """Raise `RuleError` where somebody who stands so cannot get this scope."""
    if standing.is_self:
        raise refuse(MYSELF)
    if standing.role is Role.PROVIDER_ADMIN and not wanted.is_unlimited:
        raise refuse(ADMINS_REACH_ALL)
    if wanted.reach is not Reach.ALL and not (wanted.clients or wanted.tags):
        raise refuse(N_("Choose at least one client or tag."), field="reach")
    if len(wanted.clients) > MOST_CLIENTS:
        raise refuse(
            N_("At most %(limit)s clients can be named one by one. Use a tag for more."),
            field="reach",
            limit=MOST_CLIENTS,
        )
    if wanted.ends_at is not None:
        _check_end(wanted.ends_at, standing, now)


def _check_end(ends_at: dt.datetime, standing: Standing, now: dt.datetime) -> None:
    if ends_at <= now:
        raise refuse(N_("Choose a day that is not over yet."), field="ends_on")
    if standing.is_last_admin:
        raise refuse(LAST_ADMIN, field="ends_on")
