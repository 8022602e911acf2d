"""No other site makes a signed-in browser change anything, and looking changes nothing."""

import pytest
from sqlalchemy import delete

from portal.models import RateLimit
from tests.faults.routes import routes_of
from tests.support.browsing import Browser
from tests.support.tenants import differences, everything, make_tenant

HOME = "http://localhost"
FORGERIES = {
    "without a token": (None, {}),
    "with an empty token": ("", {}),
    "with a token that is none": ("forged", {}),
    "with the token of another session": ("foreign", {}),
    "with the token of before signing in": ("stale", {}),
    "from another site": ("right", {"Sec-Fetch-Site": "cross-site"}),
    "from a sibling of this site": ("right", {"Sec-Fetch-Site": "same-site"}),
    "from a foreign origin": ("right", {"Origin": "https://evil.example"}),
    "from a sandboxed frame": ("right", {"Origin": "null"}),
    "from an origin that begins like ours": ("right", {"Origin": f"{HOME}.evil.example"}),
}
# Limits count each request; the trace of a provider's person in a client is what a page owes.
LOOKING_LEAVES = (
    "rate_limit",
    "provider_entries",
    "events",
    "event_streams",
    "event_people",
    "event_keys",
)


@pytest.fixture
def tenant(database):
    return make_tenant(database, "Northmark")


def changing(app):
    return [route for route in routes_of(app) if route.method != "GET"]


def tokens(tenant, browser):
    """One token of each kind; `foreign` and `stale` were made for other sessions."""
    visitor = Browser(browser.app)
    return {
        "right": browser.csrf_token(),
        "foreign": tenant.browser("admin").csrf_token(),
        "stale": visitor.csrf_token(),
    }


@pytest.mark.parametrize("forgery", FORGERIES)
@pytest.mark.parametrize("role", ["provider admin", "owner", "visitor"])
def test_a_forged_request_changes_nothing(app, database, tenant, role, forgery):
    kind, headers = FORGERIES[forgery]
    browser = tenant.browser(role)
    token = tokens(tenant, browser).get(kind, kind)
    before = everything(database)
    wrong = []
    for route in changing(app):
        for way in ("field", "header"):
            fields = {"email": "eve@evil.example", "locale": "fr"}
            sent = dict(headers)
            if token is not None and way == "field":
                fields["csrf_token"] = token
            elif token is not None:
                sent["X-CSRFToken"] = token
            url = route.url(app, tenant)
            answer = browser.client.open(url, method=route.method, data=fields, headers=sent)
            if answer.status_code not in refusals(route, role):
                wrong.append(f"{route} by {way}: {answer.status}")
    assert wrong == []
    assert differences(before, everything(database)) == []


def refusals(route, role):
    """400; 404 for a place that is not this person's, where nothing is looked at."""
    return {400, 404} if route.place == "provider" and role == "owner" else {400}


DELETING = {
    "baselines.delete_submit",
    "clients.delete_tag_submit",
    "clients.delete_import_submit",
    "clients.delete_view_submit",
    "domains.remove_submit",
    "groups.delete_submit",
    "members.delete_import_submit",
}


# What no person of a provider may do.
OWNERS_ALONE = {
    "organization.access.decide",
    "organization.api",
    "organization.delete",
    "recovery.by_provider",
}


def test_the_same_requests_with_the_right_token_are_looked_at(app, database, tenant):
    """Otherwise the test above would pass for a portal that refuses everything."""
    refused = []
    for route in changing(app):
        database.run(delete(RateLimit))
        browser = tenant.browser("owner" if route.needs in OWNERS_ALONE else "provider admin")
        for headers in ({}, {"Sec-Fetch-Site": "same-origin", "Origin": HOME}):
            answer = browser.client.open(
                route.url(app, tenant),
                method=route.method,
                data={"csrf_token": browser.csrf_token()},
                headers=headers,
            )
            # The first of the two has deleted what the second asks for.
            is_gone = bool(headers) and route.endpoint in DELETING and answer.status_code == 404
            if answer.status_code in {400, 403, 404, 500} and not is_gone:
                refused.append(f"{route} {headers}: {answer.status}")
    assert refused == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("role", ["visitor", "provider admin", "owner", "waiting owner"])
def test_looking_changes_nothing(app, database, tenant, role, method):
    browser = tenant.browser(role)
    before = everything(database, but=LOOKING_LEAVES)
    for route in routes_of(app):
        with browser.client.open(route.url(app, tenant), method=method) as answer:
            assert answer.status_code < 500, f"{method} {route.rule}: {answer.status}"
    assert differences(before, everything(database, but=LOOKING_LEAVES)) == []


def test_no_address_that_changes_something_answers_to_another_method(app, tenant):
    browser = tenant.browser("provider admin")
    token = {"X-CSRFToken": browser.csrf_token()}
    for route in changing(app):
        for method in ("PUT", "PATCH", "DELETE"):
            answer = browser.client.open(route.url(app, tenant), method=method, headers=token)
            assert answer.status_code == 405, f"{method} {route.rule}: {answer.status}"


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-Method-Override"])
def test_a_get_is_no_post_whatever_it_says(database, tenant, header):
    browser = tenant.browser("provider admin")
    before = everything(database)
    answer = browser.client.get("/sign-out?_method=POST", headers={header: "POST"})
    assert answer.status_code == 405
    assert differences(before, everything(database)) == []
