"""A real browser: one for each process of the run, a fresh profile for each test.

What the browser complains about on its console fails the test, refused scripts and styles included.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    expect,
    sync_playwright,
)

from tests.support.accounts import PASSWORD

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Long enough for a key derivation on a machine with a dozen other things to do: only a test that
# fails anyhow waits for it.
TIMEOUT_MS = 60_000
expect.set_options(timeout=TIMEOUT_MS)
# The browser notes each refused form (422) and each lost sign-in (401) as a failed resource.
_EXPECTED = "Failed to load resource: the server responded with a status of 4"


class Complaints(list[str]):
    """What the browser has said on its console; `allow` names what a test expects."""

    def __init__(self) -> None:
        super().__init__()
        self.allowed: list[str] = []

    def allow(self, part: str) -> None:
        self.allowed.append(part)

    def listen(self, page: Page) -> None:
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.append(f"{error.name}: {error.message}"))

    def unexpected(self) -> list[str]:
        return [said for said in self if not any(part in said for part in self.allowed)]

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(_EXPECTED):
            self.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = os.environ.get("PORTAL_CHROMIUM") or shutil.which("chromium")
    assert path, "chromium is missing; bin/peers installs it or says how"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    heard = Complaints()
    yield heard
    assert heard.unexpected() == []


@pytest.fixture
def people(chromium: Browser, complaints: Complaints):
    """Makes browser profiles: `people()` is one more person with a browser of their own."""
    opened: list[BrowserContext] = []

    def person(**options) -> BrowserContext:
        context = chromium.new_context(**options)
        context.set_default_timeout(TIMEOUT_MS)
        context.on("page", complaints.listen)
        opened.append(context)
        return context

    yield person
    for context in opened:
        context.close()


@pytest.fixture
def page(people) -> Page:
    """A page in a fresh profile, in English."""
    return people(locale="en").new_page()


def sign_in(live, page: Page, person) -> Page:
    """Sign in by the master password of `person`, and stand on their profile, unlocked."""
    page.goto(f"{live.url}/profile")
    page.get_by_label("E-mail address").fill(person.email)
    page.get_by_label("Master password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("body.in")).to_be_visible()
    return page


def follow(page: Page, leads: Locator) -> None:
    """Click what leads to another page, and wait until the browser is there."""
    with page.expect_navigation():
        leads.click()


def wait_until(page: Page, done: Callable[[], object]) -> None:
    """Let the browsers go on until something is done that no page tells."""
    deadline = time.monotonic() + TIMEOUT_MS / 1000
    while not done():
        assert time.monotonic() < deadline, "the browsers do not get that far"
        page.wait_for_timeout(50)


def assert_accessible(page: Page) -> None:
    """Fail with what axe finds on the page as it stands (WCAG 2.2 A and AA)."""
    # A colour on its way from one state to another is neither: what moves is asked to stand still.
    page.emulate_media(reduced_motion="reduce")
    page.evaluate(
        "() => Promise.allSettled(document.getAnimations()"
        ".filter((each) => each instanceof CSSTransition).map((each) => each.finished))"
    )
    found = Axe().run(page)
    page.emulate_media(reduced_motion="no-preference")
    faults = [
        f"{violation['id']} ({violation['impact']}): {violation['help']}: {node['html'][:200]}"
        for violation in found.response["violations"]
        for node in violation["nodes"]
    ]
    assert not faults, f"{page.url}:\n- " + "\n- ".join(faults)
