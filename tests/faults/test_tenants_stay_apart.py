"""Nobody reaches what belongs to another tenant, nor what their role does not include."""

import re
from collections import defaultdict

import pytest
from sqlalchemy import delete, select, update

from portal.models import AuthSession, Member, RateLimit
from tests.faults.doors import PUBLIC, SIGNED_IN
from tests.faults.rights import RIGHTS
from tests.faults.routes import ACCESS, routes_of, stated
from tests.support.tenants import ROLES, differences, everything, make_tenant

# Differs in each answer, whatever is asked.
_PASSING = re.compile(
    r"X-CSRFToken[^}]*|csrf[^>]*|[0-9a-f]{32}|[0-9a-f-]{36}|/(providers|organizations)/[^\"?]*"
)
# Who has accepted and waits finds one page in the tenant.
WAITING = {
    ("organization", "waiting owner"): "organizations.waiting",
    ("provider", "accepted provider admin"): "providers.waiting",
}
# Limits count each request, and a provider's person leaves a trace in their own client.
IN_PASSING = ("rate_limit", "provider_entries", "events", "event_streams", "event_people")


@pytest.fixture
def north(database):
    return make_tenant(database, "Northmark")


@pytest.fixture
def south(database):
    return make_tenant(database, "Southmark")


@pytest.fixture
def routes(app):
    return routes_of(app)


def ask(browser, route, url):
    """The bare answer; limits are another test's matter."""
    data = {"csrf_token": browser.csrf_token()} if route.method == "POST" else None
    answer = browser.client.open(url, method=route.method, data=data)
    # A streamed answer keeps its request alive until it is read.
    answer.get_data()
    return answer


def forget_limits(database):
    database.run(delete(RateLimit))


def test_every_view_has_its_line_and_asks_for_what_the_line_says(app, routes):
    found = {route.endpoint: stated(app, route.endpoint) for route in routes}
    assert found == ACCESS


@pytest.mark.parametrize("role", ROLES)
def test_an_address_with_a_foreign_id_leads_nowhere(app, database, routes, north, south, role):
    browser = north.browser(role)
    before = everything(database, but=IN_PASSING)
    wrong, cells = [], 0
    for route in routes:
        forget_limits(database)
        if not route.place:
            continue
        for url, own in route.foreign_urls(app, north, south):
            answer = ask(browser, route, url)
            cells += 1
            expected = refusal(route, role, at_home=f"{route.place}_id" in own)
            if answer.status_code != expected or south.mark in answer.text:
                wrong.append(f"{route.method} {url}: {answer.status}, not {expected}")
    assert wrong == []
    assert cells > 30
    assert differences(before, everything(database, but=IN_PASSING)) == []


def refusal(route, role, *, at_home):
    """How a foreign id is refused; at home, what the role does not include comes first."""
    if role == "visitor":
        return 303
    if at_home and (route.place, role) in WAITING:
        return 303 if route.method == "GET" else 403
    rights = RIGHTS.get((route.place, role))
    return 403 if at_home and rights is not None and route.needs not in rights else 404


def test_a_foreign_id_is_answered_like_one_that_does_not_exist(app, routes, north, south):
    browser = north.browser("provider admin")
    for route in routes:
        answers = defaultdict(set)
        if route.place and route.method == "GET":
            for url, own in route.foreign_urls(app, north, south):
                answers[own].add(_PASSING.sub("", ask(browser, route, url).text))
        for alike in answers.values():
            assert len(alike) == 1, f"{route}: {alike}"


@pytest.mark.parametrize("role", ROLES)
def test_each_role_reaches_what_its_rights_say_and_no_more(app, database, routes, north, role):
    wrong = []
    # Whoever has left is nobody here any more, so that comes last; what is deleted, before.
    order = {"baselines.delete_submit": 1, "members.leave_submit": 1, "providers.leave_submit": 2}
    for route in sorted(routes, key=lambda each: order.get(each.endpoint, 0)):
        forget_limits(database)
        if not route.place:
            continue
        # A browser of its own for each: one answer may sign out, or lead to a waiting page.
        answer = ask(north.browser(role), route, route.url(app, north))
        if not fits(route, role, answer):
            wrong.append(f"{route}: {answer.status} {answer.headers.get('Location', '')}")
    assert wrong == []


def fits(route, role, answer):
    """Whether an answer in one's own tenant is what the role's rights lead to."""
    code = answer.status_code
    if role == "visitor":
        return code == 303 and "/sign-in" in answer.location
    page = WAITING.get((route.place, role))
    if page:
        elsewhere = 303 if route.method == "GET" else 403
        return code == (200 if route.endpoint == page else elsewhere)
    return code in expected(route, RIGHTS.get((route.place, role)))


def expected(route, rights):
    if rights is None:
        return {404}
    if route.needs not in rights:
        return {403}
    return {200, 204, 303, 409, 422} | ({410} if "token" in route.arguments else set())


def test_what_asks_for_an_account_asks_every_visitor_for_one(app, database, routes, north):
    wrong = []
    for route in routes:
        forget_limits(database)
        if route.needs == SIGNED_IN:
            answer = ask(north.browser("visitor"), route, route.url(app, north))
            if answer.status_code != 303 or "/sign-in" not in answer.location:
                wrong.append(f"{route}: {answer.status}")
    assert wrong == []


def test_a_session_that_owes_its_second_factor_opens_nothing(app, database, routes, north):
    wrong = []
    for route in routes:
        forget_limits(database)
        if route.needs == PUBLIC:
            continue
        browser = north.browser("provider admin")
        owe_second_factor(database)
        answer = ask(browser, route, route.url(app, north))
        if answer.status_code != 303 or "/sign-in/second-factor" not in answer.location:
            wrong.append(f"{route}: {answer.status} {answer.headers.get('Location', '')}")
    assert wrong == []


def owe_second_factor(database):
    # Only the new one: rows written over and over in one transaction make PostgreSQL crawl.
    settled = AuthSession.pending.is_(False)
    database.run(update(AuthSession).where(settled).values(pending=True))


def test_the_marks_would_be_found(north, south):
    """The search for foreign names can fail: their owner does see them."""
    page = south.browser("provider admin").get(f"/providers/{south.provider.id}/clients")
    assert south.mark in page.response.text
    assert north.mark not in page.response.text


def test_ids_of_others_in_a_forms_fields_mean_nothing(database, north, south):
    """A form names no tenant: the address alone says where something is written."""
    browser = north.browser("provider admin")
    foreign = {name: str(value) for name, value in south.ids.items()} | {
        "id": str(south.member_id),
        "role": "owner",
        "state": "confirmed",
        "account_id": str(north.people["stranger"].account_id),
        "seats_used": "0",
        "clients_count": "0",
        "invitation_version": "99",
    }
    before = everything(database)
    url = f"/organizations/{north.client.id}/members/{north.member_id}"
    browser.post(f"{url}/invitation", foreign, status=303)
    browser.post(f"{url}/address", foreign | {"email": "new@northmark.example"}, status=303)
    changed = "\n".join(differences(before, everything(database)))
    assert "new@northmark.example" in changed
    for value in (str(south.client.id), str(south.provider.id), str(south.member_id), south.mark):
        assert value not in changed
    row = next(line for line in changed.splitlines() if line.startswith("+ members"))
    assert "'invited'" in row.lower() or "INVITED" in row
    # The column itself: a moment's microseconds may well hold the number.
    mine = select(Member.invitation_version).where(Member.id == north.member_id)
    assert database.one(mine) < 10
