"""How an invitation mail fares, in words: the same for members and for a provider's people."""

import datetime as dt
from dataclasses import dataclass

from flask_babel import format_timedelta
from flask_babel import gettext as _

from portal.outbox.queries import MailState
from portal.web.formats import day


@dataclass(frozen=True)
class MailLine:
    """How the invitation mail fares: a word, and what more there is to say.

    `answer` is the mail server's last one, if it refused.
    """

    word: str
    tone: str
    text: str
    answer: str = ""


def mail_line(mail: MailState | None, expires_at: dt.datetime | None) -> MailLine:
    """What has become of the invitation mail, and until when its link counts."""
    if expires_at and expires_at <= dt.datetime.now(dt.UTC):
        return MailLine(_("Expired"), "warn", _("Re-send the invitation for a new link."))
    if mail is None:
        return MailLine(_("Not sent"), "warn", _("Re-send the invitation."))
    if mail.state == "sent" and mail.finished_at:
        return MailLine(_("Sent"), "good", _sent(mail.finished_at, expires_at))
    if mail.is_delayed and mail.next_try:
        text = _("The next try is %(when)s.", when=from_now(mail.next_try))
        return MailLine(_("Queued"), "warn", text, mail.last_answer)
    if mail.state == "queued":
        return MailLine(_("Queued"), "", _("It leaves in a moment."))
    return MailLine(_("Failed"), "bad", _("Check the address."), mail.last_answer)


def _sent(at: dt.datetime, expires_at: dt.datetime | None) -> str:
    if expires_at is None:
        return from_now(at)
    text = _("%(ago)s. The link is valid until %(day)s.", ago=from_now(at), day=day(expires_at))
    return str(text)


def from_now(moment: dt.datetime) -> str:
    """`3 days ago`, `in 4 minutes`."""
    return str(format_timedelta(moment - dt.datetime.now(dt.UTC), add_direction=True))
