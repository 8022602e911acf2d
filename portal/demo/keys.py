"""Keys for the demo: real where somebody signs in, shared from a small pool elsewhere.

An RSA pair takes a tenth of a second. So beyond the first clients several organizations share
one set of keys; everything still opens with the provider key, as it would in earnest.
"""

import os
from dataclasses import dataclass, field

from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST

from portal.crypto.envelope import SymmetricKey, seal
from portal.crypto.keys import TenantKeys, new_key_pair, new_tenant_keys, wrap_for

SETS = 16
PUBLIC_KEYS_OF_PEOPLE = 4


@dataclass(frozen=True)
class KeySet:
    """An organization's columns, and what members' keys are wrapped from."""

    tenant: TenantKeys
    provider_wrapped_key: str
    collection_name: str
    _wrapped: dict[str, str] = field(default_factory=dict)

    def wrapped_for(self, public_key: str) -> str:
        """The organization key for one public key, made once."""
        if public_key not in self._wrapped:
            self._wrapped[public_key] = wrap_for(public_key, self.tenant.key.raw)
        return self._wrapped[public_key]


class KeyPool:
    """Key sets by number; the first clients get one of their own."""

    def __init__(self, provider_key: SymmetricKey, collection_name: str) -> None:
        self._provider_key = provider_key
        self._collection_name = collection_name
        self._sets: dict[int, KeySet] = {}
        self.people = tuple(_nobody() for _ in range(PUBLIC_KEYS_OF_PEOPLE))

    def of_client(self, number: int) -> KeySet:
        """The keys of the client with this number, counted from 0. No other has those of 0."""
        slot = number if number < SETS else 1 + number % (SETS - 1)
        if slot not in self._sets:
            tenant = new_tenant_keys()
            self._sets[slot] = KeySet(
                tenant,
                seal(tenant.key.raw, self._provider_key),
                seal(self._collection_name, tenant.key),
            )
        return self._sets[slot]


def _nobody() -> dict[str, str]:
    """Key columns of an account that nobody can ever open: its secrets are dropped here.

    The private key is left out, since a million people would carry 2 kB each for nothing.
    """
    public_key, _private_key = new_key_pair()
    return {
        "signin_hash": PasswordHasher.from_parameters(CHEAPEST).hash(os.urandom(32)),
        "protected_user_key": seal(SymmetricKey.new().raw, SymmetricKey.new()),
        "public_key": public_key,
        "protected_private_key": seal(b"", SymmetricKey.new()),
    }
