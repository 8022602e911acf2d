"""A provider's people: what may be done with each of them, and who may not be touched."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from portal.domain.access import Role
from portal.domain.emails import check_email
from portal.domain.errors import N_, NN_, Message, RuleError, refuse
from portal.domain.states import ProviderPersonState

INVITE_LIMIT = 20
_IN_BRACKETS = re.compile(r"<([^<>]*)>")

MYSELF = N_("You cannot do this to yourself. Ask another provider admin.")
LAST_ADMIN = N_(
    "This is the last confirmed provider admin. Make somebody else a provider admin first."
)
_NOT_INVITED = N_("Only somebody who has not accepted yet can be invited again.")
_NOT_CONFIRMED = N_("Only somebody who is confirmed can be suspended.")
_NOT_SUSPENDED = N_("This person is not suspended.")
_SAME_ROLE = N_("This person has that role already.")
_TOO_MANY = NN_(
    "%(count)s address is too many: at most %(limit)s at once.",
    "%(count)s addresses are too many: at most %(limit)s at once.",
)


class StaffAction(StrEnum):
    """What a provider admin does with a colleague's place."""

    RESEND = "resend"
    MAKE_ADMIN = "make-admin"
    MAKE_SERVICE_USER = "make-service-user"
    SUSPEND = "suspend"
    RESUME = "resume"
    REMOVE = "remove"

    @property
    def role(self) -> Role | None:
        """The role that the action gives, if it gives one."""
        return _ROLES.get(self)


_ROLES = {
    StaffAction.MAKE_ADMIN: Role.PROVIDER_ADMIN,
    StaffAction.MAKE_SERVICE_USER: Role.SERVICE_USER,
}
_STATES = {
    StaffAction.RESEND: (ProviderPersonState.INVITED, _NOT_INVITED),
    StaffAction.SUSPEND: (ProviderPersonState.CONFIRMED, _NOT_CONFIRMED),
    StaffAction.RESUME: (ProviderPersonState.SUSPENDED, _NOT_SUSPENDED),
}


@dataclass(frozen=True)
class Standing:
    """How somebody stands: `is_self` is the person who asks, `other_admins` counts the confirmed
    provider admins beside this person.
    """

    role: Role
    state: ProviderPersonState
    is_self: bool
    other_admins: int

    @property
    def is_last_admin(self) -> bool:
        """Whether nobody could administer the provider without this person."""
        is_admin = self.role is Role.PROVIDER_ADMIN and self.state is ProviderPersonState.CONFIRMED
        return is_admin and self.other_admins == 0


def check_action(action: StaffAction, standing: Standing) -> None:
    """Raise `RuleError` where `action` cannot be done with somebody who stands so."""
    if standing.is_self:
        raise refuse(MYSELF)
    needed = _STATES.get(action)
    if needed and standing.state is not needed[0]:
        raise refuse(needed[1])
    if action.role is standing.role:
        raise refuse(_SAME_ROLE)
    takes_away = action in {StaffAction.SUSPEND, StaffAction.REMOVE, StaffAction.MAKE_SERVICE_USER}
    if takes_away and standing.is_last_admin:
        raise refuse(LAST_ADMIN)


def possible_actions(standing: Standing) -> list[StaffAction]:
    """What can be done with somebody now, in the order of the enumeration."""
    return [action for action in StaffAction if _is_possible(action, standing)]


def _is_possible(action: StaffAction, standing: Standing) -> bool:
    try:
        check_action(action, standing)
    except RuleError:
        return False
    return True


def split_addresses(text: str) -> list[str]:
    """The addresses in pasted text, as typed: one a line, or between commas or semicolons.

    `Jun Ito <jun@example.com>` gives what stands in the brackets, also where the name has a comma
    in it. Of a row of cells, which spreadsheets put tabs between, those with an address count.
    """
    found: list[str] = []
    for row in re.split(r"[\n\r;]+", text):
        cells = [cell.strip().strip('"') for cell in row.split("\t")]
        with_address = [cell for cell in cells if "@" in cell]
        for cell in with_address or cells:
            found += _in_cell(cell)
    return found


def _in_cell(cell: str) -> list[str]:
    found: list[str] = []
    parts = [part for part in cell.split(",") if part.strip()]
    for part, after in zip(parts, [*parts[1:], ""], strict=False):
        bracketed = _IN_BRACKETS.findall(part)
        if bracketed:
            found += [address.strip() for address in bracketed]
        elif "@" in part or not _IN_BRACKETS.search(after):
            found += part.split()
    return [address for address in found if address]


def check_addresses(text: str, *, field: str) -> list[str]:
    """The stored forms of 1 to 20 pasted addresses, each once; `RuleError` on `field` otherwise.

    One that is malformed refuses them all and is named, so that nothing is half done.
    """
    typed = split_addresses(text)
    if not typed:
        raise refuse(N_("Enter at least one e-mail address."), field=field)
    wrong = [address for address in typed if not _is_address(address)]
    if wrong:
        raise refuse(
            N_("These are not e-mail addresses: %(addresses)s"),
            field=field,
            addresses=_listed(wrong),
        )
    addresses = list(dict.fromkeys(check_email(address, field=field) for address in typed))
    if len(addresses) > INVITE_LIMIT:
        told = Message.counted(_TOO_MANY, len(addresses), limit=INVITE_LIMIT)
        raise RuleError(told, field=field)
    return addresses


def _is_address(text: str) -> bool:
    try:
        check_email(text, field="email")
    except RuleError:
        return False
    return True


def _listed(addresses: Sequence[str]) -> str:
    shown = [address if len(address) <= 60 else f"{address[:59]}…" for address in addresses[:5]]
    return ", ".join(shown) + (" …" if len(addresses) > 5 else "")
