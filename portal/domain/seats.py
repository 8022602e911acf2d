"""Seats: how many may be bought, and where the limit may stand."""

from dataclasses import dataclass

from portal.domain.errors import N_, NN_, Message, RuleError, refuse

FEWEST = 1
MOST = 100_000
MOST_STORAGE_GB = 99


def check_seats(seats: int | None, *, used: int = 0) -> int:
    """`seats` if they may be bought while `used` are in use; else a `RuleError` on `seats`."""
    if seats is None:
        raise refuse(N_("Enter the number of seats."), field="seats")
    if seats < FEWEST:
        raise refuse(N_("A client needs at least one seat."), field="seats")
    if seats > MOST:
        raise refuse(N_("Enter at most %(most)s seats."), field="seats", most=MOST)
    if seats < used:
        raise RuleError(Message.counted(_FEWER_THAN_USED, used), field="seats")
    return seats


_FEWER_THAN_USED = NN_(
    "%(count)s seat is in use. Enter at least %(count)s, or revoke a member first.",
    "%(count)s seats are in use. Enter at least %(count)s, or revoke members first.",
)


def check_limit(limit: int | None, seats: int) -> int | None:
    """The seat limit, None for no limit; else a `RuleError` on `seat_limit`."""
    if limit is None:
        return None
    if limit < seats:
        raise refuse(
            N_("Enter at least %(seats)s, the number of seats, or leave it empty for no limit."),
            field="seat_limit",
            seats=seats,
        )
    if limit > MOST:
        raise refuse(
            N_("Enter at most %(most)s, or leave it empty for no limit."),
            field="seat_limit",
            most=MOST,
        )
    return limit


def check_storage(extra_gb: int | None) -> int:
    """Additional storage in GB; else a `RuleError` on `extra_storage_gb`."""
    if extra_gb is None:
        raise refuse(
            N_("Enter the additional storage in GB, or 0 for none."), field="extra_storage_gb"
        )
    if not 0 <= extra_gb <= MOST_STORAGE_GB:
        raise refuse(
            N_("Enter a number of GB from 0 to %(most)s."),
            field="extra_storage_gb",
            most=MOST_STORAGE_GB,
        )
    return extra_gb


@dataclass(frozen=True)
class SeatTerms:
    """What one client's seats may do: `limit` counts only with `autogrow`; None is no limit."""

    assigned: int
    autogrow: bool
    limit: int | None = None

    @property
    def ceiling(self) -> int:
        """The most seats that the client may come to without anybody buying more."""
        if not self.autogrow:
            return self.assigned
        return max(self.assigned, MOST if self.limit is None else self.limit)
