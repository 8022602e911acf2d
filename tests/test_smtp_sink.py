"""The mail server of the tests is as strict as it says."""

import smtplib
import ssl
from email.message import EmailMessage

import pytest

from tests.support.smtp import PASSWORD, USER


def port_of(sink):
    return int(sink.url.rpartition(":")[2])


def mail():
    message = EmailMessage()
    message["From"] = "portal@example.test"
    message["To"] = "zoe@example.test"
    message["Subject"] = "Facture nº 12"
    message.set_content("Bonjour é")
    message.add_alternative("<p>Bonjour é</p>", subtype="html")
    return message


def test_it_keeps_what_it_gets(smtp):
    with smtplib.SMTP("127.0.0.1", port_of(smtp)) as client:
        client.send_message(mail())
    assert smtp.last().mail["Subject"] == "Facture nº 12"
    assert (smtp.last().text, smtp.last().html) == ("Bonjour é\n", "<p>Bonjour é</p>\n")
    assert smtp.last().recipients == ["zoe@example.test"]
    assert not smtp.last().encrypted


@pytest.mark.parametrize("answer", ["451 4.3.0 Later", "550 5.7.1 Never", "RCPT 550 5.1.1 Nobody"])
def test_it_answers_once_as_told_and_then_accepts(smtp, answer):
    smtp.answers.append(answer)
    with smtplib.SMTP("127.0.0.1", port_of(smtp)) as client:
        with pytest.raises((smtplib.SMTPDataError, smtplib.SMTPRecipientsRefused)) as refused:
            client.send_message(mail())
        assert answer.split()[-1] in str(refused.value)
        client.send_message(mail())
    assert (len(smtp.deliveries), smtp.refused) == (1, [answer])


def test_the_strict_one_wants_encryption_and_a_password(strict_smtp):
    open_line = smtplib.SMTP("localhost", port_of(strict_smtp))
    with open_line, pytest.raises(smtplib.SMTPException, match="STARTTLS"):
        open_line.send_message(mail())
    with smtplib.SMTP("localhost", port_of(strict_smtp)) as client:
        client.starttls(context=ssl.create_default_context())
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login(USER, "wrong")
    with smtplib.SMTP("localhost", port_of(strict_smtp)) as client:
        client.starttls(context=ssl.create_default_context())
        client.login(USER, PASSWORD)
        client.send_message(mail())
    assert strict_smtp.last().encrypted
