"""Another e-mail address: it waits in a row until whoever reads the new mailbox confirms it.

The address is the salt of the master password, so the new sign-in hash and the re-wrapped user
key wait in the same row and take their places in the same transaction.
"""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy import delete, exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from portal.accounts import sessions
from portal.accounts.service import ChangedKey, stream
from portal.crypto.tokens import Link
from portal.domain.access import Trace
from portal.domain.errors import N_, refuse
from portal.events.record import record
from portal.models import (
    Account,
    AddressChange,
    Attention,
    Member,
    ProviderPerson,
    SignInCode,
    new_id,
    utc_now,
)
from portal.models.writing import rows_changed
from portal.outbox import enqueue

VALID = dt.timedelta(hours=24)
CONFIRM, CANCEL = "address-change", "address-change-cancel"
OVER = N_("This change of address is over: it was confirmed, cancelled or replaced, or it is old.")
TAKEN = N_("This address belongs to another account. Nothing was changed.")


def ask(
    session: Session,
    account_id: uuid.UUID,
    *,
    before: str,
    after: str,
    key: ChangedKey | None,
    stored: str | None,
    locale: str,
    trace: Trace,
) -> None:
    """Keep the change and mail both addresses; an earlier one that waits is cancelled.

    `after` is in its stored form; `key` and `stored`, the argon2 text of its hash, are None for an
    account without keys. Whether the new address has an account is not told here.
    """
    drop_waiting(session, account_id)
    change = AddressChange(
        account_id=account_id,
        id=new_id(),
        old_email=before,
        new_email=after,
        kdf_iterations=key.kdf_iterations if key else None,
        signin_hash=stored,
        protected_user_key=key.protected_user_key if key else None,
        expires_at=utc_now() + VALID,
    )
    session.add(change)
    session.flush()
    _record(session, "account:address:ask", account_id, trace, before=before, after=after)
    payload = {"account": str(account_id), "change": str(change.id), "locale": locale}
    for topic in ("mail.address_confirm", "mail.address_notice"):
        enqueue(session, topic, payload, account_id=account_id, subject_id=change.id)


def drop_waiting(session: Session, account_id: uuid.UUID) -> None:
    """What waits was made with what is about to change."""
    session.execute(
        update(AddressChange)
        .where(AddressChange.account_id == account_id, *_waiting())
        .values(cancelled_at=utc_now())
        .execution_options(synchronize_session=False)
    )


def _waiting() -> tuple[Any, ...]:
    return (
        AddressChange.confirmed_at.is_(None),
        AddressChange.cancelled_at.is_(None),
        AddressChange.expires_at > utc_now(),
    )


def find(session: Session, link: Link) -> Any:
    """(old_email, new_email) of a change that waits; None where it is over."""
    found = select(AddressChange.old_email, AddressChange.new_email).where(
        AddressChange.account_id == link.tenant_id, AddressChange.id == link.row_id, *_waiting()
    )
    return session.execute(found).one_or_none()


def confirm(session: Session, link: Link, trace: Trace) -> None:
    """Swap address, hash and user key at once; every session ends. Raises `RuleError`."""
    change = session.execute(
        update(AddressChange)
        .where(
            AddressChange.account_id == link.tenant_id, AddressChange.id == link.row_id, *_waiting()
        )
        .values(confirmed_at=utc_now())
        .returning(
            AddressChange.old_email,
            AddressChange.new_email,
            AddressChange.kdf_iterations,
            AddressChange.signin_hash,
            AddressChange.protected_user_key,
        )
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if change is None:
        raise refuse(OVER)
    _swap(session, link.tenant_id, change)
    for table in (Member, ProviderPerson):
        _rename(session, table, link.tenant_id, change.new_email)
    session.execute(delete(SignInCode).where(SignInCode.account_id == link.tenant_id))
    sessions.end_all(session, link.tenant_id)
    _record(
        session,
        "account:address:change",
        link.tenant_id,
        trace,
        before=change.old_email,
        after=change.new_email,
    )


def _swap(session: Session, account_id: uuid.UUID, change: Any) -> None:
    values: dict[str, Any] = {"email": change.new_email}
    if change.signin_hash:
        values |= {
            "kdf_iterations": change.kdf_iterations,
            "signin_hash": change.signin_hash,
            "protected_user_key": change.protected_user_key,
        }
    has_keys = Account.signin_hash.is_not(None)
    try:
        swapped = rows_changed(
            session,
            update(Account)
            .where(
                Account.id == account_id,
                Account.email == change.old_email,
                # Keys that were made since would not fit the new address.
                has_keys if change.signin_hash else ~has_keys,
            )
            .values(**values)
            .execution_options(synchronize_session=False),
        )
    except IntegrityError:
        raise refuse(TAKEN) from None
    if swapped != 1:
        raise refuse(OVER)


def _rename(session: Session, table: Any, account_id: uuid.UUID, email: str) -> None:
    """The shown address follows the account, unless that address has a place there already."""
    tenant = "organization_id" if table is Member else "provider_id"
    other = aliased(table)
    taken = exists().where(
        getattr(other, tenant) == getattr(table, tenant),
        other.email == email,
        other.id != table.id,
    )
    renamed = session.scalars(
        update(table)
        .where(table.account_id == account_id, ~taken)
        .values(email=email)
        .returning(table.id)
        .execution_options(synchronize_session=False)
    )
    # Whoever waits is listed by that address too.
    session.execute(
        update(Attention)
        .where(Attention.subject_id.in_(renamed.all()))
        .values(label=email)
        .execution_options(synchronize_session=False)
    )


def cancel(session: Session, link: Link, trace: Trace) -> bool:
    """Drop a change that waits; False where it is over."""
    cancelled = session.execute(
        update(AddressChange)
        .where(
            AddressChange.account_id == link.tenant_id, AddressChange.id == link.row_id, *_waiting()
        )
        .values(cancelled_at=utc_now())
        .returning(AddressChange.old_email, AddressChange.new_email)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if cancelled is None:
        return False
    _record(
        session,
        "account:address:cancel",
        link.tenant_id,
        trace,
        before=cancelled.old_email,
        after=cancelled.new_email,
    )
    return True


def _record(
    session: Session, kind: str, account_id: uuid.UUID, trace: Trace, **details: Any
) -> None:
    record(
        session,
        None,
        kind,
        streams=[stream(account_id)],
        subject_id=account_id,
        trace=trace,
        **details,
    )
