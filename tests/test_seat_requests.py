"""A client asks for seats; its provider answers once, with one click, as priced."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import delete, insert, select, update

from portal.billing import client_queries
from portal.clients import lifecycle
from portal.domain.access import Role
from portal.domain.attention import AttentionKind
from portal.domain.custom_roles import Custom
from portal.domain.seat_requests import RequestState
from portal.models import (
    Account,
    Attention,
    Event,
    Member,
    Organization,
    Outbox,
    ProviderAccess,
    SeatRequest,
    SubscriptionChange,
    utc_now,
)
from portal.providers import attention
from tests.support.clients import make_client, persona
from tests.support.organizations import OWNER, make_place
from tests.test_clients_subscription import service_user, settle
from tests.test_seat_growth import bound, somebody


@pytest.fixture
def place(database):
    return settle(make_place(database), seats_used=10, seats_grow=False)


@pytest.fixture
def admin(place):
    return place.admins_browser()


@pytest.fixture
def owner(place):
    return place.browser_of(somebody(place))


def asks(place, browser, seats="5", note="", status=303):
    return browser.post(f"{place.members}/seats", {"seats": seats, "note": note}, status=status)


def answer_url(place):
    return f"/providers/{place.provider.id}/clients/{place.organization.id}/seats"


def the_request(place):
    return place.database.one(select(SeatRequest))


def waiting(place):
    kind = AttentionKind.SEATS_ASKED
    return place.database.all(select(Attention).where(Attention.kind == kind))


def told(place, kind):
    found = select(Event.payload).where(Event.type == f"organization:seats:{kind}")
    return [json.loads(each)["details"] for each in place.database.all(found)]


def topics(place, topic):
    return place.database.all(select(Outbox).where(Outbox.topic == topic))


def test_a_request_is_kept_told_in_both_logs_and_mailed_to_the_admins(place, owner):
    page = owner.follow(asks(place, owner, "5", " For the new office.\n"))
    assert "The provider is asked." in page
    request = the_request(place)
    assert (request.state, request.seats) == (RequestState.OPEN, 5)
    assert request.note == "For the new office."
    assert told(place, "ask") == [{"seats": 5}] * 2
    [mail] = topics(place, "mail.seats_asked")
    assert mail.account_id == place.admin.account_id
    [row] = waiting(place)
    assert (row.label, row.reason) == ("olga.two@acme.example", "5")


def test_one_request_waits_at_a_time(place, owner):
    asks(place, owner)
    page = asks(place, owner, "7", status=409)
    assert "A request waits for its answer already." in page
    assert place.database.count(SeatRequest) == 1


@pytest.mark.parametrize("seats", ["", "0", "-3", "many", "1000000"])
def test_a_mistake_stands_at_its_field_and_nothing_typed_is_lost(place, owner, seats):
    page = asks(place, owner, seats, "Please", status=422)
    assert page.text("#seats-error")
    assert "Please" in page.text("textarea")
    assert place.database.count(SeatRequest) == 0


def test_a_long_note_is_refused_at_its_field(place, owner):
    page = asks(place, owner, "5", "x" * 501, status=422)
    assert "at most 500" in page.text("#note-error")


def test_the_admin_reads_the_price_and_approves_with_one_click(place, owner, admin):
    asks(place, owner, "5", "For the new office.")
    page = admin.get(answer_url(place))
    assert page.heading == "Acme Ltd asks for seats"
    assert "For the new office." in page
    assert "15 instead of 10" in page
    price = page.texts("dl.lines .total dd")[0]
    done = admin.submit(page, "Approve and add the seats")
    assert "The seats are added" in admin.follow(done)
    assert place.client().seats == 15
    change = place.database.one(select(SubscriptionChange))
    assert price == f"${change.adjustment_cents / 100:.2f}"
    request = the_request(place)
    assert request.state is RequestState.APPROVED
    assert request.answered_by == place.admin.account_id
    assert told(place, "approve") == [{"seats": 5}] * 2
    assert len(topics(place, "mail.seats_answered")) == 1
    assert waiting(place) == []
    assert "Approved" in owner.get(f"{place.members}/seats")


def test_a_seat_limit_below_moves_along(place, owner, admin):
    place.database.run(update(Organization).values(seats_grow=True, seat_limit=12))
    asks(place, owner, "5")
    page = admin.get(answer_url(place))
    assert "Added automatically, up to 15 instead of Added automatically, up to 12" in page
    admin.submit(page, "Approve and add the seats")
    assert (place.client().seats, place.client().seat_limit) == (15, 15)


def test_a_world_that_has_changed_is_looked_at_again(place, owner, admin):
    asks(place, owner)
    page = admin.get(answer_url(place))
    place.database.run(update(Organization).values(seats=11, version=Organization.version + 1))
    again = admin.submit(page, "Approve and add the seats", status=409)
    assert "this is how it is now" in again
    assert place.client().seats == 11
    assert the_request(place).state is RequestState.OPEN
    admin.submit(again, "Approve and add the seats")
    assert place.client().seats == 16


def test_declining_needs_no_words_but_keeps_them(place, owner, admin):
    asks(place, owner)
    page = admin.get(answer_url(place))
    wrong = admin.submit(page, "Decline the request", {"answer": "x" * 501}, status=422)
    assert "at most 500" in wrong.text("#answer-error")
    admin.submit(page, "Decline the request", {"answer": "Ask me in June."})
    request = the_request(place)
    assert (request.state, request.answer) == (RequestState.DECLINED, "Ask me in June.")
    assert place.client().seats == 10
    assert told(place, "decline") == [{"seats": 5}] * 2
    assert waiting(place) == []
    assert "Ask me in June." in owner.get(f"{place.members}/seats")
    asks(place, owner, "2")


def test_a_request_is_withdrawn_while_it_waits(place, owner, admin):
    asks(place, owner)
    page = owner.get(f"{place.members}/seats")
    assert "Withdraw" in page
    url = f"{place.members}/seats/{the_request(place).id}/withdraw"
    owner.post(url, {}, status=303)
    assert the_request(place).state is RequestState.WITHDRAWN
    assert told(place, "withdraw") == [{"seats": 5}] * 2
    assert waiting(place) == []
    assert "answered or withdrawn in the meantime" in owner.post(url, {}, status=409)
    assert "No request waits" in admin.get(answer_url(place))


def test_who_asks_and_who_answers(place, owner, admin, database):
    helper = somebody(place, Role.CUSTOM, "helper@acme.example")
    mine = Member.account_id == helper.account_id
    database.run(update(Member).where(mine).values(permissions=[Custom.USERS.value]))
    user = place.browser_of(somebody(place, Role.USER, "user@acme.example"))
    user.get(f"{place.members}/seats", status=403)
    asks(place, user, status=403)
    asks(place, place.browser_of(helper))
    technician = service_user(place, database)
    technician.get(answer_url(place), status=403)
    request = the_request(place)
    for verb in ("approve", "decline"):
        technician.post(f"{answer_url(place)}/{request.id}/{verb}", {}, status=403)
        owner.post(f"{answer_url(place)}/{request.id}/{verb}", {}, status=404)
    assert the_request(place).state is RequestState.OPEN
    assert "Answer the request" in admin.get(f"{place.members}/seats")


def test_requests_of_other_tenants_do_not_exist(place, owner, admin, database):
    asks(place, owner)
    request = the_request(place)
    beside = make_client(database, place.provider, "Beside")
    elsewhere = f"/providers/{place.provider.id}/clients/{beside.id}/seats/{request.id}"
    admin.post(f"{elsewhere}/approve", {}, status=404)
    admin.post(f"{elsewhere}/decline", {}, status=404)
    stranger = persona(database).browser
    for verb in ("approve", "decline"):
        stranger.post(f"{answer_url(place)}/{request.id}/{verb}", {}, status=404)
    admin.post(f"/organizations/{beside.id}/members/seats/{request.id}/withdraw", {}, status=404)
    assert the_request(place).state is RequestState.OPEN


def test_a_refused_invitation_leads_to_the_request(place, owner):
    page = owner.post(
        f"{place.members}/invite",
        {"addresses": "a@a.example b@a.example", "role": "user"},
        status=409,
    )
    assert "2 seats are needed, left: 0. A provider admin can add seats." in page
    link = page.link("Ask for seats")
    assert owner.get(link).select("input[name=seats]")[0]["value"] == "2"


def test_beyond_the_number_of_a_day_approval_is_offered(place, owner, admin):
    place.database.run(update(Organization).values(seats_grow=True))
    bound(place, day=1)
    data = {"addresses": "a@a.example b@a.example", "role": "user"}
    page = owner.post(f"{place.members}/invite", data, status=409)
    assert "A provider admin approves of so many in one day." in page
    asks(place, owner, "2")
    admin.submit(admin.get(answer_url(place)), "Approve and add the seats")
    page = owner.post(f"{place.members}/invite", data, status=200)
    assert page.heading == "2 people are invited"


def test_the_stuck_list_tells_of_it_and_leads_to_the_answer(place, owner, admin):
    asks(place, owner)
    page = admin.get(f"/providers/{place.provider.id}/stuck-people?reason=seats_asked")
    assert "olga.two@acme.example" in page
    assert "5 more seats" in page
    assert page.link("Answer the request olga.two@acme.example").endswith("/seats")


@pytest.mark.parametrize("mode", ["ask", "never"])
def test_a_client_that_lets_nobody_in_still_asks(place, owner, admin, mode):
    asks(place, owner)
    changed = {"mode": mode, "changed_at": utc_now()}
    place.database.run(
        insert(ProviderAccess).values(organization_id=place.organization.id, **changed)
    )
    page = admin.get(f"/providers/{place.provider.id}/stuck-people")
    assert page.link("Answer the request olga.two@acme.example").endswith("/seats")
    assert OWNER not in page, "who is invited there is not"


def test_of_two_answers_at_once_one_counts(committed):
    place = settle(make_place(committed), seats_used=10)
    asks(place, place.browser_of(somebody(place)))
    start, pages = Barrier(2), []
    for _turn in range(2):
        browser = place.admins_browser()
        pages.append((browser, browser.get(answer_url(place))))

    def press(turn):
        browser, page = pages[turn]
        words = ("Approve and add the seats", "Decline the request")[turn]
        form = page.form(words)
        fields = {tag["name"]: tag.get("value", "") for tag in form("input")}
        start.wait()
        return browser.client.post(form["action"], data=fields).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(press, range(2))) == [303, 409]
    state = the_request(place).state
    assert (place.client().seats == 15) == (state is RequestState.APPROVED)
    assert len(topics(place, "mail.seats_answered")) == 1


def test_of_many_who_ask_at_once_one_waits(committed):
    place = settle(make_place(committed), seats_used=10)
    person = somebody(place)
    browsers = [place.browser_of(person) for _turn in range(4)]
    start = Barrier(4)

    def fields(browser):
        form = browser.get(f"{place.members}/seats").form("Ask for seats")
        return {tag["name"]: tag.get("value", "") for tag in form("input")} | {"seats": "3"}

    filled = [(browser, fields(browser)) for browser in browsers]

    def go(turn):
        browser, data = turn
        start.wait()
        return browser.client.post(f"{place.members}/seats", data=data).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(go, filled)) == [303, 409, 409, 409]
    assert place.database.count(SeatRequest) == 1
    assert len(waiting(place)) == 1


def test_unlinking_withdraws_what_was_asked_of_the_provider(place, owner):
    asks(place, owner)
    with place.database.session() as session:
        client = client_queries.client(session, place.actor.scope, place.organization.id)
        lifecycle.unlink(session, place.actor, client)
    assert the_request(place).state is RequestState.WITHDRAWN
    assert waiting(place) == []
    page = owner.get(f"{place.members}/seats")
    assert "No provider manages this organization" in page
    assert "nobody can be asked" in asks(place, owner, status=409)


def test_the_projection_of_who_waits_is_read_off_the_requests(place, owner):
    asks(place, owner)
    [kept] = waiting(place)
    place.database.run(delete(Attention))
    with place.database.session() as session:
        attention.rebuild(session.connection())
    [again] = waiting(place)
    assert (again.subject_id, again.label, again.reason) == (
        kept.subject_id,
        kept.label,
        kept.reason,
    )


def test_the_clients_page_leads_to_the_answer(place, owner, admin, database):
    manage = f"/providers/{place.provider.id}/clients/{place.organization.id}/manage"
    assert "asks for" not in admin.get(manage)
    asks(place, owner)
    page = admin.get(manage)
    assert "Olga Two asks for 5 more seats." in page
    assert page.link("Answer the request").endswith("/seats")
    assert "asks for" not in service_user(place, database).get(manage)


def test_the_pages_read_in_french(place, owner, admin):
    place.database.run(update(Account).values(locale="fr"))
    asks(place, owner)
    assert owner.get(f"{place.members}/seats").heading == "Places"
    page = admin.get(answer_url(place))
    assert page.heading == "Acme Ltd demande des places"
    assert "15 au lieu de 10" in page
    assert "Approuver et ajouter les places" in page
