"""Collections: listed, sealed, shared, deleted; who may, and what it costs."""

from itertools import product
from uuid import UUID

import pytest
from sqlalchemy import insert, select, update

from portal.collections.access import effective
from portal.crypto.envelope import seal
from portal.domain.access import Role
from portal.domain.collection_access import Level
from portal.domain.collection_access import effective as oracle
from portal.domain.names import name_ci
from portal.domain.scope import Level as ScopeLevel
from portal.domain.scope import Reach
from portal.domain.states import MemberState
from portal.models import (
    Collection,
    CollectionGroup,
    CollectionMember,
    Event,
    Group,
    GroupMember,
    Member,
    Organization,
    OrganizationSettings,
    new_id,
)
from tests.support.clients import make_client
from tests.support.organizations import join, make_place
from tests.support.scopes import scoped


@pytest.fixture
def place(database):
    return make_place(database)


@pytest.fixture
def admin(place):
    return place.admins_browser()


def url(place, *parts):
    return "/".join([place.url, "collections", *(str(part) for part in parts)])


def sealed(place, name="Finance"):
    return seal(name, place.keys.key)


def make(place, name="Finance", **columns):
    one = new_id()
    place.database.add(
        Collection(
            organization_id=place.organization.id,
            id=one,
            sealed_name=sealed(place, name),
            **columns,
        )
    )
    return one


def team(place, name="Team"):
    one = new_id()
    place.database.add(
        Group(organization_id=place.organization.id, id=one, name=name, name_ci=name_ci(name))
    )
    return one


def confirmed(place, role, name="mia", parts=()):
    person = place.person(f"{name}@client.example", name.title(), keys=True)
    member = join(place, person, role, MemberState.CONFIRMED)
    place.database.run(update(Member).where(Member.id == member).values(permissions=list(parts)))
    return person, member


def give(place, collection, *, member=None, group=None, level=Level.VIEW):
    here = {"organization_id": place.organization.id, "collection_id": collection, "level": level}
    table = CollectionMember if member else CollectionGroup
    place.database.add(table(**here, **({"member_id": member} if member else {"group_id": group})))


def put(place, group, member):
    here = {"organization_id": place.organization.id}
    place.database.add(GroupMember(**here, group_id=group, member_id=member))


def rule(place, **values):
    place.database.add(OrganizationSettings(organization_id=place.organization.id, **values))


def levels_in(place, collection, table=CollectionMember):
    return place.database.all(select(table.level).where(table.collection_id == collection))


def told(place, kind):
    return place.database.all(select(Event.type).where(Event.type == f"organization:{kind}"))


# The rule in SQL


def test_the_database_finds_what_the_rule_finds_for_every_pair_of_groups_and_a_direct_level(place):
    """One collection a case: every direct level or none, and every two group levels or none."""
    _person, member = confirmed(place, Role.USER)
    groups = [team(place, "One"), team(place, "Two"), team(place, "Not theirs")]
    put(place, groups[0], member)
    put(place, groups[1], member)
    levels = [None, *Level]
    expected, rows = {}, {Collection: [], CollectionMember: [], CollectionGroup: []}
    org = place.organization.id
    for direct, *by_group in product(levels, levels, levels):
        one = new_id()
        here = {"organization_id": org, "collection_id": one}
        rows[Collection].append({"organization_id": org, "id": one})
        if direct:
            rows[CollectionMember].append({**here, "member_id": member, "level": direct})
        for group, level in zip(groups, [*by_group, Level.MANAGE], strict=True):
            if level:
                rows[CollectionGroup].append({**here, "group_id": group, "level": level})
        found = oracle(direct, [level for level in by_group if level])
        if found:
            expected[one] = (found.level, found.is_direct)
    for table, values in rows.items():
        place.database.run(insert(table).values(values))
    reached = effective(org, Member.id == member)
    with place.database.session() as session:
        answer = {
            row.collection_id: (row.level, bool(row.is_direct))
            for row in session.execute(select(reached.rows))
        }
    assert len(expected) == 6**3 - 1
    assert answer == expected


def test_nobody_reaches_by_a_group_of_another_organization(place):
    _person, member = confirmed(place, Role.USER)
    other = make_client(place.database, place.provider, "Other Ltd")
    reached = effective(other.id)
    give(place, make(place), member=member)
    with place.database.session() as session:
        assert session.execute(select(reached.rows)).all() == []


# The list


def test_a_providers_person_edits_the_unassigned_and_reaches_no_other(place, admin):
    make(place)
    page = admin.get(url(place))
    cells = [row.get_text(" ", strip=True) for row in page.select("td[data-label=Permission]")]
    assert cells == ["No access", "No access", "Can edit"]
    assert "Unassigned" in page.select("tbody tr")[-1].get_text()


def test_a_person_of_the_provider_who_only_reads_changes_nothing(place):
    one = make(place)
    reader = scoped(place.database, place.provider, Reach.ALL, ScopeLevel.READ_ONLY)
    browser = reader.browser
    page = browser.get(url(place))
    assert len(page.select("tbody tr")) == 3
    assert not page.select("input[type=checkbox]")
    browser.get(url(place, one), status=200)
    browser.get(url(place, "new"), status=403)
    browser.post(url(place, one, "access"), {}, status=403)


@pytest.mark.parametrize(
    ("role", "parts", "rows", "permission"),
    [
        (Role.OWNER, [], 4, "Manage collection"),
        (Role.ADMIN, [], 4, "Manage collection"),
        (Role.USER, [], 1, "Edit items"),
        (Role.CUSTOM, [], 1, "Edit items"),
        (Role.CUSTOM, ["edit_any_collection"], 4, "Edit items"),
    ],
)
def test_who_sees_which_collections(place, role, parts, rows, permission):
    person, member = confirmed(place, role, parts=parts)
    make(place, "Hidden")
    group, one = team(place), make(place, "Given")
    put(place, group, member)
    give(place, one, group=group, level=Level.EDIT)
    page = place.browser_of(person).get(url(place))
    assert len(page.select("tbody tr")) == rows
    seen = page.one(f"#c-{one}").find_parent("tr").get_text(" ")
    assert permission in seen
    assert "Team" in seen


def test_a_member_does_not_find_a_collection_they_do_not_reach(place):
    person, _member = confirmed(place, Role.USER)
    one = make(place)
    browser = place.browser_of(person)
    browser.get(url(place, one), status=404)
    browser.get(url(place, one, "access"), status=404)
    browser.post(url(place, one, "delete"), {}, status=404)


@pytest.mark.parametrize("count", [10, 1000])
def test_the_list_costs_the_same_for_ten_and_for_a_thousand(place, admin, statements, count):
    org = place.organization.id
    name = sealed(place)
    rows = [{"organization_id": org, "id": new_id(), "sealed_name": name} for _ in range(count)]
    place.database.run(insert(Collection).values(rows))
    admin.get(url(place))
    statements.clear()
    page = admin.get(url(place))
    assert len(page.select("tbody tr")) == count + 2
    statements.most(9)


# Names


def test_a_sealed_name_is_stored_as_it_came_and_told_without_it(place, admin):
    name = sealed(place, "Finance/Payroll")
    admin.submit(
        admin.get(url(place, "new")),
        "Create collection",
        {"sealed_name": name, "external_id": "F-1"},
        status=303,
    )
    assert name in place.database.all(select(Collection.sealed_name))
    assert len(told(place, "collection:create")) == 2
    payloads = "".join(str(each) for each in place.database.all(select(Event.payload)))
    assert name not in payloads


@pytest.mark.parametrize("name", ["", "Finance", "2.short", "4." + "A" * 342 + "=="])
def test_a_name_that_is_not_sealed_is_refused_and_not_sent_back(place, admin, name):
    page = admin.submit(
        admin.get(url(place, "new")), "Create collection", {"sealed_name": name}, status=422
    )
    assert "sealed in your browser" in page.text("#collection-name-error")
    assert not page.one("input[name=sealed_name]").get("value")
    assert len(place.database.all(select(Collection.id))) == 1


def test_what_was_sealed_is_kept_when_something_else_is_wrong(place, admin):
    make(place, external_id="F-1")
    name = sealed(place)
    page = admin.submit(
        admin.get(url(place, "new")),
        "Create collection",
        {"sealed_name": name, "external_id": "F-1"},
        status=422,
    )
    assert "Another collection has this external id already." in page
    assert page.one("input[name=sealed_name]")["value"] == name


def test_a_name_under_a_key_that_was_rotated_is_refused(place, admin):
    form = admin.get(url(place, "new"))
    other = seal("another private key", place.keys.key)
    place.database.run(update(Organization).values(protected_private_key=other))
    page = admin.submit(form, "Create collection", {"sealed_name": sealed(place)}, status=422)
    assert "rotated in the meantime" in page


def test_without_keys_there_is_no_second_collection(database):
    bare = make_place(database, keys=False)
    browser = bare.admins_browser()
    assert "New collection" not in browser.get(url(bare))
    page = browser.get(url(bare, "new"))
    assert "has no keys yet" in page
    assert not page.select("form[data-seal]")
    browser.post(url(bare, "new"), {"sealed_name": sealed(bare)}, status=422)
    (only,) = database.all(select(Collection.id))
    page = browser.post(url(bare, only, "delete"), {}, status=422)
    assert len(database.all(select(Collection.id))) == 1


def test_of_two_who_rename_the_second_is_told(place, admin):
    one = make(place)
    slow, fast = admin.get(url(place, one, "name")), admin.get(url(place, one, "name"))
    admin.submit(fast, "Save collection", {"sealed_name": sealed(place, "A")}, status=303)
    page = admin.submit(slow, "Save collection", {"sealed_name": sealed(place, "B")}, status=409)
    assert "Somebody else has changed this collection" in page
    admin.submit(page, "Save collection", {"sealed_name": sealed(place, "B")}, status=303)
    assert place.database.one(select(Collection.version).where(Collection.id == one)) == 3


# Sharing


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
