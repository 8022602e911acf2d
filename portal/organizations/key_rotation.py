"""Rotating the key of one organization: everything that hung on the old one, in one transaction.

An unlocked browser makes the next key and wraps anew what the old one wrapped, and the next one
for everybody who had the old one. What it was given is named by a version; if anything of it has
changed by the time the answer comes, nothing is stored.
"""

import uuid
from collections.abc import Collection as Some
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, Select, Table, and_, bindparam, select, update
from sqlalchemy.orm import Session

from portal import events
from portal.crypto.envelope import SEALED_KEY_LENGTH, SEALED_PRIVATE_KEY_LENGTH, looks_sealed
from portal.crypto.fingerprint import fingerprint_phrase
from portal.crypto.versions import version_of
from portal.domain.access import Actor, Role
from portal.domain.errors import N_, RuleError, refuse
from portal.domain.provider_access import AccessMode
from portal.domain.states import MemberState
from portal.events import Stream
from portal.models import (
    Account,
    ClientAccess,
    Collection,
    Member,
    Organization,
    Provider,
    ProviderAccess,
    ProviderPerson,
)
from portal.organizations.keys import INCOMPLETE
from portal.providers.staff import check_actor, hold

OWNER_GONE = N_("You are not an owner of this organization any more.")
KEY_CHANGED = N_(
    "The key of %(names)s is not the one that was compared when they were confirmed. Find out why "
    "before you rotate."
)


class Moved(RuleError):
    """Somebody has changed what the browser was given: keys, people or collections."""

    def __init__(self) -> None:
        super().__init__(
            N_("Keys, people or collections have changed in the meantime. Nothing was stored.")
        )


@dataclass(frozen=True)
class World:
    """All that hangs on an organization's key.

    `members` are the confirmed ones, `people` those of the provider who hold the key themselves
    (`id` is that of their `client_access` row): each has id, account_id, name, email and
    public_key. `provider_public_key` is None without a provider that has keys and may come in.
    """

    organization: Row[Any]
    provider_public_key: str | None
    members: Sequence[Row[Any]]
    people: Sequence[Row[Any]]
    collections: Sequence[Row[Any]]

    @property
    def version(self) -> str:
        """Another one as soon as anything of it changes."""
        rows = [(row.id.hex, row.public_key) for row in (*self.members, *self.people)]
        rows += [(row.id.hex, row.sealed_name) for row in self.collections]
        parts = [part for row in rows for part in row]
        counts = [str(len(each)) for each in (self.members, self.people, self.collections)]
        return version_of(
            self.organization.protected_private_key, self.provider_public_key, *counts, *parts
        )

    @property
    def strangers(self) -> list[str]:
        """The names of members whose key is another one than was compared."""
        return [
            row.name
            for row in self.members
            if row.confirmed_public_key and row.confirmed_public_key != row.public_key
        ]


def world_of(session: Session, organization_id: uuid.UUID) -> World | None:
    """The organization as it stands; None while it has no keys."""
    found = _columns(
        Organization.id,
        Organization.provider_id,
        Organization.public_key,
        Organization.protected_private_key,
        Organization.key_rotation_due_since,
        Provider.public_key.label("provider_public_key"),
        Provider.rotation_due_since.label("provider_due_since"),
        ProviderAccess.mode.label("access_mode"),
    )
    found = found.outerjoin(Provider, Provider.id == Organization.provider_id).outerjoin(
        ProviderAccess, ProviderAccess.organization_id == Organization.id
    )
    row = session.execute(found.where(Organization.id == organization_id)).one_or_none()
    if row is None or row.public_key is None:
        return None
    return World(
        row,
        # A provider that is kept out gets no key, neither this one nor the next.
        None if row.access_mode is AccessMode.NEVER else row.provider_public_key,
        session.execute(_members(organization_id)).all(),
        session.execute(_people(organization_id, row.provider_id)).all(),
        session.execute(_collections(organization_id)).all(),
    )


def _columns(*columns: Any) -> Select[Any]:
    return select(*columns)


_ACCOUNT = (Account.name, Account.email, Account.public_key)


def _members(organization_id: uuid.UUID) -> Select[Any]:
    return (
        _columns(Member.id, Member.account_id, Member.role, Member.confirmed_public_key, *_ACCOUNT)
        .join(Account, Account.id == Member.account_id)
        .where(Member.organization_id == organization_id, Member.state == MemberState.CONFIRMED)
        .order_by(Member.id)
    )


def _people(organization_id: uuid.UUID, provider_id: uuid.UUID | None) -> Select[Any]:
    employed = and_(
        ProviderPerson.provider_id == ClientAccess.provider_id,
        ProviderPerson.id == ClientAccess.person_id,
    )
    return (
        _columns(ClientAccess.id, ProviderPerson.account_id, *_ACCOUNT)
        .join(ProviderPerson, employed)
        .join(Account, Account.id == ProviderPerson.account_id)
        .where(
            ClientAccess.organization_id == organization_id,
            ClientAccess.provider_id == provider_id,
            ClientAccess.until_at.is_(None),
            ClientAccess.wrapped_key.is_not(None),
        )
        .order_by(ClientAccess.id)
    )


def _collections(organization_id: uuid.UUID) -> Select[Any]:
    return (
        _columns(Collection.id, Collection.sealed_name)
        .where(Collection.organization_id == organization_id, Collection.sealed_name.is_not(None))
        .order_by(Collection.id)
    )


@dataclass(frozen=True)
class NextKeys:
    """What a browser made of the version that it was given. Raises `RuleError` for other shapes.

    `protected_private_key` and the names of `collections` are under the next key (type 2),
    `members` and `people` have it for their public keys (type 4), by the ids of `World`;
    `provider_wrapped_key` is type 2 under the provider key, type 4, or empty without a provider.
    """

    version: str
    protected_private_key: str = field(repr=False)
    provider_wrapped_key: str = field(repr=False)
    members: Mapping[uuid.UUID, str] = field(repr=False)
    people: Mapping[uuid.UUID, str] = field(repr=False)
    collections: Mapping[uuid.UUID, str] = field(repr=False)

    def __post_init__(self) -> None:
        wrapped = (*self.members.values(), *self.people.values())
        right = (
            looks_sealed(self.protected_private_key, 2, SEALED_PRIVATE_KEY_LENGTH)
            and all(looks_sealed(key, 4) for key in wrapped)
            and all(looks_sealed(name, 2) for name in self.collections.values())
        )
        if not right:
            raise refuse(INCOMPLETE)

    def fits(self, world: World, actor: Actor) -> bool:
        """Whether it is for everybody and everything of `world`, and for nothing else."""
        pairs: tuple[tuple[Some[uuid.UUID], Sequence[Row[Any]]], ...] = (
            (self.members.keys(), world.members),
            (self.people.keys(), world.people),
            (self.collections.keys(), world.collections),
        )
        if any(set(mine) != {row.id for row in rows} for mine, rows in pairs):
            return False
        if world.provider_public_key is None:
            return not self.provider_wrapped_key
        # Only who opens the provider key can seal with it.
        return looks_sealed(self.provider_wrapped_key, 4) or (
            actor.via_provider and looks_sealed(self.provider_wrapped_key, 2, SEALED_KEY_LENGTH)
        )


def rotate(session: Session, actor: Actor, organization_id: uuid.UUID, keys: NextKeys) -> None:
    """Put the next key in the place of the old one everywhere.

    Raises `Moved` where the world is another one by now, and `RuleError` for what else stands
    against it; nothing is stored then.
    """
    _hold(session, organization_id)
    world = world_of(session, organization_id)
    if world is None or world.version != keys.version:
        raise Moved
    _check_actor(session, actor, world)
    if world.strangers:
        raise refuse(KEY_CHANGED, names=", ".join(world.strangers))
    if not keys.fits(world, actor):
        raise refuse(INCOMPLETE)
    _store(session, organization_id, keys)
    streams = [Stream("organization", organization_id)]
    if world.organization.provider_id:
        streams.append(Stream("provider", world.organization.provider_id))
    events.record(
        session,
        actor,
        "organization:keys:rotate",
        streams=streams,
        subject_id=organization_id,
        fingerprint=fingerprint_phrase(str(organization_id), world.organization.public_key),
        by_owner=not actor.via_provider,
        members=len(world.members),
        people=len(world.people),
        collections=len(world.collections),
    )


def _hold(session: Session, organization_id: uuid.UUID) -> None:
    """Keep everybody else from wrapping with the old key until the commit: provider, then client.

    Handing over and rotating the provider key hold the provider's row, confirming a member the
    organization's.
    """
    provider_id = session.scalar(
        select(Organization.provider_id).where(Organization.id == organization_id)
    )
    if provider_id:
        hold(session, provider_id)
    session.execute(
        update(Organization)
        .where(Organization.id == organization_id)
        .values(version=Organization.version)
        .execution_options(synchronize_session=False)
    )


def _check_actor(session: Session, actor: Actor, world: World) -> None:
    """Somebody may have taken the actor's place away between the look and the lock."""
    if actor.via_provider:
        if actor.provider_id != world.organization.provider_id:
            raise Moved
        check_actor(session, actor)
    elif not any(
        row.account_id == actor.account_id and row.role is Role.OWNER for row in world.members
    ):
        raise refuse(OWNER_GONE)


def _store(session: Session, organization_id: uuid.UUID, keys: NextKeys) -> None:
    session.execute(
        update(Organization)
        .where(Organization.id == organization_id)
        .values(
            protected_private_key=keys.protected_private_key,
            provider_wrapped_key=keys.provider_wrapped_key or None,
            # A rotation of the provider key that is under way wraps it once more.
            next_wrapped_key=None,
            key_rotation_due_since=None,
            # Linking compares it: its page may have wrapped the old key.
            version=Organization.version + 1,
        )
        .execution_options(synchronize_session=False)
    )
    # Who is revoked has the earlier key; restored, they wait for this one like anybody else.
    session.execute(
        update(Member)
        .where(Member.organization_id == organization_id, Member.state == MemberState.REVOKED)
        .values(wrapped_organization_key=None)
        .execution_options(synchronize_session=False)
    )
    _put(session, organization_id, Member.__table__, "wrapped_organization_key", keys.members)
    _put(session, organization_id, ClientAccess.__table__, "wrapped_key", keys.people)
    _put(session, organization_id, Collection.__table__, "sealed_name", keys.collections)


def _put(
    session: Session,
    organization_id: uuid.UUID,
    table: Any,
    column: str,
    values: Mapping[uuid.UUID, str],
) -> None:
    """One string for each row; in one round trip, whether ten members or ten thousand."""
    if not values:
        return
    rows: Table = table
    # On the connection: the session would take them for entities to be kept.
    session.connection().execute(
        update(rows)
        .where(rows.c.organization_id == organization_id, rows.c.id == bindparam("row_id"))
        .values({column: bindparam("value")}),
        [{"row_id": row_id, "value": value} for row_id, value in sorted(values.items())],
    )
