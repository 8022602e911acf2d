"""Delivering mail: files, servers, refusals."""

import uuid

import pytest

from portal.mail.delivery import NotDelivered, deliver
from portal.mail.letters import assemble
from portal.models import (
    new_id,
)
from tests.support.smtp import PASSWORD
from tests.test_mail import local, parsed


def sample(chosen, *, mail_id=None, to="zoe@acme.example", text="Bonjour, Zoë.\n"):
    return assemble(chosen, mail_id or new_id(), to, "Épicerie Portail", "Été", text, "<p>é</p>")


def test_the_message_id_belongs_to_the_job(tmp_path):
    mail_id = uuid.UUID(int=7)
    first, second = (sample(local(tmp_path), mail_id=mail_id) for _ in range(2))
    assert parsed(first)["Message-ID"] == parsed(second)["Message-ID"]
    assert parsed(first)["Message-ID"] == f"<{mail_id}@portal.test>"
    assert parsed(first)["Auto-Submitted"] == "auto-generated"


def test_without_a_server_mails_become_files_in_order(tmp_path):
    chosen = local(tmp_path)
    mails = [sample(chosen, to=f"person{number}@acme.example") for number in range(3)]
    answers = [deliver(chosen, mail) for mail in mails]
    files = sorted((tmp_path / "mail").iterdir())
    assert [f"Written to mail/{file.name}" for file in files] == answers
    assert [file.name.split("Z-")[1].rpartition("-")[0] for file in files] == [
        mail.to for mail in mails
    ]
    assert "Bonjour, Zoë." in files[0].read_text("utf-8")
    assert files[0].stat().st_mode & 0o077 == 0
    assert (tmp_path / "mail").stat().st_mode & 0o077 == 0


def test_a_mail_that_is_written_twice_is_one_file(tmp_path):
    chosen = local(tmp_path)
    mail = sample(chosen)
    assert deliver(chosen, mail) == deliver(chosen, mail)
    assert len(list((tmp_path / "mail").iterdir())) == 1


def test_a_folder_that_cannot_be_written_is_another_try(tmp_path):
    (tmp_path / "mail").write_text("in the way")
    with pytest.raises(NotDelivered) as caught:
        deliver(local(tmp_path), sample(local(tmp_path)))
    assert not caught.value.final


def test_a_server_gets_the_mail_and_its_answer_is_kept(tmp_path, smtp):
    chosen = local(tmp_path, smtp_url=smtp.url)
    assert deliver(chosen, sample(chosen)) == "250 2.0.0 Accepted"
    assert smtp.last().recipients == ["zoe@acme.example"]
    assert smtp.last().text.strip() == "Bonjour, Zoë."
    assert smtp.last().mail["From"].addresses[0].display_name == "Épicerie Portail"
    assert all(ord(char) < 128 for char in sample(chosen).message.as_bytes().decode("latin-1"))


@pytest.mark.parametrize(
    ("answer", "final"),
    [
        ("451 4.7.1 Greylisted, try again later", False),
        ("RCPT 450 4.2.0 Greylisted", False),
        ("550 5.7.1 Refused", True),
        ("RCPT 550 5.1.1 No such user", True),
        ("RCPT 552 5.2.2 Mailbox full", True),
    ],
)
def test_the_servers_answer_says_whether_to_try_again(tmp_path, smtp, answer, final):
    smtp.answers = [answer]
    chosen = local(tmp_path, smtp_url=smtp.url)
    with pytest.raises(NotDelivered) as caught:
        deliver(chosen, sample(chosen))
    assert caught.value.answer == answer.removeprefix("RCPT ")
    assert caught.value.final is final
    assert smtp.deliveries == []


def test_a_server_that_is_away_is_another_try(tmp_path):
    chosen = local(tmp_path, smtp_url="smtp://127.0.0.1:1")
    with pytest.raises(NotDelivered, match="cannot be reached") as caught:
        deliver(chosen, sample(chosen))
    assert not caught.value.final


def test_credentials_travel_encrypted_and_are_masked_when_shown(tmp_path, strict_smtp):
    heard = []
    chosen = local(tmp_path, smtp_url=strict_smtp.url)
    deliver(chosen, sample(chosen), heard.append)
    assert strict_smtp.last().encrypted
    talk = "\n".join(heard)
    assert talk.index("STARTTLS") < talk.index("AUTH") < talk.index("> rcpt")
    assert "***" in talk
    assert "< 235" in talk
    assert PASSWORD not in talk
    assert all(line.endswith("***") for line in heard if line.startswith("> AUTH"))


def test_a_wrong_password_of_ours_loses_no_mail(tmp_path, strict_smtp):
    wrong = strict_smtp.url.replace("portal:", "portal:not-")
    chosen = local(tmp_path, smtp_url=wrong)
    with pytest.raises(NotDelivered, match="535") as caught:
        deliver(chosen, sample(chosen))
    assert not caught.value.final


def test_elsewhere_than_here_a_server_must_offer_starttls(tmp_path, smtp, monkeypatch):
    monkeypatch.setattr("portal.mail.delivery.is_loopback", lambda _host: False)
    chosen = local(tmp_path, smtp_url=smtp.url)
    with pytest.raises(NotDelivered, match="STARTTLS") as caught:
        deliver(chosen, sample(chosen))
    assert not caught.value.final
    assert smtp.deliveries == []


def test_elsewhere_than_here_a_certificate_must_be_trusted(tmp_path, strict_smtp, monkeypatch):
    monkeypatch.setattr("portal.mail.delivery.is_loopback", lambda _host: False)
    monkeypatch.delenv("SSL_CERT_FILE")
    chosen = local(tmp_path, smtp_url=strict_smtp.url)
    with pytest.raises(NotDelivered, match="not trusted"):
        deliver(chosen, sample(chosen))
    assert strict_smtp.deliveries == []


def test_letters_outside_ascii_in_an_address_are_told_to_the_server(tmp_path, smtp):
    chosen = local(tmp_path, smtp_url=smtp.url)
    deliver(chosen, sample(chosen, to="zoé@acme.example"))
    assert smtp.last().recipients == ["zoé@acme.example"]
