"""The forms by which a client changes as a whole: its subscription, and its end."""

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import EmailField, HiddenField, StringField

from portal.clients.forms import SelectionFields
from portal.domain import wanted_subscription
from portal.domain.emails import check_email
from portal.domain.errors import N_, RuleError, refuse
from portal.domain.names import name_ci
from portal.domain.pricing import Selection
from portal.domain.wanted_subscription import Wanted
from portal.web.forms import Form

FIELDS = ("plan", "cadence", "seats", "autogrow", "seat_limit", "extra_storage_gb")


class DeleteForm(Form):
    """The client's name, typed by hand. `version` is the one that the page was made from."""

    version = HiddenField()
    name = StringField(_l("Name of the client"), render_kw={"autocomplete": "off"})

    def __init__(self, client_name: str, **more: Any) -> None:
        super().__init__(**more)
        self._client_name = client_name

    def validate(self, extra_validators: Any = None) -> bool:
        """The name must be the client's, however its letters and spaces are written."""
        super().validate(extra_validators)
        if name_ci(self.name.data or "") != name_ci(self._client_name):
            asked = N_("Type the name of the client, %(name)s, to delete it.")
            self.blame(refuse(asked, field="name", name=self._client_name))
        return not self.errors


class AskOwnerForm(Form):
    """The address of somebody who may own an organization without a provider."""

    email = EmailField(
        _l("E-mail of the owner"), render_kw={"autocomplete": "off", "spellcheck": "false"}
    )

    def validate(self, extra_validators: Any = None) -> bool:
        """Only its form is checked: whether anybody owns anything there is not told."""
        super().validate(extra_validators)
        try:
            check_email(self.email.data or "", field="email")
        except RuleError as error:
            self.blame(error)
        return not self.errors


class SubscriptionForm(SelectionFields, Form):
    """What a client shall have, read alike by the live preview, the page and the commit.

    Whoever may not raise the bill gives the seats alone.
    The form travels in the address (GET) until it is committed, so only that needs a token.
    """

    def __init__(self, current: Selection, *, used: int, may_raise: bool, **more: Any) -> None:
        super().__init__(**more)
        self._current, self._used, self._may_raise = current, used, may_raise

    def wanted(self) -> Wanted:
        """What was typed; None where a number or a choice could not be read."""
        had = Wanted.of(self._current)
        if not self._may_raise:
            return Wanted(**{**vars(had), "seats": self["seats"].data})
        return Wanted(**{name: self[name].data for name in FIELDS})

    def selection(self) -> tuple[Selection, frozenset[str]]:
        """What the preview prices, and which fields could not be taken as typed."""
        return wanted_subscription.selection(self.wanted(), self._current, used=self._used)

    def validate(self, extra_validators: Any = None) -> bool:
        """Check the whole form; the errors stand at their fields afterwards."""
        super().validate(extra_validators)
        found = wanted_subscription.check(
            self.wanted(), self._current, used=self._used, may_raise=self._may_raise
        )
        self.blame_all({name: error for name, error in found.items() if not self._wrong(name)})
        return not self.errors

    def _wrong(self, name: str) -> bool:
        """Whether the field has a sentence already, such as that it is no number."""
        return name in self._fields and bool(self[name].errors)
