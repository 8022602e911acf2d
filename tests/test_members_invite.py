"""Up to twenty people are invited at once; for the last seat, one of fifty."""

import threading

import pytest
from sqlalchemy import select, update

from portal.billing import load_prices
from portal.domain.access import Role
from portal.domain.custom_roles import Custom
from portal.domain.errors import RuleError
from portal.domain.membership import Manager
from portal.domain.plans import Plan
from portal.domain.states import MemberState
from portal.members import inviting
from portal.models import (
    CollectionMember,
    Event,
    GroupMember,
    Member,
    Organization,
    Outbox,
    new_id,
)
from tests.support.organizations import OWNER, join, make_place
from tests.test_members_reach import collection, group, somebody


@pytest.fixture
def place(database):
    made = make_place(database)
    database.run(update(Organization).values(plan=Plan.ENTERPRISE, plan_rank=2, seats=10))
    return made


def send(browser, place, addresses, status=200, role="user", **more):
    data = {"addresses": addresses, "role": role, **more}
    return browser.post(f"{place.members}/invite", data, status=status)


def invited(place):
    return place.database.all(
        select(Member.email).where(Member.email != OWNER).order_by(Member.email)
    )


def test_pasted_addresses_are_invited_with_role_groups_and_collections(place):
    finance, each = group(place, "Finance"), collection(place)
    admin = place.admins_browser()
    assert "Seats in use: 1 of 10" in admin.get(f"{place.members}/invite")
    page = send(
        admin,
        place,
        f"Jun Ito <jun@a.example>; BOB@a.example\n{OWNER}",
        role="custom",
        permissions=["manage_groups"],
        group=[str(finance)],
        **{f"level-{each}": "edit"},
    )
    assert page.heading == "2 people are invited"
    assert "Was invited before, or is a member already." in page
    assert invited(place) == ["bob@a.example", "jun@a.example"]
    found = place.database.one(select(Member).where(Member.email == "jun@a.example"))
    assert (found.role, found.permissions) == (Role.CUSTOM, ["manage_groups"])
    assert len(place.database.all(select(GroupMember.member_id))) == 2
    levels = place.database.all(
        select(CollectionMember.level).where(CollectionMember.collection_id == each)
    )
    assert len(levels) == 2
    assert place.client().seats_used == 3
    mails = place.database.all(
        select(Outbox.subject_id).where(Outbox.topic == "mail.member_invitation")
    )
    assert len(mails) == 3
    kinds = place.database.all(select(Event.type).where(Event.type == "organization:member:invite"))
    assert len(kinds) == 6, "each in both logs"


def test_one_address_leads_back_to_the_list(place):
    admin = place.admins_browser()
    answer = send(admin, place, "jun@a.example", status=303)
    assert "The invitation is on its way to jun@a.example." in admin.follow(answer)


@pytest.mark.parametrize(
    ("addresses", "sentence"),
    [
        ("", "Enter at least one e-mail address."),
        ("jun@a.example nonsense", "These are not e-mail addresses: nonsense"),
        (" ".join(f"p{number}@a.example" for number in range(21)), "at most 20 at once"),
    ],
)
def test_a_mistake_stands_at_the_field_and_nobody_is_invited(place, addresses, sentence):
    finance = group(place, "Finance")
    page = send(place.admins_browser(), place, addresses, 422, group=[str(finance)])
    assert sentence in page.text("#addresses-error")
    assert page.select(f"input[value='{finance}'][checked]"), "what was ticked stays ticked"
    assert invited(place) == []


def test_without_seats_for_all_nobody_is_invited(place):
    place.database.run(update(Organization).values(seats=2, seats_grow=False))
    page = send(place.admins_browser(), place, "a@a.example b@a.example", 409)
    assert "2 seats are needed, left: 1. You can add seats under Manage subscription." in page
    assert invited(place) == []
    assert place.client().seats_used == 1
    answer = send(place.admins_browser(), place, f"a@a.example {OWNER}", 200)
    assert answer.heading == "1 person is invited", "who is here already takes no seat"


@pytest.mark.parametrize(
    ("role", "parts", "gives", "status"),
    [
        (Role.ADMIN, (), "owner", 422),
        (Role.ADMIN, (), "admin", 303),
        (Role.CUSTOM, (Custom.USERS,), "admin", 422),
        (Role.CUSTOM, (Custom.USERS,), "user", 303),
        (Role.CUSTOM, (Custom.GROUPS,), "user", 403),
        (Role.USER, (), "user", 403),
        (Role.OWNER, (), "owner", 303),
    ],
)
def test_who_may_invite_whom(place, role, parts, gives, status):
    person, _row = somebody(place, "Uma", role, parts)
    send(place.browser_of(person), place, "new@a.example", status, role=gives)


def test_who_does_not_manage_groups_and_collections_gives_none(place):
    hal, _row = somebody(place, "Hal", Role.CUSTOM, [Custom.USERS])
    finance, each = group(place, "Finance"), collection(place)
    more = {"group": [str(finance)], f"level-{each}": "manage"}
    send(place.browser_of(hal), place, "new@a.example", 303, **more)
    assert place.database.all(select(GroupMember.member_id)) == []
    found = select(CollectionMember).where(CollectionMember.collection_id == each)
    assert place.database.all(found) == []


def test_a_group_of_nobody_is_left_out(place):
    more = {"group": [str(new_id())], f"level-{new_id()}": "edit"}
    send(place.admins_browser(), place, "new@a.example", 303, **more)
    assert invited(place) == ["new@a.example"]


def test_fifty_invitations_for_the_last_seat_give_exactly_one(committed):
    place = make_place(committed)
    committed.run(update(Organization).values(seats=2, seats_used=1, seats_grow=False))
    answers, gate = [], threading.Barrier(50)

    def go(number):
        gate.wait()
        try:
            with committed.session() as session:
                inviting.invite(
                    session,
                    place.actor,
                    place.organization.id,
                    [f"p{number}@a.example"],
                    inviting.Given(Role.USER),
                    by=Manager(Role.OWNER),
                    prices=load_prices(),
                    agreed=None,
                )
        except RuleError:
            answers.append("refused")
        else:
            answers.append("invited")

    threads = [threading.Thread(target=go, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["invited"] + ["refused"] * 49
    assert len(invited(place)) == 1
    assert place.client().seats_used == 2


def test_the_same_address_at_once_is_invited_once(committed):
    place = make_place(committed)
    answers, gate = [], threading.Barrier(6)

    def go():
        gate.wait()
        with committed.session() as session:
            found = inviting.invite(
                session,
                place.actor,
                place.organization.id,
                ["same@a.example"],
                inviting.Given(Role.USER),
                by=Manager(Role.OWNER),
                prices=load_prices(),
                agreed=None,
            )
        answers.append(found["same@a.example"])

    threads = [threading.Thread(target=go) for _number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [False] * 5 + [True]
    assert place.client().seats_used == 2


def test_who_waits_to_be_confirmed_counts_as_here(place):
    person = place.person("wait@a.example", "Wait")
    join(place, person, Role.USER, MemberState.ACCEPTED)
    page = send(place.admins_browser(), place, "wait@a.example", 200)
    assert page.heading == "0 people are invited"
