"""What the policies can be told beside on and off: typed, checked, each field with its words.

The form, the list of what is set, the look at a change and the event log are all made from the
fields below. Source: the reference, section 7.1.
"""

import re
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Self

from portal.domain.errors import N_, refuse
from portal.domain.names import is_printable

_NUMBER = N_("Enter a number from %(low)s to %(high)s.")
_CHOICE = N_("Choose one of these.")
_YES_NO = N_("Say yes or no.")
_WORDS = N_("Enter words.")
_CONTROL = N_("Remove the invisible control characters.")
_LIMIT = N_("Enter at most %(limit)s characters.")


def _flag(label: str, hint: str = "", *, default: bool = False) -> Any:
    return field(default=default, metadata={"label": label, "hint": hint})


def _number(label: str, default: int, low: int, high: int, hint: str = "") -> Any:
    known = {"label": label, "hint": hint, "low": low, "high": high}
    return field(default=default, metadata=known)


def _level(label: str, default: int, steps: tuple[str, ...], hint: str = "") -> Any:
    known = {"label": label, "hint": hint, "low": 0, "high": len(steps) - 1, "steps": steps}
    return field(default=default, metadata=known)


def _choice(label: str, of: type[StrEnum]) -> dict[str, Any]:
    return {"label": label, "hint": "", "of": of}


def _words(label: str, limit: int, hint: str = "", *, one_line: bool = False) -> Any:
    known = {"label": label, "hint": hint, "limit": limit, "one_line": one_line}
    return field(default="", metadata=known)


class Told:
    """The base of all data: each field is of its type and within its bounds, or `RuleError`."""

    def __post_init__(self) -> None:
        for each in fields(self):  # type: ignore[arg-type]
            _check(each, getattr(self, each.name))

    def check_on(self) -> None:
        """Raise `RuleError` where the policy cannot be turned on with this."""

    def settled(self) -> Self:
        """The same where what several organizations ask together does not fit by itself."""
        return self


def _check(each: "Field[Any]", value: object) -> None:
    known = each.metadata
    if "low" in known:
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or value not in range(known["low"], known["high"] + 1):
            raise refuse(_NUMBER, field=each.name, low=known["low"], high=known["high"])
        return
    kind, sentence = _kind_of(known)
    if not isinstance(value, kind):
        raise refuse(sentence, field=each.name)
    if isinstance(value, str) and "limit" in known:
        _check_words(each.name, value, known["limit"])


def _check_words(name: str, text: str, limit: int) -> None:
    if len(text) > limit:
        raise refuse(_LIMIT, field=name, limit=limit)
    if not is_printable(text.replace("\n", "")):
        raise refuse(_CONTROL, field=name)


def _kind_of(known: Mapping[str, Any]) -> tuple[type, str]:
    if "limit" in known:
        return str, _WORDS
    return (known["of"], _CHOICE) if "of" in known else (bool, _YES_NO)


STRENGTHS = (
    N_("Any"),
    N_("Weak or better"),
    N_("Fair or better"),
    N_("Good or better"),
    N_("Strong"),
)
_LOWER, _UPPER = N_("Lower-case letters"), N_("Capital letters")
_DIGITS, _SPECIAL = N_("Digits"), N_("Special characters")
_LENGTH = N_("Shortest length")
_TOO_SHORT = N_("The digits and special characters below need %(least)s characters.")


@dataclass(frozen=True)
class MasterPassword(Told):
    """What a master password must be. `complexity` is 0 to 4, as the strength meter counts."""

    complexity: int = _level(
        N_("Least strength"),
        3,
        STRENGTHS,
        N_("As the strength meter counts beside the field where the password is chosen."),
    )
    length: int = _number(_LENGTH, 12, 12, 128)
    lower: bool = _flag(_LOWER)
    upper: bool = _flag(_UPPER)
    digits: bool = _flag(_DIGITS)
    special: bool = _flag(_SPECIAL)
    at_sign_in: bool = _flag(
        N_("Ask at sign-in, too"),
        N_("Whoever comes in or unlocks with one that is not enough chooses a new one at once."),
    )


class TimeoutAction(StrEnum):
    """What happens when the time is over."""

    LOCK = "lock"
    SIGN_OUT = "sign_out"

    @property
    def label(self) -> str:
        """The action as a message id."""
        return N_("Lock the vault") if self is TimeoutAction.LOCK else N_("Sign out")


@dataclass(frozen=True)
class VaultTimeout(Told):
    """The longest time, in minutes, that a vault stays unlocked without use."""

    minutes: int = _number(
        N_("Minutes without use"),
        15,
        1,
        24 * 60,
        N_("Up to 1440, a day. This portal itself waits 15 minutes at most; vault apps as told."),
    )
    action: TimeoutAction = field(
        default=TimeoutAction.LOCK, metadata=_choice(N_("What happens then"), TimeoutAction)
    )


@dataclass(frozen=True)
class AccountRecovery(Told):
    """`enrols_all`: who joins is enrolled at once, who is there is asked at the next unlock."""

    enrols_all: bool = _flag(
        N_("Enrol all members"),
        N_("Who joins is enrolled at once. Who is a member already is asked at their next unlock."),
    )


class Generated(StrEnum):
    """What the generator makes."""

    ANY = "any"
    PASSWORD = "password"  # noqa: S105 - the name of a choice
    PASSPHRASE = "passphrase"  # noqa: S105 - the name of a choice

    @property
    def label(self) -> str:
        """The choice as a message id."""
        return _GENERATED_LABELS[self]


_GENERATED_LABELS = {
    Generated.ANY: N_("As each member likes"),
    Generated.PASSWORD: N_("Passwords"),
    Generated.PASSPHRASE: N_("Passphrases"),
}


@dataclass(frozen=True)
class PasswordGenerator(Told):
    """The least that the generator makes."""

    makes: Generated = field(default=Generated.ANY, metadata=_choice(N_("It makes"), Generated))
    length: int = _number(_LENGTH, 14, 5, 128)
    lower: bool = _flag(_LOWER, default=True)
    upper: bool = _flag(_UPPER, default=True)
    digits: bool = _flag(_DIGITS, default=True)
    special: bool = _flag(_SPECIAL)
    fewest_digits: int = _number(N_("Fewest digits"), 0, 0, 9)
    fewest_special: int = _number(N_("Fewest special characters"), 0, 0, 9)
    words: int = _number(N_("Fewest words of a passphrase"), 6, 3, 20)
    capitals: bool = _flag(N_("Passphrases with capital letters"))
    numbered: bool = _flag(N_("Passphrases with a number"))

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.lower or self.upper or self.digits or self.special):
            raise refuse(N_("Choose at least one kind of characters."), field="lower")

    def check_on(self) -> None:
        least = self.fewest_digits + self.fewest_special
        if self.length < least:
            raise refuse(_TOO_SHORT, field="length", least=least)

    def settled(self) -> Self:
        return replace(self, length=max(self.length, self.fewest_digits + self.fewest_special))


class UriMatch(StrEnum):
    """How a saved address is compared."""

    BASE_DOMAIN = "base_domain"
    HOST = "host"
    STARTS_WITH = "starts_with"
    EXACT = "exact"
    PATTERN = "pattern"
    NEVER = "never"

    @property
    def label(self) -> str:
        """The way as a message id."""
        return _URI_LABELS[self]


_URI_LABELS = {
    UriMatch.BASE_DOMAIN: N_("Same base domain"),
    UriMatch.HOST: N_("Same host"),
    UriMatch.STARTS_WITH: N_("Beginning with the saved address"),
    UriMatch.EXACT: N_("Exactly the same address"),
    UriMatch.PATTERN: N_("By a regular expression"),
    UriMatch.NEVER: N_("Never by itself"),
}


@dataclass(frozen=True)
class UriMatching(Told):
    """The way that holds where a saved address names none."""

    match: UriMatch = field(
        default=UriMatch.BASE_DOMAIN, metadata=_choice(N_("Addresses belong together"), UriMatch)
    )


@dataclass(frozen=True)
class VaultBanner(Told):
    """A heading, a text and the words of its button."""

    heading: str = _words(N_("Heading"), 40, N_("At most 40 characters. It may be empty."))
    text: str = _words(N_("Text"), 250, N_("At most 250 characters."))
    button: str = _words(N_("Words on the button"), 20, N_("At most 20 characters."))

    def check_on(self) -> None:
        if not self.text.strip():
            raise refuse(N_("Enter what everybody shall read."), field="text")


class SendAccess(StrEnum):
    """Who can open what was sent, from the widest to the narrowest."""

    ANYONE = "anyone"
    PASSWORD = "password"  # noqa: S105 - the name of a choice
    PEOPLE = "people"

    @property
    def label(self) -> str:
        """The choice as a message id."""
        return _SEND_LABELS[self]


_SEND_LABELS = {
    SendAccess.ANYONE: N_("Anyone with the link"),
    SendAccess.PASSWORD: N_("Who has the link and a password"),
    SendAccess.PEOPLE: N_("The people named alone"),
}
_DOMAIN = re.compile(
    r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])"
)


@dataclass(frozen=True)
class SendControls(Told):
    """What members may send to people outside; `hours` is the longest time until it is deleted.

    It takes the place of the older *Remove Send* and *Send options*, which follow from it.
    """

    no_sends: bool = _flag(N_("No Sends at all"), N_("The rest counts only without this."))
    shows_address: bool = _flag(N_("Members cannot hide their address"))
    access: SendAccess = field(
        default=SendAccess.ANYONE, metadata=_choice(N_("Who can open it"), SendAccess)
    )
    domains: str = _words(
        N_("Domains of those people"),
        1000,
        N_("Only with people who are named. One a line; none means any domain."),
    )
    hours: int = _number(
        N_("Hours until it is deleted"), 168, 1, 744, N_("At most so many, from 1 to 744.")
    )
    no_texts: bool = _flag(N_("No texts"))
    no_files: bool = _flag(N_("No files"))

    def check_on(self) -> None:
        if self.no_texts and self.no_files and not self.no_sends:
            raise refuse(
                N_("Then nothing is left to send: choose “No Sends at all”."), field="no_files"
            )
        names = self.domains.replace(",", " ").split()
        if names and self.access is not SendAccess.PEOPLE:
            raise refuse(N_("Domains count only where people are named."), field="domains")
        wrong = next((name for name in names if not _DOMAIN.match(name)), None)
        if wrong is not None:
            raise refuse(N_("This is no domain: %(domain)s"), field="domains", domain=wrong)


_ADDRESS = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[!-~]*)?\Z")


@dataclass(frozen=True)
class FillAssist(Told):
    """Where browser extensions find the rules by which they fill forms in."""

    rules_url: str = _words(
        N_("Address of the rules"), 1000, N_("It begins with https://."), one_line=True
    )

    def check_on(self) -> None:
        if not _ADDRESS.match(self.rules_url):
            raise refuse(N_("Enter a whole address that begins with https://."), field="rules_url")


Data = (
    MasterPassword
    | VaultTimeout
    | AccountRecovery
    | PasswordGenerator
    | UriMatching
    | VaultBanner
    | SendControls
    | FillAssist
)
SHAPES: tuple[type[Data], ...] = (
    MasterPassword,
    VaultTimeout,
    AccountRecovery,
    PasswordGenerator,
    UriMatching,
    VaultBanner,
    SendControls,
    FillAssist,
)


def label_of(name: str) -> str | None:
    """What a field of that name is called, as a message id; None for no such field."""
    found = (each for shape in SHAPES for each in fields(shape) if each.name == name)
    return next((each.metadata["label"] for each in found), None)


def choice_label(name: str, value: object) -> str | None:
    """What a stored choice is called, as a message id; None for none of them."""
    found = (each.metadata for shape in SHAPES for each in fields(shape) if each.name == name)
    labels = (_labels(known).get(value) for known in found)
    return next((label for label in labels if label), None)


def _labels(known: Mapping[str, Any]) -> dict[object, str]:
    if "steps" in known:
        return dict(enumerate(known["steps"]))
    return {str(choice): choice.label for choice in known.get("of", ())}


def from_stored(shape: type[Data], stored: Mapping[str, Any]) -> Data:
    """The data of what is stored or written elsewhere; what is missing has its default.

    Raises `RuleError` at the field that holds something else than it may.
    """
    known = {}
    for each in fields(shape):
        if each.name in stored:
            value, kind = stored[each.name], each.metadata.get("of")
            known[each.name] = kind(value) if kind and value in list(kind) else value
    return shape(**known)


def to_store(data: Data | None) -> dict[str, Any]:
    """The typed data as it is stored: plain values, each field told."""
    if data is None:
        return {}
    values = {each.name: getattr(data, each.name) for each in fields(data)}
    return {
        name: str(value) if isinstance(value, StrEnum) else value for name, value in values.items()
    }
