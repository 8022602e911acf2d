"""Sealed texts and sealing forms: clear text stays in the browser."""

import pytest
from playwright.sync_api import Page, expect

from portal.crypto import keys
from portal.crypto.envelope import SymmetricKey, seal, unseal
from tests.browser.vault_pages import ERROR, LOCKED_TEXTS, ring_of, unlocked, with_ring
from tests.browser.vault_server import VaultServer


def sealed_page(server: VaultServer, ring: dict[str, object], *sealed: str) -> None:
    rows = "".join(f'<p><sealed-text sealed="{text}">Locked</sealed-text></p>' for text in sealed)
    with_ring(server, "/sealed", rows, ring)


def test_a_sealed_text_shows_text_and_never_html(
    server: VaultServer, page: Page, account: keys.AccountKeys, provider: keys.TenantKeys
) -> None:
    organization = SymmetricKey.new()
    hostile = "<img src=x onerror=alert(1)><b>Über</b>"
    sealed_page(server, ring_of(account, provider, organization), seal(hostile, organization))
    unlocked(server, page)
    expect(page.locator("sealed-text")).to_have_attribute("data-state", "open")
    shown = page.evaluate(
        """() => { const { shadowRoot } = document.querySelector("sealed-text");
             return [shadowRoot.textContent, shadowRoot.children.length]; }"""
    )
    assert shown == [hostile, 0]
    assert hostile not in page.content()


def test_a_sealed_text_says_locked_when_it_cannot_be_opened(
    server: VaultServer, page: Page, account: keys.AccountKeys, provider: keys.TenantKeys
) -> None:
    ring = ring_of(account, provider, SymmetricKey.new())
    sealed_page(server, ring, seal("Name", SymmetricKey.new()), "nonsense")
    unlocked(server, page)
    for text in page.locator("sealed-text").all():
        expect(text).to_have_attribute("data-state", "locked")
        expect(text).to_have_text("Locked")


@pytest.mark.parametrize("wrapped_by", ["provider", "provider-public", "account"])
def test_a_sealed_text_follows_its_attribute_and_the_lock(
    server: VaultServer,
    page: Page,
    account: keys.AccountKeys,
    provider: keys.TenantKeys,
    wrapped_by: str,
) -> None:
    organization = SymmetricKey.new()
    ring = ring_of(account, provider, organization)
    if wrapped_by != "provider":
        public = account.public_key if wrapped_by == "account" else provider.public_key
        key = keys.wrap_for(public, organization.raw)
        ring["organization"] = {"id": "o", "key": key, "wrapped_by": wrapped_by}
    sealed_page(server, ring, seal("Before", organization))
    unlocked(server, page)
    text = page.locator("sealed-text")
    shown = "document.querySelector('sealed-text').shadowRoot.textContent"
    expect(text).to_have_attribute("data-state", "open")
    assert page.evaluate(shown) == "Before"
    text.evaluate("(it, sealed) => it.setAttribute('sealed', sealed)", seal("After", organization))
    page.wait_for_function(f"{shown} === 'After'")
    page.evaluate("import('/static/js/vault.js').then((vault) => vault.lock())")
    expect(text).to_have_attribute("data-state", "locked")
    assert page.evaluate(shown) == ""
    expect(text).to_have_text("Locked")


SEAL_FORM = f"""
<form method="post" action="/rename" data-seal {LOCKED_TEXTS}>{ERROR}
  <label>Name <input data-seal="name" required></label>
  <input type="hidden" name="name"><button>Save</button>
</form>"""


def test_a_sealing_form_sends_ciphertext_alone(
    server: VaultServer, page: Page, account: keys.AccountKeys, provider: keys.TenantKeys
) -> None:
    organization = SymmetricKey.new()
    with_ring(server, "/sealed", SEAL_FORM, ring_of(account, provider, organization))
    unlocked(server, page)
    page.get_by_label("Name").fill("Projet secret")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/rename")
    [sent] = server.state.posted("/rename")
    assert unseal(sent["name"], organization) == b"Projet secret"
    assert b"Projet" not in b"".join(server.state.bodies)


def test_a_sealing_form_of_a_locked_vault_is_not_sent_and_says_why(
    server: VaultServer, page: Page
) -> None:
    server.state.signed_in = True
    server.state.pages["/sealed"] = SEAL_FORM
    page.goto(server.url("/sealed"))
    page.get_by_label("Name").fill("Projet secret")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_have_text("The vault is locked. Unlock it")
    link = page.get_by_role("link", name="Unlock it")
    expect(link).to_have_attribute("href", "/unlock?next=%2Fsealed")
    assert server.state.posted("/rename") == []


def test_a_clear_field_with_a_name_is_never_sent(
    server: VaultServer, page: Page, account: keys.AccountKeys, provider: keys.TenantKeys
) -> None:
    form = SEAL_FORM.replace("<input data-seal", '<input name="clear" data-seal')
    with_ring(server, "/sealed", form, ring_of(account, provider, SymmetricKey.new()))
    unlocked(server, page)
    page.get_by_label("Name").fill("Projet secret")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_have_text("It failed.")
    assert server.state.posted("/rename") == []


def test_a_refused_form_opens_its_ciphertext_into_the_field(
    server: VaultServer, page: Page, account: keys.AccountKeys, provider: keys.TenantKeys
) -> None:
    organization = SymmetricKey.new()
    echoed = f'name="name" value="{seal("Typed before", organization)}"'
    form = SEAL_FORM.replace('name="name"', echoed)
    with_ring(server, "/sealed", form, ring_of(account, provider, organization))
    unlocked(server, page)
    expect(page.get_by_label("Name")).to_have_value("Typed before")
