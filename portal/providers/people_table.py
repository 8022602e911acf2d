"""What stands around the rows of a provider's people; each way to another list is an address."""

from dataclasses import dataclass
from urllib.parse import urlencode

from flask_babel import gettext as _

from portal.domain.access import PROVIDER_ROLES
from portal.domain.people_lists import PeopleList
from portal.domain.states import ProviderPersonState
from portal.web.chips import Chip

Choices = list[tuple[str, str, bool]]


@dataclass(frozen=True)
class PeopleTable:
    """`url` is where the list is; `wanted` what of it is shown."""

    url: str
    wanted: PeopleList

    def address(self, wanted: PeopleList, **more: str) -> str:
        """Where that list is."""
        query = {**wanted.query, **more}
        return f"{self.url}?{urlencode(query)}" if query else self.url

    @property
    def chips(self) -> list[Chip]:
        """What narrows the list; the address of each is the list without it."""
        wanted = self.wanted
        found: list[tuple[str, PeopleList]] = []
        if wanted.words:
            found.append((_("Search: %(words)s", words=wanted.words), wanted.but(words="")))
        if wanted.state:
            label = _("State: %(state)s", state=_(wanted.state.label))
            found.append((label, wanted.but(state=None)))
        if wanted.role:
            label = _("Role: %(role)s", role=_(wanted.role.label))
            found.append((label, wanted.but(role=None)))
        return [Chip(label, self.address(without)) for label, without in found]

    @property
    def states(self) -> Choices:
        """(value, label, chosen) of every state."""
        shown = self.wanted.state
        return [(each.value, _(each.label), each is shown) for each in ProviderPersonState]

    @property
    def roles(self) -> Choices:
        """(value, label, chosen) of the roles of a provider's people."""
        shown = self.wanted.role
        return [(each.value, _(each.label), each is shown) for each in PROVIDER_ROLES]
