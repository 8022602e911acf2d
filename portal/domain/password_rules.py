"""What organizations ask of a person's master password, as a browser checks it.

The portal never sees a master password. It sends these rules, and the browser that has checked a
password against them sends their token back: a declaration, which only honest scripts make good.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from portal.domain.errors import N_, NN_, Message
from portal.domain.policy_data import MasterPassword

# What every master password has, whatever anybody asks.
SHORTEST = 12
_KINDS = {
    "lower": N_("%(organization)s asks for a lower-case letter."),
    "upper": N_("%(organization)s asks for a capital letter."),
    "digits": N_("%(organization)s asks for a digit."),
    "special": N_("%(organization)s asks for a special character."),
}
_LENGTH = NN_(
    "%(organization)s asks for at least %(count)s character.",
    "%(organization)s asks for at least %(count)s characters.",
)
_STRENGTHS = (
    "",
    N_("%(organization)s asks for a master password that is weak or better."),
    N_("%(organization)s asks for a master password that is fair or better."),
    N_("%(organization)s asks for a master password that is good or better."),
    N_("%(organization)s asks for a strong master password."),
)


@dataclass(frozen=True)
class Demand:
    """What one organization asks, and which version of it."""

    organization_id: UUID
    organization: str
    version: int
    rules: MasterPassword


@dataclass(frozen=True)
class Check:
    """One thing that a browser checks: `least` of `what`, and the sentence if it is not so."""

    what: str
    least: int
    sentence: Message


def checks(demands: Sequence[Demand]) -> list[Check]:
    """The strictest of all, each with the name of who asks it."""
    found = []
    for what in ("length", "complexity", *_KINDS):
        strict = max(demands, key=lambda each: getattr(each.rules, what), default=None)
        least = int(getattr(strict.rules, what)) if strict else 0
        if strict and least > (SHORTEST if what == "length" else 0):
            found.append(Check(what, least, _sentence(what, least, strict.organization)))
    return found


def _sentence(what: str, least: int, organization: str) -> Message:
    if what == "length":
        return Message.counted(_LENGTH, least, organization=organization)
    asked = _STRENGTHS[least] if what == "complexity" else _KINDS[what]
    return Message.of(asked, organization=organization)


def token(demands: Sequence[Demand]) -> str:
    """Names the rules: another one as soon as any of them changes. Empty where nobody asks."""
    return ",".join(sorted(f"{each.organization_id.hex}.{each.version}" for each in demands))
