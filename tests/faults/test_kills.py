"""Web workers die in the middle of creates: what was acknowledged is there, nothing is there half.

Whoever got no answer sends the same form again, and has one client.
"""

import http.client
import random
import secrets
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

import psutil
import pytest
from sqlalchemy import func, select

from portal.extensions import db
from portal.models import (
    Collection,
    Event,
    Idempotency,
    Member,
    Organization,
    Outbox,
    Provider,
    Subscription,
)
from tests.support.clients import persona
from tests.support.cookies import cookie_of
from tests.support.live import make_live
from tests.support.new_client import new_client
from tests.support.ports import wait_until_open

pytestmark = pytest.mark.committed
PEOPLE, WORKERS, KILLS, WITHIN_SECONDS = 6, 2, 30, 300
LOST = (OSError, http.client.HTTPException)


@dataclass
class Sender:
    """One person who creates clients over bare connections; knows what was answered."""

    url: str
    path: str
    headers: dict[str, str]
    answered: dict[str, str] = field(default_factory=dict)
    unanswered: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def create(self, token: str) -> None:
        """Send one form once; its token names the client."""
        try:
            status, location = self._post(urlencode(new_client(f"Client {token}", token)))
        except ConnectionRefusedError:
            # It never left: nobody listens until a new worker is up.
            time.sleep(0.05)
            return
        except LOST:
            self.unanswered.append(token)
            return
        if status == 303:
            self.answered[token] = location.partition("?")[0]
        elif status == 503:
            self.unanswered.append(token)
        else:
            self.refused.append(f"{token}: {status}")

    def insist(self) -> None:
        """Send again what got no answer, until there is one."""
        deadline = time.monotonic() + WITHIN_SECONDS
        for token in list(self.unanswered):
            while token not in self.answered and time.monotonic() < deadline:
                self.create(token)
        self.unanswered.clear()

    def _post(self, body: str) -> tuple[int, str]:
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection("127.0.0.1", parts.port or 80, timeout=60)
        try:
            connection.request("POST", self.path, body, self.headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status, answer.getheader("Location") or ""
        finally:
            connection.close()


@pytest.fixture
def portal(databases, kind, tmp_path):
    made = make_live(databases, kind, tmp_path / "portal")
    port = urlsplit(made.url).port or 0
    made._start(["tests.support.forking_server", str(port), str(WORKERS)])
    wait_until_open(port)
    yield made
    made.stop()
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def sender(portal):
    admin = persona(portal.database)
    token = admin.browser.csrf_token()
    # Only now the cookie knows that token.
    name, value = cookie_of(admin.browser)
    headers = {
        "Cookie": f"{name}={value}",
        "X-CSRFToken": token,
        "Content-Type": "application/x-www-form-urlencoded",
        "Host": urlsplit(portal.url).netloc,
    }
    return Sender(portal.url, f"{admin.clients_url}/new", headers)


def kill_one(portal) -> bool:
    """kill -9 one of the server's workers; False while none is up."""
    workers = psutil.Process(portal.processes[0].pid).children()
    if not workers:
        return False
    with suppress(psutil.Error):
        random.choice(workers).send_signal(signal.SIGKILL)
    return True


def test_killing_workers_loses_and_doubles_nothing(portal, sender):
    stop = threading.Event()

    def work(_person):
        while not stop.is_set():
            sender.create(secrets.token_urlsafe(16))

    with ThreadPoolExecutor(PEOPLE) as pool:
        people = [pool.submit(work, number) for number in range(PEOPLE)]
        try:
            killed = kill_many(portal, sender)
        finally:
            stop.set()
        for person in people:
            person.result(WITHIN_SECONDS)
    assert killed >= KILLS
    assert sender.unanswered, "no kill hit a request: nothing was tried"
    whole(portal.database)
    lost = set(sender.unanswered)
    sender.insist()
    assert lost <= set(sender.answered)
    assert sender.refused == []
    one_client_a_token(portal.database, sender)
    whole(portal.database)


def kill_many(portal, sender) -> int:
    """Kill whenever the portal has answered something since the last time."""
    killed, deadline = 0, time.monotonic() + WITHIN_SECONDS
    while killed < KILLS and time.monotonic() < deadline:
        answered = len(sender.answered)
        wait = time.monotonic() + WITHIN_SECONDS / 4
        while len(sender.answered) == answered and time.monotonic() < wait:
            time.sleep(0.01)
        assert len(sender.answered) > answered, "the portal does not come back"
        time.sleep(random.uniform(0, 0.25))
        killed += kill_one(portal)
    return killed


def one_client_a_token(database, sender):
    rows = database.all(select(Organization.id, Organization.name))
    by_name = {}
    for client_id, name in rows:
        by_name.setdefault(name, []).append(client_id)
    assert [name for name, ids in by_name.items() if len(ids) > 1] == []
    assert set(by_name) == {f"Client {token}" for token in sender.answered}
    for token, location in sender.answered.items():
        assert str(by_name[f"Client {token}"][0]) in location


def whole(database):
    """Every client has all its parts, exactly once, and the counter knows them."""
    clients = set(database.all(select(Organization.id)))
    parts = {
        "owner": Member.organization_id,
        "collection": Collection.organization_id,
        "subscription": Subscription.organization_id,
        "claim": Idempotency.result_id,
    }
    for name, column in parts.items():
        counted = dict(database.all(select(column, func.count()).group_by(column)))
        assert counted == dict.fromkeys(clients, 1), f"each client has one {name}"
    mails = database.all(select(Outbox.organization_id, Outbox.topic))
    topics = ("mail.client_created", "mail.member_invitation")
    assert sorted(mails) == sorted((client, topic) for client in clients for topic in topics)
    told = select(Event.stream_id).where(Event.type == "organization:organization:create")
    assert sorted(database.all(told)) == sorted(clients)
    assert database.one(select(Provider.clients_count)) == len(clients)
    gapless(database)


def gapless(database):
    """The numbers of each log run from one without a hole."""
    logs = select(Event.stream_id, func.count(), func.min(Event.seq), func.max(Event.seq))
    for _stream, count, first, last in database.all(logs.group_by(Event.stream_id)):
        assert (first, last) == (1, count)
