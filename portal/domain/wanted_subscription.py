"""What somebody wants a subscription to be: the form's fields, their rules, and whose right it is.

The live preview, the preview page and the commit all call these functions.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

from portal.domain.errors import N_, RuleError, refuse
from portal.domain.plans import Cadence, Plan
from portal.domain.pricing import Selection
from portal.domain.seats import check_limit, check_seats, check_storage


@dataclass(frozen=True)
class Wanted:
    """What the form says. Attributes are named like its fields; None is empty or unreadable."""

    plan: Plan | None
    cadence: Cadence | None
    seats: int | None
    autogrow: bool
    seat_limit: int | None
    extra_storage_gb: int | None

    @classmethod
    def of(cls, selection: Selection) -> "Wanted":
        """What a client has, as the form would say it."""
        return cls(**{field.name: getattr(selection, field.name) for field in fields(cls)})

    @property
    def limit(self) -> int | None:
        """The seat limit that counts."""
        return self.seat_limit if self.autogrow else None


def check(
    wanted: Wanted, current: Selection, *, used: int, may_raise: bool
) -> dict[str, RuleError]:
    """What is wrong with `wanted`, by field name; `used` seats can never be taken away.

    Whoever may not raise the bill may only lower the seats.
    """
    errors = _rules(wanted, used)
    if may_raise or errors:
        return errors
    if (wanted.seats or 0) > current.seats:
        most = refuse(
            N_("You may lower the seats, not add any. Enter at most %(most)s."),
            field="seats",
            most=current.seats,
        )
        return {"seats": most}
    if replace(selection(wanted, current, used=used)[0], seats=current.seats) != current:
        return {"": refuse(N_("Only a provider admin can change more than the seats."))}
    return {}


def _rules(wanted: Wanted, used: int) -> dict[str, RuleError]:
    errors: dict[str, RuleError] = {}
    if wanted.plan is None:
        errors["plan"] = refuse(N_("Choose a plan."), field="plan")
    if wanted.cadence is None:
        errors["cadence"] = refuse(N_("Choose how often the client is billed."), field="cadence")
    errors |= _error(lambda: check_seats(wanted.seats, used=used))
    # Beside a wrong number of seats the limit can only be held to the seats in use.
    seats = used if "seats" in errors else wanted.seats or 0
    errors |= _error(lambda: check_limit(wanted.limit, seats))
    return errors | _error(lambda: check_storage(wanted.extra_storage_gb))


def selection(wanted: Wanted, current: Selection, *, used: int) -> tuple[Selection, frozenset[str]]:
    """What the preview prices, and the names of the fields that it could not take as typed.

    A preview is always shown: a wrong field counts as what the client has until it is mended.
    With no such name the selection is what is wanted.
    """
    wrong = frozenset(_rules(wanted, used))
    usable = replace(wanted, **{name: getattr(current, name) for name in wrong})
    chosen = Selection(
        plan=usable.plan or current.plan,
        seats=usable.seats or current.seats,
        cadence=usable.cadence or current.cadence,
        extra_storage_gb=usable.extra_storage_gb or 0,
        autogrow=usable.autogrow,
        seat_limit=usable.limit,
        net_days=current.net_days,
    )
    return chosen, wrong


def _error(rule: Callable[[], object]) -> dict[str, RuleError]:
    try:
        rule()
    except RuleError as error:
        return {error.field or "": error}
    return {}
