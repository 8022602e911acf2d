"""View models of members: what a row says, and what may be done with it."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext as _

from portal.domain.emails import shown
from portal.domain.names import colour_class, initials
from portal.domain.states import MemberState
from portal.outbox.queries import MailState
from portal.web.mail_lines import MailLine, from_now, mail_line

_TONES = {
    MemberState.ACCEPTED: "warn",
    MemberState.CONFIRMED: "good",
    MemberState.REVOKED: "bad",
}


@dataclass(frozen=True)
class MemberRow:
    """One row. `name` is the address until somebody has accepted; `email` is empty then."""

    id: uuid.UUID
    name: str
    email: str
    initials: str
    tone: int
    role: str
    state: str
    state_tone: str
    since: dt.datetime
    age: str
    mail: MailLine | None
    confirm_url: str | None
    resend_url: str | None
    address_url: str | None

    @property
    def address(self) -> str:
        return self.email or self.name


def rows_of(found: Sequence[Any], mails: Mapping[uuid.UUID, MailState]) -> list[MemberRow]:
    """The rows of a page, each with its newest invitation mail."""
    return [row_of(member, mails.get(member.id)) for member in found]


def row_of(member: Any, mail: MailState | None) -> MemberRow:
    """One member as the page shows it; `mail` matters only while somebody is invited."""
    address = shown(member.email)
    name = member.name or address
    here = {"organization_id": member.organization_id, "member_id": member.id}
    waits = member.state is MemberState.INVITED
    since = member.confirmed_at or member.accepted_at or member.created_at
    accepted = member.state is MemberState.ACCEPTED
    return MemberRow(
        id=member.id,
        name=name,
        email=address if member.name else "",
        initials=initials(name),
        tone=colour_class(member.id),
        role=_(member.role.label),
        state=_(member.state.label),
        state_tone=_TONES.get(member.state, ""),
        since=since,
        age=from_now(since),
        mail=mail_line(mail, member.invitation_expires_at) if waits else None,
        confirm_url=url_for("members.confirm", **here) if accepted else None,
        resend_url=url_for("members.resend", **here) if waits else None,
        address_url=url_for("members.address", **here) if waits else None,
    )
