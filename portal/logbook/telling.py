"""One event in words: its sentence, who did it, and all that is known of it."""

import datetime as dt
import json
import uuid
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from portal.domain.access import Role
from portal.domain.errors import N_
from portal.domain.names import colour_class, initials
from portal.domain.plans import Cadence, Plan
from portal.domain.policies import PolicyKind
from portal.domain.policy_data import choice_label, label_of
from portal.domain.setup_steps import StepKind
from portal.events.codes import code_of
from portal.events.sentences import icon_of, sentence_of, tone_of
from portal.web.formats import labelled, number
from portal.web.languages import filled

_METHODS = {"password": N_("password"), "code": N_("code by mail")}
_NAMES = {
    "accent": N_("Colour"),
    "address_line1": N_("Street and number"),
    "address_line2": N_("Address, second line"),
    "add": N_("More"),
    "after": N_("After"),
    "before": N_("Before"),
    "billing_email": N_("Billing e-mail"),
    "billing_name": N_("Business name"),
    "by_founding": N_("By founding"),
    "by_making_keys": N_("By making the keys"),
    "by_owner": N_("By the owner"),
    "clients": N_("Clients"),
    "city": N_("Town or city"),
    "country": N_("Country"),
    "codes_left": N_("Codes left"),
    "collections": N_("Collections"),
    "email": N_("E-mail address"),
    "everywhere": N_("Everywhere"),
    "file": N_("File"),
    "fingerprint": N_("Fingerprint phrase"),
    "first": N_("First event"),
    "members": N_("Members"),
    "key_id": N_("Key"),
    "locale": N_("Language"),
    "logo": N_("Logo"),
    "method": N_("Method"),
    "name": N_("Name"),
    "net_days": N_("Payable within"),
    "on": N_("On"),
    "people": N_("People of the provider"),
    "policy": N_("Policy"),
    "plan": N_("Plan"),
    "postal_code": N_("Postal code"),
    "provider": N_("Provider"),
    "required": N_("Required"),
    "role": N_("Role"),
    "rows": N_("Events"),
    "seats": N_("Seats"),
    "set": N_("In all"),
    "sha256": N_("SHA-256"),
    "shown": N_("Phrase that was shown"),
    "step": N_("Step"),
    "time_zone": N_("Time zone"),
    "vat_number": N_("VAT number"),
    "through": N_("Last event"),
    "with_key": N_("With the provider key"),
    "with_keys": N_("With keys"),
    "wrapped_to": N_("Key handed to"),
}
ERASED = _l("(erased)")
NONE = "\N{EN DASH}"


@dataclass(frozen=True)
class Line:
    """A row of the log. `who` is empty for the portal itself; `erased` says that data is gone."""

    id: uuid.UUID
    at: dt.datetime
    icon: str
    tone: str
    text: str
    who: str
    person: uuid.UUID | None
    initials: str
    colour: int
    source: str
    client: str
    client_id: uuid.UUID | None
    erased: bool


class Row:
    """A row of `queries.find`, taken apart once."""

    def __init__(self, row: Any) -> None:
        self.row = row
        self.payload: dict[str, Any] = json.loads(row.payload)
        self.actor: dict[str, str] = json.loads(row.actor) if row.actor else {}
        about: dict[str, Any] = json.loads(row.about) if row.about else {}
        self.details: dict[str, Any] = self.payload["details"] | about
        committed = self.payload.get("personal", {})
        self.erased = any(getattr(row, name) is None for name in committed)
        self.actor_erased = "actor" in committed and row.actor is None

    @property
    def sentence(self) -> str:
        told = sentence_of(self.row.type, self.details)
        if not told:
            return str(self.row.type)
        values: defaultdict[str, str] = defaultdict(lambda: str(ERASED))
        values.update({name: value_of(name, value) for name, value in self.details.items()})
        return filled(str(_(told)), values)

    @property
    def who(self) -> str:
        """The person's name, what stands for one who was erased, or who else it was."""
        if self.payload["account"] is None:
            return str(_("A visitor")) if self.payload["request"] else str(_("The portal"))
        return self.actor.get("name") or str(_("Erased person"))

    @property
    def client_id(self) -> uuid.UUID | None:
        """The organization that it happened in."""
        found = self.payload.get("organization")
        return uuid.UUID(found) if found else None

    @property
    def person(self) -> uuid.UUID | None:
        found: uuid.UUID | None = self.row.actor_id
        return found


def line_of(found: Any, clients: Mapping[uuid.UUID, str]) -> Line:
    """The row as the table shows it; `clients` has the names of those that are told."""
    row = Row(found)
    client_id = row.client_id
    who = row.who
    return Line(
        id=found.id,
        at=found.at,
        icon=icon_of(found.type),
        tone=tone_of(found.type),
        text=row.sentence,
        who=who,
        person=row.person,
        initials=initials(who) if row.person else "",
        colour=colour_class(row.person) if row.person else 1,
        source=row.actor.get("source", ""),
        client=clients.get(client_id, "") if client_id else "",
        client_id=client_id,
        erased=row.erased,
    )


def value_of(name: str, value: Any) -> str:
    """A detail's value in the reader's words; a list or a group of values in one line."""
    if isinstance(value, bool):
        return str(_("Yes")) if value else str(_("No"))
    if value is None or value == "":
        return NONE
    if isinstance(value, int):
        label = choice_label(name, value)
        return str(_(label)) if label else number(value)
    if isinstance(value, dict):
        return ", ".join(labelled(name_of(key), value_of(key, part)) for key, part in value.items())
    if isinstance(value, list):
        return ", ".join(value_of(name, part) for part in value)
    return _known(name, str(value))


def _known(name: str, value: str) -> str:
    labels = {
        "role": {role.value: role.label for role in Role},
        "plan": {plan.value: plan.label for plan in Plan},
        "cadence": {cadence.value: cadence.label for cadence in Cadence},
        "method": _METHODS,
        "step": {kind.value: kind.label for kind in StepKind},
        "policy": {kind.value: kind.label for kind in PolicyKind},
    }
    label = labels.get(name, {}).get(value) or choice_label(name, value)
    return str(_(label)) if label else value


def name_of(name: str) -> str:
    """A detail's name in the reader's words."""
    label = _NAMES.get(name) or label_of(name)
    return str(_(label)) if label else name.replace("_", " ").capitalize()


def changes(details: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(what, before, after) of an event that changed something, only what differs."""
    before, after = details.get("before"), details.get("after")
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            (name_of(name), value_of(name, before.get(name)), value_of(name, after.get(name)))
            for name in sorted({*before, *after})
            if before.get(name) != after.get(name)
        ]
    if "before" in details or "after" in details:
        return [(str(_("Value")), value_of("", before), value_of("", after))]
    return []


def told(row: Row) -> list[tuple[str, str]]:
    """What the event says, as label and value, without what changed."""
    code = code_of(row.row.type)
    return [
        *(
            (name_of(name), value_of(name, value))
            for name, value in row.details.items()
            if name not in {"before", "after"}
        ),
        (str(_("Type")), f"{row.row.type} ({code})" if code else row.row.type),
        (str(_("Subject")), row.payload["subject"] or NONE),
    ]


def origin(row: Row) -> list[tuple[str, str]]:
    """Who did it, and from where."""
    payload = row.payload
    gone = str(ERASED) if row.actor_erased else NONE
    return [
        (str(_("Person")), row.who),
        (str(_("E-mail address")), row.actor.get("email", gone)),
        (str(_("Role")), _known("role", payload["role"] or NONE)),
        (str(_("IP address")), row.actor.get("source", gone)),
        (str(_("Browser")), row.actor.get("browser", gone)),
        (str(_("On behalf of the provider")), payload["provider"] or NONE),
        (str(_("Request")), payload["request"] or NONE),
    ]
