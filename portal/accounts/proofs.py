"""Checking what a signed-in person offers as proof, by means of the request's session."""

import secrets
import uuid

from flask import session
from flask_babel import get_locale
from flask_login import current_user

from portal.accounts import codes, second_factor, sign_in
from portal.domain.emails import normalise
from portal.extensions import db
from portal.web.logs import trace


def second_factor_is_right(code: str) -> bool:
    """Whether it is a code of the person's app or one of their recovery codes; both are used up."""
    account_id = current_user.account_id
    if second_factor.use_totp(db.session(), sign_in.sealer("totp"), account_id, code):
        return True
    keys = sign_in.secret_keys()
    return second_factor.use_recovery_code(db.session(), keys, account_id, code, trace())


def ask_code(email: str) -> None:
    """Queue a mail with a code for `email`, bound to this browser by a value in its cookie."""
    browser = secrets.token_urlsafe(32)
    locale = get_locale()
    challenge = codes.ask(
        db.session(), email=email, browser=browser, locale=locale.language if locale else "en"
    )
    session["challenge"] = [challenge.hex, browser]
    session["address"] = normalise(email)


def spend_code(code: str) -> uuid.UUID | codes.Refusal:
    """The account whose code this is; the try counts, so commit whatever the answer."""
    try:
        challenge, browser = session["challenge"]
        challenge_id = uuid.UUID(challenge)
    except (KeyError, ValueError, TypeError):
        return codes.Refusal.SPENT
    return codes.spend(
        db.session(),
        sign_in.secret_keys(),
        challenge_id=challenge_id,
        browser=browser,
        code=code,
    )
