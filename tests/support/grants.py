"""A client whose owner decides about the provider's access, with a technician who wants in."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from portal.domain.access import Actor, Role
from portal.domain.provider_access import AccessMode, GrantState
from portal.domain.states import MemberState
from portal.models import AccessGrant, Event, Member, Outbox, ProviderAccess, new_id, utc_now
from tests.support.accounts import Person
from tests.support.browsing import Browser
from tests.support.organizations import OWNER, Place, employ, join, make_place

TECH = "tom@northwind.example"
MINUTE = dt.timedelta(minutes=1)


@dataclass
class House:
    """The place, its confirmed owner, and a service user of the provider."""

    place: Place
    owner: Person
    tech: Person

    @property
    def database(self):
        return self.place.database

    @property
    def url(self) -> str:
        return f"{self.place.url}/settings/provider-access"

    @property
    def id(self):
        return self.place.organization.id

    @property
    def actor(self) -> Actor:
        """The owner at work inside."""
        return Actor(
            account_id=self.owner.account_id,
            session_id=None,
            name=self.owner.name,
            email=self.owner.email,
            role=Role.OWNER,
            permissions=Role.OWNER.permissions,
            organization_id=self.id,
        )

    def owners_browser(self, **options) -> Browser:
        return self.place.browser_of(self.owner, **options)

    def techs_browser(self, **options) -> Browser:
        return self.place.browser_of(self.tech, **options)

    def set_mode(self, mode: AccessMode) -> None:
        """As if an owner had chosen it; the provider's key stays as it is."""
        self.database.run(delete(ProviderAccess).where(ProviderAccess.organization_id == self.id))
        if mode is not AccessMode.ALWAYS:
            values = {"organization_id": self.id, "mode": mode, "changed_at": utc_now()}
            self.database.run(insert(ProviderAccess).values(**values))

    def mode(self) -> AccessMode:
        found = self.database.all(
            select(ProviderAccess.mode).where(ProviderAccess.organization_id == self.id)
        )
        return found[0] if found else AccessMode.ALWAYS

    def grant(self, state=GrantState.APPROVED, person=None, *, minutes=60, ago=0, **columns):
        """A request, or what became of it; `ago` minutes since it was asked and approved."""
        who, now = person or self.tech, utc_now() - ago * MINUTE
        let_in = {
            "answered_by": self.owner.account_id,
            "answered_name": self.owner.name,
            "answered_at": now,
            "minutes": minutes,
            "ends_at": now + minutes * MINUTE,
        }
        row = AccessGrant(
            organization_id=self.id,
            id=new_id(),
            provider_id=self.place.provider.id,
            account_id=who.account_id,
            person_name=who.name,
            asked_minutes=minutes,
            asked_at=now,
            lapses_at=now + dt.timedelta(days=3),
            state=state,
            closed_at=None if state.is_open else utc_now(),
            **{"reason": "Ticket 4711"} | (let_in if state.let_in else {}) | columns,
        )
        return self.database.add(row).id

    def let_time_pass(self, grant_id, **columns) -> None:
        self.database.run(update(AccessGrant).where(AccessGrant.id == grant_id).values(**columns))

    def row(self, grant_id) -> AccessGrant:
        return self.database.one(select(AccessGrant).where(AccessGrant.id == grant_id))

    def rows(self):
        return self.database.all(select(AccessGrant).order_by(AccessGrant.id))

    def events(self, action: str):
        kind = f"organization:provider_access:{action}"
        return self.database.all(select(Event).where(Event.type == kind))

    def mails(self, topic: str):
        return self.database.all(select(Outbox).where(Outbox.topic == f"mail.{topic}"))


def make_house(database) -> House:
    place = make_place(database)
    database.run(delete(Member))
    owner = place.person(OWNER, "Olga Petrova", keys=True)
    join(place, owner, Role.OWNER, MemberState.CONFIRMED)
    tech = place.person(TECH, "Tom Berg", keys=True)
    employ(database, place.provider, tech, Role.SERVICE_USER, wrapped=place.provider_keys.key)
    return House(place, owner, tech)
