"""Ways to pay. Each is one small object; the form offers those that are registered."""

from dataclasses import dataclass
from typing import Protocol

from portal.domain.errors import N_, Message
from portal.domain.money import Money
from portal.domain.new_client import ClientOrder
from portal.domain.pricing import Quote


@dataclass(frozen=True)
class PaymentStart:
    """What beginning a payment means for the person who orders.

    `due_today` is what is charged at once, `note` the sentence that says what comes next.
    """

    due_today: Money
    note: Message


class PaymentMethod(Protocol):
    """A way to pay for a client.

    `name` is stored with the subscription, `label` is a message id. `at_once` says whether the
    total is due on the day of the order instead of by invoice.
    """

    @property
    def name(self) -> str: ...

    @property
    def label(self) -> str: ...

    @property
    def at_once(self) -> bool: ...

    def begin(self, order: ClientOrder, quote: Quote) -> PaymentStart:
        """What is due and what follows. Raises `RuleError` where this way cannot be taken."""


@dataclass(frozen=True)
class ByInvoice:
    """Invoices by e-mail to the client's billing address, payable within its net days."""

    name: str = "invoice"
    label: str = N_("By invoice")
    at_once: bool = False

    def begin(self, order: ClientOrder, quote: Quote) -> PaymentStart:
        note = Message.of(
            N_("First invoice on %(date)s, payable within %(days)s days."),
            date=quote.first_invoice_on,
            days=quote.net_days,
        )
        return PaymentStart(due_today=quote.due_today, note=note)


_METHODS: dict[str, PaymentMethod] = {}


def register(method: PaymentMethod) -> None:
    """Offer `method`; a second one of the same name takes the place of the first."""
    _METHODS[method.name] = method


def payment_methods() -> tuple[PaymentMethod, ...]:
    """Every way to pay, in the order in which it was registered."""
    return tuple(_METHODS.values())


def method_named(name: str) -> PaymentMethod | None:
    """The way to pay called `name`, or None."""
    return _METHODS.get(name)


register(ByInvoice())
