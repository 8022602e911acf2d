"""From a master password to keys: the derivation that the browser does.

The server runs none of this for a person who signs in; it receives `signin_hash` alone.
"""

import base64
import hashlib
import hmac

from portal.crypto.envelope import SymmetricKey

KDF = "pbkdf2-sha256"
ITERATIONS = 600_000
MINIMUM_ITERATIONS = 600_000
MAXIMUM_ITERATIONS = 2_000_000


class KdfParametersRefused(ValueError):
    """Raised before anything is derived, so that no one is handed a cheap hash."""


def normalize_email(email: str) -> str:
    """The salt's text: the address without outer blanks, in lower case."""
    return email.strip().lower()


def check_parameters(kdf: str, iterations: int) -> None:
    """Raise `KdfParametersRefused` unless `kdf` is known and `iterations` lies in its bounds."""
    if kdf != KDF or not MINIMUM_ITERATIONS <= iterations <= MAXIMUM_ITERATIONS:
        raise KdfParametersRefused(f"{kdf} with {iterations} iterations is refused")


def derive_master_key(email: str, password: str, iterations: int = ITERATIONS) -> bytes:
    """PBKDF2-HMAC-SHA256 of the password, salted with the address: 32 bytes.

    Raises `KdfParametersRefused` for iterations outside 600,000 to 2,000,000.
    """
    check_parameters(KDF, iterations)
    salt = normalize_email(email).encode()
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations, 32)


def signin_hash(master_key: bytes, password: str) -> str:
    """What the browser sends in place of the password: 32 bytes in base64.

    It is worth as much as the password, so only an argon2id hash of it may be stored.
    """
    proof = hashlib.pbkdf2_hmac("sha256", master_key, password.encode(), 1, 32)
    return base64.b64encode(proof).decode()


def stretch(master_key: bytes) -> SymmetricKey:
    """HKDF-Expand (RFC 5869, section 2.3; no extract) of the master key into 64 bytes."""
    return SymmetricKey(
        enc=hmac.digest(master_key, b"enc\x01", "sha256"),
        mac=hmac.digest(master_key, b"mac\x01", "sha256"),
    )
