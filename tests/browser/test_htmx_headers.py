"""Each header that `portal.web.fragments` reads or sends, against the htmx that pages really load.

htmx 4 is not what `htmx_flask` was written for: a name that changed would go unnoticed elsewhere.
"""

import pytest
from playwright.sync_api import expect
from sqlalchemy import delete, update

from portal.domain.states import ProviderPersonState
from portal.models import AuthSession, ProviderPerson
from tests.support.clients import make_client
from tests.support.cookies import carry_over
from tests.support.tenants import make_tenant

pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)


@pytest.fixture
def tenant(live):
    made = make_tenant(live.database, "Northmark")
    make_client(live.database, made.provider, "Zebra Ltd")
    return made


@pytest.fixture
def admin(live, people, tenant):
    """A page of the provider's admin; `asked` is every request that htmx made from it."""
    context = people(locale="en")
    carry_over(tenant.browser("provider admin"), context, live.url)
    page = context.new_page()
    page.asked = []
    page.on("request", lambda request: keep(page.asked, request))
    return page


def keep(asked, request):
    if "hx-request" in request.headers or "hx-history-restore-request" in request.headers:
        asked.append(request)


@pytest.fixture
def clients(live, admin, tenant):
    admin.goto(f"{live.url}/providers/{tenant.provider.id}/clients")
    return admin


def search(page, words):
    with page.expect_response(lambda answer: f"q={words}" in answer.url) as answer:
        page.get_by_label("Search clients").fill(words)
    expect(page.locator("tbody tr")).to_have_count(1)
    return answer.value


def ajax(page, verb, url, target, **values):
    """What an element with hx-attributes would ask; returns the answer."""
    with page.expect_response(lambda answer: answer.url.endswith(url)) as answer:
        page.evaluate(
            "([verb, url, target, values]) => { htmx.ajax(verb, url, {target, values}) }",
            [verb, url, target, {"csrf_token": token(page)} | values],
        )
    return answer.value


def token(page):
    return page.locator("meta[name=csrf-token]").get_attribute("content")


def test_a_request_names_itself_its_target_and_its_cause(clients):
    answer = search(clients, "Zebra")
    headers = answer.request.headers
    assert headers["hx-request"] == "true"
    assert headers["hx-target"] == "section#clients-table"
    assert headers["hx-request-type"] == "partial"
    assert headers["hx-source"].startswith("form")
    assert "hx-boosted" not in headers
    assert answer.text().lstrip().startswith("<section ")
    vary = {name.strip().lower() for name in answer.headers["vary"].split(",")}
    assert {"hx-request", "hx-target", "hx-boosted", "hx-history-restore-request"} <= vary


def test_the_cause_is_named_with_its_id(clients, live, tenant):
    clients.goto(f"{live.url}/providers/{tenant.provider.id}/clients/new")
    with clients.expect_request("**/fields/seats") as asked:
        clients.get_by_label("Seats", exact=True).fill("7")
        clients.get_by_label("Seats", exact=True).blur()
    assert asked.value.headers["hx-source"] == "input#seats"
    assert asked.value.headers["hx-target"] == "div#seats-field"
    assert asked.value.headers["x-csrftoken"] == token(clients)


def test_the_address_follows_and_back_brings_the_whole_page(clients):
    search(clients, "Zebra")
    clients.wait_for_url("**/clients?q=Zebra*")
    clients.go_back()
    expect(clients.locator("tbody tr")).to_have_count(2)
    expect(clients.get_by_label("Search clients")).to_have_value("")
    assert clients.title().startswith("Clients")
    expect(clients.locator("html body header")).to_have_count(1)
    expect(clients.locator("main")).to_have_count(1)
    clients.go_forward()
    expect(clients.locator("tbody tr")).to_have_count(1)
    expect(clients.locator("main")).to_have_count(1)


def test_a_restored_page_is_asked_for_as_such_and_answered_whole(clients):
    search(clients, "Zebra")
    clients.wait_for_url("**/clients?q=Zebra*")
    with clients.expect_request(lambda request: request.url.endswith("/clients")) as asked:
        clients.go_back()
    assert asked.value.headers.get("hx-history-restore-request") == "true"
    answer = asked.value.response()
    assert answer.text().startswith("<!doctype html>")


def test_a_boosted_link_gets_a_whole_page(clients):
    clients.evaluate(
        """() => {
            const link = document.querySelector("a[href$='/people']");
            link.setAttribute("hx-boost", "true");
            htmx.process(link.parentElement);
        }"""
    )
    with clients.expect_request("**/people") as asked:
        clients.locator("a[href$='/people']").first.click()
    assert asked.value.headers["hx-boosted"] == "true"
    assert asked.value.response().text().startswith("<!doctype html>")
    expect(clients.get_by_role("heading", level=1, name="People")).to_be_visible()
    expect(clients.locator("main")).to_have_count(1)


def test_whoever_is_signed_out_is_led_to_sign_in_and_not_into_the_table(clients, live):
    live.database.run(delete(AuthSession))
    with clients.expect_response("**/clients?q=*") as answer:
        clients.get_by_label("Search clients").fill("Zebra")
    assert answer.value.status == 401
    assert answer.value.headers["hx-redirect"].startswith("/sign-in")
    clients.wait_for_url(lambda url: "/sign-in?next=" in url)
    expect(clients.get_by_label("Master password")).to_be_visible()


def test_an_error_stands_among_the_notices_and_leaves_the_table(clients, live):
    live.database.run(update(ProviderPerson).values(state=ProviderPersonState.SUSPENDED))
    with clients.expect_response("**/clients?q=*") as answer:
        clients.get_by_label("Search clients").fill("Zebra")
    assert (answer.value.status, answer.value.headers["hx-retarget"]) == (404, "#notices")
    assert answer.value.headers["hx-reswap"] == "innerHTML"
    expect(clients.locator("#notices")).to_contain_text("There is nothing here any more")
    expect(clients.locator("#notices")).to_have_count(1)
    expect(clients.locator("tbody tr")).to_have_count(2)


def test_a_finished_change_leads_on_by_a_header(clients, tenant):
    url = f"/organizations/{tenant.client.id}/members/{tenant.member_id}/invitation"
    answer = ajax(clients, "POST", url, "#clients-table")
    assert answer.status == 200
    assert f"/organizations/{tenant.client.id}/members?saved=" in answer.headers["hx-redirect"]
    clients.wait_for_url("**/members*")
    expect(clients.locator("#notices")).to_contain_text("invited@northmark.example")


def test_a_refused_form_replaces_its_own_fragment(live, clients, tenant):
    new = f"/providers/{tenant.provider.id}/clients/new"
    clients.goto(f"{live.url}{new}")
    clients.evaluate(
        """url => {
            document.querySelector("#clients-summary h2").textContent = "Old";
            const button = document.querySelector("button[name=step][hx-post]");
            button.value = "create";
            button.setAttribute("hx-post", url);
            htmx.process(button.parentElement);
        }""",
        new,
    )
    with clients.expect_response(f"**{new}") as answer:
        clients.get_by_role("button", name="Update summary").click()
    assert answer.value.status == 422
    assert answer.value.request.headers["hx-target"] == "section#clients-summary"
    assert answer.value.text().lstrip().startswith("<section ")
    expect(clients.locator("#clients-summary h2")).to_have_text("Summary")
    expect(clients.get_by_label("Organization name")).to_have_count(1)


def test_an_event_that_the_answer_names_is_heard(clients):
    """`HX-Trigger`, which `respond(trigger=…)` sends."""
    clients.route(
        "**/clients?q=*",
        lambda route: route.fulfill(
            response=(answer := route.fetch()),
            headers=answer.headers | {"hx-trigger": "clients:counted"},
        ),
    )
    clients.evaluate(
        "document.body.addEventListener('clients:counted', () => { window.heard = true })"
    )
    search(clients, "Zebra")
    clients.wait_for_function("window.heard === true")
