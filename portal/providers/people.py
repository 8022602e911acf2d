"""View models of a provider's people."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext as _

from portal.domain.access import Actor, Role
from portal.domain.emails import shown
from portal.domain.errors import N_, Message, RuleError
from portal.domain.names import colour_class, initials
from portal.domain.staff import StaffAction, Standing, check_action, possible_actions
from portal.domain.states import ProviderPersonState
from portal.outbox.queries import MailState
from portal.providers.confirmation import waits_for_key
from portal.providers.people_words import ActionWords, words_of
from portal.providers.scope_keys import needs_key
from portal.providers.staff import standing_of
from portal.web.forms import sentence
from portal.web.mail_lines import MailLine, mail_line

INVITATION = "mail.provider_invitation"
_TONES = {
    ProviderPersonState.ACCEPTED: "warn",
    ProviderPersonState.CONFIRMED: "good",
    ProviderPersonState.SUSPENDED: "bad",
}


@dataclass(frozen=True)
class PersonRow:
    """One row. `name` is the address until somebody has accepted; `email` is empty then."""

    id: uuid.UUID
    name: str
    email: str
    initials: str
    tone: int
    role: str
    state: str
    state_tone: str
    second_factor: str
    key: str
    is_self: bool
    waits: bool
    mail: MailLine | None
    url: str

    @property
    def address(self) -> str:
        return self.email or self.name


def rows_of(
    found: Sequence[Any], actor: Actor, mails: Mapping[uuid.UUID, MailState]
) -> list[PersonRow]:
    """The rows of the page, in the order found."""
    return [row_of(person, actor, mails.get(person.id)) for person in found]


def row_of(person: Any, actor: Actor, mail: MailState | None = None) -> PersonRow:
    """One person as the page shows them; `mail` matters only while they are invited."""
    address = shown(person.email)
    is_invited = person.state is ProviderPersonState.INVITED
    return PersonRow(
        id=person.id,
        name=person.name or address,
        email=address if person.name else "",
        initials=initials(person.name or address),
        tone=colour_class(person.id),
        role=_(person.role.label),
        state=_(person.state.label),
        state_tone=_TONES.get(person.state, ""),
        second_factor=_("On") if person.has_second_factor else _("Off") if person.name else "",
        key=_("Yes") if person.holds_key else _("No") if needs_key(person) else _("Not needed"),
        is_self=person.account_id == actor.account_id,
        waits=waits_for_key(person),
        mail=mail_line(mail, person.invitation_expires_at) if is_invited else None,
        url=url_for("providers.person", provider_id=person.provider_id, person_id=person.id),
    )


def count_admins(found: Sequence[Any]) -> int:
    """How many of all the provider's people are confirmed admins."""
    return sum(
        person.role is Role.PROVIDER_ADMIN and person.state is ProviderPersonState.CONFIRMED
        for person in found
    )


def actions_for(person: Any, actor: Actor, admins: int) -> list[tuple[str, ActionWords]]:
    """What the actor can do with this person now."""
    standing = standing_of(person, actor, admins)
    return [(action.value, words_of(action)) for action in possible_actions(standing)]


@dataclass(frozen=True)
class Answer:
    """What an action comes to for one person: `text` says why not where it `is_refused`."""

    person: PersonRow
    text: str
    is_refused: bool


def preview(action: StaffAction, found: Sequence[Any], actor: Actor, admins: int) -> list[Answer]:
    """What the action would come to for each, without doing it."""
    return [_foresee(action, person, actor, admins) for person in found]


def _foresee(action: StaffAction, person: Any, actor: Actor, admins: int) -> Answer:
    standing: Standing = standing_of(person, actor, admins)
    try:
        check_action(action, standing)
    except RuleError as error:
        return Answer(row_of(person, actor), sentence(error.text), is_refused=True)
    return Answer(row_of(person, actor), words_of(action).label, is_refused=False)


ALREADY_HERE = N_("Was invited before, or works here already. No e-mail was sent.")
INVITED = N_("Invited. The e-mail is on its way.")


def invited_text(*, is_new: bool) -> str:
    """The answer for one invited address."""
    return sentence(Message(INVITED if is_new else ALREADY_HERE))
