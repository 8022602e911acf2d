"""Mailed invitations: how long one counts, and what has become of the link that somebody opens."""

import datetime as dt
import uuid
from dataclasses import dataclass
from enum import StrEnum

from portal.domain.access import Role
from portal.domain.errors import N_, RuleError

VALID = dt.timedelta(days=5)
# Whoever holds an old link may ask for a new one; more often than this would flood a mailbox.
ASK_EVERY = dt.timedelta(minutes=10)


class Purpose(StrEnum):
    """What a link was signed for: a place in an organization, or one in a provider."""

    MEMBER = "member-invitation"
    PROVIDER = "provider-invitation"


class Standing(StrEnum):
    """What a link is worth now. `UNKNOWN`: not one of ours, or its row is gone.

    `CLOSED`: the organization is suspended or about to be deleted; the link counts again after.
    """

    WAITING = "waiting"
    USED = "used"
    EXPIRED = "expired"
    REPLACED = "replaced"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"
    UNKNOWN = "unknown"


def standing(
    *,
    invited: bool,
    withdrawn: bool,
    is_newest: bool,
    expires_at: dt.datetime | None,
    now: dt.datetime,
    is_open: bool = True,
) -> Standing:
    """What the link of a row is worth.

    `is_newest` says that no later mail went out for the row; `expires_at` None never counts.
    `is_open` says that one can come in where it leads.
    """
    if withdrawn:
        return Standing.WITHDRAWN
    if not invited:
        return Standing.USED
    if not is_newest:
        return Standing.REPLACED
    if expires_at is None or expires_at <= now:
        return Standing.EXPIRED
    return Standing.WAITING if is_open else Standing.CLOSED


class Spent(RuleError):
    """The link was used, replaced or withdrawn, or it expired, while its page was open."""

    def __init__(self) -> None:
        super().__init__(N_("This invitation has changed in the meantime. Open the link again."))


@dataclass(frozen=True)
class Invitation:
    """An opened link and the row behind it.

    `place` is the name of what one joins, `inviter` the provider's. `account_id` is who accepted,
    `is_confirmed` says that this person waits for nobody any more.
    `has_account` says whether the invited address has an account. `makes_keys`: the organization
    has no keys, and the owner's browser can make them for the provider's public key.
    """

    purpose: Purpose
    standing: Standing
    tenant_id: uuid.UUID
    row_id: uuid.UUID
    version: int
    place: str
    inviter: str
    email: str
    role: Role
    expires_at: dt.datetime | None
    account_id: uuid.UUID | None
    is_confirmed: bool
    has_account: bool
    provider_id: uuid.UUID | None
    provider_public_key: str | None = None
    makes_keys: bool = False

    @property
    def is_member(self) -> bool:
        return self.purpose is Purpose.MEMBER
