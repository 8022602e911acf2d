"""What a custom role can be made of (Enterprise), and what each part lets its holder do."""

from collections.abc import Collection
from enum import StrEnum

from portal.domain.errors import N_


class Custom(StrEnum):
    """One part of a custom role, in the order in which a form offers them."""

    EVENTS = "access_event_logs"
    IMPORT_EXPORT = "access_import_export"
    REPORTS = "access_reports"
    CREATE_COLLECTIONS = "create_new_collections"
    EDIT_COLLECTIONS = "edit_any_collection"
    DELETE_COLLECTIONS = "delete_any_collection"
    GROUPS = "manage_groups"
    POLICIES = "manage_policies"
    SSO = "manage_sso"
    USERS = "manage_users"
    RECOVERY = "manage_account_recovery"
    SCIM = "manage_scim"
    ACCESS_RULES = "manage_access_rules"

    @property
    def label(self) -> str:
        """The part as a message id."""
        return _LABELS[self]


_LABELS = {
    Custom.EVENTS: N_("Read the event log"),
    Custom.IMPORT_EXPORT: N_("Import and export"),
    Custom.REPORTS: N_("Read reports"),
    Custom.CREATE_COLLECTIONS: N_("Create collections"),
    Custom.EDIT_COLLECTIONS: N_("Edit any collection"),
    Custom.DELETE_COLLECTIONS: N_("Delete any collection"),
    Custom.GROUPS: N_("Manage groups"),
    Custom.POLICIES: N_("Manage policies"),
    Custom.SSO: N_("Manage single sign-on and domains"),
    Custom.USERS: N_("Manage members"),
    Custom.RECOVERY: N_("Manage account recovery"),
    Custom.SCIM: N_("Manage provisioning"),
    Custom.ACCESS_RULES: N_("Manage access rules"),
}


def completed(chosen: Collection[Custom]) -> frozenset[Custom]:
    """What is chosen, with what it cannot be without: recovering members means managing them."""
    extra = {Custom.USERS} if Custom.RECOVERY in chosen else set()
    return frozenset(chosen) | extra


def may_grant(held: Collection[Custom], wanted: Collection[Custom]) -> bool:
    """Whether somebody with a custom role may give all of `wanted`: only what they hold."""
    return frozenset(wanted) <= frozenset(held)
