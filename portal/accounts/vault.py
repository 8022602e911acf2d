"""The session secret of an unlocked vault: made per session, sealed at rest, dropped on locking.

With it the browser encrypts the one key that it keeps from page to page; without it what a closed
browser leaves behind cannot be opened.
"""

import base64
import os
import uuid
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.accounts.sessions import Visit
from portal.crypto.kdf import KDF
from portal.crypto.sealing import Sealer
from portal.models import Account, AuthSession

SECRET_BYTES = 32


def unlock(session: Session, sealer: Sealer, visit: Visit) -> str:
    """A new secret for this session, 32 bytes in base64."""
    secret = base64.b64encode(os.urandom(SECRET_BYTES)).decode()
    _keep(session, visit.session_id, sealer.seal(secret))
    return secret


def lock(session: Session, session_id: uuid.UUID) -> None:
    """Drop the secret."""
    _keep(session, session_id, None)


def _keep(session: Session, session_id: uuid.UUID, sealed: str | None) -> None:
    session.execute(
        update(AuthSession).where(AuthSession.id == session_id).values(vault_secret=sealed)
    )


def live_secret(session: Session, sealer: Sealer, visit: Visit) -> str | None:
    """The secret of an unlocked session; None while locked."""
    if not visit.is_unlocked:
        return None
    sealed = session.scalar(
        select(AuthSession.vault_secret).where(AuthSession.id == visit.session_id)
    )
    return sealer.open(sealed) if sealed else None


def material(session: Session, visit: Visit) -> dict[str, Any]:
    """What the browser needs besides the secret to open the person's keys."""
    account = session.execute(
        select(
            Account.kdf_iterations,
            Account.public_key,
            Account.protected_user_key,
            Account.protected_private_key,
        ).where(Account.id == visit.account_id)
    ).one()
    return {
        "account_id": str(visit.account_id),
        "session_id": str(visit.session_id),
        "email": visit.email,
        "kdf": KDF,
        "iterations": account.kdf_iterations,
        "public_key": account.public_key,
        "protected_user_key": account.protected_user_key,
        "protected_private_key": account.protected_private_key,
        "expires_at": visit.expires_at.isoformat(),
    }
