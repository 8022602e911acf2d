"""What a member reaches, by one rule in SQL; what one member is given, and by whom."""

import random

import pytest
from sqlalchemy import insert, select, update

from portal.domain.access import Role
from portal.domain.collection_access import Level, effective
from portal.domain.custom_roles import Custom
from portal.domain.plans import Plan
from portal.domain.scope import Level as ScopeLevel
from portal.domain.states import MemberState
from portal.members.access import effective_access
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
    ProviderPerson,
    new_id,
)
from tests.support.organizations import employ, join, make_place

BY_ROLE, BY_NAME, BY_GROUPS = "role", "name", "groups"


@pytest.fixture
def place(database):
    made = make_place(database)
    database.run(
        update(Organization).values(
            plan=Plan.ENTERPRISE, plan_rank=2, seats=20, seats_used=Organization.seats_used
        )
    )
    return made


def somebody(place, name, role=Role.USER, parts=(), state=MemberState.CONFIRMED):
    person = place.person(f"{name.lower()}@client.example", name)
    row = join(place, person, role, state)
    place.database.run(
        update(Member)
        .where(Member.id == row)
        .values(permissions=[Custom(part).value for part in parts])
    )
    return person, row


def group(place, name, *members):
    group_id = new_id()
    organization_id = place.organization.id
    place.database.add(
        Group(organization_id=organization_id, id=group_id, name=name, name_ci=name.lower())
    )
    for member in members:
        place.database.add(
            GroupMember(organization_id=organization_id, group_id=group_id, member_id=member)
        )
    return group_id


def collection(place):
    collection_id = new_id()
    place.database.add(Collection(organization_id=place.organization.id, id=collection_id))
    return collection_id


def give(place, collection_id, level, *, member=None, to=None):
    here = {"organization_id": place.organization.id, "collection_id": collection_id}
    row = (
        CollectionMember(**here, member_id=member, level=level)
        if member
        else CollectionGroup(**here, group_id=to, level=level)
    )
    place.database.add(row)


def reach(place, member=None):
    conditions = [Member.id == member] if member else []
    access = effective_access(place.organization.id, *conditions)
    with place.database.session() as session:
        found = session.execute(select(access)).all()
    keys = [(row.member_id, row.collection_id) for row in found]
    assert len(keys) == len(set(keys)), "each pair once"
    return {
        (row.member_id, row.collection_id): (
            row.level.value,
            BY_ROLE if row.by_role else BY_NAME if row.is_direct else BY_GROUPS,
        )
        for row in found
    }


def drawn(dice, chance, *sides):
    """A level for some of the pairs."""
    pairs = [(one, other) for one in sides[0] for other in sides[1]]
    return {pair: dice.choice(list(Level)) for pair in pairs if dice.random() < chance}


def stored(place, inside, by_group, by_name):
    here = {"organization_id": place.organization.id}
    members = [{**here, "group_id": one, "member_id": two} for one, two in inside]
    groups = [
        {**here, "group_id": one, "collection_id": two, "level": level}
        for (one, two), level in by_group.items()
    ]
    names = [
        {**here, "member_id": one, "collection_id": two, "level": level}
        for (one, two), level in by_name.items()
    ]
    for table, rows in (
        (GroupMember, members),
        (CollectionGroup, groups),
        (CollectionMember, names),
    ):
        place.database.run(insert(table).values(rows))


def foretold(member, each, inside, by_group, by_name):
    """The domain's answer for one member and one collection, as `reach` has it."""
    own = [group_id for group_id, somebody_in in inside if somebody_in == member]
    levels = [by_group[group_id, each] for group_id in own if (group_id, each) in by_group]
    found = effective(by_name.get((member, each)), levels)
    if found is None:
        return None
    return found.level.value, BY_NAME if found.is_direct else BY_GROUPS


@pytest.mark.parametrize("seed", range(6))
def test_the_rule_in_sql_is_the_rule_of_the_domain(place, seed):
    dice = random.Random(seed)
    members = [somebody(place, f"M{number}")[1] for number in range(4)]
    collections = [collection(place) for _number in range(5)]
    groups = [group(place, f"G{number}") for number in range(4)]
    inside = list(drawn(dice, 0.6, groups, members))
    by_group = drawn(dice, 0.5, groups, collections)
    by_name = drawn(dice, 0.25, members, collections)
    stored(place, inside, by_group, by_name)
    pairs = [(member, each) for member in members for each in collections]
    told = {pair: foretold(*pair, inside, by_group, by_name) for pair in pairs}
    expected = {pair: answer for pair, answer in told.items() if answer}
    assert {key: value for key, value in reach(place).items() if key[0] in members} == expected
    one = members[0]
    assert reach(place, one) == {key: value for key, value in expected.items() if key[0] == one}


@pytest.mark.parametrize(
    ("role", "parts", "reaches"),
    [
        (Role.OWNER, (), True),
        (Role.ADMIN, (), True),
        (Role.USER, (), False),
        (Role.CUSTOM, (Custom.EDIT_COLLECTIONS,), False),
        (Role.CUSTOM, (Custom.USERS,), False),
    ],
)
def test_some_roles_reach_everything_unless_the_organization_says_no(place, role, parts, reaches):
    _person, row = somebody(place, "Uma", role, parts)
    each = collection(place)
    assert (reach(place, row).get((row, each)) == ("manage", BY_ROLE)) is reaches
    place.database.add(
        OrganizationSettings(organization_id=place.organization.id, admins_reach_all=False)
    )
    assert reach(place, row) == {}
    give(place, each, Level.VIEW, member=row)
    assert reach(place, row) == {(row, each): ("view", BY_NAME)}


def test_what_another_organization_gives_is_not_seen(place):
    _person, row = somebody(place, "Uma")
    give(place, collection(place), Level.EDIT, member=row)
    access = effective_access(new_id())
    with place.database.session() as session:
        assert session.execute(select(access)).all() == []


# The page of one member.


def page(browser, place, row, *parts, **options):
    return browser.get("/".join([place.members, str(row), *parts]), **options)


def test_the_page_says_what_is_reached_and_through_what(place):
    _person, row = somebody(place, "Uma")
    finance = group(place, "Finance", row)
    first, second = collection(place), collection(place)
    give(place, first, Level.EDIT, to=finance)
    give(place, second, Level.MANAGE, to=finance)
    give(place, second, Level.VIEW, member=row)
    shown = page(place.admins_browser(), place, row)
    lines = shown.texts("table.plain tbody tr")
    assert "Default collection Edit items Through: Finance (Edit items)" in lines
    assert (
        "Default collection View items By name, which replaces: Finance (Manage collection)"
        in lines
    )
    assert shown.heading == "Uma"
    assert shown.link("Finance").endswith(f"/groups/{finance}")


def test_the_page_costs_the_same_however_much_is_reached(place, statements):
    _person, row = somebody(place, "Uma")
    browser = place.admins_browser()
    page(browser, place, row)
    for number in range(12):
        give(place, collection(place), Level.VIEW, to=group(place, f"G{number}", row))
    statements.clear()
    page(browser, place, row)
    statements.most(13)


def test_groups_and_collections_are_given_and_told(place):
    _person, row = somebody(place, "Uma")
    finance, sales = group(place, "Finance", row), group(place, "Sales")
    each = collection(place)
    admin = place.admins_browser()
    admin.post(f"{place.members}/{row}/groups", {"group": [str(sales)]}, status=303)
    inside = place.database.all(select(GroupMember.group_id).where(GroupMember.member_id == row))
    assert inside == [sales]
    admin.post(f"{place.members}/{row}/collections", {f"level-{each}": "edit"}, status=303)
    assert reach(place, row) == {(row, each): ("edit", BY_NAME)}
    told = place.database.all(
        select(Event.payload).where(Event.type == "organization:member:set_groups")
    )
    assert len(told) == 2
    assert str(finance) in str(told[0])
    admin.post(f"{place.members}/{row}/collections", {f"level-{each}": "edit"}, status=303)
    kinds = place.database.all(
        select(Event.type).where(Event.type == "organization:member:set_collections")
    )
    assert len(kinds) == 2, "what is so already is not told again"


def test_a_group_of_another_organization_cannot_be_given(place, database):
    _person, row = somebody(place, "Uma")
    admin = place.admins_browser()
    admin.post(f"{place.members}/{row}/groups", {"group": [str(new_id())]}, status=303)
    admin.post(f"{place.members}/{row}/collections", {f"level-{new_id()}": "edit"}, status=303)
    assert reach(place, row) == {}
    admin.post(f"{place.members}/{row}/groups", {"group": ["nonsense"]}, status=400)
    admin.post(f"{place.members}/{row}/collections", {f"level-{new_id()}": "x"}, status=400)


def test_who_does_not_reach_everything_gives_themselves_nothing(place):
    ada, row = somebody(place, "Ann", Role.ADMIN)
    each = collection(place)
    browser = place.browser_of(ada)
    browser.post(f"{place.members}/{row}/collections", {f"level-{each}": "manage"}, status=303)
    place.database.add(
        OrganizationSettings(organization_id=place.organization.id, admins_reach_all=False)
    )
    refused = browser.post(f"{place.members}/{row}/collections", {}, status=409)
    assert "nobody gives themselves more" in refused


# The role.


def test_a_custom_role_is_given_in_parts(place):
    _person, row = somebody(place, "Uma")
    admin = place.admins_browser()
    form = page(admin, place, row, "role")
    assert len(form.select("input[name=permissions]")) == 13
    data = {"role": "custom", "permissions": ["manage_account_recovery", "manage_groups"]}
    admin.post(f"{place.members}/{row}/role", data, status=303)
    member = place.member(row)
    assert member.role is Role.CUSTOM
    assert member.permissions == ["manage_account_recovery", "manage_groups", "manage_users"]


def test_a_plan_without_custom_roles_offers_none(place):
    place.database.run(update(Organization).values(plan=Plan.TEAMS, plan_rank=1))
    _person, row = somebody(place, "Uma")
    admin = place.admins_browser()
    form = page(admin, place, row, "role")
    assert [box["value"] for box in form.select("input[name=role]")] == ["user", "admin", "owner"]
    assert not form.select("input[name=permissions]")
    admin.post(f"{place.members}/{row}/role", {"role": "custom"}, status=422)


def test_an_admin_makes_no_owner(place):
    ann, _own = somebody(place, "Ann", Role.ADMIN)
    _person, row = somebody(place, "Uma")
    browser = place.browser_of(ann)
    values = [box["value"] for box in page(browser, place, row, "role").select("input[name=role]")]
    assert "owner" not in values
    browser.post(f"{place.members}/{row}/role", {"role": "owner"}, status=422)
    assert place.member(row).role is Role.USER
    refused = browser.post(f"{place.members}/{place.owner_row}/role", {"role": "user"}, status=409)
    assert "Your role does not reach that far." in refused


def test_a_custom_manager_gives_only_what_they_hold(place):
    hal, _own = somebody(place, "Hal", Role.CUSTOM, [Custom.USERS, Custom.GROUPS])
    _person, row = somebody(place, "Uma")
    browser = place.browser_of(hal)
    form = page(browser, place, row, "role")
    assert [box["value"] for box in form.select("input[name=permissions]")] == [
        "manage_groups",
        "manage_users",
    ]
    data = {"role": "custom", "permissions": ["manage_policies"]}
    browser.post(f"{place.members}/{row}/role", data, status=422)
    browser.post(f"{place.members}/{row}/role", {"role": "admin"}, status=422)
    assert place.member(row).role is Role.USER
    browser.post(f"{place.members}/{row}/collections", {}, status=403)


def test_the_last_owner_stays_an_owner(place):
    olga, row = somebody(place, "Olga", Role.OWNER)
    refused = place.admins_browser().post(
        f"{place.members}/{row}/role", {"role": "user"}, status=409
    )
    assert "This is the last confirmed owner" in refused
    own = place.browser_of(olga).post(f"{place.members}/{row}/role", {"role": "user"}, status=409)
    assert "You cannot do this to yourself." in own


# Leaving.


def test_somebody_leaves_by_themselves(place):
    uma, row = somebody(place, "Uma")
    place.database.run(update(Organization).values(seats_used=2))
    browser = place.browser_of(uma)
    form = browser.get(f"{place.url}/leave")
    browser.submit(form, "Leave the organization", status=303)
    assert place.database.all(select(Member.id).where(Member.id == row)) == []
    client = place.client()
    assert client.seats_used == 1
    assert client.key_rotation_due_since is not None
    kinds = place.database.all(select(Event.type).where(Event.type == "organization:member:leave"))
    assert len(kinds) == 1, "in the client's log"
    browser.get(f"{place.url}/collections", status=404)


def test_the_last_owner_does_not_leave(place):
    olga, row = somebody(place, "Olga", Role.OWNER)
    browser = place.browser_of(olga)
    assert "This is the last confirmed owner" in browser.get(f"{place.url}/leave")
    browser.post(f"{place.url}/leave", status=409)
    assert place.member(row)
    somebody(place, "Other", Role.OWNER)
    browser.post(f"{place.url}/leave", status=303)


def test_people_of_the_provider_have_no_place_to_leave(place):
    page = place.admins_browser().get(f"{place.url}/leave")
    assert "You are no member here" in page
    assert not page.select("form button.danger")
    place.admins_browser().post(f"{place.url}/leave", status=409)


def test_a_provider_person_who_only_reads_changes_nothing(place):
    tom = place.person("tom@northwind.example", "Tom")
    employ(place.database, place.provider, tom, Role.SERVICE_USER)
    place.database.run(
        update(ProviderPerson)
        .where(ProviderPerson.account_id == tom.account_id)
        .values(level=ScopeLevel.READ_ONLY)
    )
    _person, row = somebody(place, "Uma")
    browser = place.browser_of(tom)
    shown = browser.get(place.members)
    assert not shown.select("input[name=member]")
    assert "Invite members" not in shown
    page(browser, place, row)
    for path in ("role", "groups", "collections"):
        browser.get(f"{place.members}/{row}/{path}", status=403)
        browser.post(f"{place.members}/{row}/{path}", {}, status=403)
    for path in ("invite", "changes"):
        browser.get(f"{place.members}/{path}", status=403)
        browser.post(f"{place.members}/{path}", {}, status=403)
