"""A signed-out account with keys, a provider, and a page that may not log an error."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from portal.crypto import keys
from tests.browser.vault_pages import SIGN_IN, UNLOCK
from tests.browser.vault_server import EMAIL, PASSWORD, VaultServer


@pytest.fixture(scope="session")
def account() -> keys.AccountKeys:
    return keys.new_account_keys(EMAIL, PASSWORD)


@pytest.fixture(scope="session")
def provider() -> keys.TenantKeys:
    return keys.new_tenant_keys()


@pytest.fixture(scope="session")
def member() -> tuple[str, bytes]:
    return keys.new_key_pair()


@pytest.fixture
def server(account: keys.AccountKeys) -> Iterator[VaultServer]:
    with VaultServer() as running:
        running.state.keys = account
        running.state.pages |= {"/sign-in": SIGN_IN, "/unlock": UNLOCK}
        yield running


@pytest.fixture(autouse=True)
def clean(page: Page) -> Iterator[None]:
    """No page may log an error, which a refusal by the CSP does too."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: message.type == "error" and errors.append(message.text))
    yield
    assert [error for error in errors if "Failed to load resource" not in error] == []
