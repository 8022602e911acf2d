"""The Clients table's row menu, which is a link first."""

from playwright.sync_api import Page, expect

from tests.browser.vault_server import VaultServer


def test_a_row_menu_opens_by_keyboard_and_gives_focus_back(server: VaultServer, page: Page) -> None:
    server.state.pages |= {
        "/menu": '<ul><li><a href="/rename">Rename</a></li><li><a href="/x">Other</a></li></ul>',
        "/clients": '<a href="/manage" data-menu data-menu-src="/menu">Actions for Acme</a>',
        "/rename": "<h1>Rename</h1>",
    }
    page.goto(server.url("/clients"))
    link = page.get_by_role("link", name="Actions for Acme")
    link.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Rename")).to_be_focused()
    expect(link).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="Other")).to_be_focused()
    page.keyboard.press("Escape")
    expect(link).to_be_focused()
    expect(link).to_have_attribute("aria-expanded", "false")
    link.click()
    expect(page.get_by_role("link", name="Rename")).to_be_visible()
    link.click()
    expect(page.get_by_role("link", name="Rename")).to_be_hidden()
    link.click()
    page.get_by_role("link", name="Rename").click()
    page.wait_for_url("**/rename")


def test_a_row_menu_that_cannot_be_fetched_is_the_page_it_links_to(
    server: VaultServer, page: Page
) -> None:
    server.state.pages |= {
        "/clients": '<a href="/manage" data-menu data-menu-src="/gone">Actions</a>',
        "/manage": "<h1>Manage</h1>",
    }
    page.goto(server.url("/clients"))
    page.get_by_role("link", name="Actions").click()
    page.wait_for_url("**/manage")
