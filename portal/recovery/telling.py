"""The mail that tells a member, on which all depends: when it has left their 24 hours begin.

Until then nothing is carried out. Where it cannot leave, it can be sent again; nobody waits on.
"""

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, update
from sqlalchemy.orm import Session

from portal.domain import account_recovery as rules
from portal.domain.access import Actor
from portal.domain.account_recovery import OPEN
from portal.domain.errors import N_, refuse
from portal.models import RecoveryRequest, utc_now
from portal.models.writing import rows_changed
from portal.outbox.queries import MailState, mail_states
from portal.recovery import queries, service

TOPIC = "mail.recovery_asked"
ON_ITS_WAY = N_("The mail is on its way already. Load the page again.")
HAS_LEFT = N_("The mail has gone out, so the member has been told. Load the page again.")


def mail_of(session: Session, found: Any) -> MailState | None:
    """How the mail of a recovery fares: the newest one of its kind about the member."""
    return mail_states(session, [found.member_id], TOPIC).get(found.member_id)


def mail_fared(session: Session, topic: str, payload: Mapping[str, Any], state: str) -> None:
    """For the worker, with a job's `state`: the clock starts when the mail has left, once."""
    if topic != TOPIC or state != "sent":
        return
    organization_id, recovery_id = (uuid.UUID(payload[key]) for key in ("organization", "recovery"))
    starts = (
        update(RecoveryRequest)
        .where(
            RecoveryRequest.organization_id == organization_id,
            RecoveryRequest.id == recovery_id,
            RecoveryRequest.told_at.is_(None),
            RecoveryRequest.state.in_(OPEN),
        )
        .values(told_at=utc_now())
        .execution_options(synchronize_session=False)
    )
    if rows_changed(session, starts) != 1:
        return
    found = service.find(session, organization_id, recovery_id)
    member = queries.member(session, organization_id, found.member_id)
    if member is not None:
        service.tell(session, None, "organization:recovery:tell", member)


def send_again(
    session: Session, actor: Actor, organization_id: uuid.UUID, recovery_id: uuid.UUID
) -> Row[Any]:
    """Queue the member's mail once more, where it did not leave. Raises `RuleError`."""
    service.hold(session, organization_id)
    found = service.find(session, organization_id, recovery_id)
    by, member = service.look(session, actor, organization_id, found.member_id)
    may = queries.provider_may(session, organization_id)
    rules.check_reach(by, queries.target_of(member), provider_may=may)
    if rules.stage_of(found.state, queries.times_of(found), utc_now()) not in rules.OPEN_STAGES:
        raise refuse(rules.OVER)
    if found.told_at is not None:
        raise refuse(HAS_LEFT)
    mail = mail_of(session, found)
    if mail is not None and mail.state in ("queued", "sent"):
        raise refuse(ON_ITS_WAY)
    service.mail(session, TOPIC, member, recovery_id, member)
    service.tell(session, actor, "organization:recovery:tell_again", member)
    return found
