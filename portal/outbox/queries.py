"""How a mail fares, for the pages of whom it is about."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from portal.models import Outbox

INVITATION = "mail.member_invitation"


@dataclass(frozen=True)
class MailState:
    """The newest mail of its kind about one row.

    `state` is queued, sent, failed or dropped; `last_answer` what the mail server said last.
    `next_try` is set while the mail is queued, `finished_at` once it is not.
    """

    state: str
    attempts: int
    last_answer: str
    next_try: dt.datetime | None
    finished_at: dt.datetime | None

    @property
    def is_delayed(self) -> bool:
        """Queued again, because a try has failed."""
        return self.state == "queued" and bool(self.last_answer)


def _of(subject_ids: Sequence[uuid.UUID], *columns: Any) -> Select[Any]:
    return select(*columns).where(Outbox.subject_id.in_(subject_ids))


def mail_states(
    session: Session, subject_ids: Sequence[uuid.UUID], topic: str = INVITATION
) -> dict[uuid.UUID, MailState]:
    """The newest mail of `topic` about each of the rows, those without one left out."""
    if not subject_ids:
        return {}
    jobs = session.execute(
        _of(
            subject_ids,
            Outbox.subject_id,
            Outbox.state,
            Outbox.attempts,
            Outbox.last_answer,
            Outbox.run_at,
            Outbox.finished_at,
        )
        .where(Outbox.topic == topic)
        .order_by(Outbox.created_at, Outbox.id)
    )
    # Later rows overwrite earlier ones: the newest mail is the one that counts.
    return {
        job.subject_id: MailState(
            state=job.state,
            attempts=job.attempts,
            last_answer=job.last_answer,
            next_try=job.run_at if job.state == "queued" else None,
            finished_at=job.finished_at,
        )
        for job in jobs
    }
