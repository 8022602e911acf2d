"""Room for people who come in: looked at with its price, and made where seats may grow.

`foresee` is for pages; `make_room` is for the transaction that takes the seats afterwards. Both
ask the very function that bills, so what is shown is what is paid.
"""

import datetime as dt
import uuid
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import case, or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from portal import events
from portal.billing import subscriptions
from portal.domain.access import Actor, Scope
from portal.domain.errors import N_, RuleError, refuse
from portal.domain.price_list import PriceList
from portal.domain.seat_growth import (
    Answer,
    Asker,
    Enough,
    Grow,
    NeedsApproval,
    Refused,
    Standing,
    decide,
    most,
)
from portal.domain.seats import SeatTerms
from portal.domain.subscription_changes import Preview
from portal.events import Stream
from portal.members import conditions, growth_queries
from portal.models import Organization, SeatGrowth, SeatRules, utc_now
from portal.models.writing import rows_changed
from portal.organizations.mail import tell_admins, tell_owners

MONTH_IS_FULL = N_("The provider allows no more seats this month. A provider admin can add seats.")
LOOK_FIRST = N_("More seats would be bought for this. Look at what they cost, then say so.")


@dataclass(frozen=True)
class Foreseen:
    """What `wanted` more people mean. `preview` says what the seats cost that would be bought."""

    wanted: int
    standing: Standing
    answer: Answer
    preview: Preview | None = None

    @property
    def added(self) -> int:
        """How many seats would be bought."""
        return self.answer.by if isinstance(self.answer, Grow) else 0

    @property
    def refusal(self) -> Refused | NeedsApproval | None:
        return self.answer if isinstance(self.answer, Refused | NeedsApproval) else None

    @property
    def can_ask(self) -> bool:
        """Whether the provider can be asked for the seats that are missing."""
        return isinstance(self.answer, NeedsApproval) or (
            isinstance(self.answer, Refused) and self.answer.can_ask
        )

    @property
    def missing(self) -> int:
        """How many seats there are too few, whether they may be bought or not."""
        return max(self.standing.used + self.wanted - self.standing.terms.assigned, 0)

    @property
    def mark(self) -> str:
        """What the price is recognised by when it is agreed to; empty where nothing is bought."""
        if self.preview is None:
            return ""
        cents = (self.preview.adjustment, self.preview.invoiced_today, self.preview.next_invoice)
        return "-".join(str(number) for number in (self.added, *(each.cents for each in cents)))


class NoRoom(RuleError):
    """There is no room, or none at the price that was agreed to: see `foreseen`."""

    def __init__(self, foreseen: Foreseen) -> None:
        super().__init__(foreseen.refusal.why if foreseen.refusal else LOOK_FIRST)
        self.foreseen = foreseen


def foresee(
    session: Session,
    actor: Actor | None,
    organization_id: uuid.UUID,
    wanted: int,
    prices: PriceList,
) -> Foreseen:
    """What it takes that `wanted` more people come in; `actor` is None for a directory."""
    found = growth_queries.standing(session, organization_id)
    here = _standing(found, prices)
    if wanted < 1:
        return Foreseen(0, here, Enough())
    answer = decide(here, wanted, Asker.of(actor.role if actor else None))
    if not isinstance(answer, Grow):
        return Foreseen(wanted, here, answer)
    preview = _preview(_world(session, found.provider_id, organization_id, prices), answer.by)
    return Foreseen(wanted, here, answer, preview)


def foresee_most(
    session: Session,
    actor: Actor | None,
    organization_id: uuid.UUID,
    wanted: int,
    prices: PriceList,
) -> Foreseen:
    """The same for as many of them as may come in, perhaps none."""
    here = _standing(growth_queries.standing(session, organization_id), prices)
    many = most(here, wanted, Asker.of(actor.role if actor else None))
    return foresee(session, actor, organization_id, many, prices)


def _standing(found: Any, prices: PriceList) -> Standing:
    terms = SeatTerms(found.seats, found.seats_grow, found.seat_limit)
    if found.provider_id is None:
        return Standing(terms, found.seats_used, None)
    today = _today(found)
    in_month = found.grown_in_month if found.month == today.replace(day=1) else 0
    in_day = found.grown_in_day if found.day == today else 0
    return Standing(
        terms,
        found.seats_used,
        found.status,
        is_priced=found.currency == prices.currency,
        month_left=_left(found.monthly_ceiling, in_month),
        day_left=_left(found.daily_number, in_day),
    )


def _today(found: Any) -> dt.date:
    """The day where the provider works."""
    return utc_now().astimezone(ZoneInfo(found.time_zone)).date()


def _left(bound: int | None, used: int) -> int | None:
    return None if bound is None else max(bound - used, 0)


def _world(
    session: Session, provider_id: uuid.UUID, organization_id: uuid.UUID, prices: PriceList
) -> subscriptions.World:
    world = subscriptions.world_of(session, Scope(provider_id), organization_id, prices)
    if world is None:
        raise LookupError(f"no client {organization_id}")
    return world


def _preview(world: subscriptions.World, by: int) -> Preview:
    return world.preview(replace(world.selection, seats=world.selection.seats + by))


def make_room(
    session: Session,
    actor: Actor | None,
    organization_id: uuid.UUID,
    wanted: int,
    prices: PriceList,
    *,
    agreed: str | None,
) -> Foreseen:
    """Let there be `wanted` free seats until the commit, bought where they may grow.

    To be called before anything else is written in the transaction but the organization's own
    row: later, the logs would be locked in the wrong order. `agreed` is the `mark` of what the
    person saw, None where nobody is asked. Raises `NoRoom`; the caller rolls back then.
    """
    conditions.hold(session, organization_id)
    found = foresee(session, actor, organization_id, wanted, prices)
    if found.refusal or (agreed is not None and found.added and agreed != found.mark):
        raise NoRoom(found)
    if found.preview is not None:
        _grow(session, actor, organization_id, found.preview, prices)
    return found


def _grow(
    session: Session,
    actor: Actor | None,
    organization_id: uuid.UUID,
    preview: Preview,
    prices: PriceList,
) -> None:
    row = growth_queries.standing(session, organization_id)
    provider_id, today = row.provider_id, _today(row)
    world = _world(session, provider_id, organization_id, prices)
    by = preview.after.seats - preview.before.seats
    change_id = subscriptions.bill(session, world, preview)
    events.record(
        session,
        actor,
        "organization:seats:grow",
        streams=[Stream("organization", organization_id), Stream("provider", provider_id)],
        subject_id=change_id,
        before=preview.before.seats,
        after=preview.after.seats,
        adjustment=str(preview.adjustment),
    )
    # After the event, whose log is locked by then: everybody takes these two in this order.
    _count_month(session, provider_id, today.replace(day=1), by)
    _count_day(session, organization_id, today, by)
    _tell(session, actor, organization_id, provider_id, change_id, preview)


def _count_month(session: Session, provider_id: uuid.UUID, month: dt.date, by: int) -> None:
    """Count them for the provider; the database decides whether its ceiling still allows it."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    after = case((SeatRules.month == month, SeatRules.grown), else_=0) + by
    ceiling = SeatRules.monthly_ceiling
    counted = (
        dialect.insert(SeatRules)
        .values(provider_id=provider_id, month=month, grown=by)
        .on_conflict_do_update(
            index_elements=[SeatRules.provider_id],
            set_={"month": month, "grown": after},
            where=or_(ceiling.is_(None), after <= ceiling),
        )
        .returning(SeatRules.provider_id)
    )
    if session.execute(counted, execution_options=_PLAIN).first() is None:
        raise refuse(MONTH_IS_FULL)


def _count_day(session: Session, organization_id: uuid.UUID, day: dt.date, by: int) -> None:
    """Count them for the client, whose row is held."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    counted = dialect.insert(SeatGrowth).values(organization_id=organization_id, day=day, grown=by)
    after = case((SeatGrowth.day == day, SeatGrowth.grown), else_=0) + by
    session.execute(
        counted.on_conflict_do_update(
            index_elements=[SeatGrowth.organization_id], set_={"day": day, "grown": after}
        ),
        execution_options=_PLAIN,
    )


_PLAIN = {"synchronize_session": False}


def _tell(
    session: Session,
    actor: Actor | None,
    organization_id: uuid.UUID,
    provider_id: uuid.UUID,
    change_id: uuid.UUID,
    preview: Preview,
) -> None:
    """Owners and the provider's admins: the first time, and when no more can be added."""
    is_first = _mark_told(session, organization_id, Organization.growth_told_at)
    is_last = preview.after.seats == preview.after.seat_limit
    if is_last and _mark_told(session, organization_id, Organization.limit_told_at):
        topic = "mail.seat_limit_reached"
    elif is_first:
        topic = "mail.seats_grown"
    else:
        return
    more = {"change": change_id}
    but = actor.account_id if actor else None
    owners = tell_owners(session, topic, organization_id, provider_id, more, but=but)
    tell_admins(session, topic, organization_id, provider_id, more, but={but, *owners})


def _mark_told(session: Session, organization_id: uuid.UUID, column: Any) -> bool:
    """Whether nobody was told yet."""
    marked = rows_changed(
        session,
        update(Organization)
        .where(Organization.id == organization_id, column.is_(None))
        .values({column: utc_now()})
        .execution_options(synchronize_session=False),
    )
    return marked == 1
