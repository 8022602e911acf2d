"""The printable recovery sheet: a provider key, wrapped by a code that only the paper holds.

The code is 160 random bits in Crockford's base 32, in eight groups of four. Its letters leave out
I, L, O and U, and reading is lenient (`o` for `0`, `l` and `i` for `1`), because people type it
from paper.
"""

import hmac
import os

from portal.crypto.envelope import CannotOpen, SymmetricKey, seal, unseal

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_BYTES = 20
_SALT = b"provider-portal recovery sheet 1"
_READ = str.maketrans("OIL", "011", " -\t\n")


def write_code(secret: bytes) -> str:
    """20 bytes as `XXXX-XXXX-...`, 32 letters in eight groups."""
    number = int.from_bytes(secret)
    letters = "".join(ALPHABET[number >> shift & 31] for shift in range(155, -1, -5))
    return "-".join(letters[at : at + 4] for at in range(0, 32, 4))


def read_code(typed: str) -> bytes:
    """The 20 bytes of a typed code. Raises `CannotOpen` if it is none."""
    letters = typed.upper().translate(_READ)
    if len(letters) != 32 or any(letter not in ALPHABET for letter in letters):
        raise CannotOpen("not a recovery code")
    number = 0
    for letter in letters:
        number = number << 5 | ALPHABET.index(letter)
    return number.to_bytes(CODE_BYTES)


def new_code() -> str:
    return write_code(os.urandom(CODE_BYTES))


def _key_of(code: str) -> SymmetricKey:
    """HKDF (RFC 5869): extract with a fixed salt, then expand into the two halves."""
    pseudorandom = hmac.digest(_SALT, read_code(code), "sha256")
    return SymmetricKey(
        enc=hmac.digest(pseudorandom, b"enc\x01", "sha256"),
        mac=hmac.digest(pseudorandom, b"mac\x01", "sha256"),
    )


def wrap_with_code(key: SymmetricKey, code: str) -> str:
    """The type 2 string that is stored; the code is not."""
    return seal(key.raw, _key_of(code))


def open_with_code(wrapped: str, code: str) -> SymmetricKey:
    """The key of a sheet. Raises `CannotOpen` for a wrong or mistyped code."""
    return SymmetricKey.from_raw(unseal(wrapped, _key_of(code)))
