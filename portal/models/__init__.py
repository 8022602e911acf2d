"""Tables and constraints; one module an aggregate."""

from portal.models.account import (
    Account,
    AddressChange,
    Affiliation,
    AuthSession,
    DeclaredPassword,
    Notice,
    RecoveryCode,
    SignInCode,
)
from portal.models.attention import Attention
from portal.models.base import Base, new_id, utc_now
from portal.models.baselines import (
    Baseline,
    BaselineAssignment,
    BaselineDeviation,
    BaselineVersion,
)
from portal.models.collections import Collection, CollectionGroup, CollectionMember
from portal.models.console import ApiKey, OrganizationDeletion
from portal.models.domains import ClaimedDomain
from portal.models.events import (
    EntryWatcher,
    Event,
    EventCheckpoint,
    EventKey,
    EventPerson,
    EventStream,
)
from portal.models.grants import AccessGrant, ProviderAccess
from portal.models.imports import ClientImport, ClientImportLine, MemberImport, MemberImportLine
from portal.models.linking import LinkRequest
from portal.models.marks import ChangeSet, ChangeSetRow, OrganizationTag, SavedView, Tag
from portal.models.members import Group, GroupMember, Member
from portal.models.organization import (
    Organization,
    OrganizationSettings,
    ProviderEntry,
    SeatDay,
    Subscription,
    SubscriptionChange,
    SubscriptionLine,
)
from portal.models.plumbing import Idempotency, Outbox, RateLimit
from portal.models.policies import Policy, SkippedStep
from portal.models.provider import (
    Provider,
    ProviderKeyRotation,
    ProviderLogo,
    ProviderPerson,
)
from portal.models.reach import ClientAccess, ScopePart, ScopeTerm
from portal.models.recovery import RecoveryEnrolment, RecoveryRequest, RecoverySettings
from portal.models.seats import SeatGrowth, SeatRequest, SeatRules

__all__ = [
    "AccessGrant",
    "Account",
    "AddressChange",
    "Affiliation",
    "ApiKey",
    "Attention",
    "AuthSession",
    "Base",
    "Baseline",
    "BaselineAssignment",
    "BaselineDeviation",
    "BaselineVersion",
    "ChangeSet",
    "ChangeSetRow",
    "ClaimedDomain",
    "ClientAccess",
    "ClientImport",
    "ClientImportLine",
    "Collection",
    "CollectionGroup",
    "CollectionMember",
    "DeclaredPassword",
    "EntryWatcher",
    "Event",
    "EventCheckpoint",
    "EventKey",
    "EventPerson",
    "EventStream",
    "Group",
    "GroupMember",
    "Idempotency",
    "LinkRequest",
    "Member",
    "MemberImport",
    "MemberImportLine",
    "Notice",
    "Organization",
    "OrganizationDeletion",
    "OrganizationSettings",
    "OrganizationTag",
    "Outbox",
    "Policy",
    "Provider",
    "ProviderAccess",
    "ProviderEntry",
    "ProviderKeyRotation",
    "ProviderLogo",
    "ProviderPerson",
    "RateLimit",
    "RecoveryCode",
    "RecoveryEnrolment",
    "RecoveryRequest",
    "RecoverySettings",
    "SavedView",
    "ScopePart",
    "ScopeTerm",
    "SeatDay",
    "SeatGrowth",
    "SeatRequest",
    "SeatRules",
    "SignInCode",
    "SkippedStep",
    "Subscription",
    "SubscriptionChange",
    "SubscriptionLine",
    "Tag",
    "new_id",
    "utc_now",
]
