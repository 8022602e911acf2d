"""Makes the pictures of the guides and of the README anew, from a portal with demo data.

    .venv/bin/python -m tests.support.pictures [en] [fr]

Needs Chromium, w3m and ImageMagick's `convert`. The story is the one that the guide tells: a
client is created, its owner comes in, an admin confirms, all through the browser.
"""

import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path

import pyotp
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support.accounts import newest_code
from tests.support.chromium import FLAGS
from tests.support.databases import Databases
from tests.support.live import Live, make_live
from tests.support.project import ROOT
from tests.support.text_browsers import W3m
from tests.support.words import Say, words

PASSWORD = "correct horse battery staple"
WIDTH = 1280
COLOURS = 64
LARGEST_BYTES = 60_000
WITHIN_MS = 60_000
COLUMNS, LINES = 84, 62
# The terminal's own page: nothing of the portal's look.
TERMINAL = """<meta charset="utf-8"><style>
body { margin: 0 } pre { display: inline-block; margin: 0; padding: 20px 24px; width: 84ch;
color: #d6dae0; background: #16191d; font: 13px/17px "DejaVu Sans Mono", monospace }</style>
<pre>BODY</pre>"""


@dataclass(frozen=True)
class Part:
    """Whom and what the story names in one language."""

    client: str
    billing: str
    owner: str
    owner_name: str
    without_scripts: tuple[str, str, str]


PARTS = {
    "en": Part(
        client="Harbour Lane Dental",
        billing="accounts@harbourlane.example",
        owner="imogen.vale@harbourlane.example",
        owner_name="Imogen Vale",
        without_scripts=("Corner Books", "till@corner.example", "wren@corner.example"),
    ),
    "fr": Part(
        client="Cabinet dentaire du Port",
        billing="compta@duport.example",
        owner="odile.marchand@duport.example",
        owner_name="Odile Marchand",
        without_scripts=("Librairie du Coin", "caisse@coin.example", "lea@coin.example"),
    ),
}


@dataclass
class Studio:
    """One language's portal and browser, and where its pictures go."""

    portal: Live
    browser: Browser
    language: str
    demo: dict[str, str]

    @property
    def say(self) -> Say:
        return words(self.language)

    @property
    def part(self) -> Part:
        return PARTS[self.language]

    @property
    def folder(self) -> Path:
        return ROOT / "docs" / self.language / "images"

    @property
    def clients(self) -> str:
        return f"{self.portal.url}/providers/{self.demo['provider']}/clients"

    def open(self, url: str, **options: object) -> Page:
        """A page in a browser of somebody new."""
        look = {"width": WIDTH, "height": 800}
        context = self.browser.new_context(locale=self.language, viewport=look, **options)
        page = context.new_page()
        page.goto(url)
        return page

    def keep(self, page: Page, name: str, *, upto: str, below: int = 32) -> None:
        """The page from its top to `below` pixels under the last element `upto`."""
        page.mouse.move(0, 0)
        page.evaluate("scrollTo(0, 0); document.activeElement.blur()")
        box = page.locator(upto).last.bounding_box()
        assert box, f"{upto} is not on {page.url}"
        height = int(box["y"] + box["height"]) + below
        page.set_viewport_size({"width": WIDTH, "height": height})
        # Toasts and open menus come to rest.
        page.wait_for_timeout(400)
        save(page.screenshot(), self.folder / f"{name}.png")
        page.set_viewport_size({"width": WIDTH, "height": 800})

    def newest_mail(self, address: str) -> str:
        """The HTML of the newest mail to the address, as soon as the worker has written it."""
        deadline = time.monotonic() + WITHIN_MS / 1000
        while time.monotonic() < deadline:
            for file in reversed(self.portal.mails):
                mail = message_from_bytes(file.read_bytes(), policy=policy.default)
                if address in mail["To"]:
                    return str(mail.get_body(("html",)).get_content())
            time.sleep(0.2)
        raise AssertionError(f"no mail to {address}")


def save(picture: bytes, file: Path) -> None:
    """Write a PNG with few colours, which is enough for a page and half as large."""
    file.parent.mkdir(parents=True, exist_ok=True)
    options = ["-strip", "+dither", "-colors", str(COLOURS)]
    options += ["-define", "png:compression-level=9", "-define", "png:exclude-chunk=date,time"]
    subprocess.run(["convert", "png:-", *options, f"PNG8:{file}"], input=picture, check=True)
    size = file.stat().st_size
    sys.stdout.write(f"{file.relative_to(ROOT)}: {size:,} bytes\n")
    assert size < LARGEST_BYTES, f"{file} is too large"


def sign_in(studio: Studio, page: Page, email: str) -> None:
    say = studio.say
    page.get_by_label(say("E-mail address")).fill(email)
    page.get_by_label(say("Master password")).fill(PASSWORD)
    page.get_by_role("button", name=say("Sign in"), exact=True).click()
    expect(page.locator("body.in")).to_be_visible(timeout=WITHIN_MS)


def fill_in(studio: Studio, page: Page) -> None:
    say, part = studio.say, studio.part
    page.get_by_label(say("Organization name")).fill(part.client)
    page.get_by_label(say("Billing e-mail"), exact=True).fill(part.billing)
    page.get_by_label(say("Client owner e-mail")).fill(part.owner)
    page.locator("#plan-field label").filter(has_text=say("Enterprise")).click()
    page.get_by_label(say("Seats"), exact=True).fill("12")
    page.get_by_label(say("Additional storage (GB)")).fill("5")
    expect(page.locator("#clients-summary")).to_contain_text(part.owner)
    expect(page.locator("#clients-summary .lines > div")).to_have_count(4)


def create(studio: Studio) -> Page:
    """Signing in, the table, the form, the set-up page; returns the admin's page."""
    say = studio.say
    page = studio.open(studio.clients)
    studio.keep(page, "sign-in", upto=".alternative")
    sign_in(studio, page, studio.demo["admin"])
    studio.keep(page, "clients", upto="tbody tr:nth-child(11)", below=0)
    page.get_by_role("link", name=say("New client")).first.click()
    fill_in(studio, page)
    studio.keep(page, "new-client", upto="#cadence-field")
    page.get_by_role("button", name=say("Create client")).click()
    heading(page, say("Set-up"))
    studio.newest_mail(studio.part.owner)
    page.reload()
    studio.keep(page, "set-up", upto="main .panel", below=6)
    return page


def heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", level=1, name=text)).to_be_visible(timeout=WITHIN_MS)


def join(studio: Studio) -> Page:
    """The owner's mail, the page it leads to, and the wait; returns the owner's page."""
    say, part = studio.say, studio.part
    mail = studio.newest_mail(part.owner)
    (link,) = set(re.findall(rf"{studio.portal.url}/invitations/[\w.-]+", mail))
    page = studio.open("about:blank")
    page.set_content(mail.replace(studio.portal.url, "https://portal.example"))
    page.set_viewport_size({"width": 700, "height": 300})
    tall = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": 700, "height": tall})
    save(page.screenshot(), studio.folder / "mail.png")
    page = studio.open(link)
    page.get_by_label(say("Your name")).fill(part.owner_name)
    page.get_by_label(say("Master password"), exact=True).fill(PASSWORD)
    page.get_by_label(say("Repeat master password")).fill(PASSWORD)
    button = page.get_by_role("button", name=say("Create account and join"))
    studio.keep(page, "join", upto="main .fine", below=44)
    button.click()
    heading(page, say("Waiting to be confirmed"))
    studio.keep(page, "waiting", upto="#organizations-waiting")
    return page


def confirm(studio: Studio, page: Page) -> None:
    """The members, and the page where the phrase is compared."""
    say = studio.say
    page.get_by_role("link", name=say("Members"), exact=True).first.click()
    heading(page, say("Members"))
    studio.keep(page, "members", upto="#members-table")
    page.get_by_role("button", name=say("Confirm"), exact=True).click()
    expect(page.locator("fingerprint-phrase")).to_have_attribute("data-state", "same")
    studio.keep(page, "confirm", upto="main form")
    page.get_by_role("button", name=say("Confirm member")).click()
    expect(page.locator("#members-table")).to_contain_text(say("Confirmed"))


def arrive(studio: Studio, owner: Page) -> None:
    owner.wait_for_url("**/collections*", timeout=WITHIN_MS)
    expect(owner.locator("sealed-text")).to_have_attribute("data-state", "open")
    studio.keep(owner, "owner", upto="main table", below=90)


def finish_keys(studio: Studio, page: Page) -> None:
    page.goto(f"{studio.clients}/keys")
    heading(page, studio.say("Finish keys"))
    studio.keep(page, "finish-keys", upto="main .panel")


def enter_by_code(studio: Studio, person: W3m) -> None:
    """A code by mail, then the second factor that is asked of whoever came by code."""
    say, admin = studio.say, studio.demo["admin"]
    person.see()
    person.follow(say("Send me a code instead"))
    person.see()
    person.fill(say("E-mail address"), admin)
    person.press(say("Send code"))
    person.see()
    person.fill(say("Code"), newest_code(studio.portal.database, admin))
    person.press(say("Continue"))
    person.see()
    person.follow(say("Set up a second factor"))
    (secret,) = re.findall(r"(?:[A-Z2-7]{4} ){7}[A-Z2-7]{4}", person.see())
    person.fill(
        say("6 digits, a new code every 30 seconds"), pyotp.TOTP(secret.replace(" ", "")).now()
    )
    person.press(say("Turn on"))
    person.see()
    person.follow(say("I have kept them"))
    person.see()


def without_scripts(studio: Studio) -> str:
    """The same form in w3m, filled in and its summary updated: the lines on the terminal."""
    say, (name, billing, owner) = studio.say, studio.part.without_scripts
    home = studio.portal.instance / "w3m"
    person = W3m(home, studio.clients, language=studio.language, columns=COLUMNS)
    try:
        enter_by_code(studio, person)
        person.follow(say("New client"))
        person.see()
        person.fill(say("Organization name"), name)
        person.fill(say("Billing e-mail"), billing)
        person.fill(say("Client owner e-mail"), owner)
        person.press(say("Update summary"))
        seen = person.see()
        assert owner in seen, seen
    finally:
        person.close()
    return seen


def terminal(studio: Studio, text: str, file: Path) -> None:
    """The part of the screen that holds the form, as a terminal shows it."""
    lines = text.splitlines()
    first = next(n for n, line in enumerate(lines) if line.strip() == studio.say("New client"))
    body = html.escape("\n".join(lines[first : first + LINES]))
    page = studio.open("about:blank")
    page.set_content(TERMINAL.replace("BODY", body))
    save(page.locator("pre").screenshot(), file)
    page.context.close()


def side_by_side() -> None:
    """The README's picture of the form: both browsers, equally high."""
    folder = ROOT / "docs/en/images"
    pair = [str(folder / "new-client.png"), str(folder / "new-client-w3m.png")]
    paste = ["-resize", "x680", "-background", "white"]
    paste += ["-splice", "16x0", "+append", "-chop", "16x0"]
    made = subprocess.run(["convert", *pair, *paste, "png:-"], capture_output=True, check=True)
    save(made.stdout, ROOT / "docs/images/new-client-twice.png")


@contextmanager
def opened(browser: Browser, language: str) -> Iterator[Studio]:
    """A running portal with demo data of its own, gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        databases = Databases(place)
        portal = make_live(databases, "sqlite", place / "portal")
        made = portal.flask("demo", "--password", PASSWORD, "--locale", language, check=True)
        portal.serve()
        portal.work()
        try:
            yield Studio(portal, browser, language, json.loads(made.stdout))
        finally:
            portal.stop()
            databases.close()


def take(browser: Browser, language: str) -> None:
    """All pictures of one language."""
    with opened(browser, language) as studio:
        admin = create(studio)
        owner = join(studio)
        confirm(studio, admin)
        arrive(studio, owner)
        finish_keys(studio, admin)
        seen = without_scripts(studio)
        terminal(studio, seen, studio.folder / "new-client-w3m.png")
    if language == "en":
        side_by_side()


def main(languages: list[str]) -> None:
    """Take the pictures of these languages, or of all."""
    path = os.environ.get("PORTAL_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        for language in languages or list(PARTS):
            take(browser, language)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
