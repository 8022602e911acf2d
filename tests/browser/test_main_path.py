"""The main job with nothing faked: Chromium, the running portal, its worker, a mail server.

A provider admin signs in, creates a client, its owner comes in by the mailed link and is
confirmed; both read what the database does not hold in clear, and nobody else does.
"""

import base64
import re
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import func, make_url, select

from portal.domain.states import MemberState
from portal.extensions import db
from portal.models import Base, Member, Organization, Outbox, Provider
from tests.support.accounts import PASSWORD, Person, make_person
from tests.support.chromium import assert_accessible, wait_until
from tests.support.clients import make_provider
from tests.support.live import Live, make_live
from tests.support.organizations import employ, tenant_keys
from tests.support.smtp import Delivery, SmtpSink
from tests.support.words import Say, words

pytestmark = pytest.mark.parametrize(
    ("kind", "language"), [("sqlite", "en"), ("postgresql", "fr")], indirect=["kind"]
)
OWNER, NAME = "olga@acme.example", "Épicerie Acme"
WITHIN_SECONDS = 60


@dataclass
class Story:
    """A running portal with a worker and a mail server, and a provider whose admin has keys."""

    portal: Live
    smtp: SmtpSink
    provider: Provider
    admin: Person
    stranger: Person
    say: Say
    language: str

    @property
    def clients(self) -> str:
        return f"{self.portal.url}/providers/{self.provider.id}/clients"

    def mail_to(self, address: str, subject: str) -> Delivery:
        """The mail, as soon as the worker has sent it."""
        deadline = time.monotonic() + WITHIN_SECONDS
        while time.monotonic() < deadline:
            for delivery in list(self.smtp.deliveries):
                if delivery.recipients == [address] and delivery.mail["Subject"] == subject:
                    return delivery
            time.sleep(0.1)
        subjects = [delivery.mail["Subject"] for delivery in self.smtp.deliveries]
        raise AssertionError(f"no mail {subject!r} to {address}; there are {subjects}")

    def link_in(self, delivery: Delivery) -> str:
        """The only link of a mail; both parts have the same."""
        (link,) = re.findall(r"https?://\S+", delivery.text)
        assert link in delivery.html
        assert link.startswith(f"{self.portal.url}/")
        return str(link)

    def dump(self) -> bytes:
        """Everything the database keeps: the file with its log, or every row."""
        file = Path(make_url(self.portal.env["PORTAL_DATABASE_URL"]).database or "")
        if file.exists():
            log = file.with_name(f"{file.name}-wal")
            return file.read_bytes() + (log.read_bytes() if log.exists() else b"")
        rows = (self.portal.database.all(select(table)) for table in Base.metadata.sorted_tables)
        return repr(list(rows)).encode()


@pytest.fixture
def story(databases, kind, language, smtp, tmp_path):
    portal = make_live(databases, kind, tmp_path / "portal", PORTAL_SMTP_URL=smtp.url)
    database, keys = portal.database, tenant_keys("provider")
    admin = make_person(database, "ada@northwind.example", "Ada", keys=True, locale=language)
    stranger = make_person(database, "bob@other.example", "Bob", keys=True, locale=language)
    provider = make_provider(
        database,
        public_key=keys.public_key,
        protected_private_key=keys.protected_private_key,
        locale=language,
    )
    employ(database, provider, admin, wrapped=keys.key)
    portal.serve()
    portal.work()
    yield Story(portal, smtp, provider, admin, stranger, words(language), language)
    portal.stop()
    with portal.app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def sent():
    """What the browsers sent: addresses and bodies."""
    return []


@pytest.fixture
def visitor(people, language, sent):
    """Opens a browser of its own for one more person."""

    def open_page() -> Page:
        page = people(locale=language).new_page()
        page.on("request", lambda request: sent.append(f"{request.url}\n{request.post_data}"))
        return page

    return open_page


def sign_in(page: Page, story: Story, person: Person) -> None:
    say = story.say
    page.get_by_label(say("E-mail address")).fill(person.email)
    page.get_by_label(say("Master password")).fill(PASSWORD)
    page.get_by_role("button", name=say("Sign in"), exact=True).click()


def heading(page: Page, words: str) -> None:
    expect(page.get_by_role("heading", level=1, name=words)).to_be_visible()


def create_client(page: Page, story: Story) -> None:
    """The form as a person fills it in: a mistake on the way, and the price that follows."""
    say = story.say
    page.get_by_role("link", name=say("New client")).first.click()
    heading(page, say("New client"))
    page.get_by_label(say("Organization name")).fill(NAME)
    billing = page.get_by_label(say("Billing e-mail"), exact=True)
    billing.fill("bills@")
    billing.blur()
    expect(page.locator("#billing_email-field [id$=-error]")).not_to_be_empty()
    expect(page.locator("#billing_email")).to_have_attribute("aria-invalid", "true")
    billing.fill("bills@acme.example")
    billing.blur()
    expect(page.locator("#billing_email")).not_to_have_attribute("aria-invalid", "true")
    page.get_by_label(say("Client owner e-mail")).fill(OWNER)
    total = page.locator("#clients-summary .total dd")
    before = total.inner_text()
    page.get_by_label(say("Seats"), exact=True).fill("5")
    expect(total).not_to_have_text(before)
    five = total.inner_text()
    page.locator("#plan-field label").filter(has_text=say("Enterprise")).click()
    expect(total).not_to_have_text(five)
    expect(page.locator("#clients-summary")).to_contain_text(OWNER)
    assert page.get_by_label(say("Organization name")).input_value() == NAME
    assert_accessible(page)
    # A hasty hand: one client all the same.
    page.get_by_role("button", name=say("Create client")).dblclick()
    heading(page, say("Set-up"))


def join(page: Page, story: Story) -> None:
    """The owner opens the mailed link and makes an account."""
    say = story.say
    mail = story.mail_to(OWNER, say("Join %(organization)s as its owner", organization=NAME))
    page.goto(story.link_in(mail))
    heading(page, say("Join %(place)s", place=NAME))
    assert_accessible(page)
    page.get_by_label(say("Your name")).fill("Olga Petrova")
    page.get_by_label(say("Master password"), exact=True).fill(PASSWORD)
    page.get_by_label(say("Repeat master password")).fill(PASSWORD)
    page.get_by_role("button", name=say("Create account and join")).click()
    heading(page, say("Waiting to be confirmed"))
    assert_accessible(page)


def confirm(page: Page, story: Story, phrase: str) -> None:
    """The admin follows the mail to the page that confirms, and compares the phrase."""
    say = story.say
    subject = say("Confirm %(address)s in %(organization)s", address=OWNER, organization=NAME)
    page.goto(story.link_in(story.mail_to(story.admin.email, subject)))
    seen = page.locator("fingerprint-phrase")
    expect(seen).to_have_attribute("data-state", "same")
    assert seen.inner_text() == phrase
    assert_accessible(page)
    page.get_by_role("button", name=say("Confirm member")).click()
    heading(page, say("Members"))
    expect(page.locator("#members-table")).to_contain_text(say("Confirmed"))
    assert_accessible(page)


def read_name(page: Page) -> str:
    """The first collection's name, as the browser has opened it."""
    name = page.locator("sealed-text")
    expect(name).to_have_attribute("data-state", "open")
    return str(name.evaluate("element => element.shadowRoot.textContent"))


def test_a_client_is_created_its_owner_comes_in_and_both_read_what_nobody_else_can(
    story, visitor, sent
):
    say, database = story.say, story.portal.database
    admin, owner, third = visitor(), visitor(), visitor()
    admin.goto(story.clients)
    assert_accessible(admin)
    sign_in(admin, story, story.admin)
    heading(admin, say("Clients"))
    assert admin.evaluate("document.documentElement.dataset.vault") == "unlocked"
    assert admin.evaluate("document.documentElement.lang") == story.language
    assert_accessible(admin)

    create_client(admin, story)
    expect(admin.locator("#notices")).to_contain_text(OWNER)
    assert_accessible(admin)
    client = database.one(select(Organization))
    assert (client.name, client.seats, client.seats_used) == (NAME, 5, 1)
    assert client.public_key is not None, "the unlocked browser made the keys"

    # Back to the form and once more the button: still one client.
    admin.go_back()
    heading(admin, say("New client"))
    assert database.count(Organization) == 1
    admin.goto(story.clients)
    expect(admin.locator("tbody tr")).to_have_count(1)
    expect(admin.locator("tbody")).to_contain_text(NAME)
    assert_accessible(admin)

    join(owner, story)
    phrase = owner.locator("fingerprint-phrase")
    expect(phrase).to_have_attribute("data-state", "same")
    confirm(admin, story, phrase.inner_text())

    owner.wait_for_url("**/collections*")
    name = read_name(owner)
    assert name == say("Default collection")
    assert_accessible(owner)
    admin.goto(story.clients)
    admin.get_by_role("link", name=NAME, exact=True).click()
    assert read_name(admin) == name
    expect(admin.locator("aside.banner")).to_contain_text(NAME)
    assert_accessible(admin)
    inside = admin.url
    admin.go_back()
    heading(admin, say("Clients"))

    third.goto(inside)
    sign_in(third, story, story.stranger)
    heading(third, say("There is nothing here"))
    assert third.goto(inside).status == 404
    assert_accessible(third)

    story.mail_to(OWNER, say("%(organization)s is open to you", organization=NAME))
    assert database.one(select(Member)).state is MemberState.CONFIRMED
    # The worker notes it only once the mail server has answered.
    waiting = select(Outbox.state).where(Outbox.state != "sent")
    wait_until(owner, lambda: database.all(waiting) == [])
    assert database.one(select(func.count()).select_from(Organization)) == 1
    nothing_in_clear(story, name, sent)


def nothing_in_clear(story: Story, name: str, sent: list[str]) -> None:
    """Neither the database nor the network knows the name, the password or a key."""
    keys = tenant_keys("provider")
    secrets = {
        "the collection's name": name.encode(),
        "the master password": PASSWORD.encode(),
        "the provider key": keys.key.raw,
        "the provider key as text": base64.b64encode(keys.key.raw),
        # How an RSA private key begins in PKCS #8, as base64.
        "a private key": b"MIIEv",
        "the sign-in hash": story.admin.keys.signin_hash.encode(),
    }
    dump = story.dump()
    assert NAME.encode() in dump
    assert [what for what, secret in secrets.items() if secret in dump] == []
    traffic = "\n".join(sent).encode()
    assert b"signin_hash" in traffic
    travels = {what for what, secret in secrets.items() if secret in traffic}
    assert travels <= {"the sign-in hash"}
