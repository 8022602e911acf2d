"""The main job in browsers that run no scripts, and the keys that others make afterwards."""

import os
import re
import subprocess
import time
from urllib.parse import urlencode, urlsplit

import pyotp
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from portal.domain.states import MemberState
from portal.extensions import db
from portal.models import Account, Member, Organization
from tests.support.accounts import PASSWORD, make_person, newest_code, sign_in_as
from tests.support.browsing import Browser
from tests.support.chromium import assert_accessible, follow
from tests.support.clients import make_provider
from tests.support.cookies import carry_over, cookie_of
from tests.support.live import make_live
from tests.support.new_client import new_client
from tests.support.organizations import employ, tenant_keys

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
OWNER, NAME = "olga@acme.example", "Acme Ltd"
WITHIN_SECONDS = 60


@pytest.fixture
def portal(databases, kind, tmp_path):
    """A running portal with its worker; mails become files."""
    made = make_live(databases, kind, tmp_path / "portal")
    made.serve()
    made.work()
    yield made
    made.stop()
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def admin(portal):
    return make_person(portal.database, "ada@northwind.example", "Ada", keys=True)


@pytest.fixture
def provider(portal, admin):
    keys = tenant_keys("provider")
    made = make_provider(
        portal.database,
        public_key=keys.public_key,
        protected_private_key=keys.protected_private_key,
        second_factor_required=True,
    )
    employ(portal.database, made, admin, wrapped=keys.key)
    return made


@pytest.fixture
def clients(portal, provider):
    return f"{portal.url}/providers/{provider.id}/clients"


def squeezed(text):
    return " ".join(text.split())


def enter_by_code(person, portal, admin):
    """A code by mail, then the second factor that the provider asks for, its secret as text."""
    person.follow("Send me a code instead")
    person.fill("E-mail address", admin.email)
    person.press("Send code")
    person.see()
    person.fill("Code", newest_code(portal.database, admin.email))
    person.press("Continue")
    page = person.see()
    secret = re.search(r"((?:[A-Z2-7]{4} ){7}[A-Z2-7]{4})", page)
    if not secret:
        person.follow("Set up a second factor")
        secret = re.search(r"((?:[A-Z2-7]{4} ){7}[A-Z2-7]{4})", person.see())
    person.fill("6 digits", pyotp.TOTP(secret[1].replace(" ", "")).now())
    person.press("Turn on")
    person.see()
    person.follow("I have kept them")


def fill_in(person):
    person.fill("Organization name", NAME)
    person.fill("Billing e-mail", "bills@acme.example")
    person.fill("Client owner e-mail", OWNER)


def mailed_link(portal, words):
    deadline = time.monotonic() + WITHIN_SECONDS
    while time.monotonic() < deadline:
        for mail in portal.mails:
            text = mail.read_text()
            if words in text:
                return re.search(r"https?://\S+/invitations/\S+", text)[0]
        time.sleep(0.1)
    raise AssertionError(f"no mail says {words!r}; there are {len(portal.mails)}")


def test_w3m_creates_a_client_whose_owner_makes_the_keys(portal, admin, clients, w3m, people):
    person = w3m(clients)
    person.see()
    enter_by_code(person, portal, admin)
    page = squeezed(person.see())
    assert "No clients yet" in page, page
    assert portal.database.one(select(Account.totp_secret)) is not None

    person.follow("New client")
    assert "Update summary" in person.see()
    fill_in(person)
    person.press("Update summary")
    page = squeezed(person.see())
    assert OWNER in page
    assert NAME in page, "what was typed is still there"
    assert portal.database.count(Organization) == 0
    person.press("Create client")
    page = squeezed(person.see())
    assert "Set-up" in page
    client = portal.database.one(select(Organization))
    assert (client.name, client.public_key) == (NAME, None)

    person.go(clients)
    page = squeezed(person.see())
    assert NAME in page
    assert "No keys" in page
    person.follow("Download CSV")
    assert f"{NAME},Active,Teams" in squeezed(person.see()).replace('"', "")

    owner = people(locale="en").new_page()
    join(owner, mailed_link(portal, "Acme Ltd"))
    owner.wait_for_url("**/collections*")
    assert read_name(owner) == "Default collection"
    assert_accessible(owner)
    assert portal.database.one(select(Member)).state is MemberState.CONFIRMED
    assert portal.database.one(select(Organization)).public_key is not None

    chromium = unlocked(
        portal, people, admin, f"{portal.url}/organizations/{client.id}/collections"
    )
    assert read_name(chromium) == "Default collection"


def join(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_label("Your name").fill("Olga Petrova")
    page.get_by_label("Master password", exact=True).fill(PASSWORD)
    page.get_by_label("Repeat master password").fill(PASSWORD)
    page.get_by_role("button", name="Create account and join").click()


def unlocked(portal, people, admin, url) -> Page:
    """The admin's own browser with scripts, signed in by password with the second factor."""
    context = people(locale="en")
    browser = Browser(portal.app)
    sign_in_as(browser, portal.database, admin, second=True)
    carry_over(browser, context, portal.url)
    page = context.new_page()
    page.goto(f"{portal.url}/unlock?next={urlsplit(url).path}")
    page.get_by_label("Master password").fill(PASSWORD)
    page.get_by_role("button", name="Unlock").click()
    page.wait_for_url(f"{url}*")
    return page


def read_name(page: Page) -> str:
    name = page.locator("sealed-text")
    expect(name).to_have_attribute("data-state", "open")
    return str(name.evaluate("element => element.shadowRoot.textContent"))


def create_without_scripts(portal, admin, clients, name):
    """As a browser without scripts posts it; two seconds faster than a terminal."""
    browser = Browser(portal.app)
    sign_in_as(browser, portal.database, admin, second=True)
    path = f"{urlsplit(clients).path}/new"
    form = new_client(name) | {"csrf_token": browser.csrf_token()}
    assert browser.client.post(path, data=form).status_code == 303


def test_finish_keys_makes_what_was_left_open(portal, admin, clients, people):
    for number in (1, 2):
        create_without_scripts(portal, admin, clients, f"Client {number}")
    page = unlocked(portal, people, admin, clients)
    expect(page.locator("main")).to_contain_text("2 clients have no keys yet.")
    assert_accessible(page)
    follow(page, page.get_by_role("link", name="Finish keys"))
    assert_accessible(page)
    page.locator("button[data-finish-keys-start]").click()
    expect(page.locator("progress")).to_have_attribute("value", "2")
    assert all(portal.database.all(select(Organization.public_key)))
    page.goto(clients)
    expect(page.locator("main")).not_to_contain_text("no keys yet")
    page.get_by_role("link", name="Client 1", exact=True).click()
    assert read_name(page) == "Default collection"


def test_enter_updates_the_summary_and_creates_nothing(portal, admin, clients, people):
    context = people(locale="en", java_script_enabled=False)
    browser = Browser(portal.app)
    sign_in_as(browser, portal.database, admin, second=True)
    carry_over(browser, context, portal.url)
    page = context.new_page()
    page.goto(f"{clients}/new")
    total = page.locator("#clients-summary .total dd")
    before = total.inner_text()
    page.get_by_label("Organization name").fill(NAME)
    page.get_by_label("Seats", exact=True).fill("7")
    page.get_by_label("Seats", exact=True).press("Enter")
    expect(total).not_to_have_text(before)
    expect(page.get_by_label("Organization name")).to_have_value(NAME)
    assert portal.database.count(Organization) == 0
    page.get_by_role("button", name="Create client").click()
    expect(page.get_by_role("alert").first).to_contain_text("who will own")
    page.get_by_label("Billing e-mail", exact=True).fill("bills@acme.example")
    page.get_by_label("Client owner e-mail").fill(OWNER)
    page.get_by_role("button", name="Create client").click()
    expect(page.get_by_role("heading", level=1, name="Set-up")).to_be_visible()
    assert portal.database.one(select(Organization)).seats == 7


class Lynx:
    """Lynx with a cookie that is still good: one page at a time."""

    def __init__(self, folder, browser, url):
        name, value = cookie_of(browser)
        jar, self._settings = folder / "cookies", folder / "lynx.cfg"
        self._settings.write_text(f"PERSISTENT_COOKIES:TRUE\nCOOKIE_FILE:{jar}\n")
        host = urlsplit(url).hostname
        jar.write_text(f"{host}\tFALSE\t/\tFALSE\t4102444800\t{name}\t{value}\n")

    def ask(self, url, *how, fields=None):
        command = ["lynx", f"-cfg={self._settings}", "-accept_all_cookies", "-width=120"]
        command += ["-display_charset=utf-8", *how]
        sent = None
        if fields is not None:
            command.append("-post_data")
            sent = urlencode(fields) + "\n---\n"
        done = subprocess.run(
            [*command, url],
            input=sent,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "HOME": "/"},
            capture_output=True,
            text=True,
            timeout=WITHIN_SECONDS,
        )
        assert done.returncode == 0, done.stderr
        return squeezed(done.stdout)


def test_lynx_lists_creates_and_downloads(portal, admin, clients, tmp_path):
    browser = Browser(portal.app)
    sign_in_as(browser, portal.database, admin, second=True)
    form = new_client(NAME) | {"csrf_token": browser.csrf_token()}
    lynx = Lynx(tmp_path, browser, portal.url)
    assert "No clients yet" in lynx.ask(clients, "-dump")
    page = lynx.ask(f"{clients}/new", "-dump", fields=form | {"step": "summary"})
    assert "Create client" in page
    assert portal.database.count(Organization) == 0
    lynx.ask(f"{clients}/new", "-dump", fields=form)
    assert portal.database.one(select(Organization.name)) == NAME
    page = lynx.ask(clients, "-dump")
    assert NAME in page
    assert "{" not in page
    assert NAME in lynx.ask(f"{clients}.csv", "-source")
