"""Signing in, unlocking and locking in a real Chromium, under the portal's own CSP."""

import base64
from urllib.parse import unquote_plus

import pytest
from playwright.sync_api import Page, expect

from portal.crypto.kdf import derive_master_key, stretch
from portal.crypto.keys import AccountKeys
from tests.browser.vault_pages import SECOND_FACTOR, UNLOCK, counts_down, record, unlocked
from tests.browser.vault_server import ACCOUNT_ID, EMAIL, PASSWORD, VaultServer
from tests.support.chromium import follow


def sign_in(page: Page, password: str = PASSWORD) -> None:
    page.get_by_label("Master password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_signing_in_sends_a_hash_and_unlocks_the_vault(
    server: VaultServer, page: Page, account: AccountKeys
) -> None:
    page.goto(server.url("/sign-in"))
    sign_in(page)
    page.wait_for_url("**/home")
    [sent] = server.state.posted("/sign-in")
    assert sent["signin_hash"] == account.signin_hash
    assert sent["csrf_token"] == "token"
    kept = record(page)
    assert kept is not None
    assert (kept["accountId"], kept["sessionId"], kept["ct"]) == (ACCOUNT_ID, "session-1", 80)


def test_neither_password_nor_user_key_ever_leaves_the_browser(
    server: VaultServer, page: Page, account: AccountKeys
) -> None:
    page.goto(server.url("/sign-in"))
    sign_in(page)
    page.wait_for_url("**/home")
    page.goto(server.url("/unlock"))
    page.wait_for_url("**/sealed")
    sent = unquote_plus(b"\n".join(server.state.bodies).decode() + "\n".join(server.state.paths))
    assert account.signin_hash in sent
    master_key = derive_master_key(EMAIL, PASSWORD)
    assert "correct" not in sent
    for secret in (master_key, stretch(master_key).raw, account.user_key.raw, account.private_key):
        assert secret.hex() not in sent
        assert base64.b64encode(secret).decode() not in sent
    stored = page.evaluate("[JSON.stringify(localStorage), JSON.stringify(sessionStorage)]")
    assert stored == ["{}", "{}"]
    assert page.evaluate("document.cookie") == ""


def test_a_wrong_password_is_told_at_the_form_and_nothing_is_unlocked(
    server: VaultServer, page: Page
) -> None:
    page.goto(server.url("/sign-in"))
    sign_in(page, "wrong horse battery")
    expect(page.get_by_role("alert")).to_have_text("Wrong address or password.")
    assert server.state.posted("/session/vault") == []
    assert record(page) is None
    sign_in(page)
    page.wait_for_url("**/home")


def test_an_empty_password_asks_nothing_of_the_server(server: VaultServer, page: Page) -> None:
    page.goto(server.url("/sign-in"))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("Enter your master password.")
    assert server.state.posts == []


def test_the_derived_key_survives_the_second_factor(server: VaultServer, page: Page) -> None:
    server.state.second_factor = "123456"
    server.state.pages["/sign-in/second-factor"] = SECOND_FACTOR
    page.goto(server.url("/sign-in"))
    sign_in(page)
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    expect(page.get_by_label("Code")).to_be_focused()
    expect(page).to_have_url(server.url("/sign-in/second-factor"))
    page.get_by_label("Code").fill("000000")
    page.keyboard.press("Enter")
    expect(page.get_by_text("That code is not right.")).to_be_visible()
    expect(page.get_by_label("Code")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Code").fill("123456")
    page.keyboard.press("Enter")
    page.wait_for_url("**/home")
    assert server.state.posted("/session/vault")[0]["csrf_token"] == "fresh"
    assert record(page) is not None


def test_a_second_factor_page_that_was_reloaded_is_a_plain_form(
    server: VaultServer, page: Page
) -> None:
    server.state.second_factor = "123456"
    server.state.pages["/sign-in/second-factor"] = SECOND_FACTOR
    server.state.pages["/plain"] = SECOND_FACTOR.replace("/sign-in/second-factor", "/received")
    page.goto(server.url("/plain"))
    page.get_by_label("Code").fill("123456")
    page.keyboard.press("Enter")
    page.wait_for_url("**/received")


@pytest.mark.parametrize("iterations", [5_000, 2_000_001])
def test_cheap_or_absurd_parameters_are_refused_and_no_hash_is_sent(
    server: VaultServer, page: Page, iterations: int
) -> None:
    server.state.iterations = iterations
    page.goto(server.url("/sign-in"))
    sign_in(page)
    expect(page.get_by_role("alert")).to_have_text("Refused parameters.")
    assert server.state.posted("/sign-in") == []


def test_a_place_without_webcrypto_says_so_and_sends_nothing(
    server: VaultServer, page: Page
) -> None:
    page.add_init_script("Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined })")
    page.goto(server.url("/sign-in"))
    expect(page.get_by_role("alert")).to_have_text("Needs https.")
    sign_in(page)
    expect(page.get_by_role("alert")).to_have_text("Needs https.")
    assert server.state.posts == []


def test_a_wrong_password_does_not_unlock_and_asks_for_no_secret(
    server: VaultServer, page: Page
) -> None:
    server.state.signed_in = True
    page.goto(server.url("/unlock"))
    page.get_by_label("Master password").fill("wrong horse battery")
    page.get_by_role("button", name="Unlock").click()
    expect(page.get_by_role("alert")).to_have_text("Wrong.")
    assert server.state.secret is None
    assert record(page) is None
    expect(page.get_by_label("Master password")).to_be_focused()


def test_the_unlock_page_goes_on_when_another_tab_has_unlocked(
    server: VaultServer, page: Page
) -> None:
    unlocked(server, page)
    page.goto(server.url("/unlock"))
    page.wait_for_url("**/sealed")


def test_unlocking_never_leads_to_another_site(server: VaultServer, page: Page) -> None:
    server.state.signed_in = True
    server.state.pages["/unlock"] = UNLOCK.replace("/sealed", "//evil.example/")
    page.goto(server.url("/unlock"))
    page.get_by_label("Master password").fill(PASSWORD)
    page.get_by_role("button", name="Unlock").click()
    expect(page.get_by_role("heading", name="Root")).to_be_visible()
    assert page.url == server.url("/")


def is_open(page: Page) -> bool:
    opened: bool = page.evaluate(
        "async () => (await (await import('/static/js/vault.js')).openVault()) !== null"
    )
    return opened


def test_unlocking_lasts_from_page_to_page(server: VaultServer, page: Page) -> None:
    unlocked(server, page)
    page.goto(server.url("/home"))
    assert is_open(page)


def test_locking_in_one_tab_locks_the_other(server: VaultServer, page: Page) -> None:
    unlocked(server, page)
    server.state.pages["/home"] = (
        '<form method="post" action="/session/lock" data-lock><button>Lock</button></form>'
    )
    other = page.context.new_page()
    other.goto(server.url("/home"))
    assert is_open(page)
    follow(other, other.get_by_role("button", name="Lock"))
    expect(page.locator("html")).to_have_attribute("data-vault", "locked")
    assert not is_open(page)
    assert record(page) is None
    assert server.state.secret is None


def test_unlocking_in_one_tab_tells_the_other(server: VaultServer, page: Page) -> None:
    server.state.signed_in = True
    waiting = page.context.new_page()
    waiting.goto(server.url("/home"))
    assert not is_open(waiting)
    unlocked(server, page)
    expect(waiting.locator("html")).to_have_attribute("data-vault", "unlocked")
    assert is_open(waiting)


def test_the_vault_locks_by_itself_after_the_time_without_use(
    server: VaultServer, page: Page
) -> None:
    page.clock.install()
    unlocked(server, page)
    counts_down(page)
    page.clock.fast_forward("14:00")
    assert is_open(page)
    with page.expect_response("**/session/lock"):
        page.clock.fast_forward("01:30")
    expect(page.locator("html")).to_have_attribute("data-vault", "locked")
    assert record(page) is None
    assert len(server.state.posted("/session/lock")) == 1


def test_use_keeps_the_vault_unlocked_and_the_server_hears_of_it(
    server: VaultServer, page: Page
) -> None:
    page.clock.install()
    unlocked(server, page)
    # The page counts down only once it has read its record; a key pressed before that is nothing.
    counts_down(page)
    asked = server.state.paths.count("GET /session/vault")
    for _ in range(4):
        page.clock.fast_forward("10:00")
        with page.expect_response("**/session/vault"):
            page.keyboard.press("Shift")
    assert is_open(page)
    assert server.state.paths.count("GET /session/vault") >= asked + 4


def test_a_shorter_time_that_came_later_holds_from_the_next_page_on(
    server: VaultServer, page: Page
) -> None:
    page.clock.install()
    unlocked(server, page)
    server.state.lock_minutes = 2
    page.reload()
    counts_down(page)
    assert is_open(page)
    page.clock.fast_forward("01:30")
    assert is_open(page)
    page.clock.fast_forward("01:00")
    expect(page.locator("html")).to_have_attribute("data-vault", "locked")
    assert record(page) is None


def run_out(server: VaultServer, page: Page) -> None:
    """Sets the record's end back, from where nothing watches.

    A page that does could notice first, and be left on the way.
    """
    page.goto(server.url("/static/js/unlock-store.js"))
    page.evaluate(
        """async () => {
          const { readRecord, writeRecord } = await import("/static/js/unlock-store.js");
          await writeRecord({ ...(await readRecord()), expires: Date.now() - 1 });
        }"""
    )


def test_where_it_is_asked_for_the_end_of_the_time_signs_out(
    server: VaultServer, page: Page
) -> None:
    server.state.signs_out = True
    unlocked(server, page)
    page.goto(server.url("/sealed"))
    assert server.state.posted("/sign-out") == []
    run_out(server, page)
    with page.expect_response("**/sign-out"):
        page.goto(server.url("/sealed"))
    expect(page.locator("html")).to_have_attribute("data-vault", "locked")
    assert record(page) is None


def test_a_record_found_too_late_is_deleted_before_any_use(server: VaultServer, page: Page) -> None:
    unlocked(server, page)
    run_out(server, page)
    server.state.paths.clear()
    with page.expect_response("**/session/lock"):
        page.goto(server.url("/home"))
    expect(page.locator("html")).to_have_attribute("data-vault", "locked")
    assert record(page) is None
    assert "GET /session/vault" not in server.state.paths
    assert server.state.secret is None


@pytest.mark.parametrize("change", ["session", "secret", "locked"])
def test_a_record_that_does_not_match_is_deleted(
    server: VaultServer, page: Page, change: str
) -> None:
    unlocked(server, page)
    if change == "session":
        server.state.session_id = "session-2"
    elif change == "secret":
        server.state.secret = bytes(32)
    else:
        server.state.secret = None
    page.goto(server.url("/home"))
    assert not is_open(page)
    assert record(page) is None


def test_where_indexeddb_refuses_the_vault_is_unlocked_for_the_page(
    server: VaultServer, page: Page
) -> None:
    page.add_init_script(
        "IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError'); }"
    )
    server.state.signed_in = True
    server.state.pages["/unlock"] = UNLOCK.replace('data-next="/sealed"', 'data-next="#done"')
    page.goto(server.url("/unlock"))
    stretched = page.evaluate(
        """async ([email, password]) => {
          const { deriveMasterKey, stretch } = await import("/static/js/crypto/kdf.js");
          const { unlock, openVault } = await import("/static/js/vault.js");
          const parameters = { kdf: "pbkdf2-sha256", iterations: 600000 };
          await unlock(await stretch(await deriveMasterKey(email, password, parameters)));
          return (await openVault()) !== null;
        }""",
        [EMAIL, PASSWORD],
    )
    assert stretched is True
    page.goto(server.url("/home"))
    assert not is_open(page)
    expect(page.locator("html")).to_have_attribute("data-vault", "locked")


def test_signing_out_deletes_the_record(server: VaultServer, page: Page) -> None:
    unlocked(server, page)
    server.state.pages["/home"] = (
        '<form method="post" action="/received" data-sign-out><button>Sign out</button></form>'
    )
    page.goto(server.url("/home"))
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/received")
    assert record(page) is None


def test_an_account_without_keys_signs_in_and_leaves_no_record_of_another(
    server: VaultServer, page: Page
) -> None:
    unlocked(server, page)
    server.state.signed_in = False
    page.goto(server.url("/sign-in"))
    assert record(page) is not None
    page.route("**/session/vault", lambda route: route.fulfill(json={"protected_user_key": None}))
    sign_in(page)
    page.wait_for_url("**/home")
    assert record(page) is None


def test_a_page_without_keys_fetches_next_to_nothing(server: VaultServer, page: Page) -> None:
    server.state.signed_in = True
    server.state.pages["/clients"] = (
        '<input type="search" aria-label="Search clients"><input type="checkbox">'
    )
    page.goto(server.url("/clients"))
    page.get_by_role("checkbox").check()
    page.keyboard.press("/")
    expect(page.get_by_label("Search clients")).to_be_focused()
    scripts = [path for path in server.state.paths if path.endswith(".js")]
    assert scripts == ["GET /static/js/portal.js"]
