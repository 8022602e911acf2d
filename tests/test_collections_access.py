"""Collections: shared, taken over, deleted, many at once; who may."""

from uuid import UUID

import pytest
from sqlalchemy import select, update

from portal.domain.access import Role
from portal.domain.collection_access import Level
from portal.domain.states import MemberState
from portal.models import (
    Collection,
    CollectionGroup,
    CollectionMember,
    Member,
    Organization,
    OrganizationSettings,
    new_id,
)
from tests.support.clients import make_client
from tests.support.collections import (
    confirmed,
    give,
    levels_in,
    make,
    rule,
    sealed,
    team,
    told,
    url,
)
from tests.support.organizations import make_place


@pytest.fixture
def place(database):
    return make_place(database)


@pytest.fixture
def admin(place):
    return place.admins_browser()


def test_access_is_given_changed_and_taken_away_and_counts_for_the_set_up(place, admin):
    one, group = make(place), team(place)
    _person, member = confirmed(place, Role.USER)
    page = admin.get(url(place, one, "access"))
    before = place.database.one(select(Organization.setup_done))
    admin.submit(
        page,
        "Save who reaches it",
        {f"group-{group}": "edit", f"member-{member}": "view_hidden"},
        status=303,
    )
    assert place.database.one(select(CollectionGroup.level)) is Level.EDIT
    assert levels_in(place, one) == [Level.VIEW_HIDDEN]
    assert place.database.one(select(Organization.setup_done)) == before + 1
    stale = page
    page = admin.get(url(place, one, "access"))
    admin.submit(
        page, "Save who reaches it", {f"group-{group}": "none", f"member-{member}": "view"}
    )
    assert place.database.all(select(CollectionGroup.level)) == []
    assert levels_in(place, one) == [Level.VIEW]
    admin.submit(stale, "Save who reaches it", {f"group-{group}": "edit"}, status=409)
    assert len(told(place, "collection:update")) == 4


def test_people_are_searched_and_strangers_are_given_nothing(place, admin):
    one = make(place)
    confirmed(place, Role.USER, "mia")
    confirmed(place, Role.USER, "noa")
    page = admin.get(f"{url(place, one, 'access')}?q=noa")
    assert len(page.select("select")) == 1
    version = page.one("input[name=version]")["value"]
    fields = {"version": version, f"member-{new_id()}": "manage", f"group-{new_id()}": "edit"}
    admin.post(url(place, one, "access"), fields, status=303)
    assert levels_in(place, one) == []
    admin.post(url(place, one, "access"), {"version": version, "group-x": "edit"}, status=400)
    admin.post(url(place, one, "access"), {"group-" + str(one): "all"}, status=400)


@pytest.mark.parametrize(
    ("role", "parts", "level", "settings", "may"),
    [
        (Role.OWNER, [], None, {}, (True, True, True)),
        (Role.ADMIN, [], None, {}, (True, True, True)),
        (Role.ADMIN, [], Level.VIEW, {"admins_reach_all": False}, (False, False, True)),
        (Role.ADMIN, [], Level.MANAGE, {"admins_reach_all": False}, (True, True, True)),
        (Role.USER, [], Level.EDIT, {}, (False, False, False)),
        (Role.USER, [], Level.MANAGE, {}, (True, False, False)),
        (Role.USER, [], Level.MANAGE, {"limits_collection_deletion": False}, (True, True, False)),
        (Role.USER, [], Level.VIEW, {"limits_collection_creation": False}, (False, False, True)),
        (Role.CUSTOM, ["create_new_collections"], Level.VIEW, {}, (False, False, True)),
        (Role.CUSTOM, ["edit_any_collection"], None, {}, (True, False, False)),
        (Role.CUSTOM, ["delete_any_collection"], None, {}, (False, True, False)),
    ],
)
def test_who_may_share_delete_and_create(place, role, parts, level, settings, may):
    shares, deletes, creates = may
    person, member = confirmed(place, role, parts=parts)
    other = confirmed(place, Role.USER, "other")[1]
    one = make(place)
    # Somebody manages it, so that it is nobody's to take over.
    give(place, one, member=other, level=Level.MANAGE)
    if level:
        give(place, one, member=member, level=level)
    if settings:
        rule(place, **settings)
    browser = place.browser_of(person)
    for path, allowed in (("access", shares), ("name", shares), ("delete", deletes)):
        browser.get(url(place, one, path), status=200 if allowed else 403)
    browser.get(url(place, "new"), status=200 if creates else 403)
    browser.post(url(place, one, "name"), {}, status=422 if shares else 403)
    browser.post(url(place, one, "delete"), {}, status=303 if deletes else 403)
    assert (one in place.database.all(select(Collection.id))) is not deletes


def test_who_makes_a_collection_without_reaching_all_manages_it(place):
    rule(place, limits_collection_creation=False)
    person, member = confirmed(place, Role.USER)
    browser = place.browser_of(person)
    form = browser.get(url(place, "new"))
    browser.submit(form, "Create collection", {"sealed_name": sealed(place)}, status=303)
    given = select(CollectionMember.level).where(CollectionMember.member_id == member)
    assert place.database.all(given) == [Level.MANAGE]
    assert len(browser.get(url(place)).select("tbody tr")) == 1


# Nobody manages it


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN])
def test_a_collection_that_nobody_manages_is_taken_over(place, role):
    rule(place, admins_reach_all=False)
    person, member = confirmed(place, role)
    one = make(place)
    browser = place.browser_of(person)
    assert "Nobody manages it" in browser.get(url(place))
    page = browser.get(url(place, one, "access"))
    refused = browser.submit(page, "Save who reaches it", {f"member-{member}": "edit"}, status=422)
    assert "Choose somebody who manages the collection" in refused
    assert levels_in(place, one) == []
    browser.submit(refused, "Save who reaches it", {f"member-{member}": "manage"}, status=303)
    assert "Nobody manages it" not in browser.get(url(place, one))


def test_a_collection_whose_only_manager_is_revoked_is_taken_over_by_the_provider(place, admin):
    rule(place, admins_reach_all=False)
    _person, member = confirmed(place, Role.USER)
    one = make(place)
    give(place, one, member=member, level=Level.MANAGE)
    assert "Nobody manages it" not in admin.get(url(place, one))
    place.database.run(update(Member).where(Member.id == member).values(state=MemberState.REVOKED))
    assert "Nobody manages it" in admin.get(url(place, one))


def test_the_provider_must_name_a_manager_where_admins_do_not_reach_all(place, admin):
    rule(place, admins_reach_all=False)
    _person, member = confirmed(place, Role.USER)
    fields = {"sealed_name": sealed(place)}
    page = admin.submit(admin.get(url(place, "new")), "Create collection", fields, status=422)
    assert "Choose somebody who manages" in page
    assert len(place.database.all(select(Collection.id))) == 1
    admin.submit(page, "Create collection", {f"member-{member}": "manage"}, status=303)
    given = select(CollectionMember.level).where(CollectionMember.member_id == member)
    assert place.database.all(given) == [Level.MANAGE]


# Many at once


def test_many_are_shared_and_deleted_with_an_answer_for_each(place, admin):
    ones, group = [make(place, "A"), make(place, "B")], team(place)
    page = admin.get(url(place))
    ticks = {"collection": [str(one) for one in ones]}
    share = admin.submit(page, "Go on", {**ticks, "do": "access"}, status=200)
    again = admin.submit(share, "Share collections", ticks, status=422)
    assert "Choose a level" in again
    done = admin.submit(again, "Share collections", {**ticks, f"group-{group}": "edit"}, status=200)
    assert [cell.get_text() for cell in done.select("tbody td")] == ["Saved", "Saved"]
    assert len(place.database.all(select(CollectionGroup.level))) == 2
    page = admin.submit(page, "Go on", {**ticks, "do": "delete"}, status=200)
    assert page.heading == "Delete 2 collections"
    done = admin.submit(page, "Delete collections", ticks, status=200)
    assert [cell.get_text() for cell in done.select("tbody td")] == ["Deleted", "Deleted"]
    assert len(place.database.all(select(Collection.id))) == 1
    admin.post(url(place, "many"), {}, status=303)
    admin.post(url(place, "many"), {"collection": "x"}, status=400)


def test_one_that_may_not_be_changed_stops_no_other(place):
    person, member = confirmed(place, Role.USER)
    mine, seen, hidden = make(place, "A"), make(place, "B"), make(place, "C")
    group = team(place)
    give(place, mine, member=member, level=Level.MANAGE)
    give(place, seen, member=member, level=Level.EDIT)
    fields = {"collection": [str(mine), str(seen), str(hidden)], f"group-{group}": "view"}
    page = place.browser_of(person).post(url(place, "many", "access"), fields, status=200)
    cells = [cell.get_text() for cell in page.select("tbody td")]
    assert sorted(cells) == ["Saved", "You may not share this collection."]
    assert place.database.all(select(CollectionGroup.collection_id)) == [mine]


# Settings


def test_each_switch_that_turns_is_told_and_a_stale_page_is_refused(place, admin):
    address = f"{place.url}/settings/collections"
    page = admin.get(address)
    stale = admin.get(address)
    admin.submit(page, "Save rules", {"limits_item_deletion": "y", "admins_reach_all": None})
    assert len(told(place, "item_deletion:limit")) == 2
    assert len(told(place, "collection_reach:limit")) == 2
    assert told(place, "collection_creation:limit") == []
    assert "1 collection has no confirmed member" in admin.get(address)
    admin.submit(stale, "Save rules", {"limits_collection_creation": None}, status=409)
    stored = place.database.one(select(OrganizationSettings))
    assert (stored.admins_reach_all, stored.limits_collection_creation) == (False, True)


@pytest.mark.parametrize(("role", "may"), [(Role.OWNER, True), (Role.ADMIN, False)])
def test_only_owners_set_the_rules(place, role, may):
    person, _member = confirmed(place, role)
    address = f"{place.url}/settings/collections"
    place.browser_of(person).get(address, status=200 if may else 403)
    place.browser_of(person).post(address, {}, status=303 if may else 403)


def test_the_collection_of_another_organization_is_not_found(place, admin):
    other = make_client(place.database, place.provider, "Other Ltd")
    theirs: UUID = new_id()
    place.database.add(Collection(organization_id=other.id, id=theirs, sealed_name=sealed(place)))
    for path in ("", "access", "name", "delete"):
        admin.get(url(place, theirs, path).rstrip("/"), status=404)
    admin.post(url(place, theirs, "delete"), {}, status=404)
    admin.post(url(place, "many/delete"), {"collection": str(theirs)}, status=200)
    assert theirs in place.database.all(select(Collection.id))
