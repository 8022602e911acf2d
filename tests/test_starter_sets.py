"""Starter sets: shown, changed and applied as a whole, once."""

import pytest
from sqlalchemy import select, update

from portal.crypto.envelope import seal
from portal.domain.access import Role
from portal.domain.collection_access import Level
from portal.domain.custom_roles import Custom
from portal.domain.starter_sets import Pattern
from portal.domain.states import MemberState
from portal.models import Collection, CollectionGroup, Event, Group, Member
from tests.support.collections import confirmed
from tests.support.organizations import join, make_place


@pytest.fixture
def place(database):
    return make_place(database)


@pytest.fixture
def admin(place):
    return place.admins_browser()


def url(place, *parts):
    return "/".join([place.url, "collections/starter-sets", *parts])


def names(place, count):
    return {f"collection-{at}": seal(f"Name {at}", place.keys.key) for at in range(count)}


@pytest.mark.parametrize("pattern", Pattern)
def test_each_set_fits_itself(pattern):
    found = pattern.starter_set
    assert len(set(found.collections)) == len(found.collections)
    assert [len(row) for row in found.levels] == [len(found.collections)] * len(found.groups)
    for collection in range(len(found.collections) if found.groups else 0):
        levels = [found.level(group, collection) for group in range(len(found.groups))]
        assert Level.MANAGE in levels or collection == 0 or any(levels)


def test_the_diagram_and_the_table_say_what_the_set_gives(place, admin):
    page = admin.get(url(place))
    for pattern, drawn, table in zip(
        Pattern, page.select("main svg[role=img]"), page.select("main table"), strict=True
    ):
        found = pattern.starter_set
        given = sum(level is not None for row in found.levels for level in row)
        lines = drawn.select("g[stroke] path")
        assert len(lines) == (given or len(found.lines()))
        views = sum(level == Level.VIEW for row in found.levels for level in row)
        assert len([line for line in lines if line.get("stroke-dasharray")]) == views
        assert len(table.select("td div")) == given
    assert "Accounts and banking Edit items" in " ".join(table.get_text(" ").split())


def test_the_sets_are_offered_while_there_is_one_collection(place, admin):
    page = admin.get(f"{place.url}/collections")
    page = admin.get(page.link("Look at the starter sets"))
    assert len(page.select("svg[role=img]")) == 3
    assert len(page.select("main table")) == 3
    place.database.add(Collection(organization_id=place.organization.id))
    assert "Start from a starter set" not in admin.get(f"{place.url}/collections")


def test_a_set_is_applied_as_a_whole_and_told(place, admin):
    form = admin.get(url(place, "both"))
    clear = form.select("input[data-seal]")
    assert len(clear) == 8
    assert not [field for field in clear if field.get("name")]
    # A form finds its fields by id as well as by name: the hidden one must be alone.
    assert not {field["id"] for field in clear} & {field["data-seal"] for field in clear}
    fields = {**names(place, 3), "group-0": "Board", "group-1": "", "level-0-1": "view"}
    answer = admin.submit(form, "Apply the starter set", fields, status=303)
    page = admin.follow(answer)
    assert "3 collections are there now. 4 groups are there now." in page
    groups = dict(place.database.all(select(Group.name, Group.id)))
    assert set(groups) == {"Board", "Sales", "Marketing", "IT"}
    assert len(place.database.all(select(Collection.id))) == 4
    given = select(CollectionGroup.level).where(CollectionGroup.group_id == groups["Board"])
    assert sorted(place.database.all(given)) == [Level.MANAGE, Level.VIEW]
    told = place.database.all(select(Event.type).where(Event.type.like("organization:%:create")))
    assert told.count("organization:collection:create") == 6
    assert told.count("organization:group:create") == 8


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "Name at least one collection."),
        ({"collection-1": "Finance"}, "Enter a name. It is sealed in your browser"),
        ({"group-1": "x" * 101}, "Shorten it by 1 character"),
    ],
)
def test_nothing_is_made_where_something_is_wrong(place, admin, change, words):
    form = admin.get(url(place, "both"))
    sealed = names(place, 2) if change else {}
    page = admin.submit(form, "Apply the starter set", {**sealed, **change}, status=422)
    assert words in page
    assert "Finance" not in [field.get("value") for field in page.select("input[type=hidden]")]
    if sealed:
        assert page.one("input[name=collection-0]")["value"] == sealed["collection-0"]
    assert place.database.all(select(Group.id)) == []
    assert len(place.database.all(select(Collection.id))) == 1


def test_a_second_press_makes_nothing_again(place, admin):
    form = admin.get(url(place, "departments"))
    admin.submit(form, "Apply the starter set", names(place, 2), status=303)
    page = admin.submit(form, "Apply the starter set", names(place, 2), status=409)
    assert "Collections have been made in the meantime." in page
    assert len(place.database.all(select(Collection.id))) == 3


@pytest.mark.parametrize(
    ("parts", "both", "status"),
    [
        (["create_new_collections"], 404, 200),
        (["create_new_collections", "manage_groups"], 200, 200),
        (["manage_groups"], 403, 403),
    ],
)
def test_who_may_apply_which(place, parts, both, status):
    person = place.person("mia@client.example", "Mia", keys=True)
    member = join(place, person, Role.CUSTOM, MemberState.CONFIRMED)
    place.database.run(update(Member).where(Member.id == member).values(permissions=parts))
    browser = place.browser_of(person)
    browser.get(url(place, "both"), status=both)
    browser.get(url(place, "functions"), status=status)
    browser.get(url(place, "other"), status=404 if status == 200 else 403)


def test_without_keys_a_set_is_not_applied(database):
    bare = make_place(database, keys=False)
    browser = bare.admins_browser()
    assert "has no keys yet" in browser.get(url(bare, "functions"))
    page = browser.post(url(bare, "functions"), {**names(bare, 1), "seen": "1"}, status=422)
    assert "no keys yet" in page
    assert len(database.all(select(Collection.id))) == 1


def test_the_first_step_of_the_set_up_leads_to_the_sets(place, admin):
    page = admin.get(f"{place.url}/setup")
    assert admin.get(page.link("Look at the starter sets")).heading == "Starter sets"
    person, _row = confirmed(place, Role.CUSTOM, "max", (Custom.USERS,))
    helper = place.browser_of(person).get(f"{place.url}/setup")
    assert "Look at the starter sets" not in helper
