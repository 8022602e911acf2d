"""Mails: what they say, what nobody can put into them, and how they leave."""

import datetime as dt
import re
import uuid
from email import message_from_bytes, policy

import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from portal.crypto.tokens import Link, LinkSigner, mail_codes
from portal.domain.access import Role
from portal.domain.states import MemberState, ProviderPersonState
from portal.mail.delivery import NotDelivered, deliver
from portal.mail.letters import BadAddress, assemble, compose, one_line
from portal.mail.messages import MESSAGES, Office, Outdated
from portal.models import (
    Member,
    ProviderPerson,
    SignInCode,
    new_id,
    utc_now,
)
from portal.outbox.mailing import absolute_url
from tests.support.clients import make_account, make_provider
from tests.support.databases import SECRET_KEY, settings
from tests.support.mailing import change_settings, invited
from tests.support.smtp import PASSWORD

BASE = "https://portal.test"
HOSTILE = [
    "Acme\r\nBcc: eve@evil.example",
    "Acme\nBcc: eve@evil.example",
    "Acme%0aBcc: eve@evil.example",
    "Acme\u2028Bcc: eve@evil.example",
    "Acme\u2029\u0085\u000b\u000cBcc: eve@evil.example",
    "Acme\x00\x1b[31m",
    "Acme\u202eelpmaxe.live",
    "A" * 65_536,
    "é" * 65_536,
    "=?utf-8?q?=0D=0ABcc:_eve@evil.example?=",
    "<img src=x onerror=alert(1)>",
    '"><script>alert(1)</script>',
    "{{ 7 * 7 }}",
]


@pytest.fixture
def office(app, monkeypatch):
    """The app as it is reached at BASE."""
    chosen = change_settings(app, monkeypatch, base_url=BASE)
    return Office(
        chosen.secret_keys,
        lambda endpoint, **values: absolute_url(app, chosen, endpoint, **values),
    )


def write(database, office, topic, **payload):
    """The mail of a job with this payload."""
    with database.session() as session:
        letter = MESSAGES[topic](session, office, {"locale": "en"} | payload)
    with database.app.app_context():
        return compose(letter, database.app.extensions["settings"], new_id())


def invite(database, office, member, /, **payload):
    ids = {"organization": str(member.organization_id), "member": str(member.id), "version": 1}
    return write(database, office, "mail.member_invitation", **(ids | payload))


def parsed(mail):
    """The mail as its reader's program has it, from the bytes that leave."""
    return message_from_bytes(mail.message.as_bytes(), policy=policy.default)


def text_of(mail):
    return parsed(mail).get_body(("plain",)).get_content()


def html_of(mail):
    return parsed(mail).get_body(("html",)).get_content()


def test_an_owner_reads_who_invites_to_what_and_until_when(database, office):
    member = invited(database, name="Zoë & Söhne", time_zone="Europe/Paris")
    mail = invite(database, office, member)
    until = member.invitation_expires_at
    assert parsed(mail)["Subject"] == "Join Zoë & Söhne as its owner"
    assert parsed(mail)["To"] == "zoe@acme.example"
    text = text_of(mail)
    assert "Northwind IT has set up Zoë & Söhne for you" in text
    assert f"{until:%B}" in text
    assert str(until.year) in text
    assert "zoe@acme.example alone" in text


def test_the_expiry_is_told_in_the_zone_of_the_provider_or_the_readers_own(database, office):
    member = invited(database, time_zone="Asia/Tokyo")
    tokyo = member.invitation_expires_at.astimezone(dt.timezone(dt.timedelta(hours=9)))
    assert f"{tokyo:%I:%M}".lstrip("0") in text_of(invite(database, office, member))
    make_account(database, email=member.email, time_zone="America/New_York")
    text = text_of(invite(database, office, member))
    assert re.search(r"\(Eastern (Standard|Daylight) Time\)", text)


def test_the_link_of_an_invitation_opens_that_invitation(database, office):
    member = invited(database)
    mail = invite(database, office, member)
    token = re.search(rf"{BASE}/invitations/(\S+)", text_of(mail))[1]
    signer = LinkSigner((SECRET_KEY,), "member-invitation")
    assert signer.read(token) == Link(member.organization_id, member.id, 1)


def test_both_sides_of_a_mail_have_the_same_link_and_nothing_is_loaded(database, office):
    mail = invite(database, office, invited(database))
    soup = BeautifulSoup(html_of(mail), "html5lib")
    links = {tag["href"] for tag in soup.select("[href]")}
    assert len(links) == 1
    assert links.pop() in text_of(mail)
    assert soup.select("[src], link, img, script, form") == []
    assert len(soup.select("a.button")) == 1


def test_another_members_invitation_says_nothing_of_owners(database, office):
    member = invited(database, role=Role.USER)
    mail = invite(database, office, member)
    assert parsed(mail)["Subject"] == "Join Acme Ltd"
    assert "owner" not in text_of(mail)
    assert "Northwind IT invites you" in text_of(mail)


def test_a_replaced_accepted_or_expired_invitation_is_not_sent(database, office):
    member = invited(database)
    with pytest.raises(Outdated, match="newer"):
        invite(database, office, member, version=0)
    with pytest.raises(Outdated, match="gone"):
        invite(database, office, member, member=str(new_id()))
    with pytest.raises(Outdated, match="gone"):
        invite(database, office, member, organization=str(new_id()))
    with database.session() as session:
        row = session.get(Member, (member.organization_id, member.id))
        row.invitation_expires_at = utc_now() - dt.timedelta(seconds=1)
    with pytest.raises(Outdated, match="expired"):
        invite(database, office, member)
    with database.session() as session:
        row = session.get(Member, (member.organization_id, member.id))
        row.state = MemberState.REVOKED
    with pytest.raises(Outdated, match="withdrawn"):
        invite(database, office, member)


def challenge(database, **columns):
    account = make_account(database)
    values = {"browser_hash": "x", "expires_at": utc_now() + dt.timedelta(minutes=10)}
    return database.add(
        SignInCode(email=account.email, account_id=account.id, **(values | columns))
    )


def test_the_code_in_the_mail_is_the_one_that_signs_in(database, office):
    row = challenge(database)
    mail = write(database, office, "mail.sign_in_code", challenge=str(row.id))
    code = mail_codes((SECRET_KEY,), row.id)[0]
    assert re.findall(r"\b\d{8}\b", text_of(mail)) == [code]
    assert code in html_of(mail)
    assert mail.to == row.email
    assert "http" not in text_of(mail)


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"used_at": utc_now()}, "used"),
        ({"expires_at": utc_now() - dt.timedelta(seconds=1)}, "expired"),
    ],
)
def test_a_code_that_is_of_no_use_is_not_sent(database, office, columns, why):
    row = challenge(database, **columns)
    with pytest.raises(Outdated, match=why):
        write(database, office, "mail.sign_in_code", challenge=str(row.id))


def accepted(database, **columns):
    member = invited(database)
    account = make_account(database, email=member.email, with_keys=True)
    with database.session() as session:
        row = session.get(Member, (member.organization_id, member.id))
        row.account_id, row.state = account.id, MemberState.ACCEPTED
        for name, value in columns.items():
            setattr(row, name, value)
    return member


def test_an_admin_is_led_to_the_page_that_confirms(database, office):
    member = accepted(database)
    admin = make_account(database)
    ids = {"organization": str(member.organization_id), "member": str(member.id)}
    topic, ids = "mail.member_accepted", ids | {"account": str(admin.id)}
    mail = write(database, office, topic, **ids)
    assert mail.to == admin.email
    page = f"{BASE}/organizations/{member.organization_id}/members/{member.id}/confirm"
    assert page in text_of(mail)
    with database.session() as session:
        session.get(Member, (member.organization_id, member.id)).state = MemberState.REVOKED
    with pytest.raises(Outdated):
        write(database, office, topic, **ids)


def test_a_confirmed_member_is_led_into_the_organization(database, office):
    member = accepted(database, state=MemberState.CONFIRMED, wrapped_organization_key="4.key")
    ids = {"organization": str(member.organization_id), "member": str(member.id)}
    mail = write(database, office, "mail.member_confirmed", **ids)
    assert mail.to == member.email
    assert f"{BASE}/organizations/{member.organization_id}/collections" in text_of(mail)


def person(database, **columns):
    provider = make_provider(database)
    values = {
        "email": "ada@northwind.example",
        "role": Role.PROVIDER_ADMIN,
        "state": ProviderPersonState.INVITED,
        "invitation_expires_at": utc_now() + dt.timedelta(days=5),
    }
    return database.add(ProviderPerson(provider_id=provider.id, **(values | columns)))


def test_a_providers_person_is_invited_with_a_link_of_their_own_purpose(database, office):
    row = person(database)
    ids = {"provider": str(row.provider_id), "person": str(row.id), "version": 1}
    mail = write(database, office, "mail.provider_invitation", **ids)
    token = re.search(rf"{BASE}/invitations/(\S+)", text_of(mail))[1]
    expected = Link(row.provider_id, row.id, 1)
    assert LinkSigner((SECRET_KEY,), "provider-invitation").read(token) == expected
    assert LinkSigner((SECRET_KEY,), "member-invitation").read(token) is None
    assert "Provider admin" in text_of(mail)
    with pytest.raises(Outdated):
        write(database, office, "mail.provider_invitation", **(ids | {"version": 2}))


@pytest.mark.parametrize("locale", ["en", "fr"])
def test_day_and_time_are_written_in_the_readers_language(database, office, locale):
    member = invited(database)
    mail = invite(database, office, member, locale=locale)
    month = member.invitation_expires_at.strftime("%B")
    assert (month in text_of(mail)) is (locale == "en")
    assert BeautifulSoup(html_of(mail), "html5lib").html["lang"] == locale


def test_an_unknown_language_is_answered_in_english(database, office):
    assert "invites you" in text_of(invite(database, office, invited(database), locale="xx"))


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_names_add_no_header_no_recipient_and_no_markup(database, office, name):
    member = invited(database)
    with database.session() as session:
        letter = MESSAGES["mail.member_invitation"](
            session,
            office,
            {
                "organization": str(member.organization_id),
                "member": str(member.id),
                "version": 1,
                "locale": "en",
            },
        )
    facts = {**letter.facts, "organization": name, "provider": name, "address": name}
    letter = type(letter)(**{**letter.__dict__, "facts": facts, "sender": name})
    with database.app.app_context():
        mail = compose(letter, database.app.extensions["settings"], new_id())
    found = parsed(mail)
    assert sorted(found.keys()) == sorted(HEADERS)
    assert [address.addr_spec for address in found["To"].addresses] == ["zoe@acme.example"]
    assert [address.addr_spec for address in found["From"].addresses] == ["portal@localhost"]
    assert len(mail.message.as_bytes()) < 20_000
    html = html_of(mail)
    assert "<img" not in html
    assert "<script" not in html
    assert not set(text_of(mail)) & set("\x00\x1b\u202e\u2028\u2029")


HEADERS = (
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
)


@given(st.text(max_size=400))
def test_any_text_fits_one_header_line(text):
    line = one_line(text, 200)
    assert len(line) <= 200
    assert len(line.splitlines()) <= 1


@pytest.mark.parametrize(
    "address",
    [
        "",
        "zoe",
        "zoe@acme.example\r\nBcc: eve@evil.example",
        "zoe@acme.example\nRCPT TO:<eve@evil.example>",
        "zoe@acme.example, eve@evil.example",
        "<eve@evil.example> zoe@acme.example",
        "zoe@acme.example\u2028x",
        "zoe\u202e@acme.example",
        "zoe@@acme.example",
        "zoe@acme.example ",
        f"{'z' * 65}@acme.example",
    ],
)
def test_no_mail_is_made_for_what_is_not_one_address(tmp_path, address):
    with pytest.raises(BadAddress):
        assemble(local(tmp_path), new_id(), address, "Portal", "Subject", "Text\n")


def local(folder, **changes):
    return settings("sqlite://", folder, base_url=BASE, **changes)


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
