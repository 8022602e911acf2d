"""Collections: who finds which, their sealed names, and what the list costs."""

from itertools import product

import pytest
from sqlalchemy import insert, select, update

from portal.collections.access import effective
from portal.crypto.envelope import seal
from portal.domain.access import Role
from portal.domain.collection_access import Level
from portal.domain.collection_access import effective as oracle
from portal.domain.scope import Level as ScopeLevel
from portal.domain.scope import Reach
from portal.models import (
    Collection,
    CollectionGroup,
    CollectionMember,
    Event,
    Member,
    Organization,
    new_id,
)
from tests.support.clients import make_client
from tests.support.collections import (
    confirmed,
    give,
    make,
    put,
    sealed,
    team,
    told,
    url,
)
from tests.support.organizations import make_place
from tests.support.scopes import scoped


@pytest.fixture
def place(database):
    return make_place(database)


@pytest.fixture
def admin(place):
    return place.admins_browser()


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
