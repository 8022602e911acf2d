"""Search words made safe for a LIKE pattern."""

from portal.domain.names import name_ci

ESCAPE = "\\"


def escape_like(text: str) -> str:
    """`text` with the signs that LIKE gives a meaning taken literally; use with `ESCAPE`."""
    for sign in (ESCAPE, "%", "_"):
        text = text.replace(sign, ESCAPE + sign)
    return text


def contains(words: str) -> str:
    """The LIKE pattern that finds `words` anywhere in a `name_ci` column."""
    return f"%{escape_like(name_ci(words))}%"
