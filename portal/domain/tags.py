"""What a provider writes beside its clients: tags, a note, and its own reference."""

import unicodedata
from collections.abc import Iterable
from uuid import UUID

from portal.domain.errors import N_, RuleError, refuse
from portal.domain.names import COLOURS, check_name, is_printable, name_ci, too_long

TAG_LENGTH = 30
TAGS_A_CLIENT = 20
TAGS_A_PROVIDER = 200
NOTE_LENGTH = 2000
REFERENCE_LENGTH = 64
TOO_MANY = N_("A client has at most %(limit)s tags.")
TOO_MANY_OF_ALL = N_("A provider has at most %(limit)s tags.")


def check_tag(text: str, *, field: str = "name") -> str:
    """A tag's name as it is stored, or a `RuleError` on `field`. A comma parts one tag from the
    next where several are typed, so no name has one.
    """
    name = check_name(text, field=field, missing=N_("Enter a name for the tag."), limit=TAG_LENGTH)
    if "," in name:
        raise refuse(N_("Remove the comma; it parts one tag from the next."), field=field)
    return name


def split_tags(text: str, *, field: str) -> list[str]:
    """The tags typed with commas between them, each checked; the same one counts once."""
    names = [check_tag(part, field=field) for part in text.split(",") if part.strip()]
    first = {name_ci(name): name for name in reversed(names)}
    return [name for name in names if first[name_ci(name)] is name]


def check_number(count: int, *, field: str | None = None) -> None:
    """Refuse more tags than a client has room for."""
    if count > TAGS_A_CLIENT:
        raise refuse(TOO_MANY, field=field, limit=TAGS_A_CLIENT)


def clean_note(text: str, *, field: str = "note") -> str:
    """A note as it is stored: its lines are kept, its ends are trimmed."""
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").split("\n")
    note = "\n".join(line.rstrip() for line in lines).strip()
    return _bounded(note, note.replace("\n", "").replace("\t", ""), NOTE_LENGTH, field)


def clean_reference(text: str, *, field: str = "external_reference") -> str:
    """The number of the client in another system, as it is stored."""
    reference = " ".join(unicodedata.normalize("NFC", text).split())
    return _bounded(reference, reference, REFERENCE_LENGTH, field)


def _bounded(text: str, line: str, limit: int, field: str) -> str:
    if not is_printable(line):
        raise refuse(
            N_("Remove the invisible control characters; type the text instead of pasting it."),
            field=field,
        )
    if len(text) > limit:
        raise RuleError(too_long(len(text) - limit, limit), field=field)
    return text


def written(tag_ids: Iterable[UUID]) -> str:
    """How a client's row carries its tags, so that a list needs no second look: each id in hex
    with a space behind it, in one order.
    """
    return "".join(f"{tag_id.hex} " for tag_id in sorted(set(tag_ids)))


def read(text: str) -> list[UUID]:
    """The ids that `written` wrote."""
    return [UUID(hex=part) for part in text.split()]


def next_colour(used: Iterable[int]) -> int:
    """Of the colours 1 to 12 the one that is used least, the first of several."""
    counts = dict.fromkeys(range(1, COLOURS + 1), 0)
    for colour in used:
        counts[colour] += 1
    return min(counts, key=lambda colour: counts[colour])
