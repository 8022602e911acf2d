"""Who may make, change and delete a collection.

Of the product description, collections and their settings: owners and admins reach every
collection unless the organization says otherwise; the provider's people make, name, share and
delete them without ever reaching an item; whoever manages a collection may share it; and one that
nobody manages is taken over by owners, admins or the provider, so that none is lost.
"""

from dataclasses import dataclass

from portal.domain.access import Permission, Role
from portal.domain.collection_access import Access, Level

_LEAD = (Role.OWNER, Role.ADMIN)


@dataclass(frozen=True)
class CollectionSettings:
    """What an organization has set about its collections; these are the defaults."""

    limits_collection_creation: bool = True
    limits_collection_deletion: bool = True
    limits_item_deletion: bool = False
    admins_reach_all: bool = True


@dataclass(frozen=True)
class Keeper:
    """Who stands before the collections: their role and rights, and whether by the provider."""

    role: Role
    permissions: frozenset[Permission]
    via_provider: bool
    settings: CollectionSettings

    @property
    def sees_all(self) -> bool:
        """Whether every collection is listed, reached or not."""
        return Permission.COLLECTIONS_READ in self.permissions

    @property
    def reaches_all(self) -> bool:
        """Whether the role alone opens every collection: never for the provider's people."""
        leads = self.role in _LEAD and not self.via_provider
        return leads and self.settings.admins_reach_all

    @property
    def may_create(self) -> bool:
        if Permission.COLLECTIONS_CREATE in self.permissions:
            return True
        return self._is_member and not self.settings.limits_collection_creation

    @property
    def manages_what_it_makes(self) -> bool:
        """Whether a new collection is its maker's to manage, by name."""
        return not self.via_provider and not self.reaches_all

    def level(self, assigned: Access | None) -> Level | None:
        """What this person may do with the items, given what assignments say; None for nothing."""
        if self.via_provider:
            return None
        if self.reaches_all:
            return Level.MANAGE
        return assigned.level if assigned else None

    def may_manage(self, assigned: Access | None, *, is_orphan: bool) -> bool:
        """Whether they may name the collection and say who reaches it."""
        return self._leads(
            Permission.COLLECTIONS_MANAGE, assigned, is_orphan=is_orphan
        ) or self._owns(assigned)

    def may_delete(self, assigned: Access | None, *, is_orphan: bool) -> bool:
        if self._leads(Permission.COLLECTIONS_DELETE, assigned, is_orphan=is_orphan):
            return True
        return self._owns(assigned) and not self.settings.limits_collection_deletion

    @property
    def _is_member(self) -> bool:
        return not self.via_provider and Permission.COLLECTIONS_OWN in self.permissions

    def _owns(self, assigned: Access | None) -> bool:
        return self._is_member and assigned is not None and assigned.level is Level.MANAGE

    def _leads(self, permission: Permission, assigned: Access | None, *, is_orphan: bool) -> bool:
        """By right of the role: everywhere, or for owners and admins as settings let them."""
        if permission not in self.permissions:
            return False
        if self.via_provider or self.role not in _LEAD or self.settings.admins_reach_all:
            return True
        return is_orphan or (assigned is not None and assigned.level is Level.MANAGE)
