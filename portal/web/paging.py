"""Cursors in addresses: signed, so that a page begins only where a page of ours ended."""

import base64
import hashlib
import uuid
from functools import lru_cache

from itsdangerous import BadData, URLSafeSerializer

from portal.crypto.tokens import derive_key
from portal.domain.paging import Cursor


class CursorSigner:
    """Writes and reads the cursors of one list. The first key signs, all verify.

    A cursor holds its sort, direction, value and id and nothing of the filters: with other
    filters it is still a place in the same order.
    """

    def __init__(self, secret_keys: tuple[str, ...], name: str) -> None:
        # itsdangerous signs with the last key of its list.
        keys = [derive_key(secret, f"cursor/{name}") for secret in reversed(secret_keys)]
        self._serializer = URLSafeSerializer(
            keys, salt=name, signer_kwargs={"digest_method": hashlib.sha256}
        )

    def write(self, cursor: Cursor) -> str:
        """The cursor as a URL-safe text."""
        identity = base64.urlsafe_b64encode(cursor.id.bytes).decode().rstrip("=")
        flags = int(cursor.descending) + 2 * int(cursor.backwards)
        return str(self._serializer.dumps([cursor.sort, flags, cursor.value, identity]))

    def read(self, text: str, *, sort: str, descending: bool) -> Cursor | None:
        """The cursor of a text we signed for this order; None for anything else."""
        try:
            name, flags, value, identity = self._serializer.loads(text)
            place = uuid.UUID(bytes=base64.urlsafe_b64decode(identity + "=="))
            cursor = Cursor(name, bool(flags & 1), value, place, bool(flags & 2))
        except (BadData, ValueError, TypeError):
            return None
        return cursor if (cursor.sort, cursor.descending) == (sort, descending) else None


@lru_cache(maxsize=32)
def signer(secret_keys: tuple[str, ...], name: str) -> CursorSigner:
    """The signer of a list, kept: deriving its keys costs more than a signature."""
    return CursorSigner(secret_keys, name)
