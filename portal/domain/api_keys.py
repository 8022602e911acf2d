"""How a key of the API is written: `portalkey_<32 hex digits>_<43 letters>`.

The first part lets programs that look for leaked secrets know one, the second names the key, the
third is the secret: 256 random bits, URL-safe.
"""

import re
from uuid import UUID

PREFIX = "portalkey"
# As it stands in the documentation, for whoever looks for leaked secrets.
PATTERN = re.compile(rf"{PREFIX}_([0-9a-f]{{32}})_([A-Za-z0-9_-]{{43}})")


def written(key_id: UUID, secret: str) -> str:
    """The key as its owner keeps it."""
    return f"{PREFIX}_{key_id.hex}_{secret}"


def named(key: str) -> UUID | None:
    """Which key this is; None for what is no key at all."""
    found = PATTERN.fullmatch(key)
    return UUID(hex=found[1]) if found else None


def hint(key_id: UUID) -> str:
    """How a key begins, for people who look for the one that they keep."""
    return f"{PREFIX}_{key_id.hex[:8]}…"
