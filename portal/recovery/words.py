"""Recoveries in words."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext as _

from portal.domain.account_recovery import OPEN_STAGES, Stage, stage_of
from portal.domain.emails import shown
from portal.outbox.queries import MailState
from portal.recovery.queries import times_of
from portal.web.mail_lines import MailLine, from_now

_TONES = {
    Stage.NEEDS_APPROVAL: "warn",
    Stage.UNTOLD: "warn",
    Stage.READY: "warn",
    Stage.DONE: "good",
}


@dataclass(frozen=True)
class RecoveryRow:
    """A recovery as pages show it."""

    id: uuid.UUID
    name: str
    email: str
    url: str
    stage: Stage
    label: str
    tone: str
    reason: str
    asked_by: str
    by_provider: bool
    asked_at: dt.datetime
    approved_by: str
    approved_at: dt.datetime | None
    told_at: dt.datetime | None
    ready_at: dt.datetime | None
    ends_at: dt.datetime
    closed_by: str
    closed_at: dt.datetime | None

    @property
    def is_open(self) -> bool:
        return self.stage in OPEN_STAGES

    @property
    def is_untold(self) -> bool:
        """Open, and the member's mail has not left."""
        return self.is_open and self.told_at is None


def row_of(found: Any) -> RecoveryRow:
    """A row of `queries.request`."""
    times = times_of(found)
    stage = stage_of(found.state, times, dt.datetime.now(dt.UTC))
    address = shown(found.email)
    here = {"organization_id": found.organization_id, "recovery_id": found.id}
    return RecoveryRow(
        id=found.id,
        name=found.name or address,
        email=address,
        url=url_for("recovery.one", **here),
        stage=stage,
        label=_(stage.label),
        tone=_TONES.get(stage, ""),
        reason=found.reason,
        asked_by=found.asked_by_name,
        by_provider=found.by_provider,
        asked_at=found.asked_at,
        approved_by=found.approved_by_name,
        approved_at=found.approved_at,
        told_at=found.told_at,
        ready_at=times.ready_at,
        ends_at=times.ends_at,
        closed_by=found.closed_by_name,
        closed_at=found.closed_at,
    )


def mail_line(mail: MailState | None) -> MailLine:
    """How the mail that tells the member fares, and what to do about it."""
    if mail is not None and mail.state in ("queued", "sent"):
        if mail.is_delayed and mail.next_try:
            text = _("The next try is %(when)s.", when=from_now(mail.next_try))
            return MailLine(_("Queued"), "warn", text, mail.last_answer)
        return MailLine(_("Queued"), "", _("It leaves in a moment."))
    text = _(
        "See to it that the address takes mail, then send it again. The member can also stop or "
        "see it when they sign in."
    )
    return MailLine(_("Failed"), "bad", text, mail.last_answer if mail else "")
