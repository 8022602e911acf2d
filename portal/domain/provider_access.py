"""Who from the provider can come into an organization, and the life of a time-boxed grant."""

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum

from portal.domain.errors import N_, RuleError, refuse
from portal.domain.names import is_printable, squeeze

# How long somebody may ask for and be given, in minutes.
MINUTES = (15, 60, 240, 1440)
# A question that nobody answers lapses.
ANSWER_WITHIN = dt.timedelta(days=3)
ASKS_PER_HOUR = 5
LONGEST_REASON = 300

OVER = N_("This request has been answered, withdrawn or ended in the meantime.")
NO_REASON = N_("Say what you need access for; the owners read it.")


class AccessMode(StrEnum):
    """What the owner has decided about the provider's people."""

    ALWAYS = "always"
    ASK = "ask"
    NEVER = "never"

    @property
    def label(self) -> str:
        """The mode's name as a message id."""
        return _MODES[self]


_MODES = {
    AccessMode.ALWAYS: N_("Always"),
    AccessMode.ASK: N_("Ask first"),
    AccessMode.NEVER: N_("Never"),
}


class GrantState(StrEnum):
    """Where one request of one person stands."""

    REQUESTED = "requested"
    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    ENDED = "ended"
    EXPIRED = "expired"

    @property
    def label(self) -> str:
        """The state's name as a message id."""
        return _STATES[self]

    @property
    def is_open(self) -> bool:
        """Whether it waits or lets somebody in; at most one such is there for a person."""
        return self in OPEN

    @property
    def let_in(self) -> bool:
        """Whether the person had access under it at some time."""
        return self in _LET_IN


_STATES = {
    GrantState.REQUESTED: N_("Waiting for an answer"),
    GrantState.APPROVED: N_("Has access"),
    GrantState.DECLINED: N_("Declined"),
    GrantState.WITHDRAWN: N_("Withdrawn"),
    GrantState.LAPSED: N_("Not answered"),
    GrantState.ENDED: N_("Ended early"),
    GrantState.EXPIRED: N_("Ended by time"),
}
OPEN = (GrantState.REQUESTED, GrantState.APPROVED)
_LET_IN = (GrantState.APPROVED, GrantState.ENDED, GrantState.EXPIRED)


class GrantMove(StrEnum):
    """What can happen to a request or a grant."""

    APPROVE = "approve"
    DECLINE = "decline"
    WITHDRAW = "withdraw"
    LAPSE = "lapse"
    END = "end"
    EXPIRE = "expire"

    @property
    def leads(self) -> tuple[GrantState, GrantState]:
        """From which state to which."""
        return MOVES[self]


MOVES: Mapping[GrantMove, tuple[GrantState, GrantState]] = {
    GrantMove.APPROVE: (GrantState.REQUESTED, GrantState.APPROVED),
    GrantMove.DECLINE: (GrantState.REQUESTED, GrantState.DECLINED),
    GrantMove.WITHDRAW: (GrantState.REQUESTED, GrantState.WITHDRAWN),
    GrantMove.LAPSE: (GrantState.REQUESTED, GrantState.LAPSED),
    GrantMove.END: (GrantState.APPROVED, GrantState.ENDED),
    GrantMove.EXPIRE: (GrantState.APPROVED, GrantState.EXPIRED),
}


class Over(RuleError):
    """The request or grant is not in the state in which this could be done."""

    def __init__(self) -> None:
        super().__init__(OVER)


def after(state: GrantState, move: GrantMove) -> GrantState:
    """The state after the move. Raises `Over` where the state does not allow it."""
    before, then = move.leads
    if state is not before:
        raise Over
    return then


def closing(state: GrantState) -> GrantMove | None:
    """How an open row is closed when the owner changes the rules; None for one that is closed."""
    return {GrantState.REQUESTED: GrantMove.LAPSE, GrantState.APPROVED: GrantMove.END}.get(state)


def is_due(
    state: GrantState, lapses_at: dt.datetime, ends_at: dt.datetime | None, now: dt.datetime
) -> GrantMove | None:
    """What time itself does to a row by now, or None."""
    if state is GrantState.REQUESTED and lapses_at <= now:
        return GrantMove.LAPSE
    if state is GrantState.APPROVED and ends_at is not None and ends_at <= now:
        return GrantMove.EXPIRE
    return None


def check_reason(text: str) -> str:
    """The reason as it is stored. Raises `RuleError` on its field."""
    kept = squeeze(text)
    if not kept:
        raise refuse(NO_REASON, field="reason")
    if len(kept) > LONGEST_REASON:
        raise refuse(
            N_("Enter at most %(limit)s characters."), field="reason", limit=LONGEST_REASON
        )
    if not is_printable(kept):
        raise refuse(
            N_("Remove the invisible control characters; type the text instead of pasting it."),
            field="reason",
        )
    return kept


def check_minutes(text: str, *, at_most: int | None = None) -> int:
    """One of `MINUTES`, not more than was asked for. Raises `RuleError` on its field."""
    minutes = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    if minutes not in MINUTES:
        raise refuse(N_("Choose how long."), field="minutes")
    if at_most is not None and minutes > at_most:
        raise refuse(N_("Choose no more time than was asked for."), field="minutes")
    return minutes
