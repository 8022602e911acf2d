"""Writes. A service flushes and never commits; the view that called it does."""

import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from portal import events
from portal.accounts import affiliations
from portal.baselines import service as baselines
from portal.billing.offer import Offer
from portal.domain.access import Actor, Role
from portal.domain.billing_details import BillingDetails
from portal.domain.errors import N_, Changed, RuleError, refuse
from portal.domain.names import name_ci
from portal.domain.new_client import ClientOrder
from portal.domain.pricing import PriceList, Quote
from portal.domain.setup_steps import SetupFacts, progress, setup_steps
from portal.events import Stream
from portal.members.service import invite
from portal.models import (
    Collection,
    Idempotency,
    Organization,
    Provider,
    Subscription,
    SubscriptionLine,
    new_id,
    utc_now,
)
from portal.models.writing import rows_changed
from portal.organizations.keys import KeysExist, OrganizationKeys, store_keys
from portal.organizations.service import streams_in
from portal.outbox import enqueue
from portal.providers import reach


@dataclass(frozen=True)
class Claim:
    """What makes a submit the same one: the rendered form's token, and what was typed in it."""

    token: str
    fingerprint: str


class AlreadyCreated(RuleError):
    """This form has created its client before; the caller rolls back and looks which."""

    def __init__(self) -> None:
        super().__init__(N_("This form has already created a client."))


def create_client(
    session: Session,
    actor: Actor,
    *,
    order: ClientOrder,
    prices: PriceList,
    locale: str,
    keys: OrganizationKeys | None,
    claim: Claim,
    baseline: str = "",
) -> uuid.UUID:
    """Create the client that a checked and cleaned `order` describes; returns its id.

    Organization, first collection, subscription with its lines, the owner's invitation and mail,
    and both events, in the caller's transaction. `locale` is the invitation's language, `baseline`
    the id of what the client is set to as far as the server can. Raises `AlreadyCreated` for a
    claim that has been made before, by the same form.
    """
    if actor.provider_id is None or order.plan is None or order.cadence is None:
        raise LookupError("an order needs a provider, a plan and a cadence")
    provider = _count_in(session, actor.provider_id)
    organization_id = new_id()
    _claim(session, actor, claim, organization_id)
    offer = Offer.to(provider, prices, utc_now())
    quote, _wrong = offer.quote(order)
    _add_organization(session, actor.provider_id, organization_id, order)
    session.flush()
    reach.settle(session, actor.provider_id, organizations=[organization_id])
    session.add(Collection(organization_id=organization_id))
    _add_subscription(session, organization_id, order, quote, provider)
    _record_creation(session, actor, organization_id, order, with_keys=keys is not None)
    _invite_owner(session, actor, organization_id, order, locale)
    if keys:
        # The provider key was rotated while the form was open: the client begins without keys.
        with suppress(KeysExist):
            store_keys(session, actor, organization_id, keys, by_owner=False)
    if baseline:
        baselines.give(session, actor, organization_id, baseline)
    _send_order(session, actor, organization_id, order, locale)
    return organization_id


def _invite_owner(
    session: Session, actor: Actor, organization_id: uuid.UUID, order: ClientOrder, locale: str
) -> None:
    invite(
        session,
        actor,
        organization_id=organization_id,
        email=order.owner_email,
        role=Role.OWNER,
        locale=locale,
        seat_is_taken=True,
    )


def _send_order(
    session: Session, actor: Actor, organization_id: uuid.UUID, order: ClientOrder, locale: str
) -> None:
    """To whoever gets the invoices, unless that is the very person who has just ordered."""
    if order.billing_email == actor.email:
        return
    enqueue(
        session,
        "mail.client_created",
        {"organization": str(organization_id), "locale": locale},
        organization_id=organization_id,
        provider_id=actor.provider_id,
        subject_id=organization_id,
    )


def created_by(session: Session, account_id: uuid.UUID, token: str) -> Any:
    """(fingerprint, result_id) of what a form's token has created; None for nothing yet."""
    return session.execute(
        select(Idempotency.fingerprint, Idempotency.result_id).where(
            Idempotency.account_id == account_id, Idempotency.token == token
        )
    ).one_or_none()


def _count_in(session: Session, provider_id: uuid.UUID) -> Any:
    """One client more; the row stays locked, so that two creations come one after the other."""
    counted = (
        update(Provider)
        .where(Provider.id == provider_id)
        .values(clients_count=Provider.clients_count + 1)
        .returning(
            Provider.time_zone,
            Provider.discount_basis_points,
            Provider.tax_label,
            Provider.tax_basis_points,
        )
    )
    found = session.execute(counted).one_or_none()
    if found is None:
        raise refuse(N_("This provider has been deleted in the meantime."))
    return found


def _claim(session: Session, actor: Actor, claim: Claim, organization_id: uuid.UUID) -> None:
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    made = (
        dialect.insert(Idempotency)
        .values(
            account_id=actor.account_id,
            token=claim.token,
            fingerprint=claim.fingerprint,
            result_id=organization_id,
            created_at=utc_now(),
        )
        .on_conflict_do_nothing()
        .returning(Idempotency.token)
    )
    # Not by the row count: PostgreSQL's driver gives none for such an insert.
    if session.execute(made).first() is None:
        raise AlreadyCreated


def _add_organization(
    session: Session, provider_id: uuid.UUID, organization_id: uuid.UUID, order: ClientOrder
) -> None:
    plan = order.plan
    assert plan is not None  # noqa: S101 - tells the type checker; `create_client` has refused it
    begun = progress(setup_steps(plan, SetupFacts(collections=1)))
    session.add(
        Organization(
            id=organization_id,
            provider_id=provider_id,
            provider_since=utc_now(),
            name=order.name,
            name_ci=name_ci(order.name),
            billing_email=order.billing_email,
            plan=plan,
            plan_rank=plan.rank,
            seats=order.seats,
            # The owner's, who is invited in the same transaction.
            seats_used=1,
            seats_grow=order.autogrow,
            seat_limit=order.limit,
            extra_storage_gb=order.extra_storage_gb,
            setup_done=begun.done,
            setup_total=begun.total,
        )
    )


def _add_subscription(
    session: Session, organization_id: uuid.UUID, order: ClientOrder, quote: Quote, provider: Any
) -> None:
    subscription = Subscription(
        organization_id=organization_id,
        id=new_id(),
        cadence=order.cadence,
        currency=quote.currency,
        price_list_version=quote.price_list_version,
        discount_basis_points=provider.discount_basis_points,
        tax_label=provider.tax_label,
        tax_basis_points=provider.tax_basis_points,
        period_start=quote.period.start,
        period_end=quote.period.end,
        payment_method=order.payment,
        **asdict(order.billing),
    )
    session.add(subscription)
    session.flush()
    session.add_all(
        SubscriptionLine(
            organization_id=organization_id,
            subscription_id=subscription.id,
            kind=line.kind.value,
            price_list_version=quote.price_list_version,
            unit_cents=line.unit.cents,
            quantity=line.quantity,
            months=line.months,
            period_start=quote.period.start,
            period_end=quote.period.end,
        )
        for line in quote.lines
    )


def _record_creation(
    session: Session,
    actor: Actor,
    organization_id: uuid.UUID,
    order: ClientOrder,
    *,
    with_keys: bool,
) -> None:
    """Told in both logs, each in its own words."""
    streams = streams_in(actor, organization_id)
    kinds = {
        "organization": "organization:organization:create",
        "provider": "provider:client:create",
    }
    for stream in streams:
        events.record(
            session,
            actor,
            kinds[stream.kind],
            streams=[Stream(stream.kind, stream.id)],
            subject_id=organization_id,
            name=order.name,
            plan=str(order.plan),
            seats=order.seats,
            with_keys=with_keys,
        )


def rename(
    session: Session,
    actor: Actor,
    *,
    organization_id: uuid.UUID,
    before: str,
    name: str,
    version: int,
) -> None:
    """Give the client another name (stored form); raises `Changed` for an old `version`."""
    _update_organization(
        session, actor, organization_id, version, {"name": name, "name_ci": name_ci(name)}
    )
    affiliations.rename(session, kind="organization", tenant_id=organization_id, name=name)
    events.record(
        session,
        actor,
        "organization:organization:rename",
        streams=streams_in(actor, organization_id),
        subject_id=organization_id,
        before=before,
        after=name,
    )


def change_billing(
    session: Session,
    actor: Actor,
    *,
    organization_id: uuid.UUID,
    before: dict[str, Any],
    billing_email: str,
    details: BillingDetails,
    version: int,
) -> bool:
    """Store other billing terms (cleaned); False where nothing differs from `before`.

    `before` holds what the form was filled from, by field. Raises `Changed` if `version` is not
    the organization's any more.
    """
    after = {"billing_email": billing_email, **asdict(details)}
    changed = [name for name in after if before[name] != after[name]]
    if not changed:
        return False
    _update_organization(session, actor, organization_id, version, {"billing_email": billing_email})
    session.execute(
        update(Subscription)
        .where(Subscription.organization_id == organization_id)
        .values(version=Subscription.version + 1, **asdict(details))
        .execution_options(synchronize_session=False)
    )
    events.record(
        session,
        actor,
        "organization:billing:update",
        streams=streams_in(actor, organization_id),
        subject_id=organization_id,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
    )
    return True


def _update_organization(
    session: Session,
    actor: Actor,
    organization_id: uuid.UUID,
    version: int,
    values: dict[str, Any],
) -> None:
    changed = rows_changed(
        session,
        update(Organization)
        .where(
            Organization.provider_id == actor.provider_id,
            Organization.id == organization_id,
            Organization.version == version,
        )
        .values(version=Organization.version + 1, **values)
        .execution_options(synchronize_session=False),
    )
    if changed != 1:
        raise Changed
