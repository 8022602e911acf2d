"""The forms of policies: on or off, and what each kind can be told."""

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField

from portal.domain.policies import Data, PolicyKind
from portal.policies.queries import Stored
from portal.policies.service import Wanted
from portal.web.forms import Form


class PolicyForm(Form):
    """A policy that knows nothing but on and off, and the head of every other form."""

    version = HiddenField()
    is_on = BooleanField(_l("The policy is on"))

    def data_wanted(self) -> Data | None:
        """The typed data; raises `RuleError` on the field that is wrong."""
        return None

    def wanted(self) -> Wanted:
        """All of it."""
        return Wanted(bool(self["is_on"].data), self.data_wanted(), self.seen)

    @property
    def seen(self) -> int:
        """The version that the page showed; -1 for nothing readable."""
        text = self["version"].data or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1

    def show(self, stored: Stored) -> None:
        """Fill the fields in with what is stored."""
        self["is_on"].data = stored.is_on
        self["version"].data = str(stored.version)

    @property
    def own_fields(self) -> list[str]:
        """The names of the kind's own fields, in their order."""
        known = ("csrf_token", "version", "is_on")
        return [field.name for field in self if field.name not in known]


FORMS: dict[PolicyKind, type[PolicyForm]] = {}


def form_of(kind: PolicyKind) -> type[PolicyForm]:
    """The form of a kind."""
    return FORMS.get(kind, PolicyForm)
