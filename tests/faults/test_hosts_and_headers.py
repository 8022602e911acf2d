"""Whatever a request says of hosts and names, links lead here and mails go where they should."""

import contextlib
import re
import socket
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from portal.models import Account, Member, Organization, Outbox
from tests.support.accounts import posted_keys
from tests.support.browsing import Browser
from tests.support.clients import persona
from tests.support.mailing import change_settings, send_all
from tests.support.new_client import new_client
from tests.support.organizations import OWNER, keys_for, make_place

EVIL = "evil.example"
HEADERS = {
    "Host": {"Host": EVIL},
    "Host with a port": {"Host": f"{EVIL}:80"},
    "Host that begins like ours": {"Host": f"localhost.{EVIL}"},
    "Host with a user": {"Host": f"localhost@{EVIL}"},
    "X-Forwarded-Host": {"X-Forwarded-Host": EVIL},
    "X-Forwarded-Proto": {"X-Forwarded-Proto": "javascript"},
    "X-Forwarded-Server": {"X-Forwarded-Server": EVIL},
    "X-Forwarded-Prefix": {"X-Forwarded-Prefix": f"//{EVIL}"},
    "X-Host": {"X-Host": EVIL},
    "X-Original-URL": {"X-Original-URL": f"//{EVIL}/"},
    "X-Rewrite-URL": {"X-Rewrite-URL": f"//{EVIL}/"},
    "Forwarded": {"Forwarded": f"host={EVIL};proto=https"},
    "Referer": {"Referer": f"https://{EVIL}/"},
}
# Line ends in every spelling that some program takes for one, and what turns a text around.
TAILS = [
    "\r\nBcc: eve@evil.example",
    "\nBcc: eve@evil.example",
    "\rBcc: eve@evil.example",
    "%0d%0aBcc: eve@evil.example",
    "\u2028Bcc: eve@evil.example",
    "\x85Bcc: eve@evil.example",
    "\x00",
    "\u202egro.live",
    '" <eve@evil.example>, "',
    "=?utf-8?q?=0d=0aBcc:_eve@evil.example?=",
    "<script>alert(1)</script>",
    "{{ 7 * 7 }}",
]


@pytest.fixture
def mail_app(committed_app, smtp, monkeypatch):
    change_settings(committed_app, monkeypatch, smtp_url=smtp.url)
    return committed_app


@pytest.mark.committed
@pytest.mark.parametrize("lie", HEADERS)
def test_no_header_puts_a_foreign_host_into_a_mail_or_an_answer(mail_app, committed, smtp, lie):
    place = make_place(committed)
    visitor = Browser(mail_app)
    asked = [
        ("/sign-in/code", {"email": place.admin.email}),
        (f"{place.link()}/ask", {}),
        ("/language", {"locale": "fr", "next": "/"}),
        ("/sign-out", {}),
    ]
    for path, fields in asked:
        data = fields | {"csrf_token": visitor.csrf_token()}
        answer = visitor.client.post(path, data=data, headers=HEADERS[lie])
        assert answer.status_code in {303, 400}
        assert EVIL not in answer.text + str(answer.headers)
    page = visitor.client.get("/sign-in", headers=HEADERS[lie])
    assert EVIL not in page.text + str(page.headers)
    send_all(mail_app)
    assert smtp.deliveries, "the invitation at least was sent"
    for delivery in smtp.deliveries:
        assert EVIL not in delivery.mail.as_string()
        for link in re.findall(r"https?://[^\s\"<>]+", delivery.text + delivery.html):
            assert urlsplit(link).netloc == "localhost"


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "head",
    [
        f"GET http://{EVIL}/sign-in HTTP/1.1\r\nHost: {EVIL}\r\n",
        f"GET http://{EVIL}/sign-in HTTP/1.1\r\nHost: localhost\r\n",
        f"GET //{EVIL}/sign-in HTTP/1.1\r\nHost: localhost\r\n",
        f"GET /profile HTTP/1.1\r\nHost: localhost\r\nHost: {EVIL}\r\n",
        f"GET /profile HTTP/1.1\r\nHost: {EVIL}\r\nHost: localhost\r\n",
        f"GET /profile?next=//{EVIL} HTTP/1.1\r\nHost: localhost\r\n X: {EVIL}\r\n",
        "GET /profile HTTP/1.1\r\n",
        f"GET /\\{EVIL} HTTP/1.1\r\nHost: localhost\r\n",
    ],
)
def test_no_request_line_leads_to_a_foreign_host(live, head):
    answer = raw(live.url, f"{head}Connection: close\r\n\r\n")
    status = int(answer.split(" ", 2)[1]) if answer else 400
    assert status < 500
    location = re.search(r"(?im)^location: *(.*)$", answer)
    where = location[1].strip() if location else "/"
    assert where.startswith("/")
    assert not where.startswith(("//", "/\\"))


def raw(url, request):
    with contextlib.closing(
        socket.create_connection(("127.0.0.1", urlsplit(url).port), 60)
    ) as line:
        line.sendall(request.encode())
        parts = []
        with contextlib.suppress(OSError):
            while part := line.recv(65536):
                parts.append(part)
    return b"".join(parts).decode("utf-8", "replace").partition("\r\n\r\n")[0]


@pytest.mark.committed
@pytest.mark.parametrize("tail", TAILS, ids=range(len(TAILS)))
def test_what_people_type_adds_nothing_to_a_mail(mail_app, committed, smtp, tail):
    """A client's name, an owner's address and an owner's name, by the pages that take them."""
    admin = persona(committed)
    for field in ("name", "owner_email", "billing_email"):
        typed = new_client()
        typed[field] = typed[field] + tail
        admin.browser.client.post(
            f"{admin.clients_url}/new", data=typed | {"csrf_token": admin.browser.csrf_token()}
        )
    assert set(committed.all(select(Member.email))) <= {"olga@acme.example"}
    place = make_place(committed)
    fields = posted_keys(keys_for(OWNER)) | {"name": f"Olga{tail}"}
    joined = Browser(mail_app)
    joined.client.post(f"{place.link()}/join", data=fields | {"csrf_token": joined.csrf_token()})
    send_all(mail_app)
    people = set(committed.all(select(Account.email))) | {"olga@acme.example", "bills@acme.example"}
    assert smtp.deliveries
    for delivery in smtp.deliveries:
        assert len(delivery.recipients) == 1
        assert delivery.recipients[0] in people
        assert set(delivery.mail.keys()) <= {
            *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"),
            *("MIME-Version", "Content-Type", "Content-Transfer-Encoding"),
        }
        assert delivery.mail["Bcc"] is None
        for header in ("Subject", "From", "To"):
            assert len(delivery.mail.get_all(header)) == 1
            assert not re.search(r"[\r\n\x00\u202e\u2028\x85]", str(delivery.mail[header]))
        assert "<script>" not in delivery.html
    for name in committed.all(select(Organization.name)):
        assert not re.search(r"[\r\n\x00\u2028\x85]", name)


@pytest.mark.parametrize("size", [65_536, 400_000])
def test_a_name_as_long_as_a_book_is_refused_and_mailed_to_nobody(database, size):
    admin = persona(database)
    for field in ("name", "owner_email", "billing_email", "purchase_order", "address_line1"):
        answer = admin.browser.client.post(
            f"{admin.clients_url}/new",
            data=new_client() | {field: "a" * size, "csrf_token": admin.browser.csrf_token()},
        )
        assert answer.status_code in {413, 422}, field
    assert database.count(Organization) == 0
    assert database.count(Outbox) == 0
