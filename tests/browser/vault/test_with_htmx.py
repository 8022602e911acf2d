"""The modules beside the vendored htmx: it handles a submit at once, WebCrypto cannot."""

from playwright.sync_api import Page, Request, Route, expect

from portal.crypto import keys
from portal.crypto.envelope import SymmetricKey, unseal
from tests.browser.vault_pages import ring_of, unlocked, with_ring
from tests.browser.vault_server import VaultServer

HTMX = '<script src="/static/vendor/htmx.min.js" defer></script>'
FORM = """
<section id="holder"><form method="post" action="/rename" data-seal
  hx-post="/rename" hx-target="#holder" hx-swap="innerHTML">
  <p data-form-error role="alert"></p>
  <label>Name <input data-seal="name"></label><input type="hidden" name="name" value="{kept}">
  <button name="act" value="save">Save</button></form></section>"""


def test_htmx_sends_what_was_sealed_and_the_refused_form_is_opened_again(
    server: VaultServer, page: Page, account: keys.AccountKeys, provider: keys.TenantKeys
) -> None:
    organization = SymmetricKey.new()
    body = HTMX + FORM.replace("{kept}", "")
    with_ring(server, "/sealed", body, ring_of(account, provider, organization))
    unlocked(server, page)

    def refuse(route: Route, request: Request) -> None:
        kept = request.post_data_json["name"]
        route.fulfill(status=422, content_type="text/html", body=FORM.replace("{kept}", kept))

    page.route("**/rename", refuse)
    page.get_by_label("Name").fill("Projet secret")
    with page.expect_request("**/rename") as sent:
        page.get_by_role("button", name="Save").click()
    fields = sent.value.post_data_json
    assert unseal(fields["name"], organization) == b"Projet secret"
    assert fields["act"] == "save"
    assert sent.value.headers["hx-request"] == "true"
    expect(page.get_by_label("Name")).to_have_value("Projet secret")
    expect(page.locator("input[type=hidden]")).to_have_attribute("value", fields["name"])
    page.get_by_label("Name").fill("Another")
    with page.expect_request("**/rename") as again:
        page.get_by_role("button", name="Save").click()
    assert unseal(again.value.post_data_json["name"], organization) == b"Another"


def test_a_target_is_busy_only_while_an_answer_takes_long(server: VaultServer, page: Page) -> None:
    link = '<a href="/part" hx-get="/part" hx-target="#table">Sort</a><div id="table">Old</div>'
    server.state.pages |= {"/list": HTMX + link, "/part": "<ul><li>Quick</li></ul>"}
    page.clock.install()
    page.goto(server.url("/list"))
    table = page.locator("#table")
    table.evaluate(
        """(table) => {
          window.seen = [];
          new MutationObserver(() => window.seen.push(table.ariaBusy))
            .observe(table, { attributeFilter: ["aria-busy"] });
        }"""
    )
    # However slow this machine is: for the page, no time passes until the answer is there.
    page.clock.pause_at(page.evaluate("Date.now() + 60_000"))
    page.get_by_role("link", name="Sort").click()
    expect(table).to_have_text("Quick")
    page.clock.run_for(400)
    assert page.evaluate("window.seen") == []
    page.clock.resume()

    waiting: list[Route] = []
    page.route("**/part", lambda route: waiting.append(route))  # noqa: PLW0108
    page.get_by_role("link", name="Sort").click()
    expect(table).to_have_attribute("aria-busy", "true")
    waiting[0].fulfill(body="Late", content_type="text/html")
    expect(table).to_have_text("Late")
    expect(table).not_to_have_attribute("aria-busy", "true")
