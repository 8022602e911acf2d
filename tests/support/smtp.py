"""A mail server that keeps what it gets and answers as the test says."""

import ssl
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from portal.cli.certificate import local_certificate
from tests.support.ports import free_port

USER, PASSWORD = "portal", "a password for mail"


@dataclass(frozen=True)
class Delivery:
    """One accepted message: the envelope, and the mail as its reader sees it."""

    sender: str
    recipients: list[str]
    mail: EmailMessage
    encrypted: bool

    @property
    def text(self) -> str:
        """The plain part."""
        return self._part("plain")

    @property
    def html(self) -> str:
        return self._part("html")

    def _part(self, kind: str) -> str:
        return self.mail.get_body((kind,)).get_content().replace("\r\n", "\n")


@dataclass
class SmtpSink:
    """`answers` are given to the next messages, one each; then all are accepted.

    An answer whose text begins with `RCPT ` is given to the recipient already, any other after
    the message was sent.
    """

    url: str = ""
    answers: list[str] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802 aiosmtpd
        if self.answers and self.answers[0].startswith("RCPT "):
            self.refused.append(self.answers[0])
            return self.answers.pop(0).removeprefix("RCPT ")
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 aiosmtpd
        answer = self.answers.pop(0) if self.answers else "250 2.0.0 Accepted"
        if not answer.startswith("2"):
            self.refused.append(answer)
            return answer
        mail = message_from_bytes(envelope.content, policy=policy.default)
        self.deliveries.append(
            Delivery(envelope.mail_from, list(envelope.rcpt_tos), mail, session.ssl is not None)
        )
        return answer

    # A method, because aiosmtpd looks at every attribute of its handler.
    def last(self) -> Delivery:
        assert self.deliveries, "no mail has come"
        return self.deliveries[-1]


def _start(sink, **options):
    controller = Controller(sink, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    return controller


@pytest.fixture
def smtp():
    """A mail server without any ceremony, at `smtp.url`."""
    sink = SmtpSink()
    controller = _start(sink)
    sink.url = f"smtp://127.0.0.1:{controller.port}"
    yield sink
    controller.stop()


@pytest.fixture
def strict_smtp(tmp_path, monkeypatch):
    """One that wants STARTTLS and a password first; the process trusts its certificate."""
    certificate = local_certificate(tmp_path, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain, certificate.key)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.authority))
    sink = SmtpSink()
    controller = _start(
        sink,
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=_check,
    )
    sink.url = f"smtp://{USER}:{PASSWORD.replace(' ', '%20')}@localhost:{controller.port}"
    yield sink
    controller.stop()


def _check(server, session, envelope, mechanism, data):
    if not isinstance(data, LoginPassword):
        return AuthResult(success=False, handled=False)
    right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=right)
