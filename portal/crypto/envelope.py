"""Type 2 strings, `2.iv|ct|mac`: AES-256-CBC with PKCS7, then HMAC-SHA256 over iv and ciphertext.

The server treats them as opaque; `looks_sealed` tells whether a form field may be one.
"""

import base64
import binascii
import hmac
import os
import re
from dataclasses import dataclass, field
from typing import Final, Literal, Self

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

_BLOCK_BITS = 128

TYPE_2 = re.compile(r"2\.([A-Za-z0-9+/]{22}==)\|([A-Za-z0-9+/]+={0,2})\|([A-Za-z0-9+/]{43}=)")
TYPE_4 = re.compile(r"4\.([A-Za-z0-9+/]{342}==)")

# Longest strings a form field may hold, in characters.
WRAPPED_KEY_LENGTH: Final = 346
SEALED_KEY_LENGTH: Final = 180
SEALED_PRIVATE_KEY_LENGTH: Final = 2_000
SEALED_NAME_LENGTH: Final = 2_000


class CannotOpen(ValueError):
    """The string is not of this type, was changed on the way, or the key is another one."""


@dataclass(frozen=True)
class SymmetricKey:
    """64 bytes: an AES-256 key and a MAC key of 32 bytes each. Its repr shows neither."""

    enc: bytes = field(repr=False)
    mac: bytes = field(repr=False)

    @classmethod
    def new(cls) -> Self:
        return cls.from_raw(os.urandom(64))

    @classmethod
    def from_raw(cls, raw: bytes) -> Self:
        """Raises `ValueError` unless `raw` is 64 bytes."""
        if len(raw) != 64:
            raise ValueError(f"a symmetric key has 64 bytes, not {len(raw)}")
        return cls(enc=raw[:32], mac=raw[32:])

    @property
    def raw(self) -> bytes:
        return self.enc + self.mac


def seal(clear: bytes | str, key: SymmetricKey, *, iv: bytes | None = None) -> str:
    """A type 2 string of `clear` (text as UTF-8). `iv` is given by test vectors only."""
    plain = clear.encode() if isinstance(clear, str) else clear
    iv = os.urandom(16) if iv is None else iv
    padder = PKCS7(_BLOCK_BITS).padder()
    encryptor = Cipher(AES256(key.enc), CBC(iv)).encryptor()
    ct = encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
    mac = hmac.digest(key.mac, iv + ct, "sha256")
    return "2." + "|".join(base64.b64encode(part).decode() for part in (iv, ct, mac))


def unseal(sealed: str, key: SymmetricKey) -> bytes:
    """The bytes within a type 2 string. The MAC is checked before anything is decrypted.

    Raises `CannotOpen`.
    """
    found = TYPE_2.fullmatch(sealed)
    if not found:
        raise CannotOpen("not a type 2 string")
    try:
        iv, ct, mac = (base64.b64decode(part, validate=True) for part in found.groups())
    except binascii.Error as error:
        raise CannotOpen("not base64") from error
    if not hmac.compare_digest(mac, hmac.digest(key.mac, iv + ct, "sha256")):
        raise CannotOpen("the MAC does not match")
    try:
        decryptor = Cipher(AES256(key.enc), CBC(iv)).decryptor()
        unpadder = PKCS7(_BLOCK_BITS).unpadder()
        padded = decryptor.update(ct) + decryptor.finalize()
        return unpadder.update(padded) + unpadder.finalize()
    except ValueError as error:
        raise CannotOpen("the ciphertext is not padded") from error


def looks_sealed(text: str, kind: Literal[2, 4], limit: int = SEALED_NAME_LENGTH) -> bool:
    """Whether `text` has the shape of a type `kind` string of at most `limit` characters.

    A clear text never passes. That it can be opened, only a holder of the key can tell.
    """
    if len(text) > limit:
        return False
    return bool((TYPE_2 if kind == 2 else TYPE_4).fullmatch(text))
