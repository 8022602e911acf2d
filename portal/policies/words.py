"""Policies in words: what one is set to, of whom it asks, and what a change does to whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import ngettext, pgettext

from portal.domain.emails import shown
from portal.domain.errors import NN_, Message, RuleError
from portal.domain.names import colour_class, initials, name_ci
from portal.domain.policies import Labels, PolicyKind, needed_by
from portal.domain.policy_data import Data, choice_label, label_of, to_store
from portal.domain.policy_effects import AT_THE_DOOR, Effect
from portal.policies.queries import Stored
from portal.policies.service import Look, Wanted
from portal.web.formats import number
from portal.web.forms import sentence

PAGE_SIZE = 50
NONE = "\N{EN DASH}"
_NAMES = frozenset(kind.label for kind in PolicyKind)


def refusal(error: RuleError) -> RuleError:
    """The same, the names of policies in it in the reader's language."""
    params = {name: _told(value) for name, value in error.text.params.items()}
    return RuleError(Message(error.text.msgid, params), field=error.field)


def _told(value: object) -> object:
    if isinstance(value, Labels):
        return Labels(_(label) for label in value)
    return _(value) if value in _NAMES else value


def refusal_text(error: RuleError) -> str:
    """That as a sentence."""
    return sentence(refusal(error).text)


def note(kind: PolicyKind) -> str:
    """Who keeps the policy, in a sentence; empty where this portal does, wholly."""
    if kind.by_client:
        return str(_("The portal hands this to the vault apps of the members; they keep it."))
    if kind is PolicyKind.MASTER_PASSWORD:
        return str(
            _(
                "Browsers keep this rule where a master password is chosen: the portal never sees "
                "one, and stores only that a browser has checked it."
            )
        )
    return ""


def needed_words(kind: PolicyKind, stored: dict[PolicyKind, Stored]) -> list[str]:
    """What it needs, and what needs it, each in a sentence that names both."""
    found = []
    name = _(kind.label)
    if kind.needs:
        known = {"policy": name, "needed": _(kind.needs.label)}
        if stored[kind.needs].is_on:
            found.append(_("%(policy)s needs %(needed)s, which is on.", **known))
        else:
            found.append(_("%(policy)s needs %(needed)s. Turn that on first.", **known))
    if kind.needs_domain:
        found.append(_("%(policy)s needs a verified domain.", policy=name))
    dependants = needed_by(kind, [each for each, policy in stored.items() if policy.is_on])
    if dependants:
        listed = ", ".join(_(label) for label in dependants)
        text = _(
            "%(policy)s is needed as long as this is on: %(dependants)s.",
            policy=name,
            dependants=listed,
        )
        found.append(text)
    return [str(text) for text in found]


def on_or_off(is_on: bool) -> str:  # noqa: FBT001 - as stored
    """Whether a policy is on, in the gender that a policy has."""
    return str(pgettext("policy", "On") if is_on else pgettext("policy", "Off"))


def facts(is_on: bool, data: Data | None) -> list[tuple[str, str]]:  # noqa: FBT001 - as stored
    """What a policy is set to, as label and value."""
    return [(str(_("State")), on_or_off(is_on)), *details(data)]


def details(data: Data | None) -> list[tuple[str, str]]:
    """The kind's own data as label and value; nothing where it has none."""
    if data is None:
        return []
    return [
        (str(_(label_of(name) or name)), value_of(name, value))
        for name, value in to_store(data).items()
    ]


def value_of(name: str, value: object) -> str:
    """A value of a policy's data in the reader's words."""
    label = choice_label(name, value)
    if label:
        return str(_(label))
    if isinstance(value, bool):
        return str(_("Yes")) if value else str(_("No"))
    return number(value) if isinstance(value, int) else str(value) or NONE


def title(kind: PolicyKind, stored: Stored, wanted: Wanted) -> str:
    """The heading of the look at a change."""
    name = _(kind.label)
    if wanted.is_on == stored.is_on:
        return str(_("Change the policy “%(policy)s”", policy=name))
    if wanted.is_on:
        return str(_("Turn on the policy “%(policy)s”", policy=name))
    return str(_("Turn off the policy “%(policy)s”", policy=name))


@dataclass(frozen=True)
class Touched:
    """Somebody whom a change touches, as the list shows them."""

    id: UUID
    name: str
    email: str
    initials: str
    tone: int
    role: str
    what: str
    warns: bool


def touched(kind: PolicyKind, look: Look) -> list[Touched]:
    """Everybody whom the change touches: who loses access first, then by name."""
    rows = [
        _touched(kind, look.people[member_id], each) for member_id, each in look.effects.items()
    ]
    return sorted(rows, key=lambda row: (not row.warns, name_ci(row.name), str(row.id)))


def _touched(kind: PolicyKind, row: Any, effect: Effect) -> Touched:
    address = shown(row.email)
    name = row.name or address
    return Touched(
        id=row.id,
        name=name,
        email=address if row.name else "",
        initials=initials(name),
        tone=colour_class(row.id),
        role=str(_(row.role.label)),
        what=_what(kind, effect),
        warns=effect is Effect.REVOKED,
    )


def _what(kind: PolicyKind, effect: Effect) -> str:
    if effect is Effect.FROM_NOW:
        return _from_now(kind)
    two_step = kind is PolicyKind.TWO_STEP
    no_factor = _("Is revoked: has no second factor")
    elsewhere = _("Is revoked: belongs to another organization")
    set_up = _("Needs a second factor to accept")
    leave = _("Cannot accept while in another organization")
    sentences = {
        Effect.REVOKED: no_factor if two_step else elsewhere,
        Effect.AT_SIGN_IN: _("Is checked by the browser at the next sign-in"),
        Effect.AT_CHANGE: _("Is asked when choosing the next master password"),
        Effect.AT_UNLOCK: _("Is asked to enrol at the next unlock"),
        Effect.AT_ACCEPT: set_up if two_step else leave,
    }
    return str(sentences[effect])


def _from_now(kind: PolicyKind) -> str:
    if kind is PolicyKind.VAULT_TIMEOUT:
        return str(_("The vault locks after the time set here, at the latest"))
    if kind is PolicyKind.VAULT_BANNER:
        return str(_("Reads the message in the vault"))
    return str(_("Their vault apps are told"))


_COUNTED = {
    Effect.REVOKED: NN_(
        "%(count)s member loses access now and gets an e-mail about it. Their seat comes back.",
        "%(count)s members lose access now and get an e-mail about it. Their seats come back.",
    ),
    Effect.AT_SIGN_IN: NN_(
        "It holds for %(count)s member. Whether their present master password is good enough "
        "shows only when they sign in: the portal does not know it. If it is not, they choose "
        "another one at once.",
        "It holds for %(count)s members. Whether their present master passwords are good "
        "enough shows only when they sign in: the portal does not know them. Whose is not, "
        "chooses another one at once.",
    ),
    Effect.AT_CHANGE: NN_(
        "It holds for %(count)s member, from the next master password that they choose.",
        "It holds for %(count)s members, from the next master password that they choose.",
    ),
    Effect.FROM_NOW: NN_(
        "It holds for %(count)s member from now on.",
        "It holds for %(count)s members from now on.",
    ),
    Effect.AT_UNLOCK: NN_(
        "%(count)s member is asked to enrol at their next unlock.",
        "%(count)s members are asked to enrol at their next unlock.",
    ),
    Effect.AT_ACCEPT: NN_(
        "%(count)s person who has not accepted yet is asked when they accept.",
        "%(count)s people who have not accepted yet are asked when they accept.",
    ),
}


def counts(look: Look) -> list[str]:
    """How many are touched in which way, a sentence each."""
    found = list(look.effects.values())
    told = [(each, found.count(each)) for each in Effect]
    return [str(ngettext(*_COUNTED[each], many, count=number(many))) for each, many in told if many]


def turned_off(kind: PolicyKind) -> str:
    """What comes of turning it off, in a sentence or two."""
    if kind is PolicyKind.ACCOUNT_RECOVERY:
        text = _(
            "Nobody who forgets their master password can be let back in while it is off, and "
            "recoveries that wait stand still. Who is enrolled stays enrolled."
        )
    elif kind in AT_THE_DOOR:
        text = _(
            "Nobody loses anything. Who was revoked while it was on stays revoked until somebody "
            "restores them."
        )
    else:
        text = _("It asks nothing of anybody any more. What it was set to is kept.")
    return str(text)


def page_of(
    rows: Sequence[Touched], start: int
) -> tuple[Sequence[Touched], int | None, int | None]:
    """(one page from `start` on, where the one before begins, where the next)."""
    first = start if 0 <= start < len(rows) else 0
    after = first + PAGE_SIZE
    before = max(0, first - PAGE_SIZE) if first else None
    return rows[first:after], before, after if after < len(rows) else None
