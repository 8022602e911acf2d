"""Recoveries in words."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext as _

from portal.domain.account_recovery import Stage, ends_at, ready_at, stage_of
from portal.domain.emails import shown

_TONES = {Stage.NEEDS_APPROVAL: "warn", Stage.READY: "warn", Stage.DONE: "good"}


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
    ready_at: dt.datetime
    ends_at: dt.datetime
    closed_by: str
    closed_at: dt.datetime | None

    @property
    def is_open(self) -> bool:
        return self.stage in (Stage.NEEDS_APPROVAL, Stage.WAITS, Stage.READY)


def row_of(found: Any) -> RecoveryRow:
    """A row of `queries.request`."""
    stage = stage_of(found.state, found.asked_at, dt.datetime.now(dt.UTC))
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
        ready_at=ready_at(found.asked_at),
        ends_at=ends_at(found.asked_at),
        closed_by=found.closed_by_name,
        closed_at=found.closed_at,
    )
