"""Stuck people as the templates show them: who, where, why, since when, and what helps."""

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.clients.stuck_listing import AGES, StuckListing
from portal.domain.access import Actor, Permission
from portal.domain.attention import AttentionKind
from portal.domain.emails import shown
from portal.domain.paging import Cursor, Page
from portal.domain.states import ClientStatus, MemberState
from portal.models import utc_now
from portal.web.chips import Chip
from portal.web.formats import instant
from portal.web.languages import per_language

TARGET = "clients-stuck"
_TONES = {
    AttentionKind.MAIL_FAILED: "bad",
    AttentionKind.ACCEPTED: "warn",
    AttentionKind.SEATS_FULL: "warn",
    AttentionKind.SEATS_ASKED: "warn",
}
# Those for whom something can be done together with others.
_TICKED = {AttentionKind.INVITED, AttentionKind.MAIL_FAILED, AttentionKind.ACCEPTED}


@dataclass(frozen=True)
class StuckRow:
    """One person, or a client that lets nobody in (`is_client`); `id` is what is ticked.

    `note` is the server's answer, or what else is to be said.
    """

    id: str
    who: str
    client: str
    client_url: str
    status: str
    reason: str
    tone: str
    note: str
    age: str
    since: str
    help: str
    help_url: str
    can_be_ticked: bool
    is_client: bool


@dataclass(frozen=True)
class StuckList:
    """What `clients/_stuck.html` shows."""

    url: str
    listing: StuckListing
    rows: tuple[StuckRow, ...]
    chips: tuple[Chip, ...]
    reasons: tuple[tuple[str, str], ...]
    ages: tuple[tuple[str, str], ...]
    order_url: str
    csv_url: str
    query: str
    is_filtered: bool
    is_limited: bool
    previous_url: str | None
    next_url: str | None


@per_language
def reasons() -> dict[AttentionKind, str]:
    """Why somebody is stuck, in words."""
    return {
        AttentionKind.INVITED: _("Invited, not accepted"),
        AttentionKind.ACCEPTED: _("Accepted, not confirmed"),
        AttentionKind.STAGED: _("Prepared, not invited"),
        AttentionKind.MAIL_FAILED: _("E-mail is not delivered"),
        AttentionKind.SEATS_FULL: _("All seats are in use"),
        AttentionKind.SEATS_ASKED: _("Asks for seats"),
    }


@per_language
def ages() -> dict[int, str]:
    """The choices of age."""
    return {
        days: ngettext("Longer than %(num)s day", "Longer than %(num)s days", days) for days in AGES
    }


def age(since: dt.datetime, now: dt.datetime) -> str:
    """How long somebody has been stuck, in whole days or hours."""
    hours = max(0, int((now - since).total_seconds() // 3600))
    if hours >= 24:
        return str(ngettext("%(num)s day", "%(num)s days", hours // 24))
    if hours:
        return str(ngettext("%(num)s hour", "%(num)s hours", hours))
    return str(_("Less than an hour"))


def build(
    page: Page[Any],
    listing: StuckListing,
    actor: Actor,
    provider_id: uuid.UUID,
    write_cursor: Callable[[Cursor], str],
) -> StuckList:
    """The list of one page."""
    url = url_for("clients.stuck_people", provider_id=provider_id)

    def beside(cursor: Cursor | None) -> str | None:
        return listing.address(url, at=write_cursor(cursor)) if cursor else None

    return StuckList(
        url=url,
        listing=listing,
        rows=rows_of(page.rows, actor),
        chips=_chips(url, listing),
        reasons=tuple((kind.value, label) for kind, label in reasons().items()),
        ages=tuple((str(days), label) for days, label in ages().items()),
        order_url=listing.turned().address(url),
        csv_url=listing.address(url_for("clients.stuck_csv", provider_id=provider_id)),
        query=listing.address("").removeprefix("?"),
        is_filtered=bool(listing.filters()),
        is_limited=actor.scope.is_limited,
        previous_url=beside(page.previous),
        next_url=beside(page.next),
    )


def rows_of(found: Sequence[Any], actor: Actor) -> tuple[StuckRow, ...]:
    """Rows of `stuck_queries` as the list and the pages of bulk actions show them."""
    now = utc_now()
    return tuple(_row(row, actor, now) for row in found)


def _row(row: Any, actor: Actor, now: dt.datetime) -> StuckRow:
    label, url = _help(row, actor)
    is_client = row.kind is AttentionKind.SEATS_FULL
    has_client = row.organization_id is not None
    return StuckRow(
        id=str(row.subject_id),
        who=_("Anybody new") if is_client else shown(row.label),
        client=row.client or "",
        client_url=_inside("members.index", row) if has_client else "",
        status=_(row.status.label) if has_client and row.status is not ClientStatus.ACTIVE else "",
        reason=reasons()[row.kind],
        tone=_TONES.get(row.kind, ""),
        note=_note(row, now),
        age=age(row.since, now),
        since=instant(row.since),
        help=label,
        help_url=url,
        can_be_ticked=row.kind in _TICKED,
        is_client=is_client,
    )


def _note(row: Any, now: dt.datetime) -> str:
    if row.kind is AttentionKind.MAIL_FAILED:
        return str(row.reason)
    if row.kind is AttentionKind.SEATS_ASKED:
        count = int(row.reason)
        return str(ngettext("%(num)s more seat", "%(num)s more seats", count))
    if row.kind is AttentionKind.INVITED and row.due_at and row.due_at <= now:
        return str(_("The link has expired."))
    return ""


def _inside(endpoint: str, row: Any, **values: Any) -> str:
    return url_for(endpoint, organization_id=row.organization_id, **values)


def _help(row: Any, actor: Actor) -> tuple[str, str]:
    """What the actor can do about it, and where; of a client at least look."""
    if row.organization_id is None:
        return _help_person(row, actor)
    member = {"member_id": row.subject_id}
    if row.kind in {AttentionKind.SEATS_FULL, AttentionKind.SEATS_ASKED}:
        return _help_seats(row, actor)
    if row.kind is AttentionKind.ACCEPTED and actor.can(Permission.MEMBERS_CONFIRM):
        return _("Confirm"), _inside("members.confirm", row, **member)
    if row.state is MemberState.INVITED and actor.can(Permission.MEMBERS_INVITE):
        if row.kind is AttentionKind.MAIL_FAILED:
            return _("Use another address"), _inside("members.address", row, **member)
        here = {"provider_id": actor.provider_id, "scope": "ticked", "id": row.subject_id}
        return _("Re-send invitation"), url_for("clients.stuck_resend", **here)
    return _("Show the members"), _inside("members.index", row)


def _help_person(row: Any, actor: Actor) -> tuple[str, str]:
    here: dict[str, Any] = {"provider_id": actor.provider_id}
    if row.kind is AttentionKind.ACCEPTED and actor.can(Permission.PROVIDER_KEYS):
        return _("Confirm"), url_for("providers.confirm_people", **here, person=row.subject_id)
    return _("Show the person"), url_for("providers.person", **here, person_id=row.subject_id)


def _help_seats(row: Any, actor: Actor) -> tuple[str, str]:
    here: dict[str, Any] = {"provider_id": actor.provider_id}
    here["organization_id"] = row.organization_id
    if actor.can(Permission.CLIENTS_MANAGE):
        if row.kind is AttentionKind.SEATS_ASKED:
            return _("Answer the request"), url_for("clients.seat_request", **here)
        return _("Change the seats"), url_for("clients.subscription", **here)
    return _("Show the client"), url_for("clients.manage", **here)


def _chips(url: str, listing: StuckListing) -> tuple[Chip, ...]:
    kind, days = listing.kind, listing.days
    labels = {
        "q": _("Client contains “%(words)s”", words=listing.search),
        "reason": reasons()[kind] if kind else "",
        "older": ages()[days] if days else "",
    }
    return tuple(
        Chip(labels[name], listing.without(name).address(url)) for name in listing.filters()
    )
