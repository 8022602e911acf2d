"""Two providers side by side, each with a client and with people in every role and state.

What is told of the one in an answer to the other can be searched for: each name has a mark.
"""

import uuid
from dataclasses import dataclass, field
from functools import cached_property

from sqlalchemy import insert, select

from portal.accounts import service
from portal.crypto.tokens import Link, LinkSigner
from portal.domain.access import Role, Trace
from portal.domain.bulk import BulkAction
from portal.domain.collection_access import Level
from portal.domain.csv_lists import LineState
from portal.domain.invitations import VALID, Purpose
from portal.domain.plans import Plan
from portal.domain.provider_access import GrantState
from portal.domain.states import MemberState, ProviderPersonState
from portal.events import Stream, record
from portal.models import (
    AccessGrant,
    Base,
    Baseline,
    BaselineAssignment,
    BaselineVersion,
    ChangeSet,
    ClaimedDomain,
    ClientImport,
    ClientImportLine,
    Collection,
    CollectionMember,
    Group,
    Member,
    MemberImport,
    MemberImportLine,
    Organization,
    OrganizationSettings,
    Provider,
    ProviderPerson,
    RecoveryRequest,
    SavedView,
    SeatRequest,
    Tag,
    utc_now,
)
from tests.support.accounts import Person, keys_for, posted_keys, sign_in_as
from tests.support.browsing import Browser
from tests.support.clients import make_client, make_provider
from tests.support.databases import SECRET_KEY
from tests.support.lookups import Database

OF_THE_PROVIDER = {
    "provider admin": (Role.PROVIDER_ADMIN, ProviderPersonState.CONFIRMED),
    "service user": (Role.SERVICE_USER, ProviderPersonState.CONFIRMED),
    "accepted provider admin": (Role.PROVIDER_ADMIN, ProviderPersonState.ACCEPTED),
    "suspended provider admin": (Role.PROVIDER_ADMIN, ProviderPersonState.SUSPENDED),
}
OF_THE_CLIENT = {
    "owner": (Role.OWNER, MemberState.CONFIRMED),
    "admin": (Role.ADMIN, MemberState.CONFIRMED),
    "user": (Role.USER, MemberState.CONFIRMED),
    "waiting owner": (Role.OWNER, MemberState.ACCEPTED),
    "revoked owner": (Role.OWNER, MemberState.REVOKED),
}
ROLES = ("visitor", "stranger", *OF_THE_PROVIDER, *OF_THE_CLIENT)
SEALED = "4." + "A" * 342 + "=="


@dataclass
class Tenant:
    """A provider and its client; `mark` is in the name of everything that belongs to them."""

    database: Database
    mark: str
    provider: Provider
    client: Organization
    people: dict[str, Person] = field(default_factory=dict)
    member_id: uuid.UUID = field(default_factory=uuid.uuid4)
    tag_id: uuid.UUID = field(default_factory=uuid.uuid4)
    view_id: uuid.UUID = field(default_factory=uuid.uuid4)
    change_set_id: uuid.UUID = field(default_factory=uuid.uuid4)
    event_id: uuid.UUID = field(default_factory=uuid.uuid4)
    import_id: uuid.UUID = field(default_factory=uuid.uuid4)
    group_id: uuid.UUID = field(default_factory=uuid.uuid4)
    grant_id: uuid.UUID = field(default_factory=uuid.uuid4)
    collection_id: uuid.UUID = field(default_factory=uuid.uuid4)
    session_id: uuid.UUID = field(default_factory=uuid.uuid4)
    domain_id: uuid.UUID = field(default_factory=uuid.uuid4)
    recovery_id: uuid.UUID = field(default_factory=uuid.uuid4)
    request_id: uuid.UUID = field(default_factory=uuid.uuid4)
    baseline_id: uuid.UUID = field(default_factory=uuid.uuid4)

    @property
    def ids(self) -> dict[str, uuid.UUID]:
        """What stands in an address, by the name of its placeholder; all of this tenant."""
        return {
            "provider_id": self.provider.id,
            "organization_id": self.client.id,
            "member_id": self.member_id,
            "tag_id": self.tag_id,
            "view_id": self.view_id,
            "change_set_id": self.change_set_id,
            "event_id": self.event_id,
            "import_id": self.import_id,
            "group_id": self.group_id,
            "grant_id": self.grant_id,
            "collection_id": self.collection_id,
            "session_id": self.session_id,
            "domain_id": self.domain_id,
            "recovery_id": self.recovery_id,
            "request_id": self.request_id,
            "baseline_id": self.baseline_id,
            "person_id": self.person_id,
        }

    @cached_property
    def person_id(self) -> uuid.UUID:
        """The row of the provider's service user, also when they have left."""
        account_id = self.people["service user"].account_id
        return self.database.one(
            select(ProviderPerson.id).where(
                ProviderPerson.provider_id == self.provider.id,
                ProviderPerson.account_id == account_id,
            )
        )

    @property
    def invitation(self) -> str:
        """The token in the mail to somebody who has not answered it yet."""
        link = Link(self.client.id, self.member_id, 1)
        return LinkSigner((SECRET_KEY,), Purpose.MEMBER).sign(link)

    def browser(self, role: str, **options) -> Browser:
        """A browser in which the person with this role has signed in; a visitor has not."""
        browser = Browser(self.database.app)
        if role != "visitor":
            sign_in_as(browser, self.database, self.people[role], **options)
        return browser


def make_tenant(database: Database, mark: str) -> Tenant:
    provider = make_provider(database, f"{mark} Provider")
    client = make_client(
        database,
        provider,
        f"{mark} Client",
        plan=Plan.ENTERPRISE,
        billing_email=f"bills@{mark.lower()}.example",
    )
    tenant = Tenant(database, mark, provider, client)
    database.add(Collection(organization_id=client.id, id=tenant.collection_id))
    for name in ("stranger", *OF_THE_PROVIDER, *OF_THE_CLIENT):
        tenant.people[name] = _person(database, mark, name)
    for name, (role, state) in OF_THE_PROVIDER.items():
        _employ(tenant, tenant.people[name], role, state)
    for name, (role, state) in OF_THE_CLIENT.items():
        _join(tenant, tenant.people[name], role, state)
    _invite(tenant)
    _mark(tenant)
    _let_users_keep(tenant)
    asked_by = tenant.people["owner"].account_id
    asked = {"organization_id": client.id, "id": tenant.request_id}
    database.add(SeatRequest(**asked, seats=2, note=f"{mark} note", asked_by=asked_by))
    group = {"organization_id": client.id, "id": tenant.group_id}
    database.add(Group(**group, name=f"{mark} group", name_ci=f"{mark} group".lower()))
    _ask(tenant)
    _set_baseline(tenant)
    return tenant


def _set_baseline(tenant: Tenant) -> None:
    """A baseline that the client was given, and is not as."""
    here = {"provider_id": tenant.provider.id, "baseline_id": tenant.baseline_id}
    name = f"{tenant.mark} baseline"
    tree = {"settings": {"limits_item_deletion": True}, "groups": [{"name": f"{tenant.mark} team"}]}
    tenant.database.add(
        Baseline(
            provider_id=tenant.provider.id, id=tenant.baseline_id, name=name, name_ci=name.lower()
        ),
        BaselineVersion(**here, number=1, content=tree, by_name=tenant.mark),
        BaselineAssignment(**here, organization_id=tenant.client.id, number=1, by_name=tenant.mark),
    )


def _person(database: Database, mark: str, name: str) -> Person:
    email = f"{name.replace(' ', '.')}@{mark.lower()}.example"
    # One pair for everybody: nobody unwraps anything here, and each costs half a second.
    keys = keys_for("anybody@northwind.example")
    stored = service.AccountKeys(**posted_keys(keys) | {"kdf_iterations": keys.iterations})
    with database.session() as session:
        made = service.create_account(
            session, email=email, name=f"{mark} {name}", locale="en", keys=stored, trace=Trace()
        )
        return Person(made.id, email, made.name, keys)


def _employ(tenant: Tenant, person: Person, role: Role, state: ProviderPersonState) -> None:
    tenant.database.add(
        ProviderPerson(
            provider_id=tenant.provider.id,
            account_id=person.account_id,
            email=person.email,
            role=role,
            state=state,
        )
    )


def _join(tenant: Tenant, person: Person, role: Role, state: MemberState) -> None:
    confirmed = state is MemberState.CONFIRMED
    tenant.database.add(
        Member(
            organization_id=tenant.client.id,
            account_id=person.account_id,
            email=person.email,
            role=role,
            state=state,
            wrapped_organization_key=SEALED if confirmed else None,
        )
    )


def _invite(tenant: Tenant) -> None:
    tenant.database.run(
        insert(Member).values(
            organization_id=tenant.client.id,
            id=tenant.member_id,
            email=f"invited@{tenant.mark.lower()}.example",
            role=Role.ADMIN,
            state=MemberState.INVITED,
            invitation_version=1,
            invitation_expires_at=utc_now() + VALID,
        )
    )


def _let_users_keep(tenant: Tenant) -> None:
    """A plain member manages the collection, and members may make and delete their own."""
    here = {"organization_id": tenant.client.id}
    user = tenant.database.one(
        select(Member.id).where(Member.account_id == tenant.people["user"].account_id)
    )
    one = {"collection_id": tenant.collection_id, "member_id": user}
    tenant.database.add(CollectionMember(**here, **one, level=Level.MANAGE))
    rules = {"limits_collection_creation": False, "limits_collection_deletion": False}
    tenant.database.add(OrganizationSettings(**here, **rules))
    asked = {"asked_by": tenant.people["owner"].account_id, "asked_by_name": f"{tenant.mark} Owner"}
    tenant.database.add(
        RecoveryRequest(**here, id=tenant.recovery_id, member_id=user, reason=tenant.mark, **asked)
    )


def _mark(tenant: Tenant) -> None:
    """A tag and a shared view, which everybody at the provider can reach."""
    name = f"{tenant.mark} gold"
    streams = [Stream("provider", tenant.provider.id), Stream("organization", tenant.client.id)]
    with tenant.database.session() as session:
        kind = "organization:organization:open"
        tenant.event_id = record(session, None, kind, streams=streams, provider=name)
    here = {"provider_id": tenant.provider.id, "name": name, "name_ci": name.lower()}
    tenant.database.add(Tag(**here, id=tenant.tag_id, colour=3))
    owner = tenant.people["service user"].account_id
    change = {"provider_id": tenant.provider.id, "account_id": owner, "tag_id": tenant.tag_id}
    tenant.database.add(ChangeSet(**change, id=tenant.change_set_id, action=BulkAction.TAG))
    admin = tenant.people["provider admin"].account_id
    listed = {"provider_id": tenant.provider.id, "import_id": tenant.import_id}
    tenant.database.add(
        ClientImport(provider_id=tenant.provider.id, id=tenant.import_id, account_id=admin),
        ClientImportLine(**listed, line=1, typed={"name": name}, state=LineState.BROKEN),
    )
    of_members = {"organization_id": tenant.client.id}
    kept = {**of_members, "import_id": tenant.import_id, "line": 1, "typed": {"email": name}}
    tenant.database.add(
        MemberImport(**of_members, id=tenant.import_id, account_id=admin),
        MemberImportLine(**kept, state=LineState.BROKEN),
    )
    tenant.database.add(SavedView(**here, id=tenant.view_id, account_id=owner, is_shared=True))


def _ask(tenant: Tenant) -> None:
    """A domain, and a request of the service user for access that they took back."""
    person, now = tenant.people["service user"], utc_now()
    name = f"{tenant.client.id.hex}.example"
    tenant.database.add(
        ClaimedDomain(organization_id=tenant.client.id, id=tenant.domain_id, domain=name),
        AccessGrant(
            organization_id=tenant.client.id,
            id=tenant.grant_id,
            provider_id=tenant.provider.id,
            account_id=person.account_id,
            person_name=person.name,
            reason=f"{tenant.mark} ticket",
            asked_minutes=60,
            lapses_at=now + VALID,
            state=GrantState.WITHDRAWN,
            closed_at=now,
        ),
    )


def everything(database: Database, *, but: tuple[str, ...] = ()) -> dict[str, list[str]]:
    """All rows of all tables, in an order that does not matter."""
    with database.session() as session:
        return {
            table.name: sorted(str(tuple(row)) for row in session.execute(select(table)))
            for table in Base.metadata.sorted_tables
            if table.name not in but
        }


def differences(before: dict[str, list[str]], after: dict[str, list[str]]) -> list[str]:
    """What was added or taken away in between."""
    return [
        f"{sign} {table}: {row[:300]}"
        for table in before
        for sign, here, there in (("-", before, after), ("+", after, before))
        for row in here[table]
        if row not in there[table]
    ]
