"""Signed links and codes: nothing usable lies in the database.

A link is a signature over purpose, row id and row version, made when the mail is sent; the row's
own columns say until when it counts and a conditional UPDATE spends it once.
"""

import base64
import hashlib
import hmac
import uuid
from dataclasses import dataclass

from itsdangerous import BadData, URLSafeSerializer


def derive_key(secret: str, purpose: str) -> bytes:
    """A 32-byte key of its own for each purpose (HKDF-Expand with one block, RFC 5869)."""
    return hmac.new(
        secret.encode(), b"portal/" + purpose.encode() + b"\x01", hashlib.sha256
    ).digest()


@dataclass(frozen=True)
class Link:
    """What a link points at. `tenant_id` and `row_id` are UUIDs, `version` the row's."""

    tenant_id: uuid.UUID
    row_id: uuid.UUID
    version: int


class LinkSigner:
    """Signs and reads links of one purpose. The first key signs, all verify."""

    def __init__(self, secret_keys: tuple[str, ...], purpose: str) -> None:
        # itsdangerous signs with the last key of its list.
        keys = [derive_key(secret, f"link/{purpose}") for secret in reversed(secret_keys)]
        self._serializer = URLSafeSerializer(
            keys, salt=purpose, signer_kwargs={"digest_method": hashlib.sha256}
        )

    def sign(self, link: Link) -> str:
        """The URL-safe token of `link`."""
        return str(
            self._serializer.dumps([_pack(link.tenant_id), _pack(link.row_id), link.version])
        )

    def read(self, token: str) -> Link | None:
        """The link of a token we signed; None for anything else."""
        try:
            tenant, row, version = self._serializer.loads(token)
            return Link(_unpack(tenant), _unpack(row), int(version))
        except (BadData, ValueError, TypeError, AttributeError):
            return None


def _pack(value: uuid.UUID) -> str:
    return base64.urlsafe_b64encode(value.bytes).decode().rstrip("=")


def _unpack(text: str) -> uuid.UUID:
    return uuid.UUID(bytes=base64.urlsafe_b64decode(text + "=="))


def mail_codes(secret_keys: tuple[str, ...], challenge_id: uuid.UUID) -> list[str]:
    """The 8-digit code of a challenge under each key; the first is the one that is sent."""
    return [_digits(derive_key(secret, "mail-code"), challenge_id) for secret in secret_keys]


def _digits(key: bytes, challenge_id: uuid.UUID) -> str:
    digest = hmac.new(key, challenge_id.bytes, hashlib.sha256).digest()
    return f"{int.from_bytes(digest[:16], 'big') % 100_000_000:08d}"


def stable_number(secret: str, purpose: str, text: str, bound: int) -> int:
    """A number below `bound` that is always the same for the same text, and nobody can foresee."""
    digest = hmac.new(derive_key(secret, purpose), text.encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big") % bound
