"""Codes by mail: asked for by one browser, good for ten minutes, five tries and one use.

The code itself is an HMAC of the challenge's id (portal.crypto.tokens): the worker computes it
when it sends the mail, and nothing usable lies in the database.
"""

import datetime as dt
import hmac
import uuid
from enum import Enum

from sqlalchemy import case, update
from sqlalchemy.orm import Session

from portal.accounts import service
from portal.accounts.sessions import hash_token
from portal.crypto.tokens import mail_codes
from portal.domain.emails import normalise
from portal.models import SignInCode, new_id, utc_now
from portal.outbox.queue import enqueue

LIFETIME = dt.timedelta(minutes=10)
TRIES = 5


class Refusal(Enum):
    """Why a code did not count. `SPENT`: expired, used, or tried too often; ask for a new one."""

    WRONG = "wrong"
    SPENT = "spent"


def ask(session: Session, *, email: str, browser: str, locale: str) -> uuid.UUID:
    """A challenge for `email`, bound to the random value `browser`; the mail is queued.

    An address without an account gets the same row and no mail. The job is written for it too
    and taken back, so that both take the same time.
    """
    account = service.find_by_email(session, email)
    account_id = account.id if account else None
    challenge = SignInCode(
        id=new_id(),
        email=normalise(email),
        account_id=account_id,
        browser_hash=hash_token(browser),
        expires_at=utc_now() + LIFETIME,
    )
    session.add(challenge)
    session.flush()
    mailing = session.begin_nested()
    enqueue(
        session,
        "mail.sign_in_code",
        {"challenge": str(challenge.id), "locale": locale},
        account_id=account_id,
        subject_id=challenge.id,
    )
    if account_id:
        mailing.commit()
    else:
        mailing.rollback()
    return challenge.id


def spend(
    session: Session,
    secret_keys: tuple[str, ...],
    *,
    challenge_id: uuid.UUID,
    browser: str,
    code: str,
) -> uuid.UUID | Refusal:
    """The account whose code this is, or why not; the try counts either way, so commit.

    One UPDATE counts the try and uses the code, whoever else tries at the same moment.
    """
    digits = "".join(code.split()).replace("-", "").encode()
    right = False
    for good in mail_codes(secret_keys, challenge_id):
        right |= hmac.compare_digest(good.encode(), digits)
    now = utc_now()
    used = case((SignInCode.account_id.is_not(None), now), else_=None) if right else None
    counted = session.execute(
        update(SignInCode)
        .where(
            SignInCode.id == challenge_id,
            SignInCode.browser_hash == hash_token(browser),
            SignInCode.used_at.is_(None),
            SignInCode.expires_at > now,
            SignInCode.tries < TRIES,
        )
        .values(tries=SignInCode.tries + 1, used_at=used)
        .returning(SignInCode.account_id, SignInCode.tries)
    ).one_or_none()
    if counted is None:
        return Refusal.SPENT
    if right and counted.account_id is not None:
        return uuid.UUID(str(counted.account_id))
    return Refusal.SPENT if counted.tries >= TRIES else Refusal.WRONG
