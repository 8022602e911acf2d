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
from portal.models.base import Base, new_id, utc_now
from portal.models.events import (
    EntryWatcher,
    Event,
    EventCheckpoint,
    EventKey,
    EventPerson,
    EventStream,
)
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
from portal.models.provider import Provider, ProviderKeyRotation, ProviderPerson

__all__ = [
    "Account",
    "AddressChange",
    "Affiliation",
    "AuthSession",
    "Base",
    "ChangeSet",
    "ChangeSetRow",
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
    "ProviderPerson",
    "RateLimit",
    "RecoveryCode",
    "SavedView",
    "SignInCode",
    "Subscription",
    "SubscriptionChange",
    "SubscriptionLine",
    "Tag",
    "new_id",
    "utc_now",
]
