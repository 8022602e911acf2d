"""The forms of a provider's settings: they read what was typed; `portal.domain` judges it."""

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import (
    ColorField,
    EmailField,
    FileField,
    HiddenField,
    RadioField,
    SelectField,
    StringField,
)

from portal.accounts.forms import zone_choices
from portal.domain.billing_details import (
    DEFAULT_NET_DAYS,
    BillingDetails,
    VatCheck,
    check_billing,
    clean_billing,
)
from portal.domain.brand import PORTAL
from portal.domain.emails import check_email
from portal.domain.errors import N_, RuleError, refuse
from portal.domain.names import check_name, name_ci, squeeze
from portal.web.choices import countries, days
from portal.web.forms import Form
from portal.web.languages import LANGUAGES

ADDRESS = (
    "billing_name",
    "address_line1",
    "address_line2",
    "postal_code",
    "city",
    "country",
    "vat_number",
)
_QUIET = {"autocomplete": "off", "spellcheck": "false"}


def _whole(value: Any) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else None


class GeneralForm(Form):
    """What a provider is called, where it is, and what new clients begin with."""

    seen = HiddenField()
    name = StringField(_l("Name of the provider"), render_kw={"autocomplete": "organization"})
    locale = RadioField(_l("Default language"))
    time_zone = SelectField(_l("Time zone"))
    net_days = SelectField(_l("Default payment terms"), coerce=_whole)
    billing_name = StringField(_l("Business name"))
    address_line1 = StringField(_l("Street and number"))
    address_line2 = StringField(_l("Address, second line"))
    postal_code = StringField(_l("Postal code"))
    city = StringField(_l("Town or city"))
    country = SelectField(_l("Country"))
    vat_number = StringField(_l("VAT number"), render_kw=_QUIET)
    billing_email = EmailField(_l("Billing e-mail"), render_kw=_QUIET)

    def __init__(self, found: Any, vat_check: VatCheck) -> None:
        """`found` is a row of `queries.settings`, with which the form begins."""
        super().__init__(obj=found)
        self._vat_check = vat_check
        self.locale.choices = list(LANGUAGES.items())
        self.country.choices = list(countries())
        self.time_zone.choices = _with_present(zone_choices(), found.time_zone)
        # The operator's command may have set other days than the ones offered here.
        self.net_days.choices = days(found.net_days)

    def values(self) -> dict[str, Any] | None:
        """The answers as they are stored; None where something is wrong, said at its field."""
        if not self.validate():
            return None
        typed = {name: value for name, value in self.answers().items() if name != "seen"}
        try:
            typed["name"] = check_name(self.name.data or "")
        except RuleError as error:
            self.blame(error)
        if squeeze(self.billing_email.data or ""):
            try:
                typed["billing_email"] = check_email(
                    self.billing_email.data or "", field="billing_email"
                )
            except RuleError as error:
                self.blame(error)
        else:
            typed["billing_email"] = ""
        typed |= self._address()
        return None if self.errors else typed

    def _address(self) -> dict[str, str]:
        """Nothing at all, or an address that an invoice can be made out to."""
        given: dict[str, Any] = {name: self[name].data or "" for name in ADDRESS}
        if not any(squeeze(text) for text in given.values()):
            return dict.fromkeys(ADDRESS, "")
        details = BillingDetails(**given, net_days=DEFAULT_NET_DAYS)
        wrong = check_billing(details, self._vat_check)
        if wrong:
            self.blame_all(wrong)
            return {}
        clean = clean_billing(details, self._vat_check)
        return {name: getattr(clean, name) for name in ADDRESS}


def _with_present(choices: dict[str, Any], present: str) -> dict[str, Any]:
    """A stored zone that has another name by now is kept, not silently replaced."""
    offered = {zone for zones in choices.values() if isinstance(zones, dict) for zone in zones}
    return choices if present in offered | set(choices) else {present: present, **choices}


class AccentForm(Form):
    """The colour, in letters and as the browser lets people choose it; the changed one counts."""

    seen = HiddenField()
    # What the picker showed: it always sends a colour.
    was = HiddenField()
    accent = StringField(_l("Colour"))
    picked = ColorField(_l("Colour to pick"))

    @classmethod
    def of(cls, stored: str) -> "AccentForm":
        """The form as it begins."""
        form = cls(formdata=None)
        form.seen.data = stored
        form.show(stored)
        return form

    def show(self, accent: str) -> None:
        """Put a colour into both fields."""
        self.accent.data = accent
        self.picked.data = self.was.data = accent or PORTAL.light

    def typed(self) -> str:
        """The letters, unless only the picker was used."""
        letters = (self.accent.data or "").strip()
        picked, was = self.picked.data or "", self.was.data or ""
        untouched = letters.lower() in {was.lower(), ""}
        return picked if untouched and was and picked and picked != was else letters


class LogoForm(Form):
    """A picture to upload."""

    logo = FileField(_l("Picture"))


class DeleteProviderForm(Form):
    """The provider's name, typed by hand."""

    name = StringField(_l("Name of the provider"), render_kw={"autocomplete": "off"})

    def __init__(self, provider_name: str) -> None:
        super().__init__()
        self._provider_name = provider_name

    def validate(self, extra_validators: Any = None) -> bool:
        """The name must be the provider's, however its letters and spaces are written."""
        super().validate(extra_validators)
        if name_ci(self.name.data or "") != name_ci(self._provider_name):
            asked = N_("Type the name of the provider, %(name)s, to delete it.")
            self.blame(refuse(asked, field="name", name=self._provider_name))
        return not self.errors
