"""People invited from a list, batch by batch: seats, races, and what breaks off."""

import threading

import pytest
from sqlalchemy import select, update

from portal.billing import load_prices
from portal.domain.access import Role
from portal.domain.csv_lists import ImportState
from portal.domain.membership import Manager
from portal.domain.plans import Plan
from portal.members import imports, service
from portal.models import (
    Event,
    Organization,
)
from tests.support.organizations import employ, make_place
from tests.test_clients_subscription import settle
from tests.test_members_import import invited, mails, people, read, start, states, the_list, url_of
from tests.test_members_reach import collection


@pytest.fixture
def place(database):
    made = make_place(database)
    database.run(update(Organization).values(plan=Plan.ENTERPRISE, plan_rank=2, seats=50))
    return made


def test_where_seats_lack_nobody_is_invited(place):
    place.database.run(update(Organization).values(seats=3, seats_grow=False))
    each = collection(place)
    browser, page = read(place, people(3))
    why = page.text("#members-room .notice")
    assert why
    page = start(browser, page, {f"level-{each}": "view"}, status=409)
    assert page.select(f"select[name='level-{each}'] option[selected][value=view]")
    assert invited(place) == []
    assert the_list(place).state is ImportState.PLANNED
    assert place.client().seats == 3


def grown(place):
    kind = "organization:seats:grow"
    found = select(Event.id).where(Event.type == kind, Event.stream_id == place.organization.id)
    return len(place.database.all(found))


def test_seats_are_bought_once_for_all_at_the_price_that_was_shown(database):
    place = settle(make_place(database), seats_used=9)
    browser, page = read(place, people(5))
    room = page.text("#members-room")
    assert "5 seats are needed; free: 1. 4 seats would be added." in room
    mark = page.one("input[name=agreed]")["value"]
    url = f"{url_of(page)}/start"
    for odd in ("", "4-0-0-0"):
        browser.post(url, {"agreed": odd}, status=409)
    assert (invited(place), place.client().seats, grown(place)) == ([], 10, 0)
    start(browser, page)
    browser.post(url, {"agreed": mark}, status=409)
    client = place.client()
    assert (client.seats, client.seats_used, len(invited(place)), grown(place)) == (14, 14, 5, 1)


def test_a_service_users_list_never_raises_the_bill(database):
    place = settle(make_place(database), seats_used=9)
    bea = place.person("bea@northwind.example", "Bea")
    employ(place.database, place.provider, bea, Role.SERVICE_USER)
    browser, page = read(place, people(5), browser=place.browser_of(bea))
    assert page.text("#members-room .notice")
    start(browser, page, status=409)
    assert (invited(place), place.client().seats) == ([], 10)


def giver(place, by=Role.OWNER, *, collections=True):
    return imports.Giver(Manager(by), Plan.ENTERPRISE, groups=True, collections=collections)


def begun(session, place, found):
    imports.start(session, place.actor, found, giver(place), {}, prices=load_prices(), agreed="")


def step(place, work, batch=2, **options):
    with place.database.session() as session:
        found = imports.hold(session, place.organization.id, the_list(place).id)
        work(session, place.actor, found, giver(place, **options), batch=batch)


def begin(place, count):
    """A list that is under way, with nobody invited yet."""
    read(place, people(count))
    with place.database.session() as session:
        found = imports.hold(session, place.organization.id, the_list(place).id)
        begun(session, place, found)


def test_seats_that_go_in_the_meantime_stop_the_list_and_it_goes_on_later(place):
    begin(place, 5)
    step(place, imports.work)
    place.database.run(update(Organization).values(seats=4))
    step(place, imports.work)
    assert len(invited(place)) == 3
    assert the_list(place).state is ImportState.PLANNED
    assert list(states(place).values()).count("planned") == 2
    place.database.run(update(Organization).values(seats=10))
    browser = place.admins_browser()
    page = browser.get(f"{place.members}/import/{the_list(place).id}")
    start(browser, page)
    assert len(invited(place)) == 5
    assert mails(place) == 5
    assert the_list(place).state is ImportState.DONE


def test_a_batch_that_breaks_off_has_never_been(place, monkeypatch):
    begin(place, 4)
    step(place, imports.work)
    real, calls = service.invite, []

    def dies(*args, **options):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*args, **options)

    monkeypatch.setattr(service, "invite", dies)
    with pytest.raises(KeyboardInterrupt):
        step(place, imports.work)
    monkeypatch.setattr(service, "invite", real)
    assert len(invited(place)) == 2
    assert place.client().seats_used == 3
    step(place, imports.work)
    step(place, imports.work)
    assert len(invited(place)) == 4
    assert mails(place) == 4
    assert the_list(place).state is ImportState.DONE


def test_six_browsers_that_go_on_with_a_list_invite_each_once(committed):
    place = make_place(committed)
    committed.run(update(Organization).values(plan=Plan.ENTERPRISE, plan_rank=2, seats=50))
    begin(place, 12)
    gate = threading.Barrier(6)

    def go():
        gate.wait()
        for _number in range(4):
            step(place, imports.work, batch=3)

    threads = [threading.Thread(target=go) for _number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(invited(place)) == 12
    assert place.client().seats_used == 13
    assert mails(place) == 12
    assert the_list(place).state is ImportState.DONE


def test_whoever_was_invited_in_the_meantime_is_not_again(place):
    begin(place, 3)
    with place.database.session() as session:
        service.invite(
            session,
            place.actor,
            organization_id=place.organization.id,
            email="p1@a.example",
            role=Role.ADMIN,
            locale="en",
        )
    step(place, imports.work, batch=5)
    assert states(place) == {2: "done", 3: "broken", 4: "done"}
    assert place.client().seats_used == 4


def test_whoever_may_not_give_the_collections_does_not_go_on(place):
    read(place, people(2))
    each = collection(place)
    browser = place.admins_browser()
    with place.database.session() as session:
        found = imports.hold(session, place.organization.id, the_list(place).id)
        begun(session, place, found)
        found.levels = {str(each): "edit"}
    step(place, imports.work, collections=False)
    assert invited(place) == []
    page = browser.get(f"{place.members}/import/{the_list(place).id}")
    assert page.select(f"select[name='level-{each}'] option[selected][value=edit]")
