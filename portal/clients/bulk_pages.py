"""A change of many clients as its page shows it."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.clients import bulk
from portal.clients.seat_deed import looked_at, seats_of
from portal.clients.summary import Line
from portal.domain.bulk import BulkAction, BulkState, RowState
from portal.domain.seat_moves import SeatMove, Way, totals
from portal.extensions import db
from portal.web.access import actor
from portal.web.formats import day, labelled, moment, money, number
from portal.web.forms import sentence

SHOWN = 200


@dataclass(frozen=True)
class Cost:
    """What the change of a client's seats does, as its preview has it; texts."""

    seats: str
    today: str
    next_invoice: str
    invoice_on: str
    per_year: str


@dataclass(frozen=True)
class RowShown:
    """One client and what becomes of it."""

    name: str
    url: str
    state: str
    tone: str
    reason: str
    cost: Cost | None


@dataclass(frozen=True)
class Many:
    """What `clients/_many.html` shows. `totals` are amounts, a group for each currency."""

    url: str
    title: str
    state: BulkState
    summary: tuple[str, ...]
    rows: tuple[RowShown, ...]
    more: int
    finished: int
    total: int
    to_do: int
    can_undo: bool
    undo_until: str
    undoing: str
    for_good: str
    has_costs: bool
    totals: tuple[tuple[Line, ...], ...]


def many_of(provider_id: uuid.UUID, found: Any) -> Many:
    """The change set as it stands, with its first rows."""
    counts = bulk.counts(db.session(), actor(), found.id)
    rows = bulk.rows(db.session(), actor(), found.id, SHOWN)
    total = sum(counts.values())
    undoing = found.state is BulkState.UNDOING
    waiting = counts.get(RowState.DONE if undoing else RowState.PLANNED, 0)
    can_undo, for_good = _undoable(found, counts.get(RowState.DONE, 0))
    return Many(
        url=url_for("clients.change", provider_id=provider_id, change_set_id=found.id),
        title=title_of(found),
        state=found.state,
        summary=tuple(_summary(counts)),
        rows=tuple(_row(provider_id, found.action, row) for row in rows),
        more=total - len(rows),
        finished=total - waiting,
        total=total,
        to_do=waiting,
        can_undo=can_undo and actor().can(found.action.permission),
        undo_until=moment(found.done_at + bulk.UNDO_FOR) if can_undo else "",
        undoing=_undoing(found.action),
        for_good=for_good,
        has_costs=found.action is BulkAction.SEATS,
        totals=tuple(_totals(found)),
    )


def _undoable(found: Any, done: int) -> tuple[bool, str]:
    """Whether any of the `done` clients can be undone, and what is to be said of the others."""
    if not done or not bulk.may_undo(found):
        return False, ""
    if found.action is not BulkAction.BASELINE:
        return True, ""
    kept = bulk.for_good(db.session(), actor(), found.id)
    text = ngettext(
        "%(count)s client cannot be undone: members have lost access or groups were deleted.",
        "%(count)s clients cannot be undone: members have lost access or groups were deleted.",
        kept,
        count=number(kept),
    )
    return kept < done, str(text) if kept else ""


def _undoing(action: BulkAction) -> str:
    """What is said of an undo before the change begins."""
    if action is BulkAction.BASELINE:
        text = _(
            "You can undo it for 10 minutes afterwards, except where members lose access or groups"
            " are deleted."
        )
    elif action.can_be_undone:
        text = _("You can undo it for 10 minutes afterwards.")
    else:
        text = _("An e-mail that is sent cannot be taken back.")
    return str(text)


def _totals(found: Any) -> Iterator[tuple[Line, ...]]:
    """What all of them come to; while it runs they would only be read again and again."""
    if found.action is not BulkAction.SEATS or found.state in {
        BulkState.RUNNING,
        BulkState.UNDOING,
        BulkState.UNDONE,
    }:
        return
    kept = map(looked_at, bulk.looks(db.session(), actor(), found.id))
    for price in totals(look.price for look in kept if look):
        before = money(price.per_year_before)
        yield (
            Line(_("Today"), "", money(price.today)),
            Line(_("Next invoices"), "", money(price.next_invoice)),
            Line(_("Per year"), _("now %(amount)s", amount=before), money(price.per_year_after)),
        )


def title_of(found: Any) -> str:
    """What the change does, as a heading."""
    if found.action is BulkAction.SEATS:
        return _seats_title(SeatMove.read(found.details))
    if found.action is BulkAction.BASELINE:
        title = _(
            "Apply the baseline %(name)s, version %(number)s",
            name=found.details["name"],
            number=found.details["number"],
        )
        return str(title)
    titles = {
        BulkAction.TAG: _("Give the tag %(tag)s", tag=found.tag_name),
        BulkAction.UNTAG: _("Take the tag %(tag)s away", tag=found.tag_name),
        BulkAction.SUSPEND: _("Suspend clients"),
        BulkAction.RESUME: _("Resume clients"),
        BulkAction.INVITE: _("Send owner invitations again"),
    }
    return str(titles[found.action])


def _seats_title(move: SeatMove) -> str:
    count = number(move.number)
    if move.way is Way.SET:
        title = _("Set the seats to %(count)s", count=count)
    elif move.way is Way.ADD:
        title = ngettext(
            "Add %(count)s seat to each client",
            "Add %(count)s seats to each client",
            move.number,
            count=count,
        )
    else:
        title = ngettext(
            "Take %(count)s seat from each client",
            "Take %(count)s seats from each client",
            move.number,
            count=count,
        )
    return str(title)


def _states() -> dict[RowState, tuple[str, str]]:
    return {
        RowState.PLANNED: (_("Will be changed"), ""),
        RowState.SAME: (_("Nothing to do"), ""),
        RowState.DONE: (_("Done"), "good"),
        RowState.REFUSED: (_("Not done"), "warn"),
        RowState.UNDONE: (_("Undone"), "good"),
        RowState.KEPT: (_("Not undone"), "warn"),
    }


def _row(provider_id: uuid.UUID, action: BulkAction, row: Any) -> RowShown:
    label, tone = _states()[row.state]
    why = bulk.reason(row)
    here = {"provider_id": provider_id, "organization_id": row.organization_id}
    return RowShown(
        name=row.name,
        url=url_for(
            "baselines.client" if action is BulkAction.BASELINE else "clients.manage", **here
        ),
        state=label,
        tone=tone,
        reason=sentence(why) if why else "",
        cost=_cost(row.before) if action is BulkAction.SEATS else None,
    )


def _cost(kept: str) -> Cost:
    look = looked_at(kept)
    if look is None:
        return Cost(number(seats_of(kept) or 0), "", "", "", "")
    before, after = money(look.price.per_year_before), money(look.price.per_year_after)
    return Cost(
        seats=f"{number(look.before)} → {number(look.after)}",
        today=money(look.price.today),
        next_invoice=money(look.price.next_invoice),
        invoice_on=day(look.invoice_on),
        per_year=f"{before} → {after}",
    )


def _summary(counts: Any) -> list[str]:
    return [
        labelled(label, number(counts[state]))
        for state, (label, _tone) in _states().items()
        if counts.get(state)
    ]
