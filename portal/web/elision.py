"""French before a name: "de" and "que" lose their e before a vowel, which no catalogue can say."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TypeAlias

# (what the sentence says, what it says before a vowel, the name of the place)
Elision: TypeAlias = tuple[str, str, str]

_BEFORE_A_PLACE = re.compile(r"\b([Dd]|[Qq]u)e (%\((\w+)\)s)")
_MARKUP = re.compile(r"(?:<[^>]*>|\s)+")


@lru_cache(maxsize=8192)
def elisions_of(text: str) -> tuple[Elision, ...]:
    """Where a translated sentence has "de" or "que" right before a place; English has none."""
    return tuple(
        (match[0], f"{match[1]}\N{RIGHT SINGLE QUOTATION MARK}{match[2]}", match[3])
        for match in _BEFORE_A_PLACE.finditer(text)
    )


def elided(text: str, elisions: Iterable[Elision], values: Mapping[str, object]) -> str:
    """The sentence, its places still empty, "de" elided where the value begins with a vowel."""
    for said, before_vowel, name in elisions:
        if begins_with_vowel(str(values[name])):
            text = text.replace(said, before_vowel)
    return text


def begins_with_vowel(value: str) -> bool:
    """Whether "de" loses its e before the value, which may be markup.

    An h is left alone: whether it is mute is known of words, not of names.
    """
    start = value[match.end() :] if (match := _MARKUP.match(value)) else value
    letters = unicodedata.normalize("NFD", start[:2].casefold().replace("œ", "oe"))
    if letters[:1] == "y":
        return letters[1:2].isalpha() and letters[1] not in "aeiou"
    return letters[:1] in set("aeiouæ")
