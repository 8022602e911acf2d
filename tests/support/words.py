"""What the portal says in a language, by the English sentence in the code."""

from collections.abc import Callable
from functools import cache

import polib

from tests.support.project import ROOT

Say = Callable[..., str]


@cache
def _catalogue(language: str) -> dict[str, str]:
    file = ROOT / "portal" / "translations" / language / "LC_MESSAGES" / "messages.po"
    return {entry.msgid: entry.msgstr for entry in polib.pofile(str(file))}


def words(language: str) -> Say:
    """`say("Join %(place)s", place="Acme")` is that sentence in the language."""

    def say(sentence: str, /, **values: object) -> str:
        text = sentence if language == "en" else _catalogue(language)[sentence]
        return text % values if values else text

    return say
