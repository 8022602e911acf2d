"""Which key a page had: a short name for wrapped strings, to be sent back and compared."""

import hashlib


def version_of(*parts: str | None) -> str:
    """The same for the same strings, another one if any of them changes; says nothing of them.

    An organization's wrapped private key stands for its key: it is wrapped anew whenever that
    changes, and never else.
    """
    said = hashlib.sha256()
    for part in parts:
        text = (part or "").encode()
        said.update(len(text).to_bytes(8) + text)
    return said.hexdigest()[:32]
