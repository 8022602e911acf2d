"""The form of a subscription: read by the live preview, the preview page and the commit alike."""

from typing import Any

from portal.clients.forms import SelectionFields
from portal.domain import wanted_subscription
from portal.domain.pricing import Selection
from portal.domain.wanted_subscription import Wanted
from portal.web.forms import Form

FIELDS = ("plan", "cadence", "seats", "autogrow", "seat_limit", "extra_storage_gb")


class SubscriptionForm(SelectionFields, Form):
    """What a client shall have. Whoever may not raise the bill gives the seats alone.

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
