"""People with accounts, and the short way to be signed in as one of them."""

import datetime as dt
import uuid
from dataclasses import dataclass
from functools import cache
from typing import Any

import pyotp
from sqlalchemy import select, update

from portal.accounts import second_factor, service, sessions
from portal.crypto.keys import AccountKeys, new_account_keys
from portal.crypto.sealing import Sealer
from portal.crypto.tokens import mail_codes
from portal.domain.access import Trace
from portal.models import Account, AuthSession, SignInCode
from tests.support.browsing import Browser, Page
from tests.support.databases import SECRET_KEY
from tests.support.eventlog import all_told
from tests.support.lookups import Database

PASSWORD = "correct horse battery staple"
JSON = {"Accept": "application/json"}
# Looks like a sign-in hash and is nobody's.
WRONG = "A" * 43 + "="


@dataclass(frozen=True)
class Person:
    """An account in the database, and what only its owner knows."""

    account_id: uuid.UUID
    email: str
    name: str
    keys: AccountKeys | None = None
    totp_secret: str = ""
    recovery_codes: tuple[str, ...] = ()

    @property
    def totp(self) -> str:
        """The code that the app shows now."""
        return pyotp.TOTP(self.totp_secret).now()


@cache
def keys_for(email: str, password: str = PASSWORD) -> AccountKeys:
    """What a browser makes; the same for the whole run, since it takes half a second."""
    return new_account_keys(email, password)


def posted_keys(keys: AccountKeys) -> dict[str, str]:
    """The hidden fields of `data-make-account`."""
    return {
        "kdf_iterations": str(keys.iterations),
        "signin_hash": keys.signin_hash,
        "protected_user_key": keys.protected_user_key,
        "public_key": keys.public_key,
        "protected_private_key": keys.protected_private_key,
    }


def make_person(
    database: Database,
    email: str = "ada@northwind.example",
    name: str = "Ada Nordström",
    *,
    keys: bool = False,
    second: bool = False,
    locale: str | None = "en",
) -> Person:
    """An account; with keys it has the master password `PASSWORD`, `second` is a TOTP app."""
    made = keys_for(email) if keys else None
    stored = service.AccountKeys(**_stored(made)) if made else None
    with database.session() as session:
        account = service.create_account(
            session, email=email, name=name, locale=locale, keys=stored, trace=Trace()
        )
        secret, codes = _set_up(session, account.id) if second else ("", [])
        return Person(account.id, account.email, name, made, secret, tuple(codes))


def _stored(keys: AccountKeys) -> dict[str, object]:
    return posted_keys(keys) | {"kdf_iterations": keys.iterations}


def _set_up(session, account_id: uuid.UUID) -> tuple[str, list[str]]:
    secret = second_factor.new_secret()
    second_factor.enable(
        session, Sealer((SECRET_KEY,), "totp"), account_id, secret, step=0, trace=Trace()
    )
    return secret, second_factor.renew_recovery_codes(session, (SECRET_KEY,), account_id, Trace())


def sign_in_as(
    browser: Browser,
    database: Database,
    person: Person,
    *,
    method: str = "password",
    second: bool = False,
) -> str:
    """Put a live session into the browser's cookie without any page; returns its token."""
    with database.session() as session:
        token, row = sessions.begin(
            session, person.account_id, method=method, pending=False, browser="test", source="test"
        )
        if second:
            row.second_factor_at = row.authenticated_at
    with browser.client.session_transaction() as cookie:
        cookie.clear()
        cookie["_user_id"] = token
        cookie["address"] = person.email
    return token


def age(database: Database, person: Person, **ago: float) -> None:
    """Let the person's sessions be as old as a timedelta of `ago`."""
    then = dt.datetime.now(dt.UTC) - dt.timedelta(**ago)
    database.run(
        update(AuthSession)
        .where(AuthSession.account_id == person.account_id)
        .values(seen_at=then, authenticated_at=then)
    )


def newest_code(database: Database, email: str) -> str:
    """The code that the mail to this address holds."""
    challenge = database.all(
        select(SignInCode.id).where(SignInCode.email == email).order_by(SignInCode.created_at)
    )[-1]
    return mail_codes((SECRET_KEY,), challenge)[0]


def stored_account(database: Database, person: Person) -> Account:
    return database.one(select(Account).where(Account.id == person.account_id))


def attempt(
    browser: Browser, email: str, signin_hash: str = WRONG, *, status: int = 422, **more: str
) -> Page:
    """Send the sign-in form as it is after the browser derived the hash."""
    fields = {"email": email, "signin_hash": signin_hash} | more
    return browser.post("/sign-in", fields, status=status)


def guess(browser: Browser, email: str, source: str = "127.0.0.1") -> int:
    """A wrong hash from an address of the network; the status of the answer."""
    fields = {"email": email, "signin_hash": WRONG, "csrf_token": browser.csrf_token()}
    answer = browser.client.post(
        "/sign-in", data=fields, headers=JSON, environ_base={"REMOTE_ADDR": source}
    )
    return answer.status_code


def events(database: Database, kind: str) -> list[dict[str, Any]]:
    """The payloads of all events of a kind."""
    return all_told(database, kind)
