"""The second factor: codes of an authenticator app (RFC 6238) and single-use recovery codes."""

import datetime as dt
import hashlib
import hmac
import secrets
import uuid

import pyotp
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from portal.accounts.service import stream
from portal.crypto.sealing import Sealer
from portal.crypto.tokens import derive_key
from portal.domain.access import Trace
from portal.events.record import record
from portal.models import Account, RecoveryCode, utc_now

STEP_SECONDS = 30
RECOVERY_CODES = 10
# Without letters that are read as digits; 16 of these are 80 bits.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_LENGTH = 16


def new_secret() -> str:
    """160 random bits in base32, as RFC 4226 section 4 recommends."""
    return pyotp.random_base32()


def provisioning_uri(secret: str, *, email: str, issuer: str) -> str:
    """The `otpauth://` address that authenticator apps read from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=issuer)


def grouped(text: str) -> str:
    """`ABCDEFGH` as `ABCD EFGH`: for reading and typing."""
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def matching_step(secret: str, code: str, now: dt.datetime) -> int | None:
    """The time step whose code this is; clocks may differ by one step (RFC 6238, 5.2)."""
    digits = "".join(code.split()).encode()
    current = int(now.timestamp()) // STEP_SECONDS
    totp = pyotp.TOTP(secret)
    steps = [
        step
        for step in (current - 1, current, current + 1)
        if hmac.compare_digest(totp.at(step * STEP_SECONDS).encode(), digits)
    ]
    return steps[-1] if steps else None


def enable(
    session: Session, sealer: Sealer, account_id: uuid.UUID, secret: str, step: int, trace: Trace
) -> bool:
    """Store the secret whose first code was right; False if another one is stored already."""
    stored = session.execute(
        update(Account)
        .where(Account.id == account_id, Account.totp_secret.is_(None))
        .values(totp_secret=sealer.seal(secret), totp_last_step=step)
        .returning(Account.id)
    ).one_or_none()
    if stored is None:
        return False
    record(
        session,
        None,
        "account:second_factor:enable",
        streams=[stream(account_id)],
        subject_id=account_id,
        trace=trace,
    )
    return True


def disable(session: Session, account_id: uuid.UUID, trace: Trace) -> None:
    """Forget the secret and the recovery codes."""
    session.execute(
        update(Account)
        .where(Account.id == account_id)
        .values(totp_secret=None, totp_last_step=None)
    )
    session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    record(
        session,
        None,
        "account:second_factor:disable",
        streams=[stream(account_id)],
        subject_id=account_id,
        trace=trace,
    )


def use_totp(session: Session, sealer: Sealer, account_id: uuid.UUID, code: str) -> bool:
    """Whether the code is right and newer than every code used before (no replay)."""
    sealed = session.scalar(select(Account.totp_secret).where(Account.id == account_id))
    secret = sealer.open(sealed) if sealed else None
    step = matching_step(secret, code, utc_now()) if secret else None
    if sealed is None or secret is None or step is None:
        return False
    # A seed that an older key of the portal sealed is sealed anew, so that key can go one day.
    kept = sealed if sealer.is_newest(sealed) else sealer.seal(secret)
    used = session.execute(
        update(Account)
        .where(
            Account.id == account_id,
            Account.totp_secret == sealed,
            or_(Account.totp_last_step.is_(None), Account.totp_last_step < step),
        )
        .values(totp_last_step=step, totp_secret=kept)
        .returning(Account.id)
    )
    return used.one_or_none() is not None


def _code_hashes(secret_keys: tuple[str, ...], account_id: uuid.UUID, code: str) -> list[str]:
    """Keyed, so that a stolen database is no place to guess in; the first is the stored one."""
    plain = "".join(char for char in code.lower() if char.isalnum())
    message = account_id.bytes + plain.encode()
    keys = [derive_key(secret, "recovery-code") for secret in secret_keys]
    return [hmac.new(key, message, hashlib.sha256).hexdigest() for key in keys]


def renew_recovery_codes(
    session: Session, secret_keys: tuple[str, ...], account_id: uuid.UUID, trace: Trace
) -> list[str]:
    """Ten new codes, `abcd-efgh-jkmn-pqrs`, to be shown once; older ones stop working."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    codes = [_new_code() for _ in range(RECOVERY_CODES)]
    session.add_all(
        RecoveryCode(
            account_id=account_id, code_hash=_code_hashes(secret_keys, account_id, code)[0]
        )
        for code in codes
    )
    record(
        session,
        None,
        "account:recovery_codes:create",
        streams=[stream(account_id)],
        subject_id=account_id,
        trace=trace,
    )
    return codes


def _new_code() -> str:
    text = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    return "-".join(text[at : at + 4] for at in range(0, _LENGTH, 4))


def use_recovery_code(
    session: Session, secret_keys: tuple[str, ...], account_id: uuid.UUID, code: str, trace: Trace
) -> bool:
    """Spend a recovery code, once, whoever else tries at the same moment."""
    used = session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.account_id == account_id,
            RecoveryCode.code_hash.in_(_code_hashes(secret_keys, account_id, code)),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=utc_now())
        .returning(RecoveryCode.id)
    ).one_or_none()
    if used is None:
        return False
    record(
        session,
        None,
        "account:second_factor:recovery_used",
        streams=[stream(account_id)],
        subject_id=account_id,
        trace=trace,
        codes_left=count_recovery_codes(session, account_id),
    )
    return True


def count_recovery_codes(session: Session, account_id: uuid.UUID) -> int:
    """How many recovery codes are unused."""
    unused = select(func.count()).where(
        RecoveryCode.account_id == account_id, RecoveryCode.used_at.is_(None)
    )
    return int(session.scalar(unused) or 0)
