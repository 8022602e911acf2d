"""Two submits of one form at the same moment create one client, whichever database decides."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from portal.models import Idempotency, Member, Organization, Outbox, Provider
from tests.support.browsing import Browser, filled_in
from tests.support.clients import persona, sign_in

ROUNDS = 200
PAIRS = 4


@pytest.mark.committed
def test_two_simultaneous_submits_of_two_hundred_forms_make_two_hundred_clients(
    committed_app, committed
):
    ada = persona(committed)
    page = ada.browser.get(f"{ada.clients_url}/new")
    form = filled_in(page.form("Create client")) | {
        "billing_email": "bills@acme.example",
        "owner_email": "olga@acme.example",
    }
    lanes = [_lane(committed, ada) for _ in range(PAIRS)]

    def race(number):
        """Both browsers of a lane send the same form at once; returns where they were led."""
        barrier, browsers = lanes[number % PAIRS]
        typed = form | {"name": f"Client {number}", "token": f"token-of-a-form-{number:04}"}

        def send(browser):
            barrier.wait()
            fields = typed | {"csrf_token": browser.csrf_token()}
            return browser.client.post(f"{ada.clients_url}/new", data=fields)

        with ThreadPoolExecutor(2) as both:
            return [
                (answer.status_code, answer.headers.get("Location", "").partition("?")[0])
                for answer in both.map(send, browsers)
            ]

    def run(lane):
        return [race(number) for number in range(lane, ROUNDS, PAIRS)]

    with ThreadPoolExecutor(PAIRS) as pool:
        answers = [pair for lane in pool.map(run, range(PAIRS)) for pair in lane]

    assert {status for pair in answers for status, _ in pair} == {303}
    assert all(first == second for (_, first), (_, second) in answers)
    assert len({where for pair in answers for _, where in pair}) == ROUNDS
    for model in (Organization, Member, Idempotency):
        assert committed.count(model) == ROUNDS, model
    # The owner's invitation and the order summary.
    assert committed.count(Outbox) == 2 * ROUNDS
    assert committed.one(select(Provider.clients_count)) == ROUNDS
    assert committed.one(select(func.sum(Organization.seats_used))) == ROUNDS


def _lane(committed, ada):
    browsers = [sign_in(committed, Browser(committed.app), ada.account) for _ in range(2)]
    return threading.Barrier(2), browsers
