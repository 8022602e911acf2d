"""The stored form of a sign-in hash: argon2id, with no more of them at once than cores.

What arrives is already derived from the master password in the browser; it is worth as much as
the password, so it is hashed again (OWASP Password Storage Cheat Sheet, argon2id).
"""

import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

from argon2 import Parameters, PasswordHasher, profiles
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type

OWASP = Parameters(
    type=Type.ID,
    version=19,
    salt_len=16,
    hash_len=32,
    time_cost=2,
    memory_cost=19 * 1024,
    parallelism=1,
)
WAIT_SECONDS = 1.5
_slots = threading.BoundedSemaphore(os.cpu_count() or 1)


class Busy(Exception):
    """Every core is hashing and none became free in time; nothing was checked."""


class _Hashing:
    """argon2id with one set of parameters, and a hash of it that nobody knows the input of."""

    def __init__(self, parameters: Parameters) -> None:
        self.hasher = PasswordHasher.from_parameters(parameters)

    @cached_property
    def of_nobody(self) -> str:
        return self.hasher.hash(secrets.token_urlsafe(32))


_now = [_Hashing(OWASP)]


def use_cheapest() -> None:
    """For test runs: hashes that cost nothing."""
    _now[0] = _Hashing(profiles.CHEAPEST)


@contextmanager
def _slot() -> Iterator[None]:
    if not _slots.acquire(timeout=WAIT_SECONDS):
        raise Busy
    try:
        yield
    finally:
        _slots.release()


def store(signin_hash: str) -> str:
    """The argon2id text to store. Raises `Busy`."""
    with _slot():
        return _now[0].hasher.hash(signin_hash)


def matches(stored: str | None, signin_hash: str) -> bool:
    """Whether `signin_hash` is the one that was stored; as slow where nothing is. Raises `Busy`."""
    hashing = _now[0]
    with _slot():
        try:
            hashing.hasher.verify(stored or hashing.of_nobody, signin_hash)
        except (VerificationError, InvalidHashError):
            return False
    return stored is not None


def is_outdated(stored: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _now[0].hasher.check_needs_rehash(stored)
