"""Tables and constraints; one module an aggregate."""

from portal.models.account import (
    Account,
    AddressChange,
    Affiliation,
    AuthSession,
    Notice,
    RecoveryCode,
    SignInCode,
)
from portal.models.attention import Attention
from portal.models.base import Base, new_id, utc_now
from portal.models.events import (
    EntryWatcher,
    Event,
    EventCheckpoint,
    EventKey,
    EventPerson,
    EventStream,
)
from portal.models.imports import ClientImport, ClientImportLine
from portal.models.linking import LinkRequest
from portal.models.marks import ChangeSet, ChangeSetRow, OrganizationTag, SavedView, Tag
from portal.models.organization import (
    Collection,
    CollectionMember,
    Member,
    Organization,
    ProviderEntry,
    Subscription,
    SubscriptionChange,
    SubscriptionLine,
)
from portal.models.plumbing import Idempotency, Outbox, RateLimit
from portal.models.provider import (
    Provider,
    ProviderKeyRotation,
    ProviderLogo,
    ProviderPerson,
)
from portal.models.reach import ClientAccess, ScopePart, ScopeTerm

__all__ = [
    "Account",
    "AddressChange",
    "Affiliation",
    "Attention",
    "AuthSession",
    "Base",
    "ChangeSet",
    "ChangeSetRow",
    "ClientAccess",
    "ClientImport",
    "ClientImportLine",
    "Collection",
    "CollectionMember",
    "EntryWatcher",
    "Event",
    "EventCheckpoint",
    "EventKey",
    "EventPerson",
    "EventStream",
    "Idempotency",
    "LinkRequest",
    "Member",
    "Notice",
    "Organization",
    "OrganizationTag",
    "Outbox",
    "Provider",
    "ProviderEntry",
    "ProviderKeyRotation",
    "ProviderLogo",
    "ProviderPerson",
    "RateLimit",
    "RecoveryCode",
    "SavedView",
    "ScopePart",
    "ScopeTerm",
    "SignInCode",
    "Subscription",
    "SubscriptionChange",
    "SubscriptionLine",
    "Tag",
    "new_id",
    "utc_now",
]
