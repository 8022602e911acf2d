"""More or fewer seats for many clients at once: what is asked, and what it does to each of them."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from portal.domain.access import Permission
from portal.domain.bulk import BEING_DELETED, IS_SO, RowState
from portal.domain.errors import N_, NN_, Message, RuleError, refuse
from portal.domain.money import Money
from portal.domain.pricing import Selection
from portal.domain.seats import MOST
from portal.domain.states import ClientStatus
from portal.domain.subscription_changes import Preview
from portal.domain.wanted_subscription import Wanted, check

# Whoever lacks it may not raise a bill.
RAISES_BILLS = Permission.CLIENTS_MANAGE
HOW_MANY = N_("Enter how many seats, as a whole number such as 5.")
TOO_MANY_SEATS = N_("Enter at most %(most)s seats.")
OVER_LIMIT = N_("Its seat limit is %(limit)s.")
WOULD_RAISE = N_("It would raise the bill; a provider admin can do that.")
TOO_MANY = N_("It would have more than %(most)s seats.")
TOO_FEW = N_("It would be left without a seat.")
OTHER_CURRENCY = N_("It is billed in %(old)s, and today's prices are in %(new)s.")
LOOK_AGAIN = N_("The client, its seats or the prices have changed since you looked.")
IN_USE = NN_("%(count)s of its seats is in use.", "%(count)s of its seats are in use.")


class Way(StrEnum):
    """What is done with the number."""

    ADD = "add"
    REMOVE = "remove"
    SET = "set"


@dataclass(frozen=True)
class SeatMove:
    """`number` seats more, fewer, or in all; at least one."""

    way: Way
    number: int

    @classmethod
    def asked(cls, way: Way, number: int | None) -> "SeatMove":
        """The move that a form says; raises `RuleError` for no number or an impossible one."""
        if number is None or number < 1:
            raise refuse(HOW_MANY, field="seats")
        if number > MOST:
            raise refuse(TOO_MANY_SEATS, field="seats", most=MOST)
        return cls(way, number)

    @classmethod
    def read(cls, details: dict[str, Any]) -> "SeatMove":
        """The move that a change set keeps."""
        if "set" in details:
            return cls(Way.SET, int(details["set"]))
        number = int(details["add"])
        return cls(Way.ADD if number > 0 else Way.REMOVE, abs(number))

    @property
    def details(self) -> dict[str, int]:
        """As a change set keeps it."""
        if self.way is Way.SET:
            return {"set": self.number}
        return {"add": self.number if self.way is Way.ADD else -self.number}

    def of(self, seats: int) -> int:
        """The seats of a client that has `seats`; what that would be if there were no rules."""
        if self.way is Way.SET:
            return self.number
        return seats + self.details["add"]


def plan(
    move: SeatMove, current: Selection, *, used: int, status: ClientStatus, may_raise: bool
) -> tuple[RowState, Message | None, Selection]:
    """What becomes of a client, why nothing if that is so, and what it would have.

    The rules are those of Manage subscription; only the words are about somebody else's number.
    """
    wanted = replace(current, seats=move.of(current.seats))
    if status is ClientStatus.DELETING:
        return RowState.REFUSED, Message(BEING_DELETED), current
    if wanted == current:
        return RowState.SAME, Message(IS_SO), current
    errors = check(Wanted.of(wanted), current, used=used, may_raise=may_raise)
    if errors:
        return RowState.REFUSED, _reason(errors, wanted, current, used), current
    return RowState.PLANNED, None, wanted


def _reason(
    errors: dict[str, RuleError], wanted: Selection, current: Selection, used: int
) -> Message:
    if wanted.seats < used:
        return Message.counted(IN_USE, used)
    if wanted.seats < 1:
        return Message(TOO_FEW)
    if wanted.seats > MOST:
        return Message.of(TOO_MANY, most=MOST)
    if "seat_limit" in errors:
        return Message.of(OVER_LIMIT, limit=current.seat_limit)
    if set(errors) == {"seats"}:
        return Message(WOULD_RAISE)
    return next(iter(errors.values())).text


@dataclass(frozen=True)
class Price:
    """What a change costs a client, or several of one currency: as in its preview."""

    today: Money
    next_invoice: Money
    per_year_before: Money
    per_year_after: Money

    def __add__(self, other: "Price") -> "Price":
        return Price(
            self.today + other.today,
            self.next_invoice + other.next_invoice,
            self.per_year_before + other.per_year_before,
            self.per_year_after + other.per_year_after,
        )


def totals(prices: Iterable[Price]) -> list[Price]:
    """The sum for each currency, by its code."""
    found: dict[str, Price] = {}
    for price in prices:
        known = found.get(price.today.currency)
        found[price.today.currency] = known + price if known else price
    return [found[currency] for currency in sorted(found)]


@dataclass(frozen=True)
class Look:
    """What a row keeps of its preview: seats, prices, and the seal of the world it was made in."""

    before: int
    after: int
    price: Price
    invoice_on: date
    seal: str

    @classmethod
    def at(cls, preview: Preview, seal: str) -> "Look":
        price = Price(
            preview.invoiced_today,
            preview.next_invoice,
            preview.per_year_before,
            preview.per_year_after,
        )
        return cls(preview.before.seats, preview.after.seats, price, preview.period.end, seal)

    def stored(self) -> dict[str, Any]:
        """As a row keeps it: plain values."""
        amounts = {name: amount["cents"] for name, amount in asdict(self.price).items()}
        return {
            "before": self.before,
            "after": self.after,
            "currency": self.price.today.currency,
            **amounts,
            "invoice_on": self.invoice_on.isoformat(),
            "seal": self.seal,
        }

    @classmethod
    def read(cls, kept: dict[str, Any]) -> "Look":
        """What `stored` wrote."""
        names = ("today", "next_invoice", "per_year_before", "per_year_after")
        price = Price(*(Money(kept[name], kept["currency"]) for name in names))
        day = date.fromisoformat(kept["invoice_on"])
        return cls(kept["before"], kept["after"], price, day, kept["seal"])
