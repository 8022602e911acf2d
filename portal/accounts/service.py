"""Accounts: made, found, given keys, changed."""

import uuid
from dataclasses import dataclass, field

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.accounts import passwords, sessions
from portal.accounts.asked import check_new_account
from portal.crypto.fingerprint import fingerprint_phrase
from portal.crypto.kdf import ITERATIONS
from portal.crypto.tokens import stable_number
from portal.domain.access import Trace
from portal.domain.emails import normalise
from portal.domain.errors import N_, refuse
from portal.events.record import Stream, record
from portal.models import Account, new_id, utc_now
from portal.models.writing import rows_changed
from portal.outbox import enqueue

# Refusals of addresses that have no account go here, so that they take as long as the others.
NOBODY = uuid.UUID(int=0)
# What browsers have used for new accounts. Whoever raises the number keeps the old one here.
_USUAL_ITERATIONS = (ITERATIONS,)


@dataclass(frozen=True)
class AccountKeys:
    """What a browser makes from a master password; nothing in it opens anything by itself."""

    kdf_iterations: int
    signin_hash: str = field(repr=False)
    protected_user_key: str = field(repr=False)
    public_key: str
    protected_private_key: str = field(repr=False)


@dataclass(frozen=True)
class ChangedKey:
    """The user key under a new master password, and what proves that one."""

    kdf_iterations: int
    signin_hash: str = field(repr=False)
    protected_user_key: str = field(repr=False)


@dataclass(frozen=True)
class Profile:
    """What a person says of themselves. Empty `locale` or `time_zone`: decided elsewhere."""

    name: str
    locale: str
    time_zone: str
    theme: str


def stream(account_id: uuid.UUID) -> Stream:
    """The account's own event log."""
    return Stream("account", account_id)


def find_by_email(session: Session, email: str) -> Account | None:
    """The account of an address in whatever spelling, or None."""
    return session.scalar(select(Account).where(Account.email == normalise(email)))


def create_account(
    session: Session,
    *,
    email: str,
    name: str,
    locale: str | None,
    keys: AccountKeys | None,
    trace: Trace,
    invited_by: uuid.UUID | None = None,
) -> Account:
    """A new account; without `keys` it signs in by code until a browser has made them.

    An address that is taken fails in the database (`IntegrityError`). Raises `passwords.Busy`, and
    `RuleError` where accounts at its domain come from others than `invited_by`, an organization
    or a provider.
    """
    check_new_account(session, email, invited_by)
    account = Account(id=new_id(), email=normalise(email), name=name, locale=locale)
    if keys:
        account.kdf_iterations = keys.kdf_iterations
        account.signin_hash = passwords.store(keys.signin_hash)
        account.protected_user_key = keys.protected_user_key
        account.public_key = keys.public_key
        account.protected_private_key = keys.protected_private_key
    session.add(account)
    session.flush()
    record(
        session,
        None,
        "account:account:create",
        streams=[stream(account.id)],
        subject_id=account.id,
        trace=trace,
        with_keys=keys is not None,
    )
    return account


def store_keys(session: Session, account_id: uuid.UUID, keys: AccountKeys, trace: Trace) -> None:
    """Give an account its first keys. Raises `RuleError` if it has some already."""
    stored = session.execute(
        update(Account)
        .where(Account.id == account_id, Account.public_key.is_(None))
        .values(
            kdf_iterations=keys.kdf_iterations,
            signin_hash=passwords.store(keys.signin_hash),
            protected_user_key=keys.protected_user_key,
            public_key=keys.public_key,
            protected_private_key=keys.protected_private_key,
        )
        .returning(Account.id)
    ).one_or_none()
    if stored is None:
        raise refuse(N_("Your account already has keys. Load the page again."))
    record(
        session,
        None,
        "account:keys:create",
        streams=[stream(account_id)],
        subject_id=account_id,
        trace=trace,
        fingerprint=fingerprint_phrase(str(account_id), keys.public_key),
    )


def change_password(
    session: Session,
    account_id: uuid.UUID,
    changed: ChangedKey,
    *,
    stored: str,
    keep: uuid.UUID,
    locale: str,
    trace: Trace,
) -> None:
    """Put the new hash (`stored`, as argon2 made it) and the re-wrapped user key in place at once.

    All sessions but `keep` end; a mail tells the person. A temporary password is one no more.
    """
    was_temporary = session.scalar(
        select(Account.temporary_password_since).where(Account.id == account_id)
    )
    session.execute(
        update(Account)
        .where(Account.id == account_id, Account.public_key.is_not(None))
        .values(
            kdf_iterations=changed.kdf_iterations,
            signin_hash=stored,
            protected_user_key=changed.protected_user_key,
            temporary_password_since=None,
        )
    )
    ended = sessions.end_all(session, account_id, keep=keep)
    record(
        session,
        None,
        "account:password:replace" if was_temporary else "account:password:change",
        streams=[stream(account_id)],
        subject_id=account_id,
        trace=trace,
        sessions=ended,
    )
    enqueue(
        session,
        "mail.password_changed",
        {"account": str(account_id), "locale": locale},
        account_id=account_id,
    )


def give_temporary_password(
    session: Session,
    account_id: uuid.UUID,
    given: ChangedKey,
    *,
    stored: str,
    email: str,
    public_key: str,
) -> int | None:
    """Replace the master password by one that somebody else knows.

    Until the person has chosen another, nothing else is open to them. Every session ends; how
    many did is returned, None if the account has another address (the salt) or other keys by now.
    The second factor stays.
    """
    replaced = rows_changed(
        session,
        update(Account)
        .where(Account.id == account_id, Account.email == email, Account.public_key == public_key)
        .values(
            kdf_iterations=given.kdf_iterations,
            signin_hash=stored,
            protected_user_key=given.protected_user_key,
            temporary_password_since=utc_now(),
        ),
    )
    if replaced != 1:
        return None
    return sessions.end_all(session, account_id)


def update_profile(
    session: Session, account_id: uuid.UUID, before: Profile, after: Profile, trace: Trace
) -> bool:
    """Change what differs; returns whether anything did."""
    changed = {name: value for name, value in vars(after).items() if value != getattr(before, name)}
    if not changed:
        return False
    session.execute(
        update(Account)
        .where(Account.id == account_id)
        .values({name: value or None for name, value in changed.items()})
    )
    record(
        session,
        None,
        "account:profile:update",
        streams=[stream(account_id)],
        subject_id=account_id,
        trace=trace,
        before={name: getattr(before, name) for name in changed},
        after=changed,
    )
    return True


def change_language(session: Session, account_id: uuid.UUID, locale: str) -> None:
    """The language switch: a setting, too small for the event log."""
    session.execute(update(Account).where(Account.id == account_id).values(locale=locale))


def has_second_factor(session: Session, account_id: uuid.UUID) -> bool:
    """Whether signing in to the account takes a second step."""
    found = select(Account.totp_secret.is_not(None)).where(Account.id == account_id)
    return bool(session.scalar(found))


def kdf_iterations(session: Session, secret_keys: tuple[str, ...], email: str) -> int:
    """The PBKDF2 iterations of an address.

    Without an account, or without keys, one of the numbers that real accounts have, always the
    same for the same address.
    """
    account = find_by_email(session, email)
    choice = stable_number(secret_keys[0], "kdf", normalise(email), len(_USUAL_ITERATIONS))
    if account is None or account.public_key is None:
        return _USUAL_ITERATIONS[choice]
    return account.kdf_iterations


def replace_hash(session: Session, account_id: uuid.UUID, before: str, after: str) -> None:
    """Renew a stored hash, unless the password was changed meanwhile."""
    session.execute(
        update(Account)
        .where(Account.id == account_id, Account.signin_hash == before)
        .values(signin_hash=after)
    )


def locale_of(session: Session, account_id: uuid.UUID) -> str | None:
    """The language of mails to an account; None for one that is gone."""
    found = session.execute(select(Account.locale).where(Account.id == account_id)).one_or_none()
    return (found.locale or "en") if found else None
