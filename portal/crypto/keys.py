"""RSA-2048 key pairs, type 4 strings (`4.ct`, OAEP with SHA-1), and the keys a holder is born with.

OAEP needs no collision resistance of its hash; SHA-1 is what the vault clients in use expect.
"""

import base64
import binascii
from dataclasses import dataclass, field

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)

from portal.crypto.envelope import TYPE_4, CannotOpen, SymmetricKey, seal, unseal
from portal.crypto.kdf import ITERATIONS, KDF, derive_master_key, signin_hash, stretch

PUBLIC_KEY_LENGTH = 392
_OAEP = padding.OAEP(mgf=padding.MGF1(SHA1()), algorithm=SHA1(), label=None)


@dataclass(frozen=True)
class AccountKeys:
    """What an account stores, and the two keys it never does (for demo data and tests)."""

    kdf: str
    iterations: int
    signin_hash: str = field(repr=False)
    protected_user_key: str
    public_key: str
    protected_private_key: str
    user_key: SymmetricKey
    private_key: bytes = field(repr=False)


@dataclass(frozen=True)
class TenantKeys:
    """Keys of a provider or an organization: its key, and an RSA pair wrapped by that key."""

    key: SymmetricKey
    public_key: str
    protected_private_key: str


def new_key_pair() -> tuple[str, bytes]:
    """A public key (SPKI DER in base64) and its private key (PKCS8 DER, clear)."""
    private = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    spki = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    pkcs8 = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return base64.b64encode(spki).decode(), pkcs8


def _load_public(public_key: str) -> rsa.RSAPublicKey:
    try:
        loaded = load_der_public_key(base64.b64decode(public_key, validate=True))
    except (ValueError, binascii.Error, UnsupportedAlgorithm) as error:
        raise ValueError("not a public key") from error
    if not isinstance(loaded, rsa.RSAPublicKey) or loaded.key_size != 2048:
        raise ValueError("not an RSA-2048 public key")
    return loaded


def is_public_key(text: str) -> bool:
    """Whether `text` is an RSA-2048 public key in the one encoding we store."""
    if len(text) != PUBLIC_KEY_LENGTH:
        return False
    try:
        _load_public(text)
    except ValueError:
        return False
    return True


def wrap_for(public_key: str, clear: bytes) -> str:
    """A type 4 string that only the holder of the private key can open.

    Raises `ValueError` if `public_key` is none.
    """
    return "4." + base64.b64encode(_load_public(public_key).encrypt(clear, _OAEP)).decode()


def unwrap(wrapped: str, private_key: bytes) -> bytes:
    """The bytes within a type 4 string; `private_key` is PKCS8 DER. Raises `CannotOpen`."""
    found = TYPE_4.fullmatch(wrapped)
    if not found:
        raise CannotOpen("not a type 4 string")
    loaded = load_der_private_key(private_key, password=None)
    if not isinstance(loaded, rsa.RSAPrivateKey):
        raise CannotOpen("not an RSA private key")
    try:
        return loaded.decrypt(base64.b64decode(found[1], validate=True), _OAEP)
    except ValueError as error:
        raise CannotOpen("wrapped for another key, or changed") from error


def new_account_keys(email: str, password: str, iterations: int = ITERATIONS) -> AccountKeys:
    """All that a browser makes for a new account. Takes about half a second."""
    master_key = derive_master_key(email, password, iterations)
    user_key = SymmetricKey.new()
    public_key, private_key = new_key_pair()
    return AccountKeys(
        kdf=KDF,
        iterations=iterations,
        signin_hash=signin_hash(master_key, password),
        protected_user_key=seal(user_key.raw, stretch(master_key)),
        public_key=public_key,
        protected_private_key=seal(private_key, user_key),
        user_key=user_key,
        private_key=private_key,
    )


def new_tenant_keys() -> TenantKeys:
    """All that a browser makes for a new provider or organization, before wrapping the key."""
    key = SymmetricKey.new()
    public_key, private_key = new_key_pair()
    return TenantKeys(key, public_key, seal(private_key, key))


def open_user_key(protected: str, email: str, password: str, iterations: int) -> SymmetricKey:
    """The user key, from the master password. Raises `CannotOpen` for a wrong password."""
    stretched = stretch(derive_master_key(email, password, iterations))
    return SymmetricKey.from_raw(unseal(protected, stretched))
