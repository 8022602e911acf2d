"""A client's subscription, changed: what is there now, what a change does, and the change."""

import hashlib
import hmac
import json
import uuid
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, insert, update
from sqlalchemy.orm import Session

from portal import events
from portal.billing import client_queries, subscription_queries
from portal.billing.offer import Offer
from portal.crypto.tokens import derive_key
from portal.domain import subscription_changes
from portal.domain.access import Actor, Scope
from portal.domain.errors import Changed
from portal.domain.money import Money
from portal.domain.periods import Period
from portal.domain.policies import PolicyKind
from portal.domain.pricing import LineKind, PriceList, Selection, TaxLine, Terms
from portal.domain.subscription_changes import Preview, PricedLine, Subscribed
from portal.models import (
    Organization,
    Subscription,
    SubscriptionChange,
    SubscriptionLine,
    new_id,
    utc_now,
)
from portal.models.writing import rows_changed
from portal.organizations.mail import tell_owners
from portal.organizations.service import recount_setup, streams_in
from portal.providers import attention

CHANGE_PURPOSE = "subscription-change"


@dataclass(frozen=True)
class World:
    """All that a preview is computed from. `client` is a row of `client_queries.client`."""

    client: Any
    subscribed: Subscribed
    offer: Offer
    terms: Terms

    @property
    def used(self) -> int:
        return int(self.client.seats_used)

    @property
    def selection(self) -> Selection:
        return self.subscribed.selection

    def preview(self, wanted: Selection) -> Preview:
        """What it costs to have `wanted` (checked) from today on."""
        return subscription_changes.change(
            self.subscribed, wanted, self.offer.price_list, self.terms, self.offer.today
        )

    def known(self, preview: Preview) -> bytes:
        """All that a preview in this world was made from, and the preview itself.

        Another version, price list, day, term or number of used seats gives another text.
        """
        known = [
            self.client.id,
            self.client.version,
            self.used,
            self.subscribed,
            self.terms,
            sorted(self.offer.price_list.seats.items()),
            sorted(self.offer.price_list.storage.items()),
            preview,
        ]
        return repr(known).encode()

    def seal(self, wanted: Selection, secret: str) -> str:
        """What the preview of `wanted` in this world is recognised by when it is committed."""
        key = derive_key(secret, CHANGE_PURPOSE)
        return hmac.new(key, self.known(self.preview(wanted)), hashlib.sha256).hexdigest()


def world_of(
    session: Session, scope: Scope, organization_id: uuid.UUID, prices: PriceList
) -> World | None:
    """What one client has, as it is now; None for whatever is outside of the scope."""
    return worlds_of(session, scope, [organization_id], prices).get(organization_id)


def worlds_of(
    session: Session, scope: Scope, ids: Collection[uuid.UUID], prices: PriceList
) -> dict[uuid.UUID, World]:
    """The same of several clients, in as many statements as of one."""
    clients = client_queries.clients(session, scope, ids)
    offer = Offer.to(client_queries.billing_profile(session, scope.provider_id), prices, utc_now())
    pending = subscription_queries.pending(session, scope, ids)
    lines = subscription_queries.lines(session, scope, ids)
    return {
        client.id: World(
            client,
            _subscribed(client, lines[client.id], pending[client.id]),
            offer,
            terms_of(client),
        )
        for client in clients
    }


def _subscribed(client: Any, lines: Sequence[Any], pending: int) -> Subscribed:
    return Subscribed(
        selection=_selection(client),
        lines=tuple(_priced(line, client.currency) for line in lines),
        period=Period(client.period_start, client.period_end),
        pending=Money(pending, client.currency),
    )


def terms_of(client: Any) -> Terms:
    """The terms that were agreed for a client's subscription."""
    tax = None
    if client.tax_basis_points:
        tax = TaxLine(client.tax_label, Decimal(client.tax_basis_points) / 100)
    return Terms(Decimal(client.discount_basis_points) / 100, tax)


def _selection(client: Any) -> Selection:
    return Selection(
        plan=client.plan,
        seats=client.seats,
        cadence=client.cadence,
        extra_storage_gb=client.extra_storage_gb,
        autogrow=client.seats_grow,
        seat_limit=client.seat_limit if client.seats_grow else None,
        net_days=client.net_days,
    )


def _priced(line: Any, currency: str) -> PricedLine:
    unit = Money(line.unit_cents, currency)
    return PricedLine(
        LineKind(line.kind), line.quantity, unit, line.months, line.price_list_version
    )


def commit(
    session: Session,
    actor: Actor,
    world: World,
    preview: Preview,
    *,
    off: Collection[PolicyKind] = (),
) -> None:
    """Make what the preview shows true: seats and plan, lines, change, event, mails to owners.

    `off` are the policies that the owners read have come back turned off. Raises `Changed` where
    the client is not what `world` says any more, also if more of its seats are in use by now than
    it would keep.
    """
    if not preview.is_change:
        return
    client = world.client
    change_id = bill(session, world, preview)
    before, after = _differences(preview)
    events.record(
        session,
        actor,
        "organization:subscription:change",
        streams=streams_in(actor, client.id),
        subject_id=change_id,
        before=before,
        after=after,
        adjustment=str(preview.adjustment),
    )
    tell_owners(
        session,
        "mail.subscription_changed",
        client.id,
        actor.provider_id,
        {"change": change_id} | ({"off": " ".join(off)} if off else {}),
        but=actor.account_id,
    )


def bill(session: Session, world: World, preview: Preview) -> uuid.UUID:
    """The change itself, told to nobody: the organization, lines and change, whose id it returns.

    Whoever asks for less than `commit` records the event. Raises `Changed` as that does.
    """
    client = world.client
    _update_organization(session, client, preview.after)
    attention.seats_changed(session, client.id)
    change_id = _add_change(session, client, preview)
    _rewrite_lines(session, client, preview)
    if preview.before.plan is not preview.after.plan:
        recount_setup(session, client.id)
    return change_id


def _update_organization(session: Session, client: Any, wanted: Selection) -> None:
    # Who was told of a limit is told again once another one is reached.
    told = {} if wanted.seat_limit == client.seat_limit else {"limit_told_at": None}
    kept = rows_changed(
        session,
        update(Organization)
        .where(
            Organization.provider_id == client.provider_id,
            Organization.id == client.id,
            Organization.version == client.version,
            # Seats may have been taken, or have grown, without a new version.
            Organization.seats == client.seats,
            Organization.seats_used <= wanted.seats,
        )
        .values(
            plan=wanted.plan,
            plan_rank=wanted.plan.rank,
            seats=wanted.seats,
            seats_grow=wanted.autogrow,
            seat_limit=wanted.seat_limit,
            extra_storage_gb=wanted.extra_storage_gb,
            version=Organization.version + 1,
            **told,
        )
        .execution_options(synchronize_session=False),
    )
    if kept != 1:
        raise Changed


def _add_change(session: Session, client: Any, preview: Preview) -> uuid.UUID:
    change_id = new_id()
    if preview.begins_period:
        # What waited for the end of the old period goes with the invoice of today.
        session.execute(
            update(SubscriptionChange)
            .where(
                SubscriptionChange.organization_id == client.id,
                SubscriptionChange.invoice_on == client.period_end,
            )
            .values(invoice_on=preview.today)
        )
    before, after = _differences(preview)
    session.add(
        SubscriptionChange(
            organization_id=client.id,
            id=change_id,
            subscription_id=client.subscription_id,
            changed_on=preview.today,
            invoice_on=preview.invoice_on,
            period_start=preview.period.start,
            period_end=preview.period.end,
            currency=preview.gross.currency,
            gross_cents=preview.gross.cents,
            discount_cents=preview.discount.amount.cents if preview.discount else 0,
            tax_cents=preview.tax.amount.cents if preview.tax else 0,
            adjustment_cents=preview.adjustment.cents,
            lines=[_told(part) for part in preview.prorations],
            before=before,
            after=after,
        )
    )
    session.flush()
    return change_id


def _told(part: subscription_changes.Proration) -> dict[str, Any]:
    return {
        "kind": part.line.kind.value,
        "quantity": part.line.quantity,
        "unit_cents": part.line.unit.cents,
        "months": part.line.months,
        "price_list_version": part.line.version,
        "days": part.days,
        "of_days": part.of_days,
        "cents": part.amount.cents,
    }


def _differences(preview: Preview) -> tuple[dict[str, Any], dict[str, Any]]:
    """What differs, as it was and as it is."""
    before, after = asdict(preview.before), asdict(preview.after)
    changed = [name for name in before if before[name] != after[name]]
    plain = [
        json.loads(json.dumps({name: kind[name] for name in changed})) for kind in (before, after)
    ]
    return plain[0], plain[1]


def _rewrite_lines(session: Session, client: Any, preview: Preview) -> None:
    period = preview.period
    session.execute(
        update(Subscription)
        .where(Subscription.organization_id == client.id)
        .values(
            cadence=preview.after.cadence,
            price_list_version=preview.price_list_version,
            period_start=period.start,
            period_end=period.end,
            version=Subscription.version + 1,
        )
        .execution_options(synchronize_session=False)
    )
    session.execute(delete(SubscriptionLine).where(SubscriptionLine.organization_id == client.id))
    session.execute(insert(SubscriptionLine), _rows(client, preview.lines, period))


def _rows(client: Any, lines: Sequence[PricedLine], period: Period) -> list[dict[str, Any]]:
    return [
        {
            "organization_id": client.id,
            "id": new_id(),
            "subscription_id": client.subscription_id,
            "kind": line.kind.value,
            "price_list_version": line.version,
            "unit_cents": line.unit.cents,
            "quantity": line.quantity,
            "months": line.months,
            "period_start": period.start,
            "period_end": period.end,
        }
        for line in lines
    ]
