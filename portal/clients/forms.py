"""The forms of this area: they read what was typed; `portal.domain` judges it."""

import re
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar

from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    EmailField,
    Field,
    HiddenField,
    RadioField,
    SelectField,
    StringField,
)

from portal.domain import billing_details, emails, new_client
from portal.domain.billing_details import NET_DAYS, BillingDetails, VatCheck
from portal.domain.errors import RuleError
from portal.domain.names import check_name
from portal.domain.new_client import ClientOrder
from portal.domain.plans import Cadence, Plan
from portal.organizations.forms import OrganizationKeysForm
from portal.web.fields import WholeNumber
from portal.web.forms import Form

KEY_FIELDS = (
    "organization_public_key",
    "organization_private_key",
    "provider_wrapped_key",
    "collection_name",
    "provider_public_key",
)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}\Z")
_NUMBERS = {"inputmode": "numeric", "autocomplete": "off"}

Known = TypeVar("Known", bound=StrEnum)
Choices = Sequence[tuple[str, str]]


def _one_of(kind: type[Known]) -> Callable[[Any], Known | None]:
    """Reads a choice; what is none of them is None, and the domain says so."""
    return lambda value: kind(value) if value in set(kind) else None


def _days(value: Any) -> int | None:
    return int(value) if str(value) in {str(days) for days in NET_DAYS} else None


class _WhoFields:
    """The head of an order. The fields stand in the order in which they are read."""

    token = HiddenField()
    name = StringField(_l("Organization name"), render_kw={"autocomplete": "off"})
    billing_email = EmailField(
        _l("Billing e-mail"),
        description=_l("Invoices go to this address."),
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
    owner_email = EmailField(
        _l("Client owner e-mail"),
        description=_l("This person is invited automatically to join as owner."),
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
    locale = RadioField(_l("Language of the invitation"))


class SelectionFields:
    """What is bought; the names are those of `Selection`."""

    plan = RadioField(_l("Plan"), coerce=_one_of(Plan), validate_choice=False, default=Plan.TEAMS)
    cadence = RadioField(
        _l("Billing cadence"),
        coerce=_one_of(Cadence),
        validate_choice=False,
        default=Cadence.MONTHLY,
    )
    seats = WholeNumber(_l("Seats"), default=1, render_kw=_NUMBERS)
    autogrow = BooleanField(
        _l("Add seats automatically"),
        default=True,
        description=_l("A seat is added, and billed, when somebody is invited and none is left."),
    )
    seat_limit = WholeNumber(
        _l("Seat limit"),
        description=_l("Seats are never added beyond this number. Leave it empty for no limit."),
        render_kw=_NUMBERS,
    )
    extra_storage_gb = WholeNumber(_l("Additional storage (GB)"), default=0, render_kw=_NUMBERS)


class _OrderFields(_WhoFields, SelectionFields):
    payment = RadioField(_l("Payment method"), validate_choice=False)


class _BillingEmail:
    version = HiddenField()
    billing_email = EmailField(
        _l("Billing e-mail"),
        description=_l("Invoices go to this address."),
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )


class _BillingFields:
    """Who pays the invoices; the names are those of `BillingDetails`."""

    billing_name = StringField(_l("Name on the invoice"))
    address_line1 = StringField(_l("Street and number"))
    address_line2 = StringField(_l("Address, second line"))
    postal_code = StringField(_l("Postal code"))
    city = StringField(_l("Town or city"))
    country = SelectField(_l("Country"), validate_choice=False)
    vat_number = StringField(
        _l("VAT number"),
        description=_l("With its country prefix, such as FR. Only its form is checked."),
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
    purchase_order = StringField(
        _l("Purchase-order number"),
        description=_l("Printed on every invoice."),
        render_kw={"autocomplete": "off"},
    )
    net_days = SelectField(_l("Payable within"), coerce=_days, validate_choice=False)


class _Billing(_BillingFields, Form):
    """What the two forms with a billing address share."""

    def offer_billing(self, countries: Choices, days: Sequence[tuple[int, str]]) -> None:
        """Fill the drop-downs, in the reader's language."""
        self["country"].choices = list(countries)
        self["net_days"].choices = list(days)

    def details(self) -> BillingDetails:
        """The billing details as typed."""
        return BillingDetails(**{name: _typed(self[name]) for name in billing_details.FIELDS})


def _typed(field: Field) -> Any:
    # A field that did not arrive is like an empty one; days that nobody offers stay None.
    return "" if field.data is None and field.name != "net_days" else field.data


class NewClientForm(_OrderFields, _Billing, OrganizationKeysForm):
    """The order for a client. Field checks, summary and submit all read it by `order`."""

    baseline = SelectField(
        _l("Baseline"),
        description=_l("What the client is set to from the beginning."),
        validate_choice=False,
        default="",
    )

    def __init__(self, *, vat_check: VatCheck, payments: Mapping[str, str], **more: Any) -> None:
        super().__init__(**more)
        self._vat_check = vat_check
        self["payment"].choices = list(payments.items())
        if not _TOKEN.match(self["token"].data or ""):
            self.renew()

    def order(self) -> ClientOrder:
        """What was typed; None where a number or a choice could not be read."""
        return ClientOrder(
            name=self["name"].data or "",
            billing_email=self["billing_email"].data or "",
            owner_email=self["owner_email"].data or "",
            plan=self["plan"].data,
            seats=self["seats"].data,
            autogrow=self["autogrow"].data,
            seat_limit=self["seat_limit"].data,
            extra_storage_gb=self["extra_storage_gb"].data,
            cadence=self["cadence"].data,
            payment=self["payment"].data or "",
            billing=self.details(),
        )

    def faults(self) -> dict[str, RuleError]:
        """What is wrong, by field; a number that could not be read has its own sentence already."""
        payments: Collection[str] = [name for name, _label in self["payment"].choices]
        found = new_client.check(self.order(), vat_check=self._vat_check, payments=payments)
        return {name: error for name, error in found.items() if not self[name].errors}

    def validate(self, extra_validators: Any = None) -> bool:
        """Check the whole form; the errors stand at their fields afterwards."""
        super().validate(extra_validators)
        self.blame_all(self.faults())
        return not self.errors

    def check(self, name: str) -> Field:
        """Check one field by the very rules of `validate`."""
        field = super().check(name)
        if error := self.faults().get(name):
            self.blame(error)
        return field

    def check_typed(self) -> None:
        """Check what was filled in and leave alone what still waits."""
        for name in self.typed():
            if self[name].data not in {None, ""} or self[name].errors:
                self.check(name)

    def typed(self) -> dict[str, str]:
        """The fields that a person fills in, and what is in them."""
        unseen = {"csrf_token", "token", *KEY_FIELDS}
        return {name: str(value or "") for name, value in self.data.items() if name not in unseen}

    def renew(self) -> None:
        """Make it a form of its own again: what it sends is a new client."""
        self["token"].data = secrets.token_urlsafe(16)
        self.drop_keys()

    def drop_keys(self) -> None:
        """Forget the keys in the hidden fields; the browser makes new ones."""
        for name in KEY_FIELDS:
            self[name].data = ""


class BillingTermsForm(_BillingEmail, _Billing):
    """A client's billing terms. `version` is the one that the form was filled from."""

    def __init__(self, *, vat_check: VatCheck, **more: Any) -> None:
        super().__init__(**more)
        self._vat_check = vat_check

    def validate(self, extra_validators: Any = None) -> bool:
        """Check the whole form; the errors stand at their fields afterwards."""
        super().validate(extra_validators)
        try:
            emails.check_email(self["billing_email"].data or "", field="billing_email")
        except RuleError as error:
            self.blame(error)
        self.blame_all(billing_details.check_billing(self.details(), self._vat_check))
        return not self.errors


class RenameForm(Form):
    """A client's name. `version` is the one that the form was filled from."""

    version = HiddenField()
    name = StringField(_l("Organization name"), render_kw={"autocomplete": "off"})

    def validate(self, extra_validators: Any = None) -> bool:
        """Check the name by the rule of a new client's."""
        super().validate(extra_validators)
        try:
            check_name(self.name.data or "")
        except RuleError as error:
            self.blame(error)
        return not self.errors
