"""Who pays a client's invoices, where they live, and what the invoice must carry."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

from portal.domain.countries import COUNTRIES, WITHOUT_POSTAL_CODE
from portal.domain.errors import N_, RuleError, refuse
from portal.domain.names import is_printable, squeeze, too_long

NET_DAYS = (7, 14, 30, 45, 60)
DEFAULT_NET_DAYS = 30
LIMITS = {
    "billing_name": 100,
    "address_line1": 100,
    "address_line2": 100,
    "postal_code": 20,
    "city": 100,
    "vat_number": 30,
    "purchase_order": 50,
}

VatCheck = Callable[[str, str], str]
"""Takes a country code and a VAT number; returns the number as stored or raises RuleError."""


@dataclass(frozen=True)
class BillingDetails:
    """The payment step of an invoice. Attributes are named like the form's fields.

    `country` is an ISO 3166-1 alpha-2 code, `net_days` the days to pay, one of `NET_DAYS`;
    an empty text means "not given".
    """

    billing_name: str = ""
    address_line1: str = ""
    address_line2: str = ""
    postal_code: str = ""
    city: str = ""
    country: str = ""
    vat_number: str = ""
    purchase_order: str = ""
    net_days: int | None = DEFAULT_NET_DAYS


FIELDS = tuple(field.name for field in fields(BillingDetails))

_REQUIRED = {
    "billing_name": N_("Enter the name that the invoice is made out to."),
    "address_line1": N_("Enter the street and number, or the post box."),
    "city": N_("Enter the town or city."),
}


def check_billing(details: BillingDetails, vat_check: VatCheck) -> dict[str, RuleError]:
    """What is wrong with the details, by field; empty if they can be stored."""
    details = _squeezed(details)
    errors = _text_errors(details)
    for found in (_country(details), _postal_code(details), _net_days(details)):
        if found and found.field:
            errors.setdefault(found.field, found)
    if details.vat_number and "vat_number" not in errors and "country" not in errors:
        try:
            vat_check(details.country, details.vat_number)
        except RuleError as error:
            errors["vat_number"] = RuleError(error.text, field="vat_number")
    return errors


def clean_billing(details: BillingDetails, vat_check: VatCheck) -> BillingDetails:
    """The details as they are stored; raises the first `RuleError` of `check_billing`."""
    for error in check_billing(details, vat_check).values():
        raise error
    details = _squeezed(details)
    if details.vat_number:
        return replace(details, vat_number=vat_check(details.country, details.vat_number))
    return details


def _squeezed(details: BillingDetails) -> BillingDetails:
    return replace(
        details,
        billing_name=squeeze(details.billing_name),
        address_line1=squeeze(details.address_line1),
        address_line2=squeeze(details.address_line2),
        postal_code=squeeze(details.postal_code).upper(),
        city=squeeze(details.city),
        country=details.country.strip().upper(),
        vat_number=squeeze(details.vat_number),
        purchase_order=squeeze(details.purchase_order),
    )


def _text_errors(details: BillingDetails) -> dict[str, RuleError]:
    errors: dict[str, RuleError] = {}
    for name, limit in LIMITS.items():
        text = getattr(details, name)
        if not text and name in _REQUIRED:
            errors[name] = refuse(_REQUIRED[name], field=name)
        elif not is_printable(text):
            errors[name] = refuse(N_("Remove the invisible control characters."), field=name)
        elif len(text) > limit:
            errors[name] = RuleError(too_long(len(text) - limit, limit), field=name)
    return errors


def _country(details: BillingDetails) -> RuleError | None:
    if details.country in COUNTRIES:
        return None
    return refuse(N_("Choose the country."), field="country")


def _postal_code(details: BillingDetails) -> RuleError | None:
    needed = details.country in COUNTRIES - WITHOUT_POSTAL_CODE
    if details.postal_code or not needed:
        return None
    return refuse(N_("Enter the postal code."), field="postal_code")


def _net_days(details: BillingDetails) -> RuleError | None:
    if details.net_days in NET_DAYS:
        return None
    return refuse(N_("Choose within how many days invoices are payable."), field="net_days")
