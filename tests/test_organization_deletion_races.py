"""Two who end an organization at once, in transactions that really commit."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from portal.models import OrganizationDeletion
from tests.support.console import DELETE, ask, link, owner_of, request_of, url
from tests.support.organizations import make_place
from tests.support.staff import told
from tests.test_clients_subscription import settle


@pytest.mark.parametrize("beside", ["link", "cancel", "ask"])
def test_two_who_press_at_once_close_it_once_or_not_at_all(committed, beside):
    """The same link twice; the link beside a cancel, or beside a newer link."""
    place = settle(make_place(committed))
    first = owner_of(place)
    browsers = [place.browser_of(first), place.browser_of(first)]
    if beside != "link":
        browsers[1] = place.browser_of(owner_of(place, "Otto Other", "otto@acme.example"))
    ask(place, browsers[0])
    path, seen = link(place), {"request": str(request_of(place).id), "name": "Acme Ltd"}
    paths = {"link": path, "cancel": url(place, f"{DELETE}/cancel"), "ask": url(place, DELETE)}
    gate = Barrier(2)

    def press(number):
        data = seen | {"csrf_token": browsers[number].csrf_token()}
        gate.wait()
        answer = browsers[number].client.post(paths[beside] if number else path, data=data)
        return answer.status_code

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(press, (0, 1)))
    closed = len(told(place, "organization:organization:ask_deletion")) // 2
    cancelled = len(told(place, "organization:deletion:cancel")) // 2
    asked = len(told(place, "organization:deletion:ask")) // 2 - 1
    assert closed + cancelled + asked == 1, answers
    assert all(answer in {303, 403, 409, 410} for answer in answers), answers


def test_two_owners_who_ask_at_once_leave_one_link(committed):
    place = settle(make_place(committed))
    browsers = [place.browser_of(owner_of(place, f"O {n}", f"o{n}@acme.example")) for n in (1, 2)]
    gate = Barrier(2)

    def press(browser):
        data = {"name": "Acme Ltd", "csrf_token": browser.csrf_token()}
        gate.wait()
        return browser.client.post(url(place, DELETE), data=data).status_code

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(press, browsers)) == [303, 303]
    assert committed.count(OrganizationDeletion) == 1
