"""Numbers as people type them."""

import re

from portal.domain.errors import N_, refuse

NO_NUMBER = N_("Enter a whole number, such as 20.")
# Spaces of any kind between the thousands, as many languages write them.
_GROUPING = re.compile(r"(?<=\d)[\s\u00a0\u202f](?=\d{3}\b)")
# More digits than any limit has; beyond that reading them would be the work.
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")


def whole_number(text: str) -> int | None:
    """The number, None for an empty text; raises `RuleError` for anything else."""
    bare = _GROUPING.sub("", text.strip())
    if not bare:
        return None
    if not _NUMBER.fullmatch(bare):
        raise refuse(NO_NUMBER)
    return int(bare)


def version_of_text(text: str | None) -> int:
    """The version of a row that a page sent back; 0 for nothing readable, which no row has."""
    found = text or ""
    return int(found) if found.isascii() and found.isdigit() and len(found) < 10 else 0
