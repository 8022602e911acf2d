"""A client asks its provider for more seats: what may be asked, and what becomes of it."""

from enum import StrEnum

from portal.domain.errors import N_, refuse
from portal.domain.seats import MOST

NOTE_LIMIT = 500


class RequestState(StrEnum):
    """A request waits until it is answered or taken back; it never comes back from there."""

    OPEN = "open"
    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"

    @property
    def label(self) -> str:
        """The state as a message id."""
        return _LABELS[self]


_LABELS = {
    RequestState.OPEN: N_("Waiting for an answer"),
    RequestState.APPROVED: N_("Approved"),
    RequestState.DECLINED: N_("Declined"),
    RequestState.WITHDRAWN: N_("Withdrawn"),
}


def check_wanted(seats: int | None, *, assigned: int = 0) -> int:
    """How many more seats are asked for; else a `RuleError` on `seats`."""
    if seats is None or seats < 1:
        raise refuse(N_("Enter how many more seats you need."), field="seats")
    if assigned + seats > MOST:
        raise refuse(N_("Enter at most %(most)s seats."), field="seats", most=MOST - assigned)
    return seats


def check_note(note: str, *, field: str = "note") -> str:
    """A few words, trimmed; else a `RuleError` on `field`."""
    text = "\n".join(line.rstrip() for line in note.strip().splitlines())
    if len(text) > NOTE_LIMIT:
        raise refuse(N_("Write at most %(limit)s characters."), field=field, limit=NOTE_LIMIT)
    return text
