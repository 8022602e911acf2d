"""The list of members: found, filtered, sorted, paged; as a file; what is done with many."""

from urllib.parse import urlencode

import pytest
from sqlalchemy import insert, select, update

from portal.domain.access import Role
from portal.domain.member_lists import MemberList, SecondFactor, Sort
from portal.domain.states import MemberState
from portal.models import Account, Group, GroupMember, Member, Organization, Outbox, new_id, utc_now
from tests.support.clients import make_client
from tests.support.organizations import OWNER, employ, join, make_place

TABLE = "#members-table tbody tr"


@pytest.fixture
def place(database):
    return make_place(database)


@pytest.fixture
def admin(place):
    return place.admins_browser()


def fill(place, count, start=0):
    rows = [
        {
            "organization_id": place.organization.id,
            "id": new_id(),
            "email": f"member{number:04}@client.example",
            "role": Role.USER,
            "state": MemberState.REVOKED,
            "permissions": [],
            "external_id": "",
            "revoked_because": "",
            "created_at": utc_now(),
            "invitation_version": 1,
            "invitation_locale": "en",
        }
        for number in range(start, start + count)
    ]
    place.database.run(insert(Member).values(rows))
    return [row["id"] for row in rows]


def group(place, *members, name="Finance"):
    made = Group(
        organization_id=place.organization.id, id=new_id(), name=name, name_ci=name.lower()
    )
    group_id = made.id
    place.database.add(made)
    for member in members:
        place.database.add(
            GroupMember(organization_id=place.organization.id, group_id=group_id, member_id=member)
        )
    return group_id


def confirmed(place, email, name, role=Role.USER):
    person = place.person(email, name)
    row = join(place, person, role, MemberState.CONFIRMED)
    place.database.run(update(Organization).values(seats_used=Organization.seats_used + 1))
    return person, row


def test_the_address_of_a_list_comes_back_from_its_parts():
    wanted = MemberList(
        words="a b",
        state=MemberState.INVITED,
        role=Role.ADMIN,
        group=new_id(),
        second_factor=SecondFactor.OFF,
        sort=Sort.EMAIL,
        descending=True,
    )
    assert MemberList.read(wanted.query) == wanted
    assert MemberList.read({}).query == {}


@pytest.mark.parametrize("name", ["state", "role", "group", "second_factor", "recovery", "sort"])
def test_what_cannot_be_read_does_not_matter(name):
    assert MemberList.read({name: "nonsense"}) == MemberList()


def test_a_role_of_the_provider_is_none_of_a_member():
    assert MemberList.read({"role": "provider_admin"}).role is None


def test_everybody_is_counted_by_state_and_the_seats_are_in_sight(place, admin):
    fill(place, 3)
    page = admin.get(place.members)
    assert "Seats in use: 1 of 5" in page or "Seats in use" in page.text("#members-table > p")
    tabs = page.texts(".tab-list li")
    assert tabs == ["All 4", "Invited 1", "Revoked 3"]
    assert len(admin.get(page.link("Revoked 3")).select(TABLE)) == 3


def test_members_are_found_by_name_and_by_address(place, admin):
    confirmed(place, "uma@client.example", "Uma Thorne")
    fill(place, 2)
    for words in ("thor", "uma@", "UMA"):
        page = admin.get(f"{place.members}?q={words}")
        assert len(page.select(TABLE)) == 1, words
        assert "Uma Thorne" in page.text(TABLE)
    page = admin.get(f"{place.members}?q=50%25")
    assert "Nothing matches" in page
    assert page.link("Show all members") == place.members


def test_each_filter_narrows_and_is_taken_back_by_its_chip(place, admin):
    uma, row = confirmed(place, "uma@client.example", "Uma Thorne", Role.ADMIN)
    place.database.run(
        update(Account).where(Account.id == uma.account_id).values(totp_secret="sealed")
    )
    fill(place, 2)
    finance = group(place, row)
    for query, chip in (
        ("state=confirmed", "State: Confirmed"),
        ("role=admin", "Role: Admin"),
        (f"group={finance}", "Group: Finance"),
        ("second_factor=on", "Second factor: On"),
        ("q=thorne", "Search: thorne"),
    ):
        page = admin.get(f"{place.members}?{query}")
        assert len(page.select(TABLE)) == 1, query
        assert "Uma Thorne" in page.text(TABLE)
        assert page.link(f"{chip} (remove)") == place.members
    page = admin.get(f"{place.members}?second_factor=off")
    assert not page.select(TABLE), "who has no account yet is neither"


def test_all_orders_are_the_same_on_both_databases(place, admin):
    for email in ("b_a@client.example", "b-b@client.example", "B2@client.example".lower()):
        place.database.add(
            Member(
                organization_id=place.organization.id,
                email=email,
                role=Role.USER,
                state=MemberState.REVOKED,
            )
        )
    names = admin.get(f"{place.members}?sort=email").texts(f"{TABLE} .who > span a")
    assert names == sorted(names)
    assert names[:3] == ["b-b@client.example", "b2@client.example", "b_a@client.example"]
    first = admin.get(f"{place.members}?sort=role").texts(TABLE)[0]
    assert OWNER in first
    assert OWNER in admin.get(f"{place.members}?sort=-role").texts(TABLE)[-1]
    assert OWNER in admin.get(f"{place.members}?sort=state").texts(TABLE)[0]


@pytest.mark.parametrize("sort", ["joined", "-joined", "email", "-email", "role", "-state"])
def test_pages_show_everybody_once_in_every_order(place, admin, sort):
    ids = fill(place, 120)
    page, seen = admin.get(f"{place.members}?sort={sort}"), []
    while True:
        seen += [box["value"] for box in page.select("input[name=member]")]
        if not any("Next" in text for text in page.texts(".pager a")):
            break
        page = admin.get(page.link("Next"))
    assert len(seen) == len(set(seen)) == 121
    assert {str(each) for each in ids} < set(seen)
    back = admin.get(page.link("Previous"))
    assert [box["value"] for box in back.select("input[name=member]")] == seen[50:100]


@pytest.mark.parametrize("count", [10, 2000])
def test_a_list_costs_as_many_statements_for_two_thousand_as_for_ten(
    place, admin, statements, count
):
    group(place)
    for start in range(0, count, 500):
        fill(place, min(500, count - start), start=start)
    admin.get(place.members)
    for query in ("", "?sort=email&q=member", "?role=user&second_factor=off"):
        statements.clear()
        admin.get(place.members + query, hx="members-table")
        # The visit and its trace; the page, the numbers, the groups; the mails of who is invited.
        statements.most(6)


def test_the_file_has_whom_the_list_finds_and_computes_nothing(place, admin):
    _person, row = confirmed(place, "uma@client.example", "=Uma")
    group(place, row)
    fill(place, 60)
    response = admin.client.get(f"{place.members}.csv?state=confirmed")
    lines = response.get_data(as_text=True).removeprefix("\ufeff").splitlines()
    assert lines[0] == "E-mail address,Name,Role,State,Second factor,Account recovery,Groups,Joined"
    assert len(lines) == 2
    assert lines[1].startswith("uma@client.example,'=Uma,User,Confirmed,Off,Not enrolled,Finance,")
    assert len(admin.client.get(f"{place.members}.csv").get_data(as_text=True).splitlines()) == 63


# Many at once.


def change(browser, place, action, *members):
    query = "&".join(f"member={member}" for member in members)
    return browser.get(f"{place.members}/changes?action={action}&{query}")


def post(browser, place, action, *members):
    data = {"action": action, "member": [str(member) for member in members]}
    return browser.post(f"{place.members}/changes", data, status=200)


def test_many_are_revoked_after_a_look_and_answered_one_by_one(place, admin):
    _uma, first = confirmed(place, "uma@client.example", "Uma")
    _vic, second = confirmed(place, "vic@client.example", "Vic")
    gone = fill(place, 1)[0]
    page = change(admin, place, "revoke", first, second, gone)
    assert "their seat is free" in page
    assert "Another key is offered afterwards" in page
    assert "This person's access is revoked already." in page
    assert place.member(first).state is MemberState.CONFIRMED, "a look changes nothing"
    done = post(admin, place, "revoke", first, second, gone)
    assert done.heading == "Done for 2 members"
    assert place.member(first).state is MemberState.REVOKED
    client = place.client()
    assert client.seats_used == 1
    assert client.key_rotation_due_since is not None
    mails = place.database.all(select(Outbox.topic).where(Outbox.topic == "mail.member_revoked"))
    assert len(mails) == 2


def test_restoring_says_how_many_seats_are_missing_and_does_as_many_as_there_are(place, admin):
    place.database.run(update(Organization).values(seats=2, seats_grow=False))
    rows = fill(place, 2)
    page = change(admin, place, "restore", *rows)
    assert "2 seats are needed, left: 1." in page
    done = post(admin, place, "restore", *rows)
    assert done.heading == "Done for 1 member"
    assert "No seats are left" in done
    assert place.client().seats_used == 2


def test_restoring_buys_the_seats_that_are_missing_at_the_price_shown(place, admin):
    place.database.run(update(Organization).values(seats=2))
    rows = fill(place, 3)
    page = change(admin, place, "restore", *rows)
    assert "3 seats are needed; free: 1. 2 seats would be added." in page
    data = {"action": "restore", "member": [str(row) for row in rows]}
    again = admin.post(f"{place.members}/changes", data | {"agreed": "1-2-3-4"}, status=409)
    assert "Nothing is done yet." in again
    assert place.client().seats == 2
    mark = again.select("input[name=agreed]")[0]["value"]
    done = admin.post(f"{place.members}/changes", data | {"agreed": mark}, status=200)
    assert done.heading == "Done for 3 members"
    client = place.client()
    assert (client.seats, client.seats_used) == (4, 4)


def test_the_last_owner_is_not_revoked_from_the_list(place, admin):
    _olga, row = confirmed(place, "olga2@client.example", "Olga", Role.OWNER)
    page = change(admin, place, "revoke", row)
    assert "This is the last confirmed owner" in page
    admin.post(f"{place.members}/changes", {"action": "revoke", "member": str(row)}, status=200)
    assert place.member(row).state is MemberState.CONFIRMED


def test_somebody_of_another_client_is_nobody_here(place, admin, database):
    other = make_place_beside(place, database)
    page = change(admin, place, "remove", other)
    assert "Nobody is ticked" in page
    admin.post(f"{place.members}/changes", {"action": "remove", "member": str(other)}, status=303)
    admin.get(f"{place.members}/{other}", status=404)
    assert place.member(other)


def make_place_beside(place, database):
    beside = make_client(database, place.provider, "Beside")
    row = Member(
        organization_id=beside.id, email="x@b.example", role=Role.USER, state=MemberState.REVOKED
    )
    row.id = new_id()
    kept = row.id
    database.add(row)
    return kept


@pytest.mark.parametrize(("role", "status"), [(Role.USER, 403), (Role.ADMIN, 200)])
def test_who_may_look_at_a_change(place, role, status):
    person, _row = confirmed(place, "some@client.example", "Some", role)
    browser = place.browser_of(person)
    browser.get(f"{place.members}/changes?action=remove&member={place.owner_row}", status=status)


def test_an_admin_does_nothing_to_an_owner(place):
    person, _row = confirmed(place, "some@client.example", "Some", Role.ADMIN)
    page = change(place.browser_of(person), place, "remove", place.owner_row)
    assert "Your role does not reach that far." in page


def test_a_service_user_manages_members_and_no_owner(place):
    tom = place.person("tom@northwind.example", "Tom")
    employ(place.database, place.provider, tom, Role.SERVICE_USER)
    _uma, row = confirmed(place, "uma@client.example", "Uma")
    browser = place.browser_of(tom)
    page = change(browser, place, "remove", row, place.owner_row)
    assert "Your role does not reach that far." in page
    browser.submit(page, "Remove", status=303)
    found = place.database.all(select(Member.id).where(Member.id == row))
    assert found == []


def test_columns_stand_there_for_somebody_only(place, admin):
    """Addresses need the room: nobody to confirm and nobody enrolled takes none of it."""
    place.database.run(update(Member).values(state=MemberState.REVOKED))
    page = admin.get(place.members)
    assert "Recovery" not in page.texts("#members-table thead th")
    assert "Actions" not in page.texts("#members-table thead th")
    wren = place.person("wren@client.example", "Wren")
    join(place, wren, Role.USER, MemberState.ACCEPTED)
    page = admin.get(place.members)
    assert "Actions" in page.texts("#members-table thead th")


def test_a_row_has_the_button_for_what_its_member_waits_for(place, admin):
    page = admin.submit(admin.get(place.members), "Re-send invitation", status=200)
    assert page.heading == "Re-send invitations"
    assert OWNER in page
    answer = admin.submit(page, "Re-send invitation")
    assert "A new invitation is on its way." in admin.follow(answer)
    wren = place.person("wren@client.example", "Wren")
    join(place, wren, Role.USER, MemberState.ACCEPTED)
    page = admin.follow(admin.submit(admin.get(place.members), "Confirm"))
    assert page.heading == "Confirm wren@client.example"


def test_a_button_of_a_row_that_is_not_there_leads_to_no_page(place, admin):
    admin.get(f"{place.members}/changes?confirm-x=", status=400)
    admin.get(f"{place.members}/changes?resend-=", status=400)
    there = admin.get(f"{place.members}/changes?confirm-{new_id()}=", status=303)
    admin.follow(there, status=404)
    assert "Nobody is ticked" in admin.get(f"{place.members}/changes?resend-{new_id()}=")


def test_from_a_change_the_way_leads_back_to_the_very_list(place, admin):
    fill(place, 60)
    page = admin.get(f"{place.members}?state=revoked&sort=-email&q=example")
    page = admin.get(page.link("Next"))
    shown = page.texts("#members-table tbody th a")
    tick = page.select("input[name=member]")[0]["value"]
    looked = admin.submit(page, "Continue", {"action": "remove", "member": tick}, status=200)
    back = admin.get(looked.link("Cancel"))
    assert back.texts("#members-table tbody th a") == shown
    # What is done leads back there too.
    answer = admin.submit(looked, "Remove")
    assert "state=revoked" in answer.location
    assert "cursor=" in answer.location


@pytest.mark.parametrize("said", ["x", "https://evil.example/", "cursor=%00&sort=%00", "q=%ff"])
def test_a_list_that_is_none_leads_back_to_everybody(place, admin, said):
    url = f"{place.members}/changes?{urlencode({'action': 'remove', 'list': said})}"
    page = admin.get(url)
    assert admin.get(page.link("Back to the list")).heading == "Members"
