"""Members are confirmed by the unlocked browser of somebody who may, where that is chosen.

The browser asks who waits, wraps the organization's key for each, and hands the strings over. All
that is asked of confirming by hand is asked here too, by the same service; what nobody does is to
compare the fingerprint phrases.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, exists, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from portal import events
from portal.domain.access import Actor
from portal.domain.automatic_confirmation import (
    Terms,
    Waiting,
    check_turning_on,
    is_let_in,
)
from portal.domain.errors import RuleError
from portal.domain.policies import PolicyKind
from portal.events.queries import subjects
from portal.members import conditions, confirmation, queries
from portal.members.confirmation import KeyChanged
from portal.models import Account, Organization, OrganizationSettings, Policy
from portal.models.writing import rows_changed
from portal.organizations.domains import verified_domains
from portal.organizations.service import streams_in

BATCH = 20
KEY_CHANGED = "organization:member:key_changed"


@dataclass(frozen=True)
class Handed:
    """What a browser wrapped for one member: the key it was wrapped for, and the string."""

    public_key: str
    wrapped_key: str


@dataclass(frozen=True)
class Found:
    """Some of those who wait; `after` is where to look on, None where these were the last."""

    members: Sequence[Row[Any]] = ()
    after: uuid.UUID | None = None


@dataclass
class Done:
    """How many were confirmed, and whose key was another one than was wrapped for."""

    confirmed: int = 0
    changed: list[KeyChanged] = field(default_factory=list)


def terms_of(session: Session, organization_id: uuid.UUID) -> Terms:
    """What the organization has chosen, and what that needs."""
    chosen = exists().where(
        OrganizationSettings.organization_id == Organization.id,
        OrganizationSettings.confirms_automatically,
    )
    single = exists().where(
        Policy.organization_id == Organization.id,
        Policy.kind == PolicyKind.SINGLE_ORGANIZATION,
        Policy.is_on,
    )
    row = session.execute(
        select(Organization.plan, chosen.label("is_on"), single.label("single")).where(
            Organization.id == organization_id
        )
    ).one()
    domains = verified_domains(session, organization_id)
    return Terms(bool(row.is_on), row.plan, domains, bool(row.single))


def turn(session: Session, actor: Actor, organization_id: uuid.UUID, *, on: bool) -> bool:
    """Turn it on or off; False where that is so already. Raises `RuleError` for what lacks."""
    conditions.hold(session, organization_id)
    if on:
        check_turning_on(terms_of(session, organization_id))
    _make_row(session, organization_id)
    turned = rows_changed(
        session,
        update(OrganizationSettings)
        .where(
            OrganizationSettings.organization_id == organization_id,
            OrganizationSettings.confirms_automatically != on,
        )
        .values(confirms_automatically=on)
        .execution_options(synchronize_session=False),
    )
    if turned != 1:
        return False
    events.record(
        session,
        actor,
        f"organization:automatic_confirmation:{'enable' if on else 'disable'}",
        streams=streams_in(actor, organization_id),
        subject_id=organization_id,
    )
    return True


def _make_row(session: Session, organization_id: uuid.UUID) -> None:
    """The row of the organization's settings, with the defaults if there is none."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    added = dialect.insert(OrganizationSettings).values(organization_id=organization_id)
    session.execute(added.on_conflict_do_nothing())


def waiting(session: Session, organization_id: uuid.UUID, after: uuid.UUID | None = None) -> Found:
    """Some of those whom a browser may confirm now, the next ones after `after`."""
    terms = terms_of(session, organization_id)
    if not terms.holds:
        return Found()
    rows = queries.waiting_users(
        session, organization_id, terms.domains, after=after, size=BATCH + 1
    )
    if not rows:
        return Found()
    fits = _Fits(session, organization_id, terms, rows[0].provider_id)
    members = [row for row in rows[:BATCH] if fits(row) and _comes_in(session, row)]
    return Found(members, rows[BATCH - 1].id if len(rows) > BATCH else None)


def _comes_in(session: Session, row: Row[Any]) -> bool:
    coming = conditions.Coming.of(row)
    return conditions.obstacle(session, coming, conditions.Step.CONFIRM) is None


class _Fits:
    """Asks the rule about rows of `queries`, with what all of them have in common read once."""

    def __init__(
        self,
        session: Session,
        organization_id: uuid.UUID,
        terms: Terms,
        provider_id: uuid.UUID | None,
    ) -> None:
        self._terms = terms
        self._changed = subjects(session, organization_id, KEY_CHANGED)
        self._staff: frozenset[uuid.UUID] = frozenset()
        if provider_id is not None:
            self._staff = queries.provider_accounts(session, provider_id)

    def __call__(self, row: Row[Any]) -> bool:
        person = Waiting(
            role=row.role,
            state=row.state,
            email=row.email,
            has_keys=row.public_key is not None,
            is_of_provider=row.account_id in self._staff,
            key_changed=row.id in self._changed,
        )
        return is_let_in(person, self._terms)


def confirm(
    session: Session,
    actor: Actor,
    organization_id: uuid.UUID,
    handed: Mapping[uuid.UUID, Handed],
    *,
    key_version: str,
) -> Done:
    """Confirm those of at most `BATCH` members whom the rule lets in and who still wait.

    Whoever was confirmed meanwhile, by another browser or by hand, is passed over in silence. The
    caller tells of changed keys (`confirmation.raise_alarm`).
    """
    conditions.hold(session, organization_id)
    terms, done = terms_of(session, organization_id), Done()
    if not terms.holds:
        return done
    rows = [queries.find(session, organization_id, each) for each in sorted(handed)[:BATCH]]
    found = [row for row in rows if row is not None]
    if not found:
        return done
    fits = _Fits(session, organization_id, terms, found[0].provider_id)
    fitting = [row for row in found if fits(row)]
    _lock_accounts(session, fitting)
    for row in fitting:
        try:
            with session.begin_nested():
                confirmation.confirm(
                    session,
                    actor,
                    row,
                    public_key=handed[row.id].public_key,
                    wrapped_key=handed[row.id].wrapped_key,
                    key_version=key_version,
                    automatic=True,
                )
        except KeyChanged as changed:
            done.changed.append(changed)
        except RuleError:
            continue
        else:
            done.confirmed += 1
    return done


def _lock_accounts(session: Session, rows: Sequence[Row[Any]]) -> None:
    """In one order: the same people may be on their way into another organization too."""
    locked = select(Account.id).where(Account.id.in_([row.account_id for row in rows]))
    session.execute(locked.order_by(Account.id).with_for_update(key_share=True)).all()
