"""Names of clients and people: cleaning, ordering, and what stands in for them on an avatar."""

import unicodedata
from functools import lru_cache
from uuid import UUID
from zlib import crc32

from portal.domain.errors import N_, NN_, Message, RuleError, refuse

NAME_LIMIT = 50
COLOURS = 12
EXTERNAL_LIMIT = 300

# Letters that Unicode does not take apart into a base letter and an accent.
_PLAIN = str.maketrans(
    {
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "ħ": "h",
        "ŧ": "t",
        "\u0131": "i",
    }
)
# Only the accents of alphabets that sort without them. Marks of other scripts carry the vowel or
# the voicing of a syllable; without them one name would be found under another.
_ACCENTS = ((0x0300, 0x036F), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0xFE20, 0xFE2F))
# Embedding and override marks let a name turn the text around it back to front.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def squeeze(text: str) -> str:
    """`text` in composed form, trimmed, each run of white space one space."""
    return " ".join(unicodedata.normalize("NFC", text).split())


@lru_cache(maxsize=4096)
def name_ci(name: str) -> str:
    """The key by which names are ordered, compared and searched, the same on every database.

    Case, accents, widths and ligatures are folded; the result is meant for a binary collation.
    """
    text = unicodedata.normalize("NFKD", squeeze(name))
    bare = "".join(char for char in text if not _is_accent(char))
    folded = unicodedata.normalize("NFKC", bare.casefold().translate(_PLAIN))
    return " ".join(folded.split())


def _is_accent(char: str) -> bool:
    return any(first <= ord(char) <= last for first, last in _ACCENTS)


# A list of clients asks for the same names at every look.
@lru_cache(maxsize=4096)
def initials(name: str) -> str:
    """One or two capital letters for an avatar: of the first two words, or of the only one."""
    words = ["".join(filter(str.isalnum, word)) for word in squeeze(name).split(" ")]
    words = [word for word in words if word]
    letters = [word[0] for word in words[:2]] if len(words) > 1 else list("".join(words)[:2])
    # Some letters have a capital of two letters; an avatar has room for one.
    return "".join(letter.upper() if len(letter.upper()) == 1 else letter for letter in letters)


def colour_class(identity: UUID) -> int:
    """Which of the avatar colours 1 to 12 belongs to `identity`, always the same one."""
    return crc32(identity.bytes) % COLOURS + 1


@lru_cache(maxsize=8192)
def colour_of_hex(digits: str) -> int:
    """The same for an identity as its 32 hexadecimal digits."""
    return crc32(bytes.fromhex(digits)) % COLOURS + 1


def check_name(
    text: str,
    *,
    field: str = "name",
    missing: str = N_("Enter a name."),
    limit: int = NAME_LIMIT,
) -> str:
    """The name as it is stored, or a `RuleError` on `field`.

    `missing` is the sentence for a name without a visible character, `limit` counts characters.
    """
    name = squeeze(text)
    if not any(_is_visible(char) for char in name):
        raise refuse(missing, field=field)
    if not is_printable(name):
        raise refuse(
            N_("Remove the invisible control characters; type the text instead of pasting it."),
            field=field,
        )
    if len(name) > limit:
        raise RuleError(too_long(len(name) - limit, limit), field=field)
    return name


def check_external_id(text: str) -> str:
    """What a directory calls it, empty for nothing; `RuleError` on `external_id`."""
    cleaned = text.strip()
    if len(cleaned) > EXTERNAL_LIMIT or not is_printable(cleaned):
        raise refuse(
            N_("Enter at most %(limit)s characters, without control characters."),
            field="external_id",
            limit=EXTERNAL_LIMIT,
        )
    return cleaned


def is_printable(text: str) -> bool:
    """Whether `text` holds no control character, no lone surrogate and no turning mark."""
    return not any(unicodedata.category(char) in ("Cc", "Cs") or char in _TURNING for char in text)


def too_long(excess: int, limit: int) -> Message:
    """The sentence for a text that is `excess` characters longer than `limit`."""
    forms = NN_(
        "Shorten it by %(count)s character; at most %(limit)s fit.",
        "Shorten it by %(count)s characters; at most %(limit)s fit.",
    )
    return Message.counted(forms, excess, limit=limit)


def _is_visible(char: str) -> bool:
    return unicodedata.category(char)[0] in "LNPS"
