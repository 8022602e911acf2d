"""A provider and a client with real keys, people who stand in them, and mailed links."""

import datetime as dt
import uuid
from dataclasses import dataclass, field
from functools import cache

from sqlalchemy import select

from portal.accounts import affiliations
from portal.crypto.envelope import SymmetricKey, seal
from portal.crypto.keys import TenantKeys, new_tenant_keys, wrap_for
from portal.crypto.tokens import Link, LinkSigner
from portal.domain.access import Actor, Permission, Role
from portal.domain.invitations import VALID, Purpose
from portal.domain.states import MemberState, ProviderPersonState
from portal.members import service
from portal.models import Collection, Member, Organization, Provider, ProviderPerson, utc_now
from tests.support.accounts import Person, keys_for, make_person, sign_in_as
from tests.support.browsing import Browser
from tests.support.clients import NORTHWIND, make_client
from tests.support.databases import SECRET_KEY
from tests.support.lookups import Database

OWNER = "olga@acme.example"
FIRST_COLLECTION = "Shared with everybody"


@cache
def tenant_keys(name: str) -> TenantKeys:
    """The same for the whole run: a pair takes a while to make."""
    return new_tenant_keys()


@dataclass
class Place:
    """A provider, its admin and one client whose owner is invited."""

    database: Database
    provider: Provider
    admin: Person
    organization: Organization
    owner_row: uuid.UUID
    others: dict[str, Person] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"/organizations/{self.organization.id}"

    @property
    def members(self) -> str:
        return f"{self.url}/members"

    @property
    def provider_keys(self) -> TenantKeys:
        return tenant_keys("provider")

    @property
    def keys(self) -> TenantKeys:
        return tenant_keys("organization")

    @property
    def actor(self) -> Actor:
        """The provider's admin at work on the provider's pages."""
        return Actor(
            account_id=self.admin.account_id,
            session_id=None,
            name=self.admin.name,
            email=self.admin.email,
            role=Role.PROVIDER_ADMIN,
            permissions=frozenset(Permission),
            provider_id=self.provider.id,
        )

    def member(self, member_id: uuid.UUID | None = None) -> Member:
        return self.database.one(select(Member).where(Member.id == (member_id or self.owner_row)))

    def client(self) -> Organization:
        return self.database.one(
            select(Organization).where(Organization.id == self.organization.id)
        )

    def token(self, *, version: int | None = None, row: uuid.UUID | None = None) -> str:
        """The token in the newest mail to the owner, or that of another version or row."""
        number = version or self.member().invitation_version
        return LinkSigner((SECRET_KEY,), Purpose.MEMBER).sign(
            Link(self.organization.id, row or self.owner_row, number)
        )

    def link(self, **changes) -> str:
        return f"/invitations/{self.token(**changes)}"

    def browser_of(self, person: Person, **options) -> Browser:
        browser = Browser(self.database.app)
        sign_in_as(browser, self.database, person, **options)
        return browser

    def admins_browser(self) -> Browser:
        return self.browser_of(self.admin)

    def person(self, email: str, name: str, *, keys: bool = False) -> Person:
        return make_person(self.database, email, name, keys=keys)


def make_place(database: Database, *, keys: bool = True, provider_keys: bool = True) -> Place:
    """`keys` of the client and `provider_keys` may be left out, as when made without scripts."""
    admin = make_person(database, "ada@northwind.example", "Ada Nordström", keys=True)
    provider = _make_provider(database, admin, provider_keys=provider_keys)
    columns = _client_keys() if keys else {}
    client = make_client(database, provider, **columns)
    name = seal(FIRST_COLLECTION, tenant_keys("organization").key) if keys else None
    database.add(Collection(organization_id=client.id, sealed_name=name))
    place = Place(database, provider, admin, client, client.id)
    with database.session() as session:
        member = service.invite(
            session,
            place.actor,
            organization_id=client.id,
            email=OWNER,
            role=Role.OWNER,
            locale="en",
        )
    place.owner_row = member.id
    return place


def _make_provider(database: Database, admin: Person, *, provider_keys: bool) -> Provider:
    made = tenant_keys("provider")
    columns = {"public_key": made.public_key, "protected_private_key": made.protected_private_key}
    provider = database.add(
        Provider(
            name="Northwind IT",
            second_factor_required=False,
            **NORTHWIND,
            **(columns if provider_keys else {}),
        )
    )
    employ(database, provider, admin, wrapped=made.key if provider_keys else None)
    return provider


def employ(
    database: Database,
    provider: Provider,
    person: Person,
    role: Role = Role.PROVIDER_ADMIN,
    wrapped: SymmetricKey | None = None,
) -> None:
    """Make somebody a confirmed person of the provider, with its key if given."""
    key = wrap_for(keys_for(person.email).public_key, wrapped.raw) if wrapped else None
    with database.session() as session:
        session.add(
            ProviderPerson(
                provider_id=provider.id,
                account_id=person.account_id,
                email=person.email,
                role=role,
                state=ProviderPersonState.CONFIRMED,
                wrapped_provider_key=key,
                accepted_at=utc_now(),
                confirmed_at=utc_now(),
            )
        )
        affiliations.put(
            session,
            account_id=person.account_id,
            kind="provider",
            tenant_id=provider.id,
            name=provider.name,
            role=role,
            state=ProviderPersonState.CONFIRMED,
        )


def _client_keys() -> dict[str, str]:
    made = tenant_keys("organization")
    return {
        "public_key": made.public_key,
        "protected_private_key": made.protected_private_key,
        "provider_wrapped_key": seal(made.key.raw, tenant_keys("provider").key),
    }


def posted_client_keys(name: str = FIRST_COLLECTION) -> dict[str, str]:
    """The hidden fields in which a browser sends new keys of a client."""
    made = tenant_keys("organization")
    return {
        "organization_public_key": made.public_key,
        "organization_private_key": made.protected_private_key,
        "provider_wrapped_key": seal(made.key.raw, tenant_keys("provider").key),
        "collection_name": seal(name, made.key),
    }


def join(place: Place, person: Person, role: Role, state: MemberState) -> uuid.UUID:
    """Put somebody into the organization, as if they had come the usual way."""
    now = utc_now()
    confirmed = state is MemberState.CONFIRMED
    key = keys_for(person.email).public_key
    member = Member(
        organization_id=place.organization.id,
        account_id=person.account_id,
        email=person.email,
        role=role,
        state=state,
        wrapped_organization_key=wrap_for(key, place.keys.key.raw) if confirmed else None,
        confirmed_public_key=key if confirmed else None,
        accepted_at=now,
        confirmed_at=now if confirmed else None,
        invitation_expires_at=now + VALID,
    )
    with place.database.session() as session:
        session.add(member)
        session.flush()
        affiliations.put(
            session,
            account_id=person.account_id,
            kind="organization",
            tenant_id=place.organization.id,
            name=place.organization.name,
            role=role,
            state=state,
        )
    return member.id


def set_clock_back(place: Place, **ago: float) -> None:
    """Let the owner's invitation be as old as a timedelta of `ago`."""
    with place.database.session() as session:
        member = session.get_one(Member, (place.organization.id, place.owner_row))
        member.invitation_expires_at -= dt.timedelta(**ago)
