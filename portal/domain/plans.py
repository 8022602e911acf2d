"""The plans, what each includes, and how often they are billed."""

from enum import StrEnum

from portal.domain.errors import N_


class Feature(StrEnum):
    """What a plan may include; a page of a feature that the plan lacks answers 404."""

    GROUPS = "groups"
    EVENTS = "events"
    SCIM = "scim"
    API = "api"
    POLICIES = "policies"
    SSO = "sso"
    CLAIMED_DOMAINS = "claimed_domains"
    ACCOUNT_RECOVERY = "account_recovery"
    CUSTOM_ROLES = "custom_roles"

    @property
    def label(self) -> str:
        """The feature's name as a message id."""
        return _FEATURE_LABELS[self]


_FEATURE_LABELS = {
    Feature.GROUPS: N_("Groups"),
    Feature.EVENTS: N_("Event log"),
    Feature.SCIM: N_("Provisioning (SCIM)"),
    Feature.API: N_("API"),
    Feature.POLICIES: N_("Policies"),
    Feature.SSO: N_("Single sign-on"),
    Feature.CLAIMED_DOMAINS: N_("Verified domains"),
    Feature.ACCOUNT_RECOVERY: N_("Account recovery"),
    Feature.CUSTOM_ROLES: N_("Custom roles"),
}


class Plan(StrEnum):
    TEAMS = "teams"
    ENTERPRISE = "enterprise"

    @property
    def label(self) -> str:
        """The plan's name as a message id."""
        return _PLAN_LABELS[self]

    @property
    def rank(self) -> int:
        """1 for the smallest plan, rising with what it includes; the Plan column sorts by it."""
        return _RANKS[self]

    @property
    def features(self) -> tuple[Feature, ...]:
        """Everything the plan includes, in the order in which it is told."""
        return _FEATURES[self]

    @property
    def added_features(self) -> tuple[Feature, ...]:
        """What the plan includes beyond the next smaller one."""
        smaller = [plan for plan in Plan if plan.rank == self.rank - 1]
        known = smaller[0].features if smaller else ()
        return tuple(feature for feature in self.features if feature not in known)

    def has(self, feature: Feature) -> bool:
        return feature in _FEATURES[self]


_PLAN_LABELS = {Plan.TEAMS: N_("Teams"), Plan.ENTERPRISE: N_("Enterprise")}
_RANKS = {Plan.TEAMS: 1, Plan.ENTERPRISE: 2}
_TEAMS_FEATURES = (Feature.GROUPS, Feature.EVENTS, Feature.SCIM, Feature.API)
_FEATURES = {
    Plan.TEAMS: _TEAMS_FEATURES,
    Plan.ENTERPRISE: (
        *_TEAMS_FEATURES,
        Feature.POLICIES,
        Feature.SSO,
        Feature.CLAIMED_DOMAINS,
        Feature.ACCOUNT_RECOVERY,
        Feature.CUSTOM_ROLES,
    ),
}


class Cadence(StrEnum):
    """How often a client is billed. Prices are always told per month."""

    MONTHLY = "monthly"
    ANNUAL = "annual"

    @property
    def label(self) -> str:
        """The cadence's name as a message id."""
        return _CADENCE_LABELS[self]

    @property
    def months(self) -> int:
        """Months in one billing period."""
        return 12 if self is Cadence.ANNUAL else 1


_CADENCE_LABELS = {Cadence.MONTHLY: N_("Monthly"), Cadence.ANNUAL: N_("Annual")}
