"""Pages for the browser modules' tests, marked up as the templates do it, and their helpers."""

import json
from html import escape
from typing import Any

from playwright.sync_api import Page, expect

from portal.crypto.envelope import SymmetricKey, seal
from portal.crypto.keys import AccountKeys, TenantKeys, wrap_for
from tests.browser.vault_server import EMAIL, PASSWORD, VaultServer

LOCKED_TEXTS = (
    'data-text-locked="The vault is locked." data-text-unlock="Unlock it" '
    'data-text-failed="It failed."'
)
ERROR = '<p data-form-error role="alert"></p>'

SIGN_IN = f"""
<h1>Sign in</h1>
<form method="post" action="/sign-in" data-sign-in data-text-working="Signing in"
      data-text-insecure="Needs https." data-text-refused="Refused parameters."
      data-text-missing="Enter your master password.">
  <p data-form-error role="alert"></p>
  <label>E-mail address <input name="email" type="email" value="{EMAIL}"></label>
  <label>Master password <input type="password" data-master-password></label>
  <input type="hidden" name="signin_hash"><p data-form-status role="status"></p>
  <button>Sign in</button>
</form>"""

SECOND_FACTOR = """
<h1>Second factor</h1>
<form method="post" action="/sign-in/second-factor" data-second-factor>
  <p data-form-error role="alert"></p>
  <label>Code <input name="code"></label><p data-error-for="code"></p>
  <button>Continue</button>
</form>"""

UNLOCK = """
<h1>Unlock</h1>
<form method="post" action="/unlock" data-unlock data-next="/sealed" data-text-wrong="Wrong."
      data-text-refused="Refused parameters." data-text-insecure="Needs https.">
  <p data-form-error role="alert"></p>
  <label>Master password <input type="password" data-master-password></label>
  <button>Unlock</button>
</form>"""


def unlocked(server: VaultServer, page: Page) -> None:
    """Unlocks the vault of a signed-in account by its page."""
    server.state.signed_in = True
    server.state.pages["/unlock"] = UNLOCK
    page.goto(server.url("/unlock"))
    page.get_by_label("Master password").fill(PASSWORD)
    page.get_by_role("button", name="Unlock").click()
    page.wait_for_url("**/sealed")
    expect(page.locator("html")).to_have_attribute("data-vault", "unlocked")


def counts_down(page: Page) -> None:
    """Waits until the page has read its record and counts down to the lock."""
    page.evaluate("async () => (await import('/static/js/auto-lock.js')).watch()")


def record(page: Page) -> dict[str, Any] | None:
    """The record in IndexedDB, with the lengths of its bytes in place of them."""
    found: dict[str, Any] | None = page.evaluate(
        """async () => {
          const { readRecord } = await import("/static/js/unlock-store.js");
          const record = await readRecord();
          return record && { ...record, iv: record.iv.length, ct: record.ct.length };
        }"""
    )
    return found


def ring_of(
    account: AccountKeys, provider: TenantKeys, organization: SymmetricKey | None = None
) -> dict[str, Any]:
    """The key ring of a page for a provider admin."""
    wrapped = organization and seal(organization.raw, provider.key)
    return {
        "provider": {
            "id": "p",
            "key": wrap_for(account.public_key, provider.key.raw),
            "private_key": provider.protected_private_key,
            "public_key": provider.public_key,
        },
        "organization": {"id": "o", "key": wrapped, "wrapped_by": "provider"},
    }


def with_ring(server: VaultServer, path: str, body: str, ring: dict[str, Any]) -> None:
    """Serves a page whose key ring stands in its body, where the modules find it as well."""
    content = escape(json.dumps(ring), quote=True)
    server.state.pages[path] = f'<meta name="key-ring" content="{content}">{body}'
