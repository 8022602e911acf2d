"""Policies are changed: looked at first, then applied whole, to exactly whom the look named."""

import uuid
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from portal import events
from portal.domain.access import Actor
from portal.domain.errors import N_, RuleError, refuse
from portal.domain.policies import PolicyKind, check_domains, check_switch
from portal.domain.policy_data import AccountRecovery, Data, MasterPassword, to_store
from portal.domain.policy_effects import Effect, digest, effects, enrolling, holding
from portal.members import changes, conditions
from portal.models import Policy, utc_now
from portal.organizations.domains import verified_domains
from portal.organizations.service import recount_setup, streams_in
from portal.outbox import enqueue
from portal.policies import queries
from portal.policies.queries import Stored

OFFERED = (
    PolicyKind.MASTER_PASSWORD,
    PolicyKind.TWO_STEP,
    PolicyKind.ACCOUNT_RECOVERY,
    PolicyKind.SINGLE_ORGANIZATION,
    PolicyKind.VAULT_TIMEOUT,
    PolicyKind.VAULT_BANNER,
    PolicyKind.BLOCK_ACCOUNT_CREATION,
    PolicyKind.DATA_OWNERSHIP,
    PolicyKind.PASSWORD_GENERATOR,
    PolicyKind.NO_PERSONAL_EXPORT,
    PolicyKind.NO_PIN,
    PolicyKind.RESTRICTED_ITEM_TYPES,
    PolicyKind.URI_MATCH,
    PolicyKind.AUTOFILL,
    PolicyKind.AUTOTYPE,
    PolicyKind.FILL_ASSIST,
    PolicyKind.SEND_CONTROLS,
)
# What a baseline can say: whether a client has a verified domain is nobody's standard.
FOR_MANY = tuple(kind for kind in OFFERED if not kind.needs_domain)
_MYSELF = {
    PolicyKind.TWO_STEP: N_(
        "You have no second factor yourself, so this would revoke you. Set one up first."
    ),
    PolicyKind.SINGLE_ORGANIZATION: N_(
        "You belong to another organization yourself, so this would revoke you. Ask an owner."
    ),
}


class Changed(RuleError):
    """Somebody else has changed the policy since the page was opened."""

    def __init__(self) -> None:
        super().__init__(
            N_("Somebody else has changed this policy in the meantime. Look at both, then decide.")
        )


class Moved(RuleError):
    """The people are not those of the look any more."""

    def __init__(self) -> None:
        super().__init__(
            N_("The members have changed since you looked. Nothing was saved: look again.")
        )


@dataclass(frozen=True)
class Wanted:
    """What somebody wants a policy to be; `version` is that of the page they saw."""

    is_on: bool
    data: Data | None
    version: int

    def differs_from(self, stored: Stored) -> bool:
        return (self.is_on, self.data) != (stored.is_on, stored.data)


@dataclass(frozen=True)
class Look:
    """What saving would do: the policy as it stands, and what comes to whom."""

    stored: Stored
    effects: dict[uuid.UUID, Effect] = field(repr=False)
    people: dict[uuid.UUID, Row[Any]] = field(repr=False)

    @property
    def digest(self) -> str:
        return digest(self.effects)


def look(
    session: Session, actor: Actor, organization_id: uuid.UUID, kind: PolicyKind, wanted: Wanted
) -> Look:
    """What saving would do now. Raises `Changed`, or `RuleError` where it cannot be."""
    policies = queries.stored(session, organization_id, OFFERED)
    stored = policies[kind]
    # The same once more, such as a second click, overwrites nothing.
    if stored.version != wanted.version and wanted.differs_from(stored):
        raise Changed
    if wanted.is_on != stored.is_on:
        are_on = [each for each, policy in policies.items() if policy.is_on]
        check_switch(kind, on=wanted.is_on, are_on=are_on)
        domains = verified_domains(session, organization_id)
        check_domains(kind, on=wanted.is_on, domains=domains)
    if wanted.is_on and wanted.data:
        wanted.data.check_on()
    rows = queries.people(session, organization_id)
    turns_on = wanted.is_on and not stored.is_on
    standings = [queries.standing_of(row) for row in rows]
    found = effects(kind, standings, turns_on=turns_on)
    if _enrols_all(wanted) and not _enrols_all(stored):
        found |= enrolling(standings)
    if wanted.is_on and wanted.differs_from(stored):
        at_sign_in = isinstance(wanted.data, MasterPassword) and wanted.data.at_sign_in
        found |= holding(kind, standings, at_sign_in=at_sign_in)
    people = {row.id: row for row in rows if row.id in found}
    own = [row for row in people.values() if row.account_id == actor.account_id]
    if own and found[own[0].id] is Effect.REVOKED:
        raise refuse(_MYSELF[kind])
    return Look(stored, found, people)


def _enrols_all(policy: Wanted | Stored) -> bool:
    enrols = isinstance(policy.data, AccountRecovery) and policy.data.enrols_all
    return policy.is_on and enrols


def save(
    session: Session,
    actor: Actor,
    organization_id: uuid.UUID,
    kind: PolicyKind,
    wanted: Wanted,
    *,
    seen: str,
) -> Look:
    """Store it and do what the look said; raises `Moved` if that were something else now.

    Revokes whom the policy lets in no longer, each with an event and a mail.
    """
    conditions.hold(session, organization_id)
    if wanted.is_on:
        queries.accounts(session, organization_id)
    found = look(session, actor, organization_id, kind, wanted)
    if not wanted.differs_from(found.stored):
        return found
    if found.digest != seen:
        raise Moved
    _keep(session, actor, organization_id, found.stored, wanted)
    for member_id, effect in found.effects.items():
        if effect is Effect.REVOKED:
            _revoke(session, actor, found.people[member_id], kind)
    recount_setup(session, organization_id)
    return found


def turn_on_by_itself(session: Session, organization_id: uuid.UUID, kind: PolicyKind) -> bool:
    """Turn it on because of something else, unless that shuts somebody out: returns if it is on.

    Whoever would be revoked is named on a page before somebody decides it; nobody decides here.
    """
    conditions.hold(session, organization_id)
    queries.accounts(session, organization_id)
    stored = queries.stored(session, organization_id, [kind])[kind]
    if stored.is_on:
        return True
    if revoked_by(session, organization_id, kind):
        return False
    wanted = Wanted(is_on=True, data=stored.data, version=stored.version)
    _keep(session, None, organization_id, stored, wanted)
    recount_setup(session, organization_id)
    return True


def revoked_by(session: Session, organization_id: uuid.UUID, kind: PolicyKind) -> int:
    """How many members turning it on would revoke."""
    standings = [queries.standing_of(row) for row in queries.people(session, organization_id)]
    found = effects(kind, standings, turns_on=True)
    return sum(effect is Effect.REVOKED for effect in found.values())


def keep_off(session: Session, actor: Actor, organization_id: uuid.UUID, stored: Stored) -> None:
    """Turn off one that is on, with its event; who calls has held the organization."""
    wanted = Wanted(is_on=False, data=stored.data, version=stored.version)
    _keep(session, actor, organization_id, stored, wanted)


def _keep(
    session: Session,
    actor: Actor | None,
    organization_id: uuid.UUID,
    stored: Stored,
    wanted: Wanted,
) -> None:
    _store(session, organization_id, stored.kind, wanted)
    events.record(
        session,
        actor,
        "organization:policy:update",
        streams=streams_in(actor, organization_id),
        subject_id=organization_id,
        policy=stored.kind.value,
        before={"on": stored.is_on, **to_store(stored.data)},
        after={"on": wanted.is_on, **to_store(wanted.data)},
    )


def _store(session: Session, organization_id: uuid.UUID, kind: PolicyKind, wanted: Wanted) -> None:
    values = {
        "is_on": wanted.is_on,
        "data": to_store(wanted.data),
        "version": wanted.version + 1,
        "changed_at": utc_now(),
    }
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    added = dialect.insert(Policy).values(organization_id=organization_id, kind=kind, **values)
    key = [Policy.organization_id, Policy.kind]
    session.execute(added.on_conflict_do_update(index_elements=key, set_=values))


def _revoke(session: Session, actor: Actor, member: Row[Any], kind: PolicyKind) -> None:
    changes.revoke_for(session, actor, member, because=kind.value)
    enqueue(
        session,
        "mail.policy_revoked",
        {
            "organization": str(member.organization_id),
            "member": str(member.id),
            "policy": kind.value,
            "locale": member.locale or member.invitation_locale,
        },
        organization_id=member.organization_id,
        provider_id=member.provider_id,
        account_id=member.account_id,
        subject_id=member.id,
    )
