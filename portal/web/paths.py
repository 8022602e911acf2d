"""Where a person may be sent back to: a page of this portal and nowhere else."""

import re
from urllib.parse import unquote

_LIMIT = 4000
# Printable ASCII without the backslash, which browsers read as a slash.
_PLAIN = re.compile(r"/[!-\[\]-~]*\Z")


def own_path(text: str | None, default: str = "/") -> str:
    """`text` if it is a path of this portal, else `default`.

    Refused are other origins in every spelling that a browser or a script may follow: `//host`,
    backslashes, control characters, and dot segments, because `/a/..//host` becomes `//host`
    once they are resolved.
    """
    if not text or len(text) > _LIMIT or not _PLAIN.match(text):
        return default
    path = re.split(r"[?#]", text, maxsplit=1)[0]
    if "//" in path or any(unquote(part) in {".", ".."} for part in path.split("/")):
        return default
    return text
