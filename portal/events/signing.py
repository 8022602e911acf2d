"""The keys that sign checkpoints: Ed25519 (RFC 8032), sealed at rest, one following the other."""

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.crypto.sealing import Sealer
from portal.events.chain import key_id, succession_message
from portal.models import EventKey

PURPOSE = "event-checkpoints"


class KeyLostError(Exception):
    """The checkpoint key was sealed with a server secret that is gone; rotate it."""


@dataclass(frozen=True)
class Signer:
    """The key that signs now. `key_id` is its fingerprint."""

    key_id: str
    private: Ed25519PrivateKey

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        return self.private.sign(message)


def signer(session: Session, secret_keys: tuple[str, ...]) -> Signer:
    """The newest key; the first one is made here. Raises `KeyLostError`."""
    # Signers come one after the other, so that two never sign the same row at once.
    found = select(EventKey).order_by(EventKey.created_at.desc()).limit(1).with_for_update()
    newest = session.scalars(found).first()
    if newest is None:
        return rotate(session, secret_keys)
    opened = Sealer(secret_keys, PURPOSE).open(newest.private_key)
    if opened is None:
        raise KeyLostError(newest.id)
    return Signer(newest.id, Ed25519PrivateKey.from_private_bytes(bytes.fromhex(opened)))


def rotate(session: Session, secret_keys: tuple[str, ...]) -> Signer:
    """Make a new key that signs from now on, endorsed by the one before where that still opens."""
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    before = _predecessor(session, secret_keys)
    session.add(
        EventKey(
            id=key_id(public),
            public_key=public,
            private_key=Sealer(secret_keys, PURPOSE).seal(private.private_bytes_raw().hex()),
            previous_id=before.key_id if before else None,
            endorsement=before.sign(succession_message(public)) if before else None,
        )
    )
    session.flush()
    return Signer(key_id(public), private)


def _predecessor(session: Session, secret_keys: tuple[str, ...]) -> Signer | None:
    if session.execute(select(EventKey.id).limit(1)).first() is None:
        return None
    try:
        return signer(session, secret_keys)
    except KeyLostError:
        return None


def keys(session: Session) -> Sequence[EventKey]:
    """All keys there ever were, the oldest first."""
    return session.scalars(select(EventKey).order_by(EventKey.created_at)).all()


def own_keys(session: Session, secret_keys: tuple[str, ...]) -> set[str]:
    """The fingerprints of keys that this portal made: those it can open with its own secret.

    Whoever can only write to the database cannot put a key of theirs among them.
    """
    sealer = Sealer(secret_keys, PURPOSE)
    own = set()
    for key in keys(session):
        opened = sealer.open(key.private_key)
        if opened is None:
            continue
        private = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(opened))
        own.add(key_id(private.public_key().public_bytes_raw()))
    return own


def reseal(session: Session, secret_keys: tuple[str, ...]) -> None:
    """Seal all keys with the first server secret, so that the older ones can be dropped."""
    now, first = Sealer(secret_keys, PURPOSE), Sealer(secret_keys[:1], PURPOSE)
    for key in keys(session):
        if first.open(key.private_key) is None:
            opened = now.open(key.private_key)
            key.private_key = first.seal(opened) if opened else key.private_key


def fingerprint(session: Session) -> str:
    """The fingerprint of the key that signs now, as people compare it; empty before the first."""
    newest = select(EventKey.id).order_by(EventKey.created_at.desc()).limit(1)
    return in_groups(session.scalar(newest) or "")


def in_groups(name: str) -> str:
    """64 hexadecimal digits in groups of eight."""
    return " ".join(name[at : at + 8] for at in range(0, len(name), 8))


def is_signed(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the signature is right: the quick way; the verifier file has its own."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
