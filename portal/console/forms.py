"""The forms of an organization's settings: they read what was typed; `portal.domain` judges it."""

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import EmailField, HiddenField, RadioField, StringField

from portal.domain.emails import check_email
from portal.domain.errors import N_, RuleError, refuse
from portal.domain.names import check_name, name_ci
from portal.web.forms import Form
from portal.web.languages import LANGUAGES


class SettingsForm(Form):
    """What an organization is called, where its invoices go, and the language of its mails."""

    seen = HiddenField()
    name = StringField(_l("Organization name"), render_kw={"autocomplete": "organization"})
    billing_email = EmailField(
        _l("Billing e-mail"), render_kw={"autocomplete": "off", "spellcheck": "false"}
    )
    locale = RadioField(_l("Language of invitations"))

    def __init__(self, found: Any, *, may_bill: bool) -> None:
        """`found` is a row of `queries.settings`; `may_bill` leaves the billing e-mail in."""
        super().__init__(obj=found)
        self.locale.choices = [("", _l("That of whoever invites")), *LANGUAGES.items()]
        if not may_bill:
            del self.billing_email

    def values(self) -> dict[str, str] | None:
        """The answers as they are stored; None where something is wrong, said at its field."""
        if not self.validate():
            return None
        typed = {name: value for name, value in self.answers().items() if name != "seen"}
        try:
            typed["name"] = check_name(typed["name"] or "")
        except RuleError as error:
            self.blame(error)
        if "billing_email" in typed:
            try:
                typed["billing_email"] = check_email(
                    typed["billing_email"] or "", field="billing_email"
                )
            except RuleError as error:
                self.blame(error)
        return None if self.errors else typed


class DeleteForm(Form):
    """The organization's name, typed by hand."""

    name = StringField(_l("Organization name"), render_kw={"autocomplete": "off"})

    def __init__(self, organization_name: str) -> None:
        super().__init__()
        self._organization_name = organization_name

    def validate(self, extra_validators: Any = None) -> bool:
        """The name must be the organization's, however its letters and spaces are written."""
        super().validate(extra_validators)
        if name_ci(self.name.data or "") != name_ci(self._organization_name):
            asked = N_("Type the name of the organization, %(name)s, to delete it.")
            self.blame(refuse(asked, field="name", name=self._organization_name))
        return not self.errors
