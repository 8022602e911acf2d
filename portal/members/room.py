"""The room for people who come in, as pages show it before anything is done."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from flask import current_app, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.billing.offer import price_list
from portal.domain.access import Actor, Permission
from portal.domain.money import Money
from portal.domain.plans import Cadence
from portal.domain.price_list import PriceList
from portal.domain.subscription_changes import Preview
from portal.members.growing import Foreseen
from portal.web.formats import day, money, number
from portal.web.forms import sentence

# Posted back with the form: what the person saw of the price.
AGREED = "agreed"


@dataclass(frozen=True)
class Room:
    """What `members/_room.html` shows: seats first, then what they cost, or who can help.

    `lines` are (label, amount); `mark` is what agrees to them. `help` and `help_url` are a way on
    where the seats do not suffice.
    """

    url: str
    text: str = ""
    lines: tuple[tuple[str, str], ...] = ()
    mark: str = ""
    why: str = ""
    help: str = ""
    help_url: str = ""


def prices() -> PriceList:
    """Today's price list."""
    return price_list(current_app.extensions["settings"].prices)


def room_of(foreseen: Foreseen, actor: Actor, url: str = "") -> Room:
    """For `wanted` people; `url` is where the piece is asked for anew as they are typed."""
    if not foreseen.wanted:
        return Room(url)
    here = _needed(foreseen)
    if foreseen.refusal:
        label, help_url = _help(foreseen, actor)
        return Room(url, here, why=sentence(foreseen.refusal.why), help=label, help_url=help_url)
    if foreseen.preview is None:
        return Room(url, here)
    return Room(url, here, tuple(_lines(foreseen.preview)), foreseen.mark)


def with_fewer(refused: Room, fewer: Room) -> Room:
    """Why not all of them fit, with the price at which some of them do."""
    return replace(refused, text=fewer.text, lines=fewer.lines, mark=fewer.mark)


def _needed(foreseen: Foreseen) -> str:
    free = number(foreseen.standing.free)
    counted = ngettext(
        "%(count)s seat is needed; free: %(free)s.",
        "%(count)s seats are needed; free: %(free)s.",
        foreseen.wanted,
        count=number(foreseen.wanted),
        free=free,
    )
    if not foreseen.added:
        return str(counted)
    added = ngettext(
        "%(count)s seat would be added.",
        "%(count)s seats would be added.",
        foreseen.added,
        count=number(foreseen.added),
    )
    return f"{counted} {added}"


def _lines(preview: Preview) -> Iterator[tuple[str, str]]:
    """Now, until the period ends, and each period from then on."""
    yield str(_("Due now")), money(preview.invoiced_today)
    until = _("Added until %(day)s", day=day(preview.period.end))
    yield str(until), money(preview.adjustment)
    cents = preview.adds_per_year.cents // (12 // preview.after.cadence.months)
    each = Money(cents, preview.gross.currency)
    monthly = preview.after.cadence is Cadence.MONTHLY
    label = _("Then more each month") if monthly else _("Then more each year")
    yield str(label), money(each)


def _help(foreseen: Foreseen, actor: Actor) -> tuple[str, str]:
    here: dict[str, Any] = {"organization_id": actor.organization_id}
    if foreseen.can_ask:
        url = url_for("members.seats", **here, wanted=foreseen.missing)
        return str(_("Ask for seats")), url
    if actor.provider_id and actor.can(Permission.CLIENTS_MANAGE):
        url = url_for("clients.subscription", provider_id=actor.provider_id, **here)
        return str(_("Manage subscription")), url
    return "", ""
