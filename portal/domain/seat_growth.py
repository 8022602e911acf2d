"""Seats that grow by themselves: whether more people fit, and whether more seats may be bought.

A client's seats grow when somebody comes in, up to its seat limit. The provider may bound that
twice: by how many seats all its clients together gain in a calendar month, and by how many one
client gains in a day before an admin of the provider is asked.
"""

from dataclasses import dataclass
from enum import StrEnum

from portal.domain.access import Role
from portal.domain.errors import N_, NN_, Message, refuse
from portal.domain.seats import MOST, SeatTerms
from portal.domain.states import ClientStatus


class Asker(StrEnum):
    """Who wants the seats, as far as the answer depends on it."""

    PROVIDER_ADMIN = "provider_admin"
    SERVICE_USER = "service_user"
    MEMBER = "member"
    # A directory or a sign-in, which nobody sits in front of.
    SYSTEM = "system"

    @classmethod
    def of(cls, role: Role | None) -> "Asker":
        """How somebody with this role asks; None is nobody."""
        if role is None:
            return cls.SYSTEM
        own = {Role.PROVIDER_ADMIN: cls.PROVIDER_ADMIN, Role.SERVICE_USER: cls.SERVICE_USER}
        return own.get(role, cls.MEMBER)


@dataclass(frozen=True)
class Standing:
    """What the answer depends on, all numbers as they are now.

    `status` is None for an organization that no provider has. `is_priced` says whether today's
    price list has the currency that the client is billed in. `month_left` is how many seats the
    provider's clients may still gain this month, `day_left` how many this client may today before
    the provider is asked; None without a bound.
    """

    terms: SeatTerms
    used: int
    status: ClientStatus | None
    is_priced: bool = True
    month_left: int | None = None
    day_left: int | None = None

    @property
    def free(self) -> int:
        return max(self.terms.assigned - self.used, 0)


@dataclass(frozen=True)
class Bounds:
    """What a provider allows; None is no bound.

    `month` is how many seats all its clients together gain in a calendar month, `day` how many
    one client gains in a day before the provider is asked.
    """

    month: int | None = None
    day: int | None = None


def check_bound(number: int | None, *, field: str) -> int | None:
    """A bound, None for none; else a `RuleError` on `field`."""
    if number is not None and not 0 <= number <= MOST:
        raise refuse(
            N_("Enter a number from 0 to %(most)s, or leave it empty."), field=field, most=MOST
        )
    return number


@dataclass(frozen=True)
class Enough:
    """Everybody fits into the seats that there are."""


@dataclass(frozen=True)
class Grow:
    """They fit once `by` more seats are bought, at least one."""

    by: int


@dataclass(frozen=True)
class Refused:
    """They do not fit; `why` names who can help. `can_ask` says whether the provider can."""

    why: Message
    can_ask: bool = True


@dataclass(frozen=True)
class NeedsApproval:
    """The provider wants to be asked before `by` more seats are bought."""

    by: int
    why: Message


Answer = Enough | Grow | Refused | NeedsApproval


def decide(here: Standing, wanted: int, asker: Asker) -> Answer:
    """Whether `wanted` more people (at least one) may come in, and what that takes."""
    by = here.used + wanted - here.terms.assigned
    if by <= 0:
        return Enough()
    if here.status is None:
        return Refused(Message(_NOBODYS), can_ask=False)
    if here.status is not ClientStatus.ACTIVE:
        return Refused(Message(_CLOSED), can_ask=False)
    return _barred(here, wanted, asker) or Grow(by)


def most(here: Standing, wanted: int, asker: Asker) -> int:
    """How many of `wanted` people may come in at most, into free seats or bought ones."""
    fits = (Enough, Grow)
    # Whoever many are refused with, fewer may come in: the first that fits is the most.
    return next(
        (many for many in range(wanted, 0, -1) if isinstance(decide(here, many, asker), fits)), 0
    )


def _barred(here: Standing, wanted: int, asker: Asker) -> Refused | NeedsApproval | None:
    """The first thing that keeps an active client's seats from growing."""
    by = here.used + wanted - here.terms.assigned
    is_admin = asker is Asker.PROVIDER_ADMIN

    def says(forms: tuple[str, str]) -> Message:
        return Message.counted(forms, wanted, left=here.free)

    if not here.is_priced or here.terms.assigned + by > here.terms.ceiling:
        return Refused(says(_SHORT_ADMIN if is_admin else _SHORT), can_ask=not is_admin)
    if asker is Asker.SERVICE_USER:
        return Refused(says(_RAISES_BILL))
    if here.month_left is not None and by > here.month_left:
        return Refused(says(_MONTH_ADMIN if is_admin else _MONTH), can_ask=not is_admin)
    # An admin of the provider who invites has approved of it.
    if not is_admin and here.day_left is not None and by > here.day_left:
        return NeedsApproval(by, says(_DAY))
    return None


_NOBODYS = N_("No seats are left, and no provider manages this organization: revoke a member.")
_CLOSED = N_("No seats are left, and none are added while the client is suspended or deleted.")
_SHORT = NN_(
    "%(count)s seat is needed, left: %(left)s. A provider admin can add seats.",
    "%(count)s seats are needed, left: %(left)s. A provider admin can add seats.",
)
_SHORT_ADMIN = NN_(
    "%(count)s seat is needed, left: %(left)s. You can add seats under Manage subscription.",
    "%(count)s seats are needed, left: %(left)s. You can add seats under Manage subscription.",
)
_RAISES_BILL = NN_(
    "%(count)s seat is needed, left: %(left)s. More would raise the bill; a provider admin "
    "can add seats.",
    "%(count)s seats are needed, left: %(left)s. More would raise the bill; a provider admin "
    "can add seats.",
)
_MONTH = NN_(
    "%(count)s seat is needed, left: %(left)s. The provider allows no more this month; a "
    "provider admin can add seats.",
    "%(count)s seats are needed, left: %(left)s. The provider allows no more this month; a "
    "provider admin can add seats.",
)
_MONTH_ADMIN = NN_(
    "%(count)s seat is needed, left: %(left)s. Your settings allow no more this month. You "
    "can add seats under Manage subscription.",
    "%(count)s seats are needed, left: %(left)s. Your settings allow no more this month. You "
    "can add seats under Manage subscription.",
)
_DAY = NN_(
    "%(count)s seat is needed, left: %(left)s. A provider admin approves of so many in one day.",
    "%(count)s seats are needed, left: %(left)s. A provider admin approves of so many in one day.",
)
