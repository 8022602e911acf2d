"""Groups: named, filled, given collections and deleted; what a list costs; who may."""

import pytest
from sqlalchemy import insert, select, update

from portal.crypto.envelope import seal
from portal.domain.access import Role
from portal.domain.collection_access import Level
from portal.domain.custom_roles import Custom
from portal.domain.names import name_ci
from portal.domain.states import MemberState
from portal.models import (
    Collection,
    CollectionGroup,
    Event,
    Group,
    GroupMember,
    Member,
    Organization,
    OrganizationSettings,
    new_id,
    utc_now,
)
from tests.support.clients import make_client
from tests.support.organizations import join, make_place


@pytest.fixture
def place(database):
    return make_place(database)


@pytest.fixture
def admin(place):
    return place.admins_browser()


def url(place, *parts):
    return "/".join([place.url, "groups", *(str(part) for part in parts)])


def make(place, name="Finance", **columns):
    group_id = new_id()
    place.database.add(
        Group(
            organization_id=place.organization.id,
            id=group_id,
            name=name,
            name_ci=name_ci(name),
            **columns,
        )
    )
    return group_id


def people(place, count, *, state=MemberState.INVITED):
    rows = [
        {
            "organization_id": place.organization.id,
            "id": new_id(),
            "email": f"member{number:04}@client.example",
            "role": Role.USER,
            "state": state,
            "permissions": [],
            "external_id": "",
            "revoked_because": "",
            "created_at": utc_now(),
            "invitation_version": 1,
            "invitation_locale": "en",
        }
        for number in range(count)
    ]
    place.database.run(insert(Member).values(rows))
    return [row["id"] for row in rows]


def inside(place, group_id):
    return set(
        place.database.all(select(GroupMember.member_id).where(GroupMember.group_id == group_id))
    )


def told(place, kind):
    return place.database.all(select(Event.payload).where(Event.type == f"organization:{kind}"))


def test_a_new_group_is_named_and_leads_to_its_page(place, admin):
    page = admin.get(url(place))
    assert "No groups yet" in page
    form = admin.get(page.link("New group"))
    answer = admin.submit(
        form, "Create group", {"name": " Finance ", "external_id": "F-1"}, status=303
    )
    page = admin.follow(answer)
    assert page.heading == "Finance"
    assert "Nobody is in the group yet." in page
    assert len(told(place, "group:create")) == 2, "in the client's log and in the provider's"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": " "}, "Enter a name for the group."),
        ({"name": "x" * 101}, "Shorten it by 1 character"),
        ({"name": "Ok", "external_id": "x" * 301}, "Enter at most 300 characters"),
    ],
)
def test_a_mistake_stands_at_its_field_and_nothing_is_lost(place, admin, fields, sentence):
    form = admin.get(url(place, "new"))
    page = admin.submit(form, "Create group", fields, status=422)
    assert sentence in page
    assert page.one("input[name=name]")["value"] == fields["name"].strip() or fields["name"] == " "
    assert place.database.all(select(Group.id)) == []


def test_an_external_id_belongs_to_one_group_of_the_organization(place, admin):
    make(place, "Finance", external_id="F-1")
    form = admin.get(url(place, "new"))
    page = admin.submit(form, "Create group", {"name": "Other", "external_id": "F-1"}, status=422)
    assert "Another group has this external id already." in page
    other = make_client(place.database, place.provider, "Other Ltd")
    place.database.add(
        Group(organization_id=other.id, name="Same", name_ci="same", external_id="F-1")
    )


def test_a_group_is_renamed_unless_somebody_was_faster(place, admin):
    group = make(place)
    slow = admin.get(url(place, group, "name"))
    fast = admin.get(url(place, group, "name"))
    admin.submit(fast, "Save group", {"name": "Accounts"}, status=303)
    page = admin.submit(slow, "Save group", {"name": "Money"}, status=409)
    assert "Somebody else has changed this group in the meantime." in page
    assert page.one("input[name=name]")["value"] == "Money"
    admin.submit(page, "Save group", {}, status=303)
    assert place.database.one(select(Group.name)) == "Money"
    assert len(told(place, "group:update")) == 4


def test_members_are_ticked_searched_and_taken_out(place, admin):
    group = make(place)
    people(place, 120)
    page = admin.get(url(place, group, "members/add"))
    assert len(page.select("tbody tr")) == 50
    more = admin.get(page.link("Next"))
    assert len(more.select("tbody tr")) == 50
    found = admin.get(url(place, group, "members/add?q=MEMBER0077"))
    (box,) = found.select("tbody input[name=member]")
    admin.submit(found, "Add the ticked members", {"member": [box["value"]]}, status=303)
    assert len(inside(place, group)) == 1
    page = admin.get(url(place, group))
    assert "member0077@client.example" in page
    admin.submit(page, "Take the ticked members out", {"member": [box["value"]]}, status=303)
    assert inside(place, group) == set()
    assert len(told(place, "group:add_members")) == len(told(place, "group:remove_members")) == 2


def test_pasted_addresses_are_added_and_the_unknown_ones_named(place, admin):
    group = make(place)
    people(place, 3)
    page = admin.get(url(place, group, "members/add"))
    text = "Jo <member0001@client.example>; MEMBER0002@client.example\nnobody@client.example"
    answer = admin.submit(page, "Add pasted members", {"addresses": text}, status=200)
    assert "2 members are in the group now." in answer
    assert "nobody@client.example" in answer
    assert len(inside(place, group)) == 2
    page = admin.submit(page, "Add pasted members", {"addresses": "not an address"}, status=422)
    assert page.text("textarea") == "not an address"


def test_collections_are_given_by_level_and_count_for_the_set_up(place, admin):
    group = make(place)
    collection = place.database.one(select(Collection.id))
    page = admin.get(url(place, group, "collections"))
    assert page.one("sealed-text")["sealed"].startswith("2.")
    before = place.database.one(select(Organization.setup_done))
    admin.submit(page, "Save collections", {f"level-{collection}": "edit_hidden"}, status=303)
    assert place.database.one(select(CollectionGroup.level)) is Level.EDIT_HIDDEN
    assert place.database.one(select(Organization.setup_done)) == before + 1
    assert "Edit items, hidden passwords" in admin.get(url(place, group))
    page = admin.get(url(place, group, "collections"))
    admin.submit(page, "Save collections", {f"level-{collection}": ""}, status=303)
    assert place.database.all(select(CollectionGroup.level)) == []
    assert place.database.one(select(Organization.setup_done)) == before


def test_the_collection_of_another_organization_is_not_given(place, admin):
    group = make(place)
    other = make_client(place.database, place.provider, "Other Ltd")
    theirs = new_id()
    place.database.add(
        Collection(organization_id=other.id, id=theirs, sealed_name=seal("Theirs", place.keys.key))
    )
    admin.post(url(place, group, "collections"), {f"level-{theirs}": "manage"}, status=303)
    assert place.database.all(select(CollectionGroup.level)) == []
    admin.post(url(place, group, "collections"), {"level-x": "manage"}, status=400)
    admin.post(url(place, group, "collections"), {f"level-{theirs}": "all"}, status=400)


def test_a_stranger_of_another_organization_does_not_become_a_member_of_the_group(place, admin):
    group = make(place)
    other = make_client(place.database, place.provider, "Other Ltd")
    stranger = new_id()
    place.database.add(
        Member(
            organization_id=other.id,
            id=stranger,
            email="x@other.example",
            role=Role.USER,
            state=MemberState.INVITED,
        )
    )
    admin.post(url(place, group, "members/add"), {"member": [str(stranger)]}, status=303)
    assert inside(place, group) == set()


def test_deleting_names_what_is_lost_and_keeps_the_people(place, admin):
    groups = [make(place, name) for name in ("Finance", "Law")]
    members = people(place, 2)
    rows = [
        {"organization_id": place.organization.id, "group_id": groups[0], "member_id": member}
        for member in members
    ]
    place.database.run(insert(GroupMember).values(rows))
    page = admin.get(f"{url(place)}/delete?group={groups[0]}&group={groups[1]}")
    assert page.heading == "Delete 2 groups"
    chosen = {"group": [str(group) for group in groups]}
    answer = admin.submit(page, "Delete groups", chosen, status=303)
    assert "2 groups are deleted." in admin.follow(answer)
    assert place.database.all(select(Group.id)) == []
    assert len(place.database.all(select(Member.id))) == 3
    admin.get(url(place, groups[0]), status=404)


@pytest.mark.parametrize("count", [10, 2000])
def test_a_page_of_a_group_costs_the_same_for_ten_and_for_two_thousand(
    place, admin, statements, count
):
    group = make(place)
    members = people(place, count)
    rows = [
        {"organization_id": place.organization.id, "group_id": group, "member_id": member}
        for member in members
    ]
    place.database.run(insert(GroupMember).values(rows))
    admin.get(url(place, group))
    statements.clear()
    admin.get(url(place, group))
    statements.most(8)
    statements.clear()
    admin.get(url(place))
    statements.most(6)


def test_groups_are_searched_sorted_and_paged(place, admin):
    for number in range(60):
        make(place, f"Team {number:02}")
    page = admin.get(url(place))
    assert len(page.select("tbody tr")) == 50
    rest = admin.get(page.link("Next"))
    assert len(rest.select("tbody tr")) == 10
    assert len(admin.get(rest.link("Previous")).select("tbody tr")) == 50
    assert page.one("th[aria-sort]")["aria-sort"] == "ascending"
    down = admin.get(page.one("a.sort")["href"])
    assert down.one("tbody tr:first-child a").get_text() == "Team 59"
    assert len(admin.get(f"{url(place)}?q=team+1").select("tbody tr")) == 10
    assert "Nothing matches" in admin.get(f"{url(place)}?q=%25")
    assert admin.get(f"{url(place)}?cursor=wrong", status=303).location == url(place)


def test_htmx_gets_the_table_alone(place, admin):
    make(place)
    fragment = admin.get(url(place), hx="groups-table")
    assert fragment.one("#groups-table")
    assert not fragment.select("h1")


@pytest.mark.parametrize(
    ("role", "parts", "reads", "writes"),
    [
        (Role.OWNER, [], True, True),
        (Role.ADMIN, [], True, True),
        (Role.USER, [], False, False),
        (Role.CUSTOM, [], False, False),
        (Role.CUSTOM, ["manage_groups"], True, True),
        (Role.CUSTOM, ["manage_users"], True, False),
    ],
)
def test_who_reads_and_who_changes_groups(place, role, parts, reads, writes):
    person = place.person("mia@client.example", "Mia", keys=True)
    member = join(place, person, role, MemberState.CONFIRMED)
    place.database.run(update(Member).where(Member.id == member).values(permissions=parts))
    group = make(place)
    browser = place.browser_of(person)
    browser.get(url(place), status=200 if reads else 403)
    browser.get(url(place, group), status=200 if reads else 403)
    browser.get(url(place, "new"), status=200 if writes else 403)
    browser.post(url(place, group, "delete"), {}, status=303 if writes else 403)
    assert bool(place.database.all(select(Group.id))) is not writes


# Nobody widens their own reach


def narrowed(place, role=Role.ADMIN, *, reaches_all=False):
    """Somebody of that role and their row, where owners and admins reach what they are given."""
    person = place.person("nina@client.example", "Nina", keys=True)
    member = join(place, person, role, MemberState.CONFIRMED)
    parts = [Custom.GROUPS.value] if role is Role.CUSTOM else []
    place.database.run(update(Member).where(Member.id == member).values(permissions=parts))
    place.database.add(
        OrganizationSettings(organization_id=place.organization.id, admins_reach_all=reaches_all)
    )
    return place.browser_of(person), member


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN, Role.CUSTOM])
def test_nobody_adds_themselves_to_a_group_that_widens_their_reach(place, role):
    browser, member = narrowed(place, role)
    group_id = make(place)
    (other,) = people(place, 1)
    ticked = {"member": [str(member), str(other)]}
    refused = browser.post(url(place, group_id, "members", "add"), ticked, status=409)
    assert "nobody gives themselves more" in refused
    pasted = {"addresses": "nina@client.example"}
    refused = browser.post(url(place, group_id, "members", "paste"), pasted, status=409)
    assert "nobody gives themselves more" in refused
    assert "nina@client.example" in refused.one("textarea").get_text()
    assert inside(place, group_id) == set()
    browser.post(url(place, group_id, "members", "add"), {"member": [str(other)]}, status=303)
    assert inside(place, group_id) == {other}


@pytest.mark.parametrize("role", [Role.ADMIN, Role.CUSTOM])
def test_nobody_widens_a_group_that_they_are_in(place, role):
    browser, member = narrowed(place, role)
    group_id = make(place)
    here = {"organization_id": place.organization.id}
    place.database.add(GroupMember(**here, group_id=group_id, member_id=member))
    (collection,) = place.database.all(select(Collection.id))
    page, field = url(place, group_id, "collections"), f"level-{collection}"
    refused = browser.post(page, {field: "view"}, status=409)
    assert "nobody gives themselves more" in refused
    assert refused.one(f'select[name="{field}"] option[selected]')["value"] == "view"
    place.admins_browser().post(page, {field: "edit"}, status=303)
    browser.post(page, {field: "manage"}, status=409)
    browser.post(page, {field: "view"}, status=303)
    browser.post(page, {field: "edit"}, status=409)
    browser.post(page, {}, status=303)
    assert place.database.all(select(CollectionGroup.level)) == []


def test_who_reaches_everything_by_their_role_may_join_any_group(place):
    browser, member = narrowed(place, reaches_all=True)
    group_id = make(place)
    browser.post(url(place, group_id, "members", "add"), {"member": [str(member)]}, status=303)
    assert inside(place, group_id) == {member}


def test_in_a_group_that_they_are_not_in_an_admin_gives_what_they_like(place):
    browser, _member = narrowed(place)
    group_id = make(place)
    (collection,) = place.database.all(select(Collection.id))
    page = url(place, group_id, "collections")
    browser.post(page, {f"level-{collection}": "manage"}, status=303)
