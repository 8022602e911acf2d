"""Clients with subscriptions for tests: what they have ordered, and what waits."""

import datetime as dt
import uuid

from sqlalchemy import insert, update

from portal.domain.periods import billing_period
from portal.domain.plans import Cadence, Plan
from portal.models import (
    Organization,
    Provider,
    Subscription,
    SubscriptionChange,
    SubscriptionLine,
    new_id,
    utc_now,
)
from tests.support.clients import organization


def today() -> dt.date:
    """The day now: asked for each time, since a run of all tests may pass midnight."""
    return utc_now().date()


def billing_url(provider, rest=""):
    return f"/providers/{provider.id}/billing{rest}"


def subscribe(database, provider, name="Acme Ltd", *, pending=0, lines=(), terms=None, **columns):
    """A client with its subscription; `terms` are columns of that."""
    cadence = columns.pop("cadence", Cadence.MONTHLY)
    began = columns.pop("began", today() - dt.timedelta(days=10))
    client = organization(provider.id, name, **columns)
    period = billing_period(began, cadence.months)
    subscription = Subscription(
        organization_id=client.id,
        id=new_id(),
        cadence=cadence,
        price_list_version="2026-11",
        period_start=period.start,
        period_end=period.end,
        net_days=30,
        **({"currency": "USD"} | (terms or {})),
    )
    here = {"organization_id": client.id, "subscription_id": subscription.id}
    with database.session() as session:
        session.add(client)
        session.flush()
        session.add(subscription)
        session.flush()
        for kind, quantity, unit in lines:
            session.add(
                SubscriptionLine(
                    **here,
                    kind=kind,
                    quantity=quantity,
                    unit_cents=unit,
                    months=cadence.months,
                    price_list_version="old",
                    period_start=period.start,
                    period_end=period.end,
                )
            )
        if pending:
            session.add(change(subscription, period.end, pending))
        session.execute(update(Provider).values(clients_count=Provider.clients_count + 1))
    return client


def change(subscription, invoice_on, cents):
    return SubscriptionChange(
        organization_id=subscription.organization_id,
        id=new_id(),
        subscription_id=subscription.id,
        changed_on=today(),
        invoice_on=invoice_on,
        period_start=subscription.period_start,
        period_end=subscription.period_end,
        currency=subscription.currency,
        gross_cents=cents,
        adjustment_cents=cents,
        lines=[],
        before={},
        after={},
    )


def facts(page):
    return dict(zip(page.texts("dl.facts dt"), page.texts("dl.facts dd"), strict=True))


def fill(database, provider, count):
    """Many clients at once."""
    ids = [uuid.UUID(int=new_id().int + number) for number in range(count)]
    period = billing_period(today() - dt.timedelta(days=20), 1)
    with database.session() as session:
        session.execute(
            insert(Organization),
            [
                {
                    "id": each,
                    "provider_id": provider.id,
                    "name": f"Client {number}",
                    "name_ci": f"client {number}",
                    "billing_email": "bills@acme.example",
                    "plan": Plan.TEAMS,
                    "plan_rank": 1,
                    "seats": 1 + number % 90,
                }
                for number, each in enumerate(ids)
            ],
        )
        session.execute(
            insert(Subscription),
            [
                {
                    "organization_id": each,
                    "id": each,
                    "cadence": Cadence.MONTHLY,
                    "currency": "USD",
                    "price_list_version": "2026-11",
                    "period_start": period.start,
                    "period_end": period.end,
                    "net_days": 30,
                }
                for each in ids
            ],
        )
