"""Keys that the browser makes, opened again by the Python twin."""

from playwright.sync_api import Page, expect

from portal.crypto import envelope, kdf, keys
from portal.crypto.envelope import SymmetricKey, unseal
from tests.browser.vault_pages import ERROR, LOCKED_TEXTS, ring_of, unlocked, with_ring
from tests.browser.vault_server import EMAIL, VaultServer
from tests.support.chromium import Complaints

MAKE_ACCOUNT = f"""
<form method="post" action="/accept" data-make-account data-email="{EMAIL}"
      data-text-short="At least 12 characters." data-text-differ="They differ." {{extra}}>{ERROR}
  <label>Your name <input name="name" value="Ada"></label>
  <label>Master password <input type="password" data-master-password></label>
  <meter data-password-strength min="0" max="4"></meter>
  <label>Repeat <input type="password" data-master-password-repeat></label>
  <button>Create account and join</button>
</form>"""


def test_a_new_account_is_made_in_the_browser_with_its_organization_keys(
    server: VaultServer, page: Page, provider: keys.TenantKeys
) -> None:
    extra = 'data-make-organization-keys data-collection-name="Default collection"'
    ring = {"provider": {"id": "p", "public_key": provider.public_key}}
    with_ring(server, "/join", MAKE_ACCOUNT.replace("{extra}", extra), ring)
    server.state.answers["/accept"] = [(200, {"next": "/home", "signed_in": False})]
    page.goto(server.url("/join"))
    password = page.get_by_label("Master password")
    password.fill("short")
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_have_text("At least 12 characters.")
    password.fill("a long enough one")
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_have_text("They differ.")
    assert server.state.posts == []
    page.get_by_label("Repeat").fill("a long enough one")
    page.get_by_role("button").click()
    expect(page.get_by_role("heading", name="Home")).to_be_visible()

    [sent] = server.state.posted("/accept")
    master_key = kdf.derive_master_key(EMAIL, "a long enough one", int(sent["kdf_iterations"]))
    assert sent["signin_hash"] == kdf.signin_hash(master_key, "a long enough one")
    user_key = SymmetricKey.from_raw(unseal(sent["protected_user_key"], kdf.stretch(master_key)))
    private = unseal(sent["protected_private_key"], user_key)
    assert sent["name"] == "Ada"
    raw = keys.unwrap(sent["member_wrapped_key"], private)
    provider_private = unseal(provider.protected_private_key, provider.key)
    assert keys.unwrap(sent["provider_wrapped_key"], provider_private) == raw
    organization = SymmetricKey.from_raw(raw)
    assert unseal(sent["collection_name"], organization) == b"Default collection"
    own = unseal(sent["organization_private_key"], organization)
    assert keys.unwrap(keys.wrap_for(sent["organization_public_key"], b"x"), own) == b"x"
    assert b"enough" not in b"".join(server.state.bodies)


def test_the_strength_meter_follows_what_is_typed(server: VaultServer, page: Page) -> None:
    server.state.pages["/join"] = MAKE_ACCOUNT.replace("{extra}", "")
    page.goto(server.url("/join"))
    strengths = {"Zebra7+lampe-Ökonom": 4, "short": 1, "": 0, "aaaaaaaaaaaaaaaa": 1}
    for password, strength in strengths.items():
        page.get_by_label("Master password").fill(password)
        expect(page.locator("meter")).to_have_js_property("value", strength)


PROVIDER_KEYS = f"""
<form method="post" action="/keys" data-make-provider-keys {LOCKED_TEXTS}>{ERROR}
  <button>Make keys</button></form>"""


def test_provider_keys_are_wrapped_for_the_admin_who_makes_them(
    server: VaultServer, page: Page, account: keys.AccountKeys
) -> None:
    server.state.pages["/sealed"] = PROVIDER_KEYS
    unlocked(server, page)
    page.get_by_role("button").click()
    page.wait_for_url("**/keys")
    [sent] = server.state.posted("/keys")
    raw = keys.unwrap(sent["wrapped_provider_key"], account.private_key)
    private = unseal(sent["protected_private_key"], SymmetricKey.from_raw(raw))
    assert keys.unwrap(keys.wrap_for(sent["public_key"], b"x"), private) == b"x"


def test_no_key_is_wrapped_for_a_public_key_that_is_not_ours(
    server: VaultServer, page: Page, account: keys.AccountKeys, member: tuple[str, bytes]
) -> None:
    server.state.pages["/sealed"] = PROVIDER_KEYS
    lying = vars(account) | {"public_key": member[0]}
    server.state.keys = keys.AccountKeys(**lying)
    unlocked(server, page)
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_have_text("It failed.")
    assert server.state.posted("/keys") == []


NEW_CLIENT = """
<form method="post" action="/clients" data-make-client-keys
      data-collection-name="Default collection">
  <label>Organization name <input name="name" value="{name}"></label>
  <input type="hidden" name="provider_wrapped_key" value="{kept}">
  <button name="act" value="summary">Update summary</button>
  <button name="act" value="create">Create client</button>
</form>"""


def new_client(name: str = "", kept: str = "") -> str:
    return NEW_CLIENT.replace("{name}", name).replace("{kept}", kept)


def test_a_new_client_brings_its_keys_in_the_same_form(
    server: VaultServer, page: Page, account: keys.AccountKeys, provider: keys.TenantKeys
) -> None:
    with_ring(server, "/sealed", new_client(), ring_of(account, provider))
    unlocked(server, page)
    page.get_by_label("Organization name").fill("Acme")
    page.get_by_role("button", name="Create client").click()
    page.wait_for_url("**/clients")
    [sent] = server.state.posted("/clients")
    assert (sent["name"], sent["act"]) == ("Acme", "create")
    raw = unseal(sent["provider_wrapped_key"], provider.key)
    organization = SymmetricKey.from_raw(raw)
    assert unseal(sent["collection_name"], organization) == b"Default collection"
    assert keys.is_public_key(sent["organization_public_key"])
    limit = envelope.SEALED_PRIVATE_KEY_LENGTH
    assert envelope.looks_sealed(sent["organization_private_key"], 2, limit)


def test_keys_that_the_server_echoed_are_kept(
    server: VaultServer, page: Page, account: keys.AccountKeys, provider: keys.TenantKeys
) -> None:
    with_ring(server, "/sealed", new_client("Acme", "2.kept"), ring_of(account, provider))
    unlocked(server, page)
    page.get_by_label("Organization name").fill("Acme 2")
    page.get_by_role("button", name="Create client").click()
    page.wait_for_url("**/clients")
    [sent] = server.state.posted("/clients")
    assert sent == {"name": "Acme 2", "act": "create", "provider_wrapped_key": "2.kept"}


def test_a_locked_browser_creates_the_client_without_keys(server: VaultServer, page: Page) -> None:
    server.state.signed_in = True
    server.state.pages["/new"] = new_client("Acme")
    page.goto(server.url("/new"))
    page.get_by_role("button", name="Create client").click()
    page.wait_for_url("**/clients")
    assert server.state.posted("/clients") == [
        {"name": "Acme", "act": "create", "provider_wrapped_key": ""}
    ]


FINISH = """
<section><button data-finish-keys-start disabled>Finish keys</button><progress value="0"></progress>
<p data-finish-keys-status role="status"></p>
<ol data-key-work="finish-keys" data-text-working="Making" data-text-done="Done"
    data-text-faster="Done by another" data-text-failed="Failed" data-text-locked="Locked"
    data-text-finished="All done." data-text-unfinished="Some are left.">
  <li data-post="/one" data-collection-name="Default collection">One <span data-status></span></li>
  <li data-post="/two" data-collection-name="Default collection">Two <span data-status></span></li>
  <li data-post="/three" data-collection-name="Default collection">Three</li>
</ol></section>"""


def test_finishing_keys_goes_on_after_a_409_and_retries_what_failed(
    server: VaultServer,
    page: Page,
    account: keys.AccountKeys,
    provider: keys.TenantKeys,
    complaints: Complaints,
) -> None:
    complaints.allow("status of 503")
    with_ring(server, "/sealed", FINISH, ring_of(account, provider))
    server.state.answers |= {"/two": [(409, {})], "/three": [(503, {})]}
    unlocked(server, page)
    start = page.get_by_role("button", name="Finish keys")
    start.click()
    expect(page.get_by_role("status")).to_have_text("Some are left.")
    expect(page.locator("li")).to_have_text(["One Done", "Two Done by another", "ThreeFailed"])
    assert page.locator("progress").evaluate("(it) => [it.value, it.max]") == [3, 3]
    start.click()
    expect(page.get_by_role("status")).to_have_text("All done.")
    expect(start).to_be_disabled()
    assert [len(server.state.posted(path)) for path in ("/one", "/two", "/three")] == [1, 1, 2]
    raw = unseal(server.state.posted("/one")[0]["provider_wrapped_key"], provider.key)
    assert len(raw) == 64
