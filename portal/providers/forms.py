"""What a provider's pages ask: invitations, and hidden fields for what browsers make of keys."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, RadioField, TextAreaField

from portal.domain.access import PROVIDER_ROLES
from portal.domain.staff import check_addresses
from portal.web.forms import Form


class MakeKeysForm(Form):
    """Filled by static/js/provider-keys.js; empty without scripts."""

    public_key = HiddenField()
    protected_private_key = HiddenField()
    wrapped_provider_key = HiddenField()


class SheetForm(Form):
    """Filled by static/js/recovery.js."""

    recovery_wrapped_key = HiddenField()
    provider_public_key = HiddenField()


class RestoreForm(Form):
    """Filled by static/js/recovery.js. The code itself has no name and never arrives."""

    wrapped_provider_key = HiddenField()


class InviteForm(Form):
    """Up to twenty addresses and one role."""

    addresses = TextAreaField(_l("E-mail addresses"))
    role = RadioField(_l("Role"))

    def __init__(self) -> None:
        super().__init__()
        self.role.choices = [(role.value, _(role.label)) for role in reversed(PROVIDER_ROLES)]

    def checked_addresses(self) -> list[str]:
        """The stored forms; raises `RuleError` on the field."""
        return check_addresses(self.addresses.data or "", field="addresses")
