"""E-mail addresses: one stored form, and how two of them compare.

Whether an address is well formed in full is the form's business; here are the rules that need
no library.
"""

import re
import unicodedata

from portal.domain.errors import N_, RuleError, refuse
from portal.domain.names import is_printable, too_long

# RFC 5321, 4.5.3.1: a path of 256 octets with its angle brackets, a local part of 64.
ADDRESS_LIMIT = 254
LOCAL_LIMIT = 64
_DOMAIN_END = re.compile(r"[\s.]+\Z")
_KEPT = frozenset("\u00df\u03c2")
_DOMAIN = re.compile(r"(?=.{1,253}\Z)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+\Z|localhost\Z")


def normalise(address: str) -> str:
    """The one form in which an address is stored and looked up.

    Trimmed, lower-cased, the domain in ASCII (RFC 5890 A-labels), so that equal addresses are
    equal strings and the mail server needs no extension for the domain.
    """
    local, at, domain = unicodedata.normalize("NFC", address).strip().rpartition("@")
    return f"{local.lower()}{at}{ascii_domain(domain)}" if at else domain.lower()


def ascii_domain(domain: str) -> str:
    """The domain in small letters, each label that is not ASCII in its `xn--` form.

    The letters ß and ς stay themselves, as in every current browser (UTS 46, non-transitional):
    folded to "ss" they would name somebody else's domain.
    """
    folded = _fold_domain(_fold_domain(domain)).replace("\u3002", ".")
    labels = _DOMAIN_END.sub("", folded.lstrip()).split(".")
    return ".".join(_ascii_label(label) for label in labels)


def _fold_domain(domain: str) -> str:
    folded = "".join(
        char if char in _KEPT else unicodedata.normalize("NFKC", char).casefold()
        for char in unicodedata.normalize("NFC", domain).replace("\u1e9e", "\u00df")
    )
    return unicodedata.normalize("NFKC", folded)


def _ascii_label(label: str) -> str:
    if label.isascii() or not is_printable(label):
        return label
    return "xn--" + label.encode("punycode").decode("ascii")


def shown(address: str) -> str:
    """A stored address as people write it, with the letters of an `xn--` label restored."""
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{'.'.join(_shown_label(label) for label in domain.split('.'))}"


def _shown_label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        text = label[4:].encode("ascii").decode("punycode")
    except (UnicodeError, ValueError, OverflowError):
        return label
    # What would not come back to the same label is shown as it is stored, not as it pretends.
    return text if _ascii_label(text) == label and is_printable(text) else label


def domain_of(address: str) -> str:
    """The domain in ASCII; empty if there is none."""
    return normalise(address).rpartition("@")[2] if "@" in address else ""


def same_domain(one: str, other: str) -> bool:
    """Whether both addresses have a domain and it is the same one."""
    return bool(domain_of(one)) and domain_of(one) == domain_of(other)


def check_email(address: str, *, field: str, missing: str = N_("Enter an e-mail address.")) -> str:
    """The address in its stored form, or a `RuleError` on `field`."""
    normal = normalise(address)
    if not normal:
        raise refuse(missing, field=field)
    local, _, domain = normal.rpartition("@")
    if not _is_local(local) or not _DOMAIN.match(domain):
        raise refuse(
            N_("Enter an e-mail address in the form name@example.com."),
            field=field,
        )
    if len(normal) > ADDRESS_LIMIT:
        raise RuleError(too_long(len(normal) - ADDRESS_LIMIT, ADDRESS_LIMIT), field=field)
    return normal


def _is_local(local: str) -> bool:
    if not local or len(local.encode("utf-8", "replace")) > LOCAL_LIMIT:
        return False
    return is_printable(local) and not any(
        char.isspace() or char in '@<>()[]",;:\\' for char in local
    )
