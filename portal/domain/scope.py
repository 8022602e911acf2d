"""How far a provider's person reaches: which of its clients, and what they may do there."""

from enum import StrEnum

from portal.domain.access import Permission, Role
from portal.domain.errors import N_


class Reach(StrEnum):
    """Which clients. The parts of a scope name clients and tags to leave out or to take in."""

    ALL = "all"
    ALL_BUT = "all_but"
    ONLY = "only"

    @property
    def label(self) -> str:
        """The reach as a message id."""
        return _REACHES[self]


class Level(StrEnum):
    """What a person may do with the clients that they reach."""

    MANAGE = "manage"
    READ_ONLY = "read_only"

    @property
    def label(self) -> str:
        """The level as a message id."""
        return _LEVELS[self]


_REACHES = {
    Reach.ALL: N_("All clients"),
    Reach.ALL_BUT: N_("All clients but some"),
    Reach.ONLY: N_("Only some clients"),
}
_LEVELS = {Level.MANAGE: N_("Manage"), Level.READ_ONLY: N_("Read only")}

# What is left of a role's rights to somebody who may only read.
READING = frozenset(
    {
        Permission.CLIENTS_READ,
        Permission.ORGANIZATION_READ,
        Permission.MEMBERS_READ,
        Permission.COLLECTIONS_READ,
        Permission.POLICIES_READ,
        Permission.REPORTS_READ,
        Permission.PROVIDER_ACCESS_READ,
        Permission.PROVIDER_ACCESS_ASK,
        Permission.BASELINES_READ,
    }
)


def needs_provider_key(reach: Reach, level: Level) -> bool:
    """Whether this scope takes the provider key, which opens every client.

    Whoever manages some clients gets the keys of those, one by one; who only reads gets none.
    """
    return reach is Reach.ALL and level is Level.MANAGE


def permitted(role: Role, level: Level) -> frozenset[Permission]:
    """What is left of a role's rights at a level."""
    return role.permissions & READING if level is Level.READ_ONLY else role.permissions


class Because(StrEnum):
    """Why a client is in somebody's scope. A tag's name is kept beside it."""

    LISTED = "listed"
    TAGGED = "tagged"
    NOT_EXCLUDED = "not_excluded"
