"""Secrets that the server itself must read again (TOTP seeds, session secrets), sealed at rest."""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from portal.crypto.tokens import derive_key


class Sealer:
    """Seals short secrets of one purpose. The first key seals, all open."""

    def __init__(self, secret_keys: tuple[str, ...], purpose: str) -> None:
        keys = [derive_key(secret, f"seal/{purpose}") for secret in secret_keys]
        boxes = [Fernet(base64.urlsafe_b64encode(key)) for key in keys]
        self._first, self._box = boxes[0], MultiFernet(boxes)

    def seal(self, secret: str) -> str:
        """Ciphertext, safe to store."""
        return self._box.encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str | None:
        """The secret, or None if it was sealed with a key that is gone."""
        try:
            return self._box.decrypt(sealed.encode()).decode()
        except InvalidToken:
            return None

    def is_newest(self, sealed: str) -> bool:
        """Whether the first key sealed it, so that the others are not needed for it."""
        try:
            self._first.decrypt(sealed.encode())
        except InvalidToken:
            return False
        return True
