"""Who may do what: permissions, the roles that hold them, and the person who acts."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

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
    # Tags, a note and a reference: what the provider writes beside a client for itself.
    CLIENTS_ANNOTATE = "clients.annotate"
    # Views of the Clients table, kept for oneself or shared.
    CLIENTS_SAVE_VIEWS = "clients.views"
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
    ORGANIZATION_KEYS = "organization.keys"
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

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.PROVIDER_ADMIN: frozenset(Permission),
    Role.SERVICE_USER: frozenset(
        {
            Permission.CLIENTS_READ,
            Permission.CLIENTS_RENAME,
            Permission.CLIENTS_ANNOTATE,
            Permission.CLIENTS_SAVE_VIEWS,
            Permission.CLIENTS_SUBSCRIBE,
            Permission.ORGANIZATION_READ,
            Permission.MEMBERS_READ,
        }
    ),
    Role.OWNER: frozenset(
        {
            Permission.ORGANIZATION_READ,
            Permission.MEMBERS_READ,
            Permission.MEMBERS_INVITE,
            Permission.MEMBERS_CONFIRM,
            Permission.ORGANIZATION_KEYS,
            Permission.ORGANIZATION_EVENTS_READ,
            Permission.ORGANIZATION_BILLING_READ,
        }
    ),
    Role.ADMIN: frozenset(
        {
            Permission.ORGANIZATION_READ,
            Permission.MEMBERS_READ,
            Permission.MEMBERS_INVITE,
            Permission.MEMBERS_CONFIRM,
            Permission.ORGANIZATION_EVENTS_READ,
        }
    ),
    Role.USER: frozenset({Permission.ORGANIZATION_READ}),
    # What a custom role adds is kept with its holder.
    Role.CUSTOM: frozenset({Permission.ORGANIZATION_READ}),
}


def roles_with(permission: Permission) -> tuple[Role, ...]:
    """The roles that hold `permission`, so that a refusal can say who can help."""
    return tuple(role for role in Role if permission in PERMISSIONS[role])


# What a code by mail alone does not reach inside an organization, even for its owner.
STRONG_PERMISSIONS = frozenset(
    {
        Permission.MEMBERS_READ,
        Permission.MEMBERS_INVITE,
        Permission.MEMBERS_CONFIRM,
        Permission.ORGANIZATION_KEYS,
        Permission.ORGANIZATION_EVENTS_READ,
        Permission.ORGANIZATION_BILLING_READ,
    }
)


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
    """

    provider_id: UUID
    person_id: UUID | None = None

    @property
    def is_limited(self) -> bool:
        return self.person_id is not None


@dataclass(frozen=True)
class Actor:
    """Who is acting, and where. Services take one; they never look one up.

    `provider_id` is the provider whose person acts, `organization_id` the organization acted in;
    `via_provider` says that the person stands in the organization by way of the provider.
    `session_id` is empty for commands and the worker. `second_factor` says whether this session
    proved one. `limited_to` is the row of a provider's person who does not reach every client.
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

    @property
    def scope(self) -> Scope:
        """The clients that every read and write of this actor is bound to."""
        if self.provider_id is None:
            raise LookupError("the actor stands in no provider")
        return Scope(self.provider_id, self.limited_to)

    def can(self, permission: Permission) -> bool:
        return permission in self.permissions
