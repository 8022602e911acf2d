"""The portal as it really runs answers, and the browser's complaints are heard."""

import pytest
from playwright.sync_api import Page
from sqlalchemy import text

from portal.models import Outbox
from tests.support.chromium import wait_until


def test_a_running_portal_is_ready(live, page: Page):
    answer = page.goto(f"{live.url}/readyz")
    assert answer.json() == {"status": "ok"}


def test_rows_are_seen_by_the_running_portal_and_gone_afterwards(live):
    assert live.database.count(Outbox) == 0
    live.database.add(Outbox(topic="x", payload={}))
    with live.database.session() as session:
        assert session.execute(text("select count(*) from outbox")).scalar() == 1


@pytest.mark.parametrize(
    ("script", "heard"),
    [
        ("console.error('a mistake')", "error: a mistake"),
        ("setTimeout(() => { throw new Error('thrown') })", "Error: thrown"),
    ],
)
def test_a_complaint_of_the_browser_fails_the_test(page: Page, complaints, script, heard):
    page.evaluate(script)
    wait_until(page, lambda: any(heard in said for said in complaints))
    complaints.clear()


def test_a_refused_style_fails_the_test(live, page: Page, complaints):
    page.goto(f"{live.url}/nowhere")
    assert complaints.unexpected() == []
    page.evaluate("document.body.setAttribute('style', 'color: red')")
    wait_until(page, lambda: any("Content Security Policy" in said for said in complaints))
    complaints.clear()
