"""Keys handed to people: confirming, fingerprint phrases, the recovery sheet."""

import base64
import re

from playwright.sync_api import Page, expect

from portal.crypto import keys, recovery
from portal.crypto.envelope import SymmetricKey, unseal
from portal.crypto.fingerprint import fingerprint_phrase
from tests.browser.vault_pages import ERROR, LOCKED_TEXTS, ring_of, unlocked, with_ring
from tests.browser.vault_server import ACCOUNT_ID, VaultServer


def confirm_form(public_key: str, phrase: str) -> str:
    ids = f'account-id="{ACCOUNT_ID}" public-key="{public_key}"'
    return f"""
<form method="post" action="/confirm" data-confirm-member data-account-id="{ACCOUNT_ID}"
      data-public-key="{public_key}" data-collection-name="Default collection"
      data-text-mismatch="The phrase does not fit the key." {LOCKED_TEXTS}>{ERROR}
  <fingerprint-phrase {ids}>{phrase}</fingerprint-phrase>
  <button>Confirm member</button></form>"""


def test_confirming_hands_the_organization_key_to_the_member(
    server: VaultServer,
    page: Page,
    account: keys.AccountKeys,
    provider: keys.TenantKeys,
    member: tuple[str, bytes],
) -> None:
    public, private = member
    organization = SymmetricKey.new()
    body = confirm_form(public, fingerprint_phrase(ACCOUNT_ID, public))
    with_ring(server, "/sealed", body, ring_of(account, provider, organization))
    unlocked(server, page)
    expect(page.locator("fingerprint-phrase")).to_have_attribute("data-state", "same")
    page.get_by_role("button").click()
    page.wait_for_url("**/confirm")
    [sent] = server.state.posted("/confirm")
    assert keys.unwrap(sent["wrapped_key"], private) == organization.raw
    assert sent["public_key"] == public
    assert "provider_wrapped_key" not in sent


def test_confirming_makes_the_keys_of_a_client_that_has_none(
    server: VaultServer,
    page: Page,
    account: keys.AccountKeys,
    provider: keys.TenantKeys,
    member: tuple[str, bytes],
) -> None:
    public, private = member
    body = confirm_form(public, fingerprint_phrase(ACCOUNT_ID, public))
    with_ring(server, "/sealed", body, ring_of(account, provider))
    unlocked(server, page)
    page.get_by_role("button").click()
    page.wait_for_url("**/confirm")
    [sent] = server.state.posted("/confirm")
    raw = keys.unwrap(sent["wrapped_key"], private)
    assert unseal(sent["provider_wrapped_key"], provider.key) == raw
    assert unseal(sent["collection_name"], SymmetricKey.from_raw(raw)) == b"Default collection"


def test_a_locked_vault_stops_confirming(
    server: VaultServer, page: Page, member: tuple[str, bytes]
) -> None:
    server.state.signed_in = True
    public = member[0]
    server.state.pages["/m"] = confirm_form(public, fingerprint_phrase(ACCOUNT_ID, public))
    page.goto(server.url("/m"))
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_have_text("The vault is locked. Unlock it")
    assert server.state.posted("/confirm") == []


def test_a_phrase_that_does_not_fit_stops_the_form(
    server: VaultServer, page: Page, member: tuple[str, bytes]
) -> None:
    server.state.signed_in = True
    server.state.pages["/m"] = confirm_form(member[0], "five-words-of-a-lie")
    page.goto(server.url("/m"))
    phrase = page.locator("fingerprint-phrase")
    expect(phrase).to_have_text("The phrase does not fit the key.")
    expect(page.get_by_role("button")).to_be_disabled()


def test_the_key_that_was_compared_is_the_key_that_is_wrapped_for(
    server: VaultServer,
    page: Page,
    account: keys.AccountKeys,
    provider: keys.TenantKeys,
    member: tuple[str, bytes],
) -> None:
    body = confirm_form(member[0], fingerprint_phrase(ACCOUNT_ID, member[0]))
    other = keys.new_key_pair()[0]
    swapped = body.replace(f'data-public-key="{member[0]}"', f'data-public-key="{other}"')
    with_ring(server, "/sealed", swapped, ring_of(account, provider, SymmetricKey.new()))
    unlocked(server, page)
    page.get_by_role("button").click()
    expect(page.get_by_role("alert").first).to_have_text("It failed.")
    assert server.state.posted("/confirm") == []


def test_a_recovery_sheet_restores_the_provider_key(
    server: VaultServer, page: Page, account: keys.AccountKeys, provider: keys.TenantKeys
) -> None:
    sheet = f"""<p data-recovery-code></p>
      <form method="post" action="/sheet" data-recovery-sheet {LOCKED_TEXTS}>{ERROR}
      <button>I saved it</button></form>"""
    with_ring(server, "/sealed", sheet, ring_of(account, provider))
    unlocked(server, page)
    expect(page.locator("[data-recovery-code]")).to_have_text(
        re.compile("^([0-9A-Z]{4}-){7}[0-9A-Z]{4}$")
    )
    code = page.locator("[data-recovery-code]").inner_text()
    page.get_by_role("button").click()
    page.wait_for_url("**/sheet")
    [sent] = server.state.posted("/sheet")
    assert recovery.open_with_code(sent["recovery_wrapped_key"], code) == provider.key
    assert code.encode() not in b"".join(server.state.bodies)

    wrapped = sent["recovery_wrapped_key"]
    server.state.pages["/restore"] = f"""
      <form method="post" action="/restored" data-recover-provider-key
        data-recovery-wrapped-key="{wrapped}" data-text-wrong="Wrong code." {LOCKED_TEXTS}>{ERROR}
      <label>Code <input data-recovery-code-input></label><button>Restore</button></form>"""
    page.goto(server.url("/restore"))
    page.get_by_label("Code").fill(recovery.new_code())
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_have_text("Wrong code.")
    page.get_by_label("Code").fill(code.lower().replace("-", " "))
    page.get_by_role("button").click()
    page.wait_for_url("**/restored")
    [restored] = server.state.posted("/restored")
    raw = keys.unwrap(restored["wrapped_provider_key"], account.private_key)
    assert raw == provider.key.raw
    assert base64.b64encode(raw) not in b"".join(server.state.bodies)


def test_a_locked_vault_writes_no_recovery_sheet(server: VaultServer, page: Page) -> None:
    server.state.signed_in = True
    server.state.pages["/sheet"] = f"""<p data-recovery-code></p>
      <form method="post" action="/sheet" data-recovery-sheet {LOCKED_TEXTS}>{ERROR}
      <button>I saved it</button></form>"""
    page.goto(server.url("/sheet"))
    expect(page.get_by_role("alert")).to_have_text("The vault is locked. Unlock it")
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_have_text("The vault is locked. Unlock it")
    assert server.state.posts == []
