"""Two pages of one thing stand open: the second takes nothing back that the first has done."""

import pytest
from sqlalchemy import select, update

from portal.domain.access import Role
from portal.domain.collection_access import Level, Meanwhile, settled
from portal.domain.plans import Plan
from portal.domain.states import MemberState
from portal.models import CollectionGroup, GroupMember, Organization
from tests.support.organizations import join, make_place
from tests.test_members_reach import collection, give, group


@pytest.fixture
def place(database):
    made = make_place(database)
    database.run(update(Organization).values(plan=Plan.ENTERPRISE, plan_rank=2, seats=50))
    return made


@pytest.fixture
def uma(place):
    person = place.person("uma@client.example", "Uma")
    return join(place, person, Role.USER, MemberState.CONFIRMED)


def tabs(admin, url):
    return [admin.get(url) for _tab in range(2)]


@pytest.mark.parametrize(
    ("now", "seen", "wanted", "proposal"),
    [
        ("a", "a", "b", None),
        ("ab", None, "c", None),
        # Once more, or what another has done as well.
        ("b", "a", "b", None),
        # Taken, or given, by another.
        ("", "a", "ab", "b"),
        ("ac", "a", "ab", "abc"),
        ("abc", "ab", "b", "bc"),
        # Back in the browser: it has seen what was before its own change.
        ("ab", "a", "a", "ab"),
    ],
)
def test_what_was_chosen_never_takes_back_what_another_has_done(now, seen, wanted, proposal):
    now, seen, wanted = (some and dict.fromkeys(some, 1) for some in (now, seen, wanted))
    if proposal is None:
        assert settled(now or {}, seen, wanted) == wanted
        return
    with pytest.raises(Meanwhile) as refused:
        settled(now or {}, seen, wanted)
    assert refused.value.proposal == dict.fromkeys(proposal, 1)


def test_a_group_that_one_page_takes_is_not_given_back_by_another(place, uma):
    finance, sales = group(place, "Finance", uma), group(place, "Sales")
    admin, url = place.admins_browser(), f"{place.members}/{uma}/groups"
    first, second = tabs(admin, url)
    admin.submit(first, "Save groups", {"group": []}, status=303)
    chosen = {"group": [str(finance), str(sales)]}
    again = admin.submit(second, "Save groups", chosen, status=409)
    assert "Their changes and yours are below." in again
    assert [box["value"] for box in again.select("input[name=group][checked]")] == [str(sales)]
    admin.submit(again, "Save groups", status=303)
    wanted = select(GroupMember.group_id).where(GroupMember.member_id == uma)
    assert place.database.all(wanted) == [sales]
    admin.post(url, {"had": "nonsense"}, status=400)


def test_a_collection_that_one_page_takes_is_not_given_back_by_another(place, uma):
    one, two = collection(place), collection(place)
    give(place, one, Level.MANAGE, member=uma)
    admin, url = place.admins_browser(), f"{place.members}/{uma}/collections"
    first, second = tabs(admin, url)
    admin.submit(first, "Save collections", {f"level-{one}": ""}, status=303)
    again = admin.submit(second, "Save collections", {f"level-{two}": "view"}, status=409)
    admin.submit(again, "Save collections", status=303)
    # Sent twice is done once.
    admin.submit(again, "Save collections", status=303)
    third = admin.get(url)
    assert third.one("input[name=had]")["value"] == f"{two}=view"
    for had in (f"{two}=all", f"{two}", "=view"):
        admin.post(url, {"had": had}, status=400)


def test_nor_does_the_page_of_a_group(place, uma):
    sales = group(place, "Sales", uma)
    one, two = collection(place), collection(place)
    give(place, one, Level.MANAGE, to=sales)
    admin, url = place.admins_browser(), f"{place.url}/groups/{sales}/collections"
    first, second = tabs(admin, url)
    admin.submit(first, "Save collections", {f"level-{one}": ""}, status=303)
    again = admin.submit(second, "Save collections", {f"level-{two}": "view"}, status=409)
    admin.submit(again, "Save collections", status=303)
    given = select(CollectionGroup.collection_id).where(CollectionGroup.group_id == sales)
    assert place.database.all(given) == [two]


def test_a_role_is_not_given_over_one_that_the_page_has_not_shown(place, uma):
    admin = place.admins_browser()
    first, second = tabs(admin, f"{place.members}/{uma}/role")
    admin.submit(first, "Save role", {"role": "admin"}, status=303)
    again = admin.submit(second, "Save role", {"role": "owner"}, status=409)
    assert "This has changed in the meantime." in again
    assert place.member(uma).role is Role.ADMIN
    assert again.one("input[name=role][checked]")["value"] == "admin"
    admin.submit(again, "Save role", {"role": "owner"}, status=303)
    assert place.member(uma).role is Role.OWNER
