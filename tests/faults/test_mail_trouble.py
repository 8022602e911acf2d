"""The mail server is away, slow, greylists and refuses while people are invited: no mail is lost.

A worker that dies may send the mail in its hands twice, under the same Message-ID.
"""

import random
import signal
import socket
import time
from collections import Counter

import pytest
from sqlalchemy import select, update

from portal.extensions import db
from portal.models import Organization, Outbox, utc_now
from tests.support.clients import persona
from tests.support.live import make_live
from tests.support.mailing import change_settings, send_all
from tests.support.new_client import new_client

pytestmark = pytest.mark.committed
INVITATIONS, KILLS, WITHIN_SECONDS = 60, 3, 300
GREY, LATER, FULL = "451 4.7.1 Greylisted", "RCPT 450 4.2.1 Later", "452 4.3.1 Disk full"


def invite(database, admin, numbers):
    """New clients by the form; the answers come whatever mail does.

    Each sends two mails: one to its owner, and the order to where all invoices go.
    """
    for number in numbers:
        form = new_client(f"Client {number}", owner_email=f"owner{number}@acme.example")
        token = {"csrf_token": admin.browser.csrf_token()}
        answer = admin.browser.client.post(f"{admin.clients_url}/new", data=form | token)
        assert answer.status_code == 303


def everybody():
    owners = {f"owner{number}@acme.example": 1 for number in range(INVITATIONS)}
    return Counter(owners | {"bills@acme.example": INVITATIONS})


def all_due(database):
    """As if the pauses between the tries, and the lease of a dead worker, were over."""
    due = update(Outbox).where(Outbox.state == "queued").values(run_at=utc_now())
    database.run(due)


def states(database):
    return Counter(database.all(select(Outbox.state)))


def recipients(smtp):
    return Counter(address for delivery in smtp.deliveries for address in delivery.recipients)


def test_an_outage_and_greylisting_while_sixty_are_invited_lose_and_double_nothing(
    committed_app, committed, smtp, monkeypatch
):
    admin = persona(committed)
    change_settings(committed_app, monkeypatch, smtp_url="smtp://127.0.0.1:1")
    invite(committed, admin, range(INVITATIONS // 2))
    send_all(committed_app)
    assert states(committed) == {"queued": INVITATIONS}

    change_settings(committed_app, monkeypatch, smtp_url=smtp.url)
    invite(committed, admin, range(INVITATIONS // 2, INVITATIONS))
    trouble = random.Random(7)
    smtp.answers = [trouble.choice([GREY, LATER, FULL, "250 2.0.0 Accepted"]) for _ in range(240)]
    for _try in range(8):
        all_due(committed)
        send_all(committed_app)
    assert states(committed) == {"sent": 2 * INVITATIONS}
    assert recipients(smtp) == everybody()
    assert len(smtp.refused) > INVITATIONS, "there was trouble"


def test_a_refusal_for_good_is_kept_for_the_page_and_stops_nobody_else(
    committed_app, committed, smtp, monkeypatch
):
    change_settings(committed_app, monkeypatch, smtp_url=smtp.url)
    admin = persona(committed)
    invite(committed, admin, range(3))
    smtp.answers = ["RCPT 550 5.1.1 No such user here"]
    send_all(committed_app)
    assert states(committed) == {"failed": 1, "sent": 5}
    failed = committed.one(select(Outbox).where(Outbox.state == "failed"))
    page = admin.browser.get(f"/organizations/{failed.organization_id}/members")
    assert "550 5.1.1 No such user here" in page


def test_a_mail_server_that_says_nothing_holds_up_no_page(committed_app, committed, monkeypatch):
    """The pages do not speak to it at all."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        silent.setblocking(False)
        url = f"smtp://127.0.0.1:{silent.getsockname()[1]}"
        change_settings(committed_app, monkeypatch, smtp_url=url)
        invite(committed, persona(committed), range(3))
        with pytest.raises(BlockingIOError):
            silent.accept()
    assert committed.count(Organization) == 3


@pytest.fixture
def portal(databases, kind, tmp_path, smtp):
    """The portal with a worker of its own process; nothing serves pages."""
    made = make_live(databases, kind, tmp_path / "portal", PORTAL_SMTP_URL=smtp.url)
    yield made
    made.stop()
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


def test_killed_workers_lose_nothing_and_double_at_most_what_was_in_their_hands(portal, smtp):
    database = portal.database
    invite(database, persona(database), range(INVITATIONS))
    for _kill in range(KILLS):
        sent = len(smtp.deliveries)
        portal.work()
        worker = portal.processes[-1]
        wait(lambda sent=sent: len(smtp.deliveries) > sent + 3)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        portal.processes.remove(worker)
    all_due(database)
    portal.work()
    wait(lambda: states(database) == {"sent": 2 * INVITATIONS})
    counted = recipients(smtp)
    assert set(counted) == set(everybody())
    assert counted.total() - 2 * INVITATIONS <= KILLS
    for address, wanted in everybody().items():
        ids = {
            delivery.mail["Message-ID"]
            for delivery in smtp.deliveries
            if delivery.recipients == [address]
        }
        assert len(ids) == wanted, f"{counted[address]} mails to {address} under {ids}"


def wait(done):
    deadline = time.monotonic() + WITHIN_SECONDS
    while not done():
        assert time.monotonic() < deadline, "the worker does not get on"
        time.sleep(0.02)
