"""Domains that an organization says are its own: their names, how they are proved, and when.

Proof is a TXT record that only whoever runs the domain can publish. Looked for sooner and longer
than in the reference (section 8.4: three times in 72 hours): most people publish the record within
the hour, and some wait days for a colleague. Nothing is thrown away when the search ends.
"""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from portal.domain.emails import ascii_domain
from portal.domain.errors import N_, refuse

PREFIX = "portal-verification="
# RFC 1035, 2.3.4: 255 octets on the wire are 253 characters with dots between the labels.
NAME_LIMIT = 253
DOMAINS = 100
WAITS = dt.timedelta(days=7)
GRACE = dt.timedelta(days=7)
DAILY = dt.timedelta(days=1)
WHILE_MISSING = dt.timedelta(hours=6)
# After a server that gave no answer, whatever else was due.
SOON = dt.timedelta(hours=1)
_SEARCH = (
    dt.timedelta(minutes=10),
    dt.timedelta(minutes=30),
    dt.timedelta(hours=1),
    dt.timedelta(hours=4),
)
_SEARCH_ON = dt.timedelta(hours=12)

_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)\Z")
_NOT_PUBLIC = frozenset(
    {"alt", "arpa", "home", "internal", "invalid", "lan", "local", "localhost", "onion"}
)
# Under these people register names; nobody but the registry publishes anything at them. Not all
# of them: who enters another one only waits in vain.
_REGISTRIES = frozenset(
    f"{second}.{top}"
    for top, seconds in {
        "at": "ac co gv or",
        "au": "asn com edu gov id net org",
        "br": "com edu gov net org",
        "cn": "com edu gov net org",
        "fr": "asso com gouv nom prd tm",
        "in": "ac co edu firm gov net org",
        "il": "ac co gov net org",
        "jp": "ac co go ne or",
        "kr": "ac co go ne or",
        "mx": "com edu gob net org",
        "nz": "ac co geek gen govt net org school",
        "pl": "com edu gov net org",
        "sg": "com edu gov net org",
        "tr": "com edu gov net org",
        "uk": "ac co gov ltd me net nhs org plc sch",
        "us": "fed k12",
        "za": "ac co gov law net org web",
    }.items()
    for second in seconds.split()
)

NOT_A_DOMAIN = N_("Enter a domain alone, in the form example.com, without https:// and without @.")
NOT_PUBLIC = N_("This name is not public, so nobody can look it up. Enter a public domain.")
REGISTRY = N_("Others register names under this one. Enter the domain of the organization itself.")


def check_domain(text: str, *, field: str) -> str:
    """The domain in its stored form (ASCII, lower case, no dot at the end), or a `RuleError`."""
    found = ascii_domain(text.strip())
    if not found:
        raise refuse(N_("Enter a domain."), field=field)
    labels = found.split(".")
    if len(found) > NAME_LIMIT or not all(_is_label(label) for label in labels):
        raise refuse(NOT_A_DOMAIN, field=field)
    if labels[-1] in _NOT_PUBLIC:
        raise refuse(NOT_PUBLIC, field=field)
    # A top-level domain of digits alone would be an address (RFC 3696, 2).
    if len(labels) < 2 or labels[-1].isdigit():
        raise refuse(NOT_A_DOMAIN, field=field)
    if found in _REGISTRIES:
        raise refuse(REGISTRY, field=field)
    return found


def _is_label(label: str) -> bool:
    if not _LABEL.match(label):
        return False
    if not label.startswith("xn--"):
        # Two hyphens there are kept for encodings, of which this is the only one (RFC 5891).
        return label[2:4] != "--"
    try:
        text = label[4:].encode("ascii").decode("punycode")
    except (UnicodeError, ValueError, OverflowError):
        return False
    # What stands for other letters, or for none, is somebody else's name in disguise.
    return not text.isascii() and ascii_domain(text) == label


class Answer(StrEnum):
    """What a look-up found."""

    UNASKED = ""
    FOUND = "found"
    # It is there, and another organization has verified the domain.
    TAKEN = "taken"
    # The domain has TXT records, and this is none of them.
    OTHERS = "others"
    NO_RECORD = "no_record"
    NO_DOMAIN = "no_domain"
    # The name servers failed, refused, contradicted themselves, or were silent.
    NO_ANSWER = "no_answer"

    @property
    def is_no(self) -> bool:
        """Whether the record is surely not there; silence says nothing."""
        return self in (Answer.OTHERS, Answer.NO_RECORD, Answer.NO_DOMAIN)

    @property
    def sentence(self) -> str:
        """The answer as a message id."""
        return _ANSWERS[self]


_ANSWERS = {
    Answer.UNASKED: N_("Nobody has looked yet."),
    Answer.FOUND: N_("The record was found."),
    Answer.TAKEN: N_(
        "The record was found, but another organization has verified this domain. It counts here "
        "once that one gives it up."
    ),
    Answer.OTHERS: N_("The domain has other TXT records, but not this one."),
    Answer.NO_RECORD: N_("The domain has no TXT record yet."),
    Answer.NO_DOMAIN: N_("No name server knows this domain."),
    Answer.NO_ANSWER: N_("The domain's name servers gave no usable answer."),
}


class DomainState(StrEnum):
    """Where a domain stands, as the list shows it."""

    WAITING = "waiting"
    VERIFIED = "verified"
    # Verified, but the record is gone: it counts until the grace is over.
    MISSING = "missing"
    TAKEN = "taken"
    NOT_FOUND = "not_found"

    @property
    def label(self) -> str:
        """The state as a message id."""
        return _LABELS[self]

    @property
    def tone(self) -> str:
        return _TONES[self]


_LABELS = {
    DomainState.WAITING: N_("Waiting for the record"),
    DomainState.VERIFIED: N_("Verified"),
    DomainState.MISSING: N_("Record missing"),
    DomainState.TAKEN: N_("Taken"),
    DomainState.NOT_FOUND: N_("Not found"),
}
_TONES = {
    DomainState.WAITING: "",
    DomainState.VERIFIED: "good",
    DomainState.MISSING: "warn",
    DomainState.TAKEN: "warn",
    DomainState.NOT_FOUND: "warn",
}


@dataclass(frozen=True)
class Claim:
    """What is known of a domain. `ends_at`: when the search ends, or the grace of a lost record.

    `next_check_at` is None once nobody looks any more by itself.
    """

    verified_at: dt.datetime | None = None
    answer: Answer = Answer.UNASKED
    checks: int = 0
    ends_at: dt.datetime | None = None
    next_check_at: dt.datetime | None = None

    @property
    def state(self) -> DomainState:
        if self.verified_at is not None:
            return DomainState.MISSING if self.ends_at else DomainState.VERIFIED
        if self.answer is Answer.TAKEN:
            return DomainState.TAKEN
        return DomainState.WAITING if self.next_check_at else DomainState.NOT_FOUND


class Turn(StrEnum):
    """What a look-up changes for people; each is an event and a mail."""

    VERIFIED = "verify"
    GIVEN_UP = "give_up"
    MISSING = "miss"
    BACK = "find_again"
    LOST = "lose"


def begin(now: dt.datetime) -> Claim:
    """A domain that was just added, or whose search begins anew."""
    return Claim(ends_at=now + WAITS, next_check_at=now + _SEARCH[0])


def after(claim: Claim, answer: Answer, now: dt.datetime) -> tuple[Claim, Turn | None]:
    """What a look-up makes of a claim, and what of that people are told."""
    checks = claim.checks + 1
    if claim.verified_at is not None:
        return _kept(claim, answer, checks, now)
    if answer is Answer.FOUND:
        return Claim(now, answer, checks, None, now + DAILY), Turn.VERIFIED
    if claim.ends_at is None or claim.ends_at <= now:
        told = Turn.GIVEN_UP if claim.next_check_at else None
        return Claim(None, answer, checks, claim.ends_at, None), told
    pause = _SEARCH[checks] if checks < len(_SEARCH) else _SEARCH_ON
    return Claim(None, answer, checks, claim.ends_at, min(now + pause, claim.ends_at)), None


def _kept(claim: Claim, answer: Answer, checks: int, now: dt.datetime) -> tuple[Claim, Turn | None]:
    verified = claim.verified_at
    if not answer.is_no:
        if answer is Answer.NO_ANSWER:
            # A failing server takes nothing away, however long it fails.
            return Claim(verified, answer, checks, claim.ends_at, now + SOON), None
        told = Turn.BACK if claim.ends_at else None
        return Claim(verified, Answer.FOUND, checks, None, now + DAILY), told
    if claim.ends_at is None:
        ends_at = now + GRACE
        return Claim(verified, answer, checks, ends_at, now + WHILE_MISSING), Turn.MISSING
    if claim.ends_at <= now:
        return Claim(None, answer, checks, claim.ends_at, None), Turn.LOST
    pause = min(now + WHILE_MISSING, claim.ends_at)
    return Claim(verified, answer, checks, claim.ends_at, pause), None


def answer_in(values: Sequence[str], token: str) -> Answer:
    """What the TXT records of a domain say; blanks and quotes around one are forgiven."""
    if any(value.strip().strip('"').strip() == PREFIX + token for value in values):
        return Answer.FOUND
    return Answer.OTHERS if values else Answer.NO_RECORD
