"""View models of a provider's people."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from portal.domain.emails import shown
from portal.domain.names import colour_class, initials
from portal.domain.states import ProviderPersonState

_TONES = {
    ProviderPersonState.ACCEPTED: "warn",
    ProviderPersonState.CONFIRMED: "good",
    ProviderPersonState.SUSPENDED: "bad",
}


@dataclass(frozen=True)
class PersonRow:
    """One row. `name` is the address until somebody has accepted; `email` is empty then."""

    name: str
    email: str
    initials: str
    tone: int
    role: str
    state: str
    state_tone: str
    second_factor: str
    key: str


def rows_of(found: Iterable[Any]) -> list[PersonRow]:
    """The rows of the page, in the order found."""
    return [_row(person) for person in found]


def _row(person: Any) -> PersonRow:
    address = shown(person.email)
    return PersonRow(
        name=person.name or address,
        email=address if person.name else "",
        initials=initials(person.name or address),
        tone=colour_class(person.id),
        role=_(person.role.label),
        state=_(person.state.label),
        state_tone=_TONES.get(person.state, ""),
        second_factor=_("On") if person.has_second_factor else _("Off") if person.name else "",
        key=_("Yes") if person.holds_key else _("No"),
    )
