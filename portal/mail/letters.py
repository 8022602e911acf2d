"""From a message to a mail: words in the reader's language, headers that nobody can inject into."""

import datetime as dt
import re
import uuid
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime as header_date
from email.utils import parseaddr
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time, get_timezone_name
from flask import render_template
from flask_babel import force_locale
from flask_babel import gettext as _

from portal.config import Settings
from portal.domain.money import Money
from portal.domain.names import is_printable, squeeze
from portal.mail.brand import PLAIN, MailBrand
from portal.mail.messages import Letter
from portal.models import utc_now
from portal.web.formats import day, money
from portal.web.languages import LANGUAGES, is_time_zone

SUBJECT_LIMIT = 200
NAME_LIMIT = 100
LEAVE = "List-Unsubscribe"
# What a header of ours may hold as an address: one mailbox, nothing that begins another.
_MAILBOX = re.compile(r"[^\s@<>()\[\]\",;:\\]{1,64}@[A-Za-z0-9.-]{1,253}\Z")


class BadAddress(ValueError):
    """No mail can go to this text."""


class _Lines(EmailPolicy):
    """Folds headers, but for the one that is an address and has no place to fold it at.

    The email package would write it in an encoded word, which mail programs do not look into.
    """

    def fold_binary(self, name: str, value: str) -> bytes:
        """One header as it is sent."""
        if name == LEAVE:
            return f"{name}: {value}\r\n".encode()
        return super().fold_binary(name, value)


@dataclass(frozen=True)
class Mail:
    """A mail ready to leave. `id` is the outbox row's: a second delivery carries the same."""

    id: uuid.UUID
    to: str
    sender: str
    message: EmailMessage


def compose(
    letter: Letter, settings: Settings, mail_id: uuid.UUID, brand: MailBrand = PLAIN
) -> Mail:
    """The mail of a letter. Raises `BadAddress`."""
    locale = letter.locale if letter.locale in LANGUAGES else "en"
    with force_locale(locale):
        context = _context(letter, locale) | {"brand": brand}
        subject = render_template(f"mail/{letter.name}.subject.txt", **context)
        text = _tidy(render_template(f"mail/{letter.name}.txt", **context))
        html = render_template(f"mail/{letter.name}.html", **context)
    mail = assemble(settings, mail_id, letter.to, context["sender"], subject, text, html)
    if letter.leave_url:
        _let_leave(mail.message, letter.leave_url)
    return mail


def _let_leave(message: EmailMessage, url: str) -> None:
    """The headers with which a mail program takes its reader off the list (RFC 8058)."""
    message[LEAVE] = f"<{url}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"


def assemble(
    settings: Settings,
    mail_id: uuid.UUID,
    to: str,
    sender_name: str,
    subject: str,
    text: str,
    html: str | None = None,
) -> Mail:
    """Headers and parts. Raises `BadAddress`."""
    if not _MAILBOX.match(to) or not is_printable(to):
        raise BadAddress("This is not an address that mail can be sent to.")
    _name, sender = parseaddr(settings.mail_from)
    message = EmailMessage(policy=_Lines(linesep="\r\n", utf8=not to.isascii()))
    message["From"] = Address(one_line(sender_name, NAME_LIMIT), addr_spec=sender)
    local, _at, domain = to.rpartition("@")
    message["To"] = Address(username=local, domain=domain)
    message["Subject"] = one_line(subject, SUBJECT_LIMIT)
    message["Date"] = header_date(utc_now())
    message["Message-ID"] = f"<{mail_id}@{settings.hostname}>"
    # RFC 3834 section 5: no holiday notes come back.
    message["Auto-Submitted"] = "auto-generated"
    # Mails in files are read as they lie there; over SMTP not every server takes eight bits.
    wide = "8bit" if settings.smtp_url is None else "quoted-printable"
    message.set_content(text, cte="7bit" if text.isascii() else wide)
    if html:
        message.add_alternative(html, subtype="html", cte="7bit" if html.isascii() else wide)
    return Mail(mail_id, to, sender, message)


def one_line(text: str, limit: int) -> str:
    """`text` without line ends, control characters and marks that turn it around, cut to length.

    The email package takes an encoded word (RFC 2047) in a header for its own and decodes it, line
    ends included; so nothing may look like the beginning of one.
    """
    kept = squeeze("".join(char if is_printable(char) else " " for char in text[: limit * 4]))
    kept = kept.replace("=?", "= ?")
    return kept if len(kept) <= limit else f"{kept[: limit - 1].rstrip()}…"


def _context(letter: Letter, locale: str) -> dict[str, Any]:
    facts = {
        # Addresses are whole or worth nothing.
        name: value if name.endswith("url") else _written(value)
        for name, value in letter.facts.items()
    }
    sender = one_line(letter.sender, NAME_LIMIT) or _("Provider Portal")
    context: dict[str, Any] = {"locale": locale, "sender": sender}
    if letter.until is not None:
        zone = ZoneInfo(letter.time_zone if is_time_zone(letter.time_zone) else "UTC")
        local, babel_locale = letter.until.astimezone(zone), Locale.parse(locale)
        context["day"] = format_date(local.date(), "full", babel_locale)
        context["time"] = format_time(local, "short", zone, babel_locale)
        context["zone"] = get_timezone_name(local, "long", locale=babel_locale)
    return context | facts


def _written(fact: Any) -> Any:
    """Text as it may stand in a line; money and days as the reader writes them."""
    if isinstance(fact, Money):
        return money(fact)
    if isinstance(fact, dt.date):
        return day(fact)
    return one_line(fact, SUBJECT_LIMIT) if isinstance(fact, str) else fact


def _tidy(text: str) -> str:
    """Blocks that are empty leave no holes."""
    return re.sub(r"\n{3,}", "\n\n", text.strip()) + "\n"
