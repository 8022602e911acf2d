"""A provider with its people and clients, and browsers that are signed in to it."""

import itertools
import uuid
from dataclasses import dataclass

from sqlalchemy import update

from portal.accounts import sessions
from portal.domain.access import Role
from portal.domain.names import name_ci
from portal.domain.plans import Cadence, Plan
from portal.domain.states import ProviderPersonState
from portal.models import (
    Account,
    Organization,
    Provider,
    ProviderPerson,
    Subscription,
    new_id,
    utc_now,
)
from tests.support.browsing import Browser

_numbers = itertools.count(1)
NORTHWIND = {
    "billing_name": "Northwind IT",
    "address_line1": "1 Harbour Road",
    "postal_code": "75001",
    "city": "Paris",
    "country": "FR",
    "billing_email": "bills@northwind.example",
}


@dataclass(frozen=True)
class Persona:
    """Somebody who is signed in, and where they work."""

    account: Account
    provider: Provider
    browser: Browser

    @property
    def clients_url(self) -> str:
        return f"/providers/{self.provider.id}/clients"


def make_account(database, name="Ada Nordström", *, with_keys=False, **columns):
    email = columns.pop("email", f"person{next(_numbers)}@northwind.example")
    if with_keys:
        columns |= {
            "signin_hash": "hash",
            "public_key": "public",
            "protected_user_key": "2.user",
            "protected_private_key": "2.private",
        }
    return database.add(Account(name=name, email=email, **columns))


def make_provider(database, name="Northwind IT", **columns):
    columns = NORTHWIND | {"second_factor_required": False} | columns
    return database.add(Provider(name=name, **columns))


def employ(database, provider, account, role=Role.PROVIDER_ADMIN, **columns):
    return database.add(
        ProviderPerson(
            provider_id=provider.id,
            account_id=account.id,
            email=account.email,
            role=role,
            state=ProviderPersonState.CONFIRMED,
            **columns,
        )
    )


def sign_in(database, browser, account):
    """Open a session without going through the sign-in page."""
    with database.session() as session:
        token, _ = sessions.begin(
            session,
            account.id,
            method="password",
            pending=False,
            browser="",
            source="",
        )
    with browser.client.session_transaction() as cookie:
        cookie["_user_id"] = token
        cookie["_fresh"] = True
    return browser


def persona(database, role=Role.PROVIDER_ADMIN, provider=None, **columns):
    """A confirmed person of a provider, in a browser of their own."""
    provider = provider or make_provider(database)
    account = make_account(database)
    employ(database, provider, account, role, **columns)
    browser = sign_in(database, Browser(database.app), account)
    return Persona(account, provider, browser)


def organization(provider_id: uuid.UUID, name="Acme Ltd", **columns) -> Organization:
    """A client, not stored yet."""
    plan = columns.pop("plan", Plan.TEAMS)
    values = {
        "billing_email": "bills@acme.example",
        "plan": plan,
        "plan_rank": plan.rank,
        "seats": 10,
        "setup_done": 1,
        "setup_total": 6 if plan is Plan.ENTERPRISE else 4,
    }
    return Organization(
        id=columns.pop("id", None) or new_id(),
        provider_id=provider_id,
        name=name,
        name_ci=name_ci(name),
        **(values | columns),
    )


def make_client(database, provider, name="Acme Ltd", **columns) -> Organization:
    """A stored client with its subscription; the provider's counter knows it."""
    client = organization(provider.id, name, **columns)
    today = utc_now().date()
    subscription = Subscription(
        organization_id=client.id,
        cadence=Cadence.MONTHLY,
        currency="USD",
        price_list_version="2026-11",
        period_start=today,
        period_end=today.replace(year=today.year + 1, day=1),
        net_days=30,
        billing_name="Acme Ltd",
        address_line1="2 Quay",
        postal_code="75002",
        city="Paris",
        country="FR",
    )
    with database.session() as session:
        session.add(client)
        session.flush()
        session.add(subscription)
        session.execute(
            update(Provider)
            .where(Provider.id == provider.id)
            .values(clients_count=Provider.clients_count + 1)
        )
    return client
