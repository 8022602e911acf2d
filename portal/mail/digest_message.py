"""What the weekly mail says: what waits, what ends and what came, over a person's clients."""

import datetime as dt
import uuid
from typing import Any

from sqlalchemy.orm import Session

from portal.crypto.tokens import Link, LinkSigner
from portal.domain.attention import AttentionKind
from portal.domain.emails import shown
from portal.domain.errors import N_
from portal.domain.expiries import zone_of
from portal.domain.names import squeeze
from portal.mail.shapes import Letter, Office, Outdated, Payload
from portal.models import utc_now
from portal.radar import people
from portal.radar.digest import Digest, collect
from portal.radar.queries import COUNTED
from portal.radar.service import LEAVE
from portal.radar.words import ENDS

TOLD = 5
# What each of them waits for; the label of a row fills the place.
WAITS = {
    AttentionKind.INVITED: N_("%(label)s has not accepted the invitation"),
    AttentionKind.ACCEPTED: N_("%(label)s waits to be confirmed"),
    AttentionKind.STAGED: N_("%(label)s has not been invited yet"),
    AttentionKind.MAIL_FAILED: N_("The e-mail to %(label)s did not arrive"),
    AttentionKind.SEATS_FULL: N_("There is no seat left"),
    AttentionKind.SEATS_ASKED: N_("%(label)s asks for more seats"),
}


def weekly_digest(session: Session, office: Office, payload: Payload) -> Letter:
    """A week over all the clients that somebody reaches: `provider`, `person`, `week`, `locale`."""
    provider_id, person_id = uuid.UUID(payload["provider"]), uuid.UUID(payload["person"])
    found = people.person(session, provider_id, person_id)
    if found is None or not found.wants_digest:
        raise Outdated("The person has left, or switched the mail off.")
    now, monday = utc_now(), dt.date.fromisoformat(payload["week"])
    told = collect(session, people.reader_of(found), monday, found.time_zone, now)
    if told.has_nothing:
        raise Outdated("There was nothing to tell.")
    link = Link(provider_id, person_id, 1)
    leave = office.url_for("radar.leave", token=LinkSigner(office.secret_keys, LEAVE).sign(link))
    clients = office.url_for("clients.index", provider_id=provider_id)
    return Letter(
        name="weekly_digest",
        to=found.email,
        locale=payload["locale"],
        sender=found.provider,
        facts={
            "provider": found.provider,
            **_facts(told, found.time_zone),
            "url": office.url_for("radar.index", provider_id=provider_id),
            "clients_url": clients,
            "no_owner_url": f"{clients}?owner=none",
            "full_url": f"{clients}?seats=none",
            "leave_url": leave,
        },
        leave_url=leave,
    )


def _facts(told: Digest, time_zone: str) -> dict[str, Any]:
    zone = zone_of(time_zone)
    return {
        "stuck": _part(told.stuck),
        "stuck_rows": [
            (WAITS[row.kind], _label(row), row.client or "", row.since.astimezone(zone).date())
            for row in told.stuck[:TOLD]
        ],
        "ending": _part(told.ending),
        "ending_rows": [
            (ENDS[row.kind], _label(row), row.client or "", row.due_at.astimezone(zone).date())
            for row in told.ending[:TOLD]
        ],
        "no_owner": _part(told.without_owner),
        "full": _part(told.full),
        "created": _part(told.created),
        "created_rows": [row.name for row in told.created[:TOLD]],
    }


def _label(row: Any) -> str:
    return shown(squeeze(row.label))


def _part(rows: list[Any]) -> str:
    """How many, or nothing where there are none."""
    if not rows:
        return ""
    return f"{COUNTED}+" if len(rows) > COUNTED else str(len(rows))
