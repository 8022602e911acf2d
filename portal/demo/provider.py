"""The provider of the demo, and the people who can really sign in."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from portal.accounts.passwords import store
from portal.crypto.fingerprint import fingerprint_phrase
from portal.crypto.keys import AccountKeys, TenantKeys, new_account_keys, new_tenant_keys, wrap_for
from portal.crypto.recovery import new_code, wrap_with_code
from portal.demo.world import Ids, Log, Order, Rows
from portal.domain.access import Actor, Role
from portal.domain.scope import Level, Reach
from portal.domain.states import ProviderPersonState
from portal.events import Stream
from portal.models import Account, Affiliation, Provider, ProviderPerson, ScopeTerm

ADMIN = "admin@demo.example"
TECHNICIAN = "tech@demo.example"
OWNER = "owner@demo.example"
_NAMES = {
    "en": ("Saltire Managed Services", "Maeve Ó Briain", "Tomás Haugen", "Priya Fairweather"),
    "fr": ("Infogérance des Deux Rives", "Hélène Béranger", "Loïc Évrard", "Noémie Thévenet"),
}
_ADDRESSES = {
    "en": {
        "address_line1": "14 Quayside",
        "postal_code": "EH6 6QW",
        "city": "Edinburgh",
        "country": "GB",
        "vat_number": "GB980780684",
    },
    "fr": {
        "address_line1": "3, quai des Célestins",
        "postal_code": "69002",
        "city": "Lyon",
        "country": "FR",
        "vat_number": "FR40303265045",
    },
}
_ZONES = {"en": "Europe/London", "fr": "Europe/Paris"}


@dataclass(frozen=True)
class Person:
    """An account with real keys."""

    id: uuid.UUID
    name: str
    email: str
    keys: AccountKeys


@dataclass(frozen=True)
class DemoProvider:
    id: uuid.UUID
    name: str
    keys: TenantKeys
    admin: Actor
    technician: Actor
    owner: Person
    recovery_code: str
    time_zone: str
    billing: dict[str, Any]

    @property
    def stream(self) -> Stream:
        return Stream("provider", self.id)


def make_provider(rows: Rows, ids: Ids, log: Log, order: Order, began: dt.datetime) -> DemoProvider:
    """The provider with its keys, its two people, and the account of the first client's owner."""
    name, admin_name, technician_name, owner_name = _NAMES[order.locale]
    keys = new_tenant_keys()
    provider_id = ids.at(began)
    admin = make_person(rows, ids, order, began, admin_name, ADMIN)
    technician = make_person(rows, ids, order, began, technician_name, TECHNICIAN)
    owner = make_person(rows, ids, order, began, owner_name, OWNER)
    provider = DemoProvider(
        id=provider_id,
        name=name,
        keys=keys,
        admin=_actor(admin, provider_id, Role.PROVIDER_ADMIN),
        technician=_actor(technician, provider_id, Role.SERVICE_USER),
        owner=owner,
        recovery_code=new_code(),
        time_zone=_ZONES[order.locale],
        billing={"billing_name": name, "address_line2": "", **_ADDRESSES[order.locale]},
    )
    _add_provider(rows, provider, order, began)
    _add_place(rows, ids, provider, admin, Role.PROVIDER_ADMIN, began)
    later = began + dt.timedelta(minutes=2)
    _add_place(rows, ids, provider, technician, Role.SERVICE_USER, later)
    _tell(log, provider, technician, began)
    return provider


def make_person(
    rows: Rows, ids: Ids, order: Order, at: dt.datetime, name: str, email: str
) -> Person:
    keys = new_account_keys(email, order.password)
    person = Person(ids.at(at), name, email, keys)
    rows.add(
        Account,
        id=person.id,
        email=email,
        name=name,
        locale=order.locale,
        signin_hash=store(keys.signin_hash),
        protected_user_key=keys.protected_user_key,
        public_key=keys.public_key,
        protected_private_key=keys.protected_private_key,
        created_at=at,
        is_demo=True,
    )
    return person


def _actor(person: Person, provider_id: uuid.UUID, role: Role) -> Actor:
    return Actor(
        account_id=person.id,
        session_id=None,
        name=person.name,
        email=person.email,
        role=role,
        permissions=role.permissions,
        provider_id=provider_id,
    )


def _add_provider(rows: Rows, provider: DemoProvider, order: Order, at: dt.datetime) -> None:
    rows.add(
        Provider,
        id=provider.id,
        name=provider.name,
        billing_email="billing@demo.example",
        locale=order.locale,
        time_zone=provider.time_zone,
        second_factor_required=False,
        clients_count=order.clients,
        public_key=provider.keys.public_key,
        protected_private_key=provider.keys.protected_private_key,
        recovery_wrapped_key=wrap_with_code(provider.keys.key, provider.recovery_code),
        recovery_saved_at=at + dt.timedelta(minutes=8),
        created_at=at,
        **provider.billing,
    )


def _add_place(
    rows: Rows, ids: Ids, provider: DemoProvider, person: Person, role: Role, at: dt.datetime
) -> None:
    place_id, confirmed_at = ids.at(at), at + dt.timedelta(minutes=5)
    rows.add(
        ScopeTerm,
        provider_id=provider.id,
        id=ids.at(confirmed_at),
        person_id=place_id,
        email=person.email,
        role=role,
        reach=Reach.ALL,
        level=Level.MANAGE,
        from_at=confirmed_at,
    )
    rows.add(
        ProviderPerson,
        provider_id=provider.id,
        id=place_id,
        account_id=person.id,
        email=person.email,
        role=role,
        state=ProviderPersonState.CONFIRMED,
        wrapped_provider_key=wrap_for(person.keys.public_key, provider.keys.key.raw),
        invitation_locale="en",
        created_at=at,
        accepted_at=confirmed_at,
        confirmed_at=confirmed_at,
    )
    rows.add(
        Affiliation,
        account_id=person.id,
        kind="provider",
        tenant_id=provider.id,
        name=provider.name,
        role=role,
        state=ProviderPersonState.CONFIRMED.value,
        active=True,
    )


def _tell(log: Log, provider: DemoProvider, technician: Person, at: dt.datetime) -> None:
    streams, minute = [provider.stream], dt.timedelta(minutes=1)
    log.tell(at, "provider:provider:create", streams, None, provider.id, name=provider.name)
    log.tell(
        at + 6 * minute,
        "provider:keys:create",
        streams,
        provider.admin,
        provider.id,
        fingerprint=fingerprint_phrase(str(provider.id), provider.keys.public_key),
    )
    log.tell(at + 8 * minute, "provider:recovery_sheet:save", streams, provider.admin, provider.id)
    log.tell(
        at + 9 * minute,
        "provider:person:confirm",
        streams,
        provider.admin,
        technician.id,
        email=technician.email,
        fingerprint=fingerprint_phrase(str(technician.id), technician.keys.public_key),
        by_founding=False,
    )
