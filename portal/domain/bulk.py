"""One change for many clients: what may be done, and what it would do to each of them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from portal.domain.access import Permission
from portal.domain.errors import N_, Message
from portal.domain.states import ClientStatus
from portal.domain.tags import TAGS_A_CLIENT, TOO_MANY

LIMIT = 5000
BATCH = 100


class BulkAction(StrEnum):
    """What is done to each client."""

    TAG = "tag"
    UNTAG = "untag"
    SUSPEND = "suspend"
    RESUME = "resume"
    INVITE = "invite"
    SEATS = "seats"
    BASELINE = "baseline"

    @property
    def permission(self) -> Permission:
        return _PERMISSIONS[self]

    @property
    def can_be_undone(self) -> bool:
        """An e-mail that is sent cannot be taken back."""
        return self is not BulkAction.INVITE

    @property
    def names_a_tag(self) -> bool:
        return self in {BulkAction.TAG, BulkAction.UNTAG}


_PERMISSIONS = {
    BulkAction.TAG: Permission.CLIENTS_ANNOTATE,
    BulkAction.UNTAG: Permission.CLIENTS_ANNOTATE,
    BulkAction.SUSPEND: Permission.CLIENTS_SUSPEND,
    BulkAction.RESUME: Permission.CLIENTS_SUSPEND,
    # It writes to owners, which a technician may not.
    BulkAction.INVITE: Permission.CLIENTS_CREATE,
    BulkAction.SEATS: Permission.CLIENTS_SUBSCRIBE,
    BulkAction.BASELINE: Permission.BASELINES_MANAGE,
}


class BulkState(StrEnum):
    """How far a change set is."""

    PLANNED = "planned"
    RUNNING = "running"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"


class RowState(StrEnum):
    """What becomes of one client. SAME: there is nothing to do. KEPT: not undone."""

    PLANNED = "planned"
    SAME = "same"
    DONE = "done"
    REFUSED = "refused"
    UNDONE = "undone"
    KEPT = "kept"


HAS_TAG = N_("It has the tag already.")
HAS_NOT_TAG = N_("It does not have the tag.")
IS_SO = N_("It is so already.")
BEING_DELETED = N_("It is being deleted.")
HAS_OWNER = N_("Its owner is confirmed.")
CHANGED_SINCE = N_("Somebody has changed it since.")


@dataclass(frozen=True)
class Facts:
    """What a plan looks at. `has_tag` is about the tag of the change."""

    status: ClientStatus
    owner_confirmed: bool
    tags: int
    has_tag: bool


def plan(action: BulkAction, facts: Facts) -> tuple[RowState, Message | None]:
    """What the change would do to a client, and why nothing if that is so.

    What becomes of its seats is for `seat_moves.plan`, which knows the subscription.
    """
    if action.names_a_tag:
        return _plan_tag(action, facts)
    if action is BulkAction.INVITE:
        return _unless(facts.owner_confirmed, HAS_OWNER)
    after = ClientStatus.SUSPENDED if action is BulkAction.SUSPEND else ClientStatus.ACTIVE
    if facts.status is ClientStatus.DELETING:
        return RowState.REFUSED, Message(BEING_DELETED)
    return _unless(facts.status is after, IS_SO)


def _plan_tag(action: BulkAction, facts: Facts) -> tuple[RowState, Message | None]:
    if action is BulkAction.UNTAG:
        return _unless(not facts.has_tag, HAS_NOT_TAG)
    if not facts.has_tag and facts.tags >= TAGS_A_CLIENT:
        return RowState.REFUSED, Message(TOO_MANY, {"limit": TAGS_A_CLIENT})
    return _unless(facts.has_tag, HAS_TAG)


def _unless(is_so: bool, reason: str) -> tuple[RowState, Message | None]:  # noqa: FBT001
    return (RowState.SAME, Message(reason)) if is_so else (RowState.PLANNED, None)


def stored(message: Message | None) -> dict[str, Any] | None:
    """A reason as a row keeps it."""
    if message is None:
        return None
    kept = {"text": message.msgid, "params": dict(message.params)}
    return kept | ({"plural": message.plural, "count": message.count} if message.plural else {})


def restored(kept: dict[str, Any] | None) -> Message | None:
    """The reason that `stored` wrote."""
    if kept is None:
        return None
    return Message(kept["text"], kept["params"], kept.get("plural"), kept.get("count", 1))
