"""What the pages on the provider's access show: every text and address made once."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from portal.domain.browsers import browser_and_system
from portal.domain.emails import shown
from portal.domain.provider_access import AccessMode, GrantState
from portal.domain.scope import Level
from portal.grants.blueprint import end_of, page_of
from portal.grants.forms import words_of
from portal.web.formats import moment


@dataclass(frozen=True)
class Mode:
    """One of the three, with what it means; `url` leads to its consequences, or is empty."""

    value: str
    label: str
    text: str
    icon: str
    is_current: bool
    url: str


@dataclass(frozen=True)
class Visitor:
    """Somebody of the provider in whose scope the organization is."""

    name: str
    email: str
    role: str


@dataclass(frozen=True)
class Inside:
    """A live session. `grant_url` leads to the grant by which it is in, or is empty.

    `end_url` signs it out where no grant can be ended, or is empty.
    """

    name: str
    email: str
    browser: str
    entered_at: dt.datetime | None
    seen_at: dt.datetime
    ends_at: dt.datetime | None
    grant_id: uuid.UUID | None
    grant_url: str
    end_url: str


@dataclass(frozen=True)
class Line:
    """A request or grant as lists show it."""

    url: str
    name: str
    reason: str
    minutes: str
    state: str
    tone: str
    asked_at: dt.datetime
    waits: bool
    until: dt.datetime | None


TONES = {GrantState.REQUESTED: "warn", GrantState.APPROVED: "good", GrantState.DECLINED: "bad"}


def modes_of(current: AccessMode, urls: dict[AccessMode, str]) -> list[Mode]:
    """The three modes; `urls` of those that this reader may choose."""
    texts = {
        AccessMode.ALWAYS: _(
            "The provider's people whose scope has this organization come and go. Each time is "
            "told in the event log."
        ),
        AccessMode.ASK: _(
            "Whoever wants to come in says why and for how long. An owner lets them in or not, "
            "and the access ends by itself."
        ),
        AccessMode.NEVER: _(
            "Nobody of the provider comes in, and the key that was handed to it is deleted. It "
            "keeps the subscription and the bills."
        ),
    }
    icons = {AccessMode.ALWAYS: "lock-open", AccessMode.ASK: "user-check", AccessMode.NEVER: "lock"}
    return [
        Mode(
            mode.value,
            _(mode.label),
            texts[mode],
            icons[mode],
            mode is current,
            urls.get(mode, ""),
        )
        for mode in AccessMode
    ]


def visitors_of(rows: Sequence[Any]) -> list[Visitor]:
    """The people, with what they may do here."""
    return [Visitor(row.name, shown(row.email), _role(row)) for row in rows]


def _role(row: Any) -> str:
    role = _(row.role.label)
    if row.level is Level.READ_ONLY:
        return str(_("%(role)s, reads only", role=role))
    return str(role)


def inside_of(organization_id: uuid.UUID, mode: AccessMode, rows: Sequence[Any]) -> list[Inside]:
    """The live sessions, one line each; two days' entries of one session are one line."""
    found = {row.session_id: row for row in rows}
    return [
        Inside(
            row.name,
            shown(row.email),
            " · ".join(filter(None, browser_and_system(row.browser))) or _("unknown"),
            row.entered_at,
            row.seen_at,
            row.ends_at,
            row.grant_id,
            page_of(organization_id, row.grant_id) if row.grant_id else "",
            end_of(organization_id, row.session_id) if mode is AccessMode.ALWAYS else "",
        )
        for row in found.values()
    ]


def line_of(row: Any) -> Line:
    """One request or grant."""
    return Line(
        url=page_of(row.organization_id, row.id),
        name=row.person_name,
        reason=row.reason,
        minutes=words_of(row.minutes or row.asked_minutes),
        state=_(row.state.label),
        tone=TONES.get(row.state, ""),
        asked_at=row.asked_at,
        waits=row.state is GrantState.REQUESTED,
        until=row.ends_at if row.state is GrantState.APPROVED else None,
    )


def facts_of(row: Any) -> list[tuple[str, str]]:
    """All that is known of one, in the order in which it happened."""
    facts = [
        (_("Person"), row.person_name),
        (_("Reason"), row.reason),
        (_("Asked for"), words_of(row.asked_minutes)),
        (_("Asked"), moment(row.asked_at)),
    ]
    if row.answered_at:
        label = _("Approved") if row.state.let_in else _("Declined")
        facts.append((label, _by(row.answered_name, row.answered_at)))
    if row.minutes:
        facts.append((_("Given"), words_of(row.minutes)))
    if row.state is GrantState.APPROVED:
        facts.append((_("Ends"), moment(row.ends_at)))
    elif row.closed_at and row.state is not GrantState.DECLINED:
        facts.append((_(row.state.label), _by(row.closed_name, row.closed_at)))
    return facts


def _by(name: str, at: dt.datetime) -> str:
    return str(_("%(time)s, by %(name)s", time=moment(at), name=name)) if name else moment(at)
