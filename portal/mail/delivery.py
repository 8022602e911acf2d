"""How a mail leaves: over SMTP, or as a file where no server is set."""

import datetime as dt
import os
import re
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from portal.config import Settings, is_loopback
from portal.mail.letters import Mail

TIMEOUT_SECONDS = 20.0
ANSWER_LIMIT = 500
_PORTS = {"smtp": 587, "smtps": 465}
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9@.+_-]")

Hear = Callable[[str], None]


class NotDelivered(Exception):
    """The mail did not leave. `answer` is what the server said, or what went wrong on the way.

    `final` says that this recipient or mail was refused for good (RFC 5321, a 5yz reply to RCPT
    or DATA). Anything else, a wrong password of ours included, is worth another try.
    """

    def __init__(self, answer: str, *, final: bool = False) -> None:
        super().__init__(answer)
        self.answer = answer[:ANSWER_LIMIT]
        self.final = final


def deliver(settings: Settings, mail: Mail, hear: Hear | None = None) -> str:
    """Send the mail and return the server's answer. Raises `NotDelivered`.

    `hear` is told each line of the conversation, passwords masked.
    """
    if settings.smtp_url is None:
        return _write(settings.instance / "mail", mail)
    try:
        with _connection(settings.smtp_url, settings.hostname, hear or _deaf) as server:
            return _send(server, mail)
    except (smtplib.SMTPException, OSError) as error:
        raise NotDelivered(_trouble(error)) from error


def try_server(settings: Settings, hear: Hear | None = None) -> None:
    """Connect and sign in, and send nothing. Raises `NotDelivered`; does nothing without server."""
    if settings.smtp_url is None:
        return
    try:
        with _connection(settings.smtp_url, settings.hostname, hear or _deaf) as server:
            server.noop()
    except (smtplib.SMTPException, OSError) as error:
        raise NotDelivered(_trouble(error)) from error


def _trouble(error: Exception) -> str:
    """What went wrong on the way, for the operator."""
    if isinstance(error, smtplib.SMTPResponseException):
        return _answer(error.smtp_code, error.smtp_error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"The mail server's certificate is not trusted: {error.verify_message}."
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return "The mail server closed the connection."
    if isinstance(error, TimeoutError):
        return "The mail server did not answer in time."
    if isinstance(error, smtplib.SMTPException):
        return f"The mail server cannot do this: {error}"
    return f"The mail server cannot be reached: {getattr(error, 'strerror', None) or error}."


@contextmanager
def _connection(url: str, hostname: str, hear: Hear) -> Iterator[smtplib.SMTP]:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    hear(f"Connecting to {host}, port {port}.")
    if parts.scheme == "smtps":
        server: smtplib.SMTP = _SecureTalk(host, port, hostname, hear, _tls(host))
    else:
        server = _Talk(host, port, hostname, hear)
    try:
        server.ehlo_or_helo_if_needed()
        if parts.scheme == "smtp":
            _encrypt(server, host)
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        yield server
    finally:
        _quit(server)


def _encrypt(server: smtplib.SMTP, host: str) -> None:
    if server.has_extn("starttls"):
        server.starttls(context=_tls(host))
        server.ehlo()
    elif not is_loopback(host):
        raise NotDelivered(
            "The mail server offers no STARTTLS; mails would be read on the way. Use smtps://."
        )


def _tls(host: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if is_loopback(host):
        # What only this machine answers to needs no proof, and comes with a home-made certificate.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _quit(server: smtplib.SMTP) -> None:
    try:
        server.quit()
    except (smtplib.SMTPException, OSError):
        server.close()


def _send(server: smtplib.SMTP, mail: Mail) -> str:
    options = []
    if not mail.to.isascii():
        if not server.has_extn("smtputf8"):
            raise NotDelivered("The mail server takes only ASCII addresses.", final=True)
        options = ["SMTPUTF8", "BODY=8BITMIME"]
    _expect(*server.mail(mail.sender, options), final=False)
    _expect(*server.rcpt(mail.to), final=True)
    try:
        code, text = server.data(mail.message.as_bytes())
    except smtplib.SMTPDataError as error:
        # The refusal to begin is about this mail as much as the one at its end.
        answer = _answer(error.smtp_code, error.smtp_error)
        raise NotDelivered(answer, final=error.smtp_code >= 500) from error
    _expect(code, text, final=True)
    return _answer(code, text)


def _expect(code: int, text: bytes, *, final: bool) -> None:
    if not 200 <= code < 300:
        raise NotDelivered(_answer(code, text), final=final and code >= 500)


def _answer(code: int, text: bytes | str) -> str:
    said = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"{code} {' '.join(said.split())}"[:ANSWER_LIMIT]


def _deaf(line: str) -> None:
    """Nobody listens."""


class _Hearing(smtplib.SMTP):
    """Repeats the conversation to a listener, without the secrets of AUTH."""

    hear: Hear
    _secret = False

    def putcmd(self, cmd: str, args: str = "") -> None:
        if cmd.upper() == "AUTH":
            self._secret = True
            self.hear(f"> AUTH {args.partition(' ')[0]} ***")
        else:
            self.hear("> ***" if self._secret else f"> {cmd} {args}".rstrip())
        super().putcmd(cmd, args)

    def getreply(self) -> tuple[int, bytes]:
        code, text = super().getreply()
        if code != 334:
            self._secret = False
        self.hear(f"< {_answer(code, text)}")
        return code, text


class _Talk(_Hearing):
    def __init__(self, host: str, port: int, name: str, hear: Hear) -> None:
        self.hear = hear
        super().__init__(host, port, local_hostname=name, timeout=TIMEOUT_SECONDS)


class _SecureTalk(_Hearing, smtplib.SMTP_SSL):
    def __init__(
        self, host: str, port: int, name: str, hear: Hear, context: ssl.SSLContext
    ) -> None:
        self.hear = hear
        settings: dict[str, Any] = {"timeout": TIMEOUT_SECONDS, "context": context}
        smtplib.SMTP_SSL.__init__(self, host, port, local_hostname=name, **settings)


def _write(folder: Path, mail: Mail) -> str:
    """One file a mail, named by the time and id of its outbox row: a second try replaces it."""
    made = dt.datetime.fromtimestamp((mail.id.int >> 80) / 1000, dt.UTC)
    to = _NOT_IN_NAMES.sub("_", mail.to)[:100]
    name = f"{made:%Y%m%dT%H%M%S.%f}Z-{to}-{mail.id.hex[-6:]}.eml"
    draft = folder / f".{name}.{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            out.write(mail.message.as_bytes())
            out.flush()
            os.fsync(out.fileno())
        draft.replace(folder / name)
    except OSError as error:
        raise NotDelivered(f"The mail could not be written: {error.strerror}.") from error
    return f"Written to mail/{name}"
