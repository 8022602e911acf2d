"""An account with keys, a provider, another member, and the server that they meet at."""

from collections.abc import Iterator

import pytest

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
