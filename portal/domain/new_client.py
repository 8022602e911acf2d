"""The order for a new client: its fields, their rules, and what the summary prices.

The check of a single field, the live summary and the submit all call these functions.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

from portal.domain.billing_details import (
    NET_DAYS,
    BillingDetails,
    VatCheck,
    check_billing,
    clean_billing,
)
from portal.domain.emails import check_email, domain_of, same_domain
from portal.domain.errors import N_, Message, RuleError, refuse
from portal.domain.names import check_name
from portal.domain.plans import Cadence, Plan
from portal.domain.pricing import Selection
from portal.domain.seats import FEWEST, check_limit, check_seats, check_storage

INVOICE = "invoice"


@dataclass(frozen=True)
class ClientOrder:
    """What the form says. Attributes are named like its fields; None is empty or unreadable.

    `seat_limit` None is no limit, and the limit counts only with `autogrow`; `payment` is the
    name of a payment method.
    """

    name: str = ""
    billing_email: str = ""
    owner_email: str = ""
    plan: Plan | None = Plan.TEAMS
    seats: int | None = FEWEST
    autogrow: bool = True
    seat_limit: int | None = None
    extra_storage_gb: int | None = 0
    cadence: Cadence | None = Cadence.MONTHLY
    payment: str = INVOICE
    billing: BillingDetails = field(default_factory=BillingDetails)

    @property
    def limit(self) -> int | None:
        """The seat limit that counts."""
        return self.seat_limit if self.autogrow else None


def check(
    order: ClientOrder,
    *,
    vat_check: VatCheck,
    payments: Collection[str] = (INVOICE,),
) -> dict[str, RuleError]:
    """What is wrong with `order`, by field name; empty if the client can be created.

    `vat_check` judges a VAT number for a country, `payments` names the payment methods on offer.
    """
    errors = _selection_errors(order)
    for found in (
        _error(lambda: _name(order)),
        _error(lambda: _billing_email(order)),
        _error(lambda: _owner_email(order)),
        _error(lambda: _payment(order, payments)),
    ):
        errors |= found
    if order.payment == INVOICE:
        errors |= check_billing(order.billing, vat_check)
    return errors


def clean(order: ClientOrder, *, vat_check: VatCheck) -> ClientOrder:
    """The order as it is stored: texts squeezed, addresses normalised, a dead limit dropped.

    Raises `RuleError` for a name, an address or billing details that `check` would refuse.
    """
    billing = clean_billing(order.billing, vat_check) if order.payment == INVOICE else order.billing
    return replace(
        order,
        name=_name(order),
        billing_email=_billing_email(order),
        owner_email=_owner_email(order),
        seat_limit=order.limit,
        billing=billing,
    )


def selection(
    order: ClientOrder, *, payments: Collection[str] = (INVOICE,)
) -> tuple[Selection, frozenset[str]]:
    """What the summary prices, and the names of the fields that it could not take as typed.

    A summary is always shown: a wrong field counts as the form's own default until it is mended.
    With no such name the selection is the order.
    """
    wrong = frozenset(_selection_errors(order) | _error(lambda: _payment(order, payments)))
    default = ClientOrder()
    usable = replace(order, **{name: getattr(default, name) for name in wrong})
    if usable.payment == INVOICE and usable.billing.net_days not in NET_DAYS:
        usable = replace(usable, billing=default.billing)
        wrong |= {"net_days"}
    return _selection(usable), wrong


def _selection(order: ClientOrder) -> Selection:
    return Selection(
        plan=order.plan or Plan.TEAMS,
        seats=order.seats or FEWEST,
        cadence=order.cadence or Cadence.MONTHLY,
        extra_storage_gb=order.extra_storage_gb or 0,
        autogrow=order.autogrow,
        seat_limit=order.limit,
        net_days=order.billing.net_days if order.payment == INVOICE else None,
    )


def hints(order: ClientOrder, *, name_exists: bool) -> dict[str, Message]:
    """What is worth a second look but no mistake, by field name.

    `name_exists` says whether the provider has a client of that name already.
    """
    found: dict[str, Message] = {}
    if name_exists:
        found["name"] = Message(N_("You already have a client with this name. You can keep it."))
    if _both_addresses(order) and not same_domain(order.owner_email, order.billing_email):
        found["owner_email"] = Message.of(
            N_(
                "The owner's domain, %(owner_domain)s, differs from the billing e-mail's, "
                "%(billing_domain)s. Check the address before you send the invitation."
            ),
            owner_domain=domain_of(order.owner_email),
            billing_domain=domain_of(order.billing_email),
        )
    return found


def _both_addresses(order: ClientOrder) -> bool:
    return not _error(lambda: _billing_email(order)) and not _error(lambda: _owner_email(order))


def _error(rule: Callable[[], object]) -> dict[str, RuleError]:
    try:
        rule()
    except RuleError as error:
        return {error.field or "": error}
    return {}


def _name(order: ClientOrder) -> str:
    return check_name(order.name, field="name", missing=N_("Enter the organization's name."))


def _billing_email(order: ClientOrder) -> str:
    missing = N_("Enter the address that invoices go to.")
    return check_email(order.billing_email, field="billing_email", missing=missing)


def _owner_email(order: ClientOrder) -> str:
    missing = N_("Enter the address of the person who will own the organization.")
    return check_email(order.owner_email, field="owner_email", missing=missing)


def _payment(order: ClientOrder, payments: Collection[str]) -> None:
    if order.payment not in payments:
        raise refuse(N_("Choose how the client is paid for."), field="payment")


def _selection_errors(order: ClientOrder) -> dict[str, RuleError]:
    errors: dict[str, RuleError] = {}
    for found in (_plan(order), _cadence(order), _seats(order), _limit(order)):
        errors |= found
    return errors | _error(lambda: check_storage(order.extra_storage_gb))


def _plan(order: ClientOrder) -> dict[str, RuleError]:
    return {} if order.plan else {"plan": refuse(N_("Choose a plan."), field="plan")}


def _cadence(order: ClientOrder) -> dict[str, RuleError]:
    if order.cadence:
        return {}
    return {"cadence": refuse(N_("Choose how often the client is billed."), field="cadence")}


def _seats(order: ClientOrder) -> dict[str, RuleError]:
    return _error(lambda: check_seats(order.seats))


def _limit(order: ClientOrder) -> dict[str, RuleError]:
    # Beside a wrong number of seats the limit can only be held to the smallest right one.
    seats = FEWEST if order.seats is None or _seats(order) else order.seats
    return _error(lambda: check_limit(order.limit, seats))
