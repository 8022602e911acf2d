"""Writes that belong to the logs: checkpoints on demand, retention, and the mail at each entry."""

import uuid

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from portal import events
from portal.domain.access import Actor, Role
from portal.domain.errors import N_, refuse
from portal.events import Stream, checkpoints, signing
from portal.models import Account, EntryWatcher, EventCheckpoint, Outbox, Provider, utc_now
from portal.outbox import enqueue

TOPIC = "mail.provider_entered"


def sign_now(session: Session, secret_keys: tuple[str, ...], stream_id: uuid.UUID) -> int | None:
    """Sign the last row of a log; its number, or None where it is signed already."""
    made = checkpoints.sign_tip(session, signing.signer(session, secret_keys), stream_id)
    return made.seq if made else None


def newest_checkpoint(session: Session, stream_id: uuid.UUID) -> EventCheckpoint | None:
    """The last signature over a log."""
    found = select(EventCheckpoint).where(EventCheckpoint.stream_id == stream_id)
    return session.scalars(found.order_by(EventCheckpoint.seq.desc()).limit(1)).first()


def kept_months(session: Session, provider_id: uuid.UUID) -> int | None:
    """How many months the provider keeps events; None for good."""
    return session.scalar(select(Provider.events_kept_months).where(Provider.id == provider_id))


def keep(session: Session, actor: Actor, provider_id: uuid.UUID, months: int | None) -> bool:
    """Set how long events are kept; False where nothing changes."""
    before = kept_months(session, provider_id)
    if before == months:
        return False
    session.execute(
        update(Provider)
        .where(Provider.id == provider_id)
        .values(events_kept_months=months)
        .execution_options(synchronize_session=False)
    )
    events.record(
        session,
        actor,
        "provider:log:keep",
        streams=[Stream("provider", provider_id)],
        subject_id=provider_id,
        before=before,
        after=months,
    )
    return True


def is_watching(session: Session, organization_id: uuid.UUID, account_id: uuid.UUID) -> bool:
    """Whether somebody gets a mail when the provider enters."""
    return session.get(EntryWatcher, (organization_id, account_id)) is not None


def watch(session: Session, actor: Actor, organization_id: uuid.UUID, *, on: bool) -> None:
    """Turn the mail at each entry on or off for an owner. Raises `RuleError` for anybody else."""
    if actor.role is not Role.OWNER or actor.via_provider:
        raise refuse(N_("Only an owner of the organization gets this mail."))
    if on == is_watching(session, organization_id, actor.account_id):
        return
    values = {"organization_id": organization_id, "account_id": actor.account_id}
    if on:
        dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
        session.execute(dialect.insert(EntryWatcher).values(values).on_conflict_do_nothing())
    else:
        session.execute(delete(EntryWatcher).filter_by(**values))
    events.record(
        session,
        actor,
        "organization:log:watch",
        streams=[Stream("organization", organization_id)],
        subject_id=actor.account_id,
        on=on,
    )


def tell_watchers(session: Session, actor: Actor) -> None:
    """Queue a mail for each owner who wants one, at most one a day for each technician.

    Runs after the entry's event, whose lock makes two entries at once come one after the other.
    """
    found = (
        select(EntryWatcher.account_id, Account.locale)
        .join(Account, Account.id == EntryWatcher.account_id)
        .where(EntryWatcher.organization_id == actor.organization_id)
    )
    watchers = session.execute(found).all()
    if not watchers or _told_today(session, actor):
        return
    for watcher in watchers:
        enqueue(
            session,
            TOPIC,
            {
                "organization": str(actor.organization_id),
                "account": str(watcher.account_id),
                "technician": str(actor.account_id),
                "locale": watcher.locale or "en",
            },
            organization_id=actor.organization_id,
            provider_id=actor.provider_id,
            account_id=watcher.account_id,
            subject_id=actor.account_id,
        )


def _told_today(session: Session, actor: Actor) -> bool:
    today = utc_now().replace(hour=0, minute=0, second=0, microsecond=0)
    told = (
        select(func.count())
        .select_from(Outbox)
        .where(
            Outbox.subject_id == actor.account_id,
            Outbox.created_at >= today,
            Outbox.topic == TOPIC,
            Outbox.organization_id == actor.organization_id,
        )
    )
    return bool(session.scalar(told))
