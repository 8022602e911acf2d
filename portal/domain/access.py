"""Who may do what: permissions, the roles that hold them, and the person who acts."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from portal.domain.custom_roles import Custom
from portal.domain.errors import N_


class Permission(StrEnum):
    """One right. The route states the one it needs; templates ask for the same one."""

    CLIENTS_READ = "clients.read"
    CLIENTS_CREATE = "clients.create"
    CLIENTS_RENAME = "clients.rename"
    CLIENTS_MANAGE = "clients.manage"
    # Seats of a client may be lowered with it; only with CLIENTS_MANAGE may the bill rise.
    CLIENTS_SUBSCRIBE = "clients.subscribe"
    CLIENTS_SUSPEND = "clients.suspend"
    CLIENTS_UNLINK = "clients.unlink"
    CLIENTS_DELETE = "clients.delete"
    CLIENTS_LINK = "clients.link"
    # Keep a client from service users until it is live.
    CLIENTS_HIDE = "clients.hide"
    # Tags, a note and a reference: what the provider writes beside a client for itself.
    CLIENTS_ANNOTATE = "clients.annotate"
    # Views of the Clients table, kept for oneself or shared.
    CLIENTS_SAVE_VIEWS = "clients.views"
    # What clients shall be set to, and how far each of them is from it.
    BASELINES_READ = "baselines.read"
    BASELINES_MANAGE = "baselines.manage"
    PROVIDER_PEOPLE_READ = "provider.people.read"
    PROVIDER_PEOPLE_MANAGE = "provider.people.manage"
    PROVIDER_KEYS = "provider.keys"
    PROVIDER_EVENTS_READ = "provider.events.read"
    # Name, billing details, brand, second factor, and the end of the provider.
    PROVIDER_SETTINGS = "provider.settings"
    BILLING_READ = "billing.read"
    ORGANIZATION_READ = "organization.read"
    MEMBERS_READ = "members.read"
    MEMBERS_INVITE = "members.invite"
    MEMBERS_CONFIRM = "members.confirm"
    # Revoke, restore, remove, give another role.
    MEMBERS_MANAGE = "members.manage"
    # Ask for, approve and carry out a recovery; `domain.account_recovery` says whose.
    MEMBERS_RECOVER = "members.recover"
    # Let the provider's people do so: an owner's own decision.
    RECOVERY_BY_PROVIDER = "recovery.by_provider"
    GROUPS_READ = "groups.read"
    GROUPS_MANAGE = "groups.manage"
    # Of every collection; who manages one alone is asked by its own assignment.
    COLLECTIONS_READ = "collections.read"
    COLLECTIONS_CREATE = "collections.create"
    COLLECTIONS_MANAGE = "collections.manage"
    COLLECTIONS_DELETE = "collections.delete"
    # To change those that an assignment or a setting lets one change (`domain.collection_rules`).
    COLLECTIONS_OWN = "collections.own"
    # The domains of an organization: add, have looked up, remove.
    DOMAINS_MANAGE = "domains.manage"
    POLICIES_READ = "policies.read"
    POLICIES_MANAGE = "policies.manage"
    SETUP_SKIP = "setup.skip"
    REPORTS_READ = "reports.read"
    ORGANIZATION_SETTINGS = "organization.settings"
    # The key of the API, and the end of the organization: an owner's alone, whoever looks after it.
    ORGANIZATION_API = "organization.api"
    ORGANIZATION_DELETE = "organization.delete"
    ORGANIZATION_KEYS = "organization.keys"
    # Who from the provider can come in: to look, to decide, and to ask for it.
    PROVIDER_ACCESS_READ = "organization.access.read"
    PROVIDER_ACCESS_DECIDE = "organization.access.decide"
    PROVIDER_ACCESS_ASK = "organization.access.ask"
    ORGANIZATION_EVENTS_READ = "organization.events.read"
    ORGANIZATION_BILLING_READ = "organization.billing.read"


class Role(StrEnum):
    """A person's role in a provider (the first two) or in an organization (the others)."""

    PROVIDER_ADMIN = "provider_admin"
    SERVICE_USER = "service_user"
    OWNER = "owner"
    ADMIN = "admin"
    USER = "user"
    CUSTOM = "custom"

    @property
    def label(self) -> str:
        """The role's name as a message id."""
        return _LABELS[self]

    @property
    def permissions(self) -> frozenset[Permission]:
        return PERMISSIONS[self]


_LABELS = {
    Role.PROVIDER_ADMIN: N_("Provider admin"),
    Role.SERVICE_USER: N_("Service user"),
    Role.OWNER: N_("Owner"),
    Role.ADMIN: N_("Admin"),
    Role.USER: N_("User"),
    Role.CUSTOM: N_("Custom"),
}

PROVIDER_ROLES = (Role.PROVIDER_ADMIN, Role.SERVICE_USER)
ORGANIZATION_ROLES = (Role.OWNER, Role.ADMIN, Role.USER, Role.CUSTOM)

# What owners, admins and the provider's people alike do inside an organization.
_INSIDE = frozenset(
    {
        Permission.ORGANIZATION_READ,
        Permission.MEMBERS_READ,
        Permission.MEMBERS_INVITE,
        Permission.MEMBERS_CONFIRM,
        Permission.MEMBERS_MANAGE,
        Permission.MEMBERS_RECOVER,
        Permission.GROUPS_READ,
        Permission.GROUPS_MANAGE,
        Permission.COLLECTIONS_READ,
        Permission.COLLECTIONS_CREATE,
        Permission.COLLECTIONS_MANAGE,
        Permission.COLLECTIONS_DELETE,
        Permission.COLLECTIONS_OWN,
        Permission.POLICIES_READ,
        Permission.POLICIES_MANAGE,
        Permission.DOMAINS_MANAGE,
        Permission.SETUP_SKIP,
        Permission.REPORTS_READ,
    }
)

_OWNERS_ALONE = frozenset(
    {
        Permission.ORGANIZATION_API,
        Permission.ORGANIZATION_DELETE,
        Permission.RECOVERY_BY_PROVIDER,
        # Whether the provider comes in is the client's own owners' to say.
        Permission.PROVIDER_ACCESS_DECIDE,
    }
)

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.PROVIDER_ADMIN: frozenset(Permission) - _OWNERS_ALONE,
    Role.SERVICE_USER: frozenset(
        {
            Permission.CLIENTS_READ,
            Permission.CLIENTS_RENAME,
            Permission.CLIENTS_ANNOTATE,
            Permission.CLIENTS_SAVE_VIEWS,
            Permission.CLIENTS_SUBSCRIBE,
            Permission.PROVIDER_ACCESS_READ,
            Permission.PROVIDER_ACCESS_ASK,
            Permission.BASELINES_READ,
        }
    )
    | _INSIDE,
    Role.OWNER: _INSIDE
    | _OWNERS_ALONE
    | {
        Permission.ORGANIZATION_KEYS,
        Permission.ORGANIZATION_EVENTS_READ,
        Permission.ORGANIZATION_BILLING_READ,
        Permission.ORGANIZATION_SETTINGS,
        Permission.PROVIDER_ACCESS_READ,
        Permission.PROVIDER_ACCESS_DECIDE,
    },
    Role.ADMIN: _INSIDE | {Permission.ORGANIZATION_EVENTS_READ, Permission.PROVIDER_ACCESS_READ},
    Role.USER: frozenset({Permission.ORGANIZATION_READ, Permission.COLLECTIONS_OWN}),
    # `custom_permissions` adds what the parts of the holder's own role give.
    Role.CUSTOM: frozenset({Permission.ORGANIZATION_READ, Permission.COLLECTIONS_OWN}),
}


_CUSTOM: dict[Custom, frozenset[Permission]] = {
    Custom.EVENTS: frozenset({Permission.ORGANIZATION_EVENTS_READ}),
    Custom.REPORTS: frozenset({Permission.REPORTS_READ}),
    Custom.CREATE_COLLECTIONS: frozenset({Permission.COLLECTIONS_CREATE}),
    Custom.EDIT_COLLECTIONS: frozenset(
        {Permission.COLLECTIONS_READ, Permission.COLLECTIONS_MANAGE}
    ),
    Custom.DELETE_COLLECTIONS: frozenset(
        {Permission.COLLECTIONS_READ, Permission.COLLECTIONS_DELETE}
    ),
    Custom.GROUPS: frozenset({Permission.GROUPS_READ, Permission.GROUPS_MANAGE}),
    Custom.POLICIES: frozenset({Permission.POLICIES_READ, Permission.POLICIES_MANAGE}),
    Custom.SSO: frozenset({Permission.DOMAINS_MANAGE}),
    Custom.RECOVERY: frozenset({Permission.MEMBERS_READ, Permission.MEMBERS_RECOVER}),
    Custom.USERS: frozenset(
        {
            Permission.MEMBERS_READ,
            Permission.MEMBERS_INVITE,
            Permission.MEMBERS_CONFIRM,
            Permission.MEMBERS_MANAGE,
            Permission.GROUPS_READ,
            Permission.COLLECTIONS_READ,
        }
    ),
}


def permissions_of(role: Role, parts: Iterable[str]) -> frozenset[Permission]:
    """What a role may do; a custom one with the `parts` that its holder was given."""
    if role is not Role.CUSTOM:
        return role.permissions
    given = (_CUSTOM.get(Custom(part), frozenset()) for part in parts)
    return role.permissions.union(*given)


def roles_with(permission: Permission) -> tuple[Role, ...]:
    """The roles that hold `permission`, so that a refusal can say who can help."""
    return tuple(role for role in Role if permission in PERMISSIONS[role])


def sees_hidden(role: Role) -> bool:
    """Whether a provider's person sees clients that are not live yet, whatever their level."""
    return role is Role.PROVIDER_ADMIN


# What a code by mail alone does not reach inside an organization, even for its owner.
STRONG_PERMISSIONS = frozenset(
    {
        *_INSIDE,
        *_OWNERS_ALONE,
        Permission.ORGANIZATION_KEYS,
        Permission.ORGANIZATION_EVENTS_READ,
        Permission.ORGANIZATION_BILLING_READ,
        Permission.ORGANIZATION_SETTINGS,
        Permission.RECOVERY_BY_PROVIDER,
        Permission.PROVIDER_ACCESS_READ,
        Permission.PROVIDER_ACCESS_DECIDE,
    }
) - {Permission.ORGANIZATION_READ}


@dataclass(frozen=True)
class Trace:
    """Where an action came from, for the event log; empty for commands and the worker."""

    source: str = ""
    browser: str = ""
    request_id: str = ""


@dataclass(frozen=True)
class Scope:
    """Whose clients are looked at: a provider's, of those only what one person reaches.

    `person_id` is the row of a person whose reach is limited; None stands for every client.
    Without `sees_hidden` those that are not live yet are left out. `account_id` is who looks, for
    what is inside of clients whose owners want to be asked; None is nobody in particular.
    """

    provider_id: UUID
    person_id: UUID | None = None
    sees_hidden: bool = True
    account_id: UUID | None = None

    @property
    def is_limited(self) -> bool:
        return self.person_id is not None

    @property
    def is_whole(self) -> bool:
        """Whether there is no client that is left out."""
        return self.sees_hidden and not self.is_limited


@dataclass(frozen=True)
class Actor:
    """Who is acting, and where. Services take one; they never look one up.

    `provider_id` is the provider whose person acts, `organization_id` the organization acted in;
    `via_provider` says that the person stands in the organization by way of the provider.
    `session_id` is empty for commands and the worker. `second_factor` says whether this session
    proved one. `limited_to` is the row of a provider's person who does not reach every client,
    `grant_id` the owner's time-boxed word by which the person is in.
    """

    account_id: UUID
    session_id: UUID | None
    name: str
    email: str
    role: Role
    permissions: frozenset[Permission]
    provider_id: UUID | None = None
    organization_id: UUID | None = None
    via_provider: bool = False
    second_factor: bool = False
    trace: Trace = Trace()
    limited_to: UUID | None = None
    grant_id: UUID | None = None

    @property
    def scope(self) -> Scope:
        """The clients that every read and write of this actor is bound to."""
        if self.provider_id is None:
            raise LookupError("the actor stands in no provider")
        return Scope(self.provider_id, self.limited_to, sees_hidden(self.role), self.account_id)

    def can(self, permission: Permission) -> bool:
        return permission in self.permissions
